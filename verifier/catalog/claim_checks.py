"""What claims, pictures and acknowledgements need: shapes that fit, points that fix every input, ids that exist."""

from __future__ import annotations

from collections.abc import Callable

from verifier.catalog import schema
from verifier.catalog.faults import FaultList, listed, shown
from verifier.catalog.fields import Broken
from verifier.catalog.formulas import ARRAYS, Checked, Vocabulary, formula_position
from verifier.catalog.points import check_point
from verifier.catalog.references import Ids
from verifier.catalog.shapes import is_broken, nested_shape, shape_text
from verifier.catalog.yaml_events import Scalar, Sequence
from verifier.errors import FormulaError
from verifier.model.catalog import Shape

__all__ = ["ClaimChecker", "check_picture"]

StructureCheck = Callable[[str], None]


class ClaimChecker:
    """Checks claims of one entry, each by what decides it."""

    def __init__(
        self, vocabulary: Vocabulary, listings: Ids, faults: FaultList, check_structure: StructureCheck | None
    ) -> None:
        self._vocabulary = vocabulary
        self._listings = listings
        self._faults = faults
        self._check_structure = check_structure

    def check(self, claim: schema.ClaimPart) -> None:
        """Reports whatever keeps the claim from being decided."""
        match claim:
            case schema.IdentityClaim(identity=schema.IdentityBody() as body):
                self._identity(body)
            case schema.DigitsClaim(digits=schema.DigitsBody() as body):
                self._digits(claim, body)
            case schema.HoldsClaim(holds=holds):
                self._holds(claim, holds)
            case schema.ShapeClaim(shape=schema.ShapeBody() as body):
                self._shape(body)
            case schema.LimitClaim(limit=schema.LimitBody() as body):
                self._limit(body)
            case schema.RunsClaim(runs=body) | schema.PrintsClaim(prints=body) | schema.StructureClaim(structure=body):
                self._listing(body)
        self._point(claim)

    def _point(self, claim: schema.ClaimPart) -> frozenset[str]:
        given = claim.node.get("at")
        if given is not None and not isinstance(claim, schema.DigitsClaim | schema.HoldsClaim | schema.LimitClaim):
            message = "`at` says nothing here: this claim is not decided at a point, remove the key"
            self._faults.add(claim.node.keys_at["at"], message, given.path)
        return check_point(given, claim.at, self._vocabulary, self._faults, ARRAYS)

    def _identity(self, body: schema.IdentityBody) -> None:
        left, right = self._vocabulary.check(body.left), self._vocabulary.check(body.right)
        self._same_shape(left, right, body.right)

    def _same_shape(self, left: Checked | None, right: Checked | None, node: Scalar | Broken) -> None:
        if left and right and isinstance(node, Scalar) and left.shape != right.shape:
            message = f"{shape_text(left.shape)} cannot equal {shape_text(right.shape)}: both sides need one shape"
            self._faults.add(node.position, message, node.path)

    def _digits(self, claim: schema.ClaimPart, body: schema.DigitsBody) -> None:
        checked = self._vocabulary.check(body.formula)
        self._refuse_loose_inputs(checked, claim, body.formula)
        node = body.node.get("printed")
        if node is None or is_broken(body.printed):
            return
        printed = nested_shape(node, lambda _: (), self._faults)
        if checked and printed is not None and printed != checked.shape:
            message = f"the formula is {shape_text(checked.shape)}, but what is printed is {shape_text(printed)}"
            self._faults.add(node.position, message, node.path)

    def _holds(self, claim: schema.ClaimPart, holds: object) -> None:
        node = holds.formula if isinstance(holds, schema.HoldsBody) else holds
        bound = self._for_all(claim, holds) if isinstance(holds, schema.HoldsBody) else frozenset()
        checked = self._vocabulary.check(node, truth=True) if isinstance(node, Scalar) else None
        if checked and checked.shape and isinstance(node, Scalar):
            message = f"this is {shape_text(checked.shape)} of statements: write all(...) or any(...) around it"
            self._faults.add(node.position, message, node.path)
        if not isinstance(holds, schema.HoldsBody) or not is_broken(holds.for_all):
            self._refuse_loose_inputs(checked, claim, node, bound)

    def _for_all(self, claim: schema.ClaimPart, body: schema.HoldsBody) -> frozenset[str]:
        """The inputs that are not at one point; each must be an input, and not be fixed besides."""
        given = body.node.get("for-all")
        nodes = [node for node in given if isinstance(node, Scalar)] if isinstance(given, Sequence) else []
        leaves = Ids("input", tuple(self._vocabulary.inputs), "inputs")
        for node in nodes:
            if not self._vocabulary.doubtful and not self._vocabulary.is_broken(node.text):
                leaves.check(node, self._faults)
            if isinstance(claim.at, dict) and node.text in claim.at:
                message = f"`{shown(node.text)}` is fixed by `at` and runs through its domain too: keep one of the two"
                self._faults.add(node.position, message, node.path)
        return frozenset(node.text for node in nodes)

    def _refuse_loose_inputs(
        self, checked: Checked | None, claim: schema.ClaimPart, node: object, bound: frozenset[str] = frozenset()
    ) -> None:
        if checked is None or not isinstance(claim.at, dict) or not isinstance(node, Scalar):
            return
        loose = sorted(checked.inputs - claim.at.keys() - bound)
        if loose:
            holds = isinstance(claim, schema.HoldsClaim)
            ways = f"`at: {{{loose[0]}: ...}}` beside `{'holds' if holds else 'digits'}`"
            ways += f", or `for-all: [{loose[0]}]` in it" if holds else ""
            message = f"this depends on {listed(loose, last='and')}: say at which value, {ways}"
            self._faults.add(node.position, message, node.path)

    def _shape(self, body: schema.ShapeBody) -> None:
        self._vocabulary.check(body.formula)

    def _limit(self, body: schema.LimitBody) -> None:
        if isinstance(body.variable, Broken):
            return
        problem = self._variable_problem(body.variable)
        if problem:
            node = body.node["variable"]
            self._faults.add(node.position, problem, node.path)
            return
        extra: dict[str, Shape] = {body.variable: ()}
        formula = self._vocabulary.check(body.formula, extra=extra)
        equals = self._vocabulary.check(body.equals)
        self._vocabulary.check(body.to)
        self._same_shape(formula, equals, body.equals)

    def _variable_problem(self, name: str) -> str | None:
        """Why a limit cannot move this variable: it has to be a scalar input, or a new name."""
        from verifier.symbolic.scope import name_fault

        shape = self._vocabulary.inputs.get(name)
        if shape is not None:
            return f"`{shown(name)}` is {shape_text(shape)}: a limit moves a scalar" if shape else None
        if self._vocabulary.is_known(name):
            return f"`{shown(name)}` is already a name of this entry: choose another"
        return name_fault(name)

    def _listing(self, body: object) -> None:
        if not isinstance(body, schema.Part):
            return
        self._listings.check(body.node.get("listing"), self._faults)
        if isinstance(body, schema.StructureBody) and isinstance(body.formula, Scalar) and self._check_structure:
            try:
                self._check_structure(body.formula.text)
            except FormulaError as error:
                self._faults.add(formula_position(body.formula, error.column), str(error), body.formula.path)


