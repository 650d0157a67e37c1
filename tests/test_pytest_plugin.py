"""The pytest plugin: what is collected, what fails and how it reads."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

# pytester forgets the modules that a run imports; a second import of these would make second copies of their classes.
import verifier.checking.check
import verifier.engine.run
import verifier.report.ci.cases  # noqa: F401

CATALOG = """\
format: "1.0"
source: {title: T, sections: [{id: s, title: S}]}
entries:
  square:
    title: "A square"
    section: s
    tags: [plain-one]
    inputs: {x: {domain: [-10, 10]}}
    value: x**2
    orders: [1]
    samples: 0
    points: [{x: 4.5}]
    claims:
      - {id: right, says: "it is 2x", identity: {left: "D(value, x)", right: 2*x}}
      - {id: wrong, says: "it is 3x", identity: {left: "D(value, x)", right: 3*x}}
      - {id: known, says: "it is 4x", identity: {left: "D(value, x)", right: 4*x}}
    acknowledged:
      - {claim: known, verdict: REFUTED, reason: "an old friend"}
  other: {title: t, section: s, claims: [{id: c, says: "so", holds: "1 < 2"}]}
"""


@pytest.fixture
def project(pytester):
    """A folder with a catalog under a name that is collected, and one under a name that is not."""
    for name in ("small.catalog.yaml", "named.yaml"):
        (pytester.path / name).write_text(CATALOG)
    return pytester


def collected(result):
    return [line for line in result.outlines if "::" in line]


def test_entries_and_claims_are_items(project):
    found = collected(project.runpytest_inprocess("--collect-only", "-q"))
    names = ("square", "square.right", "square.wrong", "square.known", "other", "other.c")
    assert found == [f"small.catalog.yaml::{name}" for name in names]


def test_named_catalogs_and_selection(project):
    found = collected(
        project.runpytest_inprocess("--collect-only", "-q", "--verifier-catalog", "named.yaml", "-k", "right")
    )
    assert found == ["named.yaml::square.right", "small.catalog.yaml::square.right"]
    by_tag = collected(project.runpytest_inprocess("--collect-only", "-q", "-m", "plain-one"))
    assert len(by_tag) == 4


def test_failures_read_well_and_known_ones_do_not_fail(project):
    result = project.runpytest_inprocess("--verifier-dtype", "float64", "--junitxml", "junit.xml", "-k", "square")
    result.assert_outcomes(passed=2, failed=1, xfailed=1)
    result.stdout.re_match_lines([r".*small\.catalog\.yaml:15: it is 3x", r"REFUTED: .*"])
    assert "Traceback" not in result.stdout.str()
    cases = ElementTree.parse(project.path / "junit.xml").findall(".//testcase")
    assert {each.get("name"): each.find("failure") is not None for each in cases} == {
        "square": False,
        "square.right": False,
        "square.wrong": True,
        "square.known": False,
    }
    again = project.runpytest_inprocess("--verifier-dtype", "float64", "--lf")
    again.assert_outcomes(failed=1)


def test_tags_change_no_outcome_and_are_found(project):
    tags = ("skip", "xfail", "skipif", "parametrize", "usefixtures", "filterwarnings")
    (project.path / "small.catalog.yaml").write_text(CATALOG.replace("plain-one", ", ".join(tags)))
    result = project.runpytest_inprocess("--verifier-dtype", "float64", "-k", " and ".join((*tags, "wrong")))
    result.assert_outcomes(failed=1)


def test_misuse_is_said_without_a_traceback(project):
    text = CATALOG.replace("    orders: [1]", "    orders: [1]\n    implementation: nothing:here")
    (project.path / "small.catalog.yaml").write_text(text)
    result = project.runpytest_inprocess("-k", "square and not right and not wrong and not known")
    result.assert_outcomes(failed=1)
    assert "--verifier-allow-imports) if you trust this catalog" in result.stdout.str()
    assert "Error\n" not in result.stdout.str()
    for option in ("--verifier-samples=-5", "--verifier-seed=-1"):
        refused = project.runpytest_inprocess(option)
        refused.stderr.re_match_lines([r".*expected a whole number from 0 on, found '-\d'"])


def test_a_faulty_catalog_is_one_collection_error_with_every_fault(project):
    (project.path / "small.catalog.yaml").write_text(CATALOG.replace("x**2", "x**").replace("2*x}", "frob(x)}"))
    result = project.runpytest_inprocess("--collect-only")
    result.assert_outcomes(errors=1)
    text = result.stdout.str()
    assert "small.catalog.yaml:9:" in text
    assert "small.catalog.yaml:14:" in text


def test_collection_imports_no_jax(project):
    code = """if True:
        import sys, pytest
        status = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"])
        print("heavy:", sorted({"jax", "sympy", "flint"} & sys.modules.keys()))
        sys.exit(status)
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=project.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "heavy: []" in done.stdout


def test_the_fixture_and_its_marker(pytester):
    pytester.makepyfile(
        """
        import jax.numpy as jnp
        import pytest

        def test_right(assert_derivatives):
            assert_derivatives(jnp.sin, 0.5)

        @pytest.mark.derivatives(orders=(1, 2), programs=("jacfwd", "fwd-fwd"))
        def test_marked(assert_derivatives):
            assert_derivatives(jnp.sin, 0.5)

        def test_wrong(assert_derivatives):
            assert_derivatives(lambda x: jnp.where(x == 0, 1.0, jnp.sin(x) / x), 0.0)
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*AssertionError*"])