_SERIES_ROWS = ("z", "u", "v")


def check_picture(picture: schema.Picture, vocabulary: Vocabulary, faults: FaultList) -> None:
    """Reports layers whose arrays do not fit together."""
    for series in picture.series if isinstance(picture.series, list) else ():
        if isinstance(series, schema.CurveSeries):
            _check_series(series, vocabulary, faults)


def _check_series(series: schema.CurveSeries, vocabulary: Vocabulary, faults: FaultList) -> None:
    x, y = (_vector(series, key, vocabulary, faults) for key in ("x", "y"))
    if x is None or y is None:
        return
    node = series.node["y"]
    if not isinstance(series, schema.ContourSeries | schema.ArrowsSeries):
        if x != y:
            faults.add(
                node.position, f"{x} horizontal coordinates, but {y} vertical ones: a curve needs as many", node.path
            )
        return
    for key in _SERIES_ROWS:
        checked = vocabulary.check(getattr(series, key, None), ARRAYS)
        if checked and checked.shape != (y, x):
            node = series.node[key]
            message = f"expected shape [{y}, {x}], one row for each y, found {shape_text(checked.shape)}"
            faults.add(node.position, message, node.path)


def _vector(series: schema.CurveSeries, key: str, vocabulary: Vocabulary, faults: FaultList) -> int | None:
    checked = vocabulary.check(getattr(series, key), ARRAYS)
    if checked is None:
        return None
    if len(checked.shape) != 1:
        node = series.node[key]
        faults.add(node.position, f"expected a vector of coordinates, found {shape_text(checked.shape)}", node.path)
        return None
    return checked.shape[0]
