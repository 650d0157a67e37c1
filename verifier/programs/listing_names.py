"""What a listing may name: the allow-list, as tables.

A dotted name that is not here does not exist for a listing. To allow one, add it to the row of its kind. The kind says
how the cost is bounded, so a function belongs here only if what it computes on the way is not much larger than its
arguments and its result.
"""

from __future__ import annotations

from enum import Enum, auto

__all__ = [
    "ARRAY_METHODS",
    "ARRAY_PROPERTIES",
    "CONTAINER_METHODS",
    "DRAWS_NOTHING",
    "KEYWORDS",
    "MODULES",
    "NAMES",
    "PLOTTING",
    "WORDS",
    "Kind",
]


class Kind(Enum):
    """How a library name behaves, and so how its cost is bounded."""

    CONSTANT = auto()
    """A number or a dtype."""
    ARRAY = auto()
    """Arrays in, arrays out; the result's size is foreseen where the arguments' sizes multiply to too much."""
    SIZED = auto()
    """Like ARRAY, but numbers among the arguments say how large the result is: always foreseen."""
    TRANSFORM = auto()
    """Takes functions; may return them."""
    BATCH = auto()
    """`vmap`: the function then runs on as many lanes as the arguments have rows."""
    FORWARD_BASIS = auto()
    """`jacfwd`: as many lanes as there are input components."""
    REVERSE_BASIS = auto()
    """`jacrev`: as many lanes as there are output components."""
    BOTH_BASES = auto()
    """`hessian`."""


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _rows(module: str, kind: Kind, names: str) -> dict[str, Kind]:
    return {f"{module}.{name}": kind for name in names.split()}


_ELEMENTWISE = """
    abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil cos cosh divide equal exp exp2
    expm1 float_power floor floor_divide greater greater_equal hypot isfinite isinf isnan less less_equal log log10
    log1p log2 logaddexp logical_and logical_not logical_or maximum minimum mod multiply negative not_equal power
    reciprocal remainder rint sign sin sinc sinh sqrt square subtract tan tanh true_divide
"""
_REDUCTIONS = """
    all any argmax argmin argsort average clip concatenate count_nonzero cumprod cumsum diag dot expand_dims flip
    hstack inner matmul max mean median min moveaxis nan_to_num outer prod ravel reshape roll sort squeeze stack std
    sum swapaxes trace transpose triu tril vdot vstack var where zeros_like ones_like full_like array asarray isclose
    allclose array_equal meshgrid
"""
_SIZED = "zeros ones full eye identity linspace arange tile repeat broadcast_to"
_DTYPES = "float16 float32 float64 int8 int16 int32 int64 uint8 uint32 bool_ complex64"
_NUMBERS = "pi e inf nan newaxis euler_gamma"
_SAMPLERS = (
    "normal uniform bernoulli randint permutation choice exponential laplace truncated_normal split PRNGKey key fold_in"
)
_ACTIVATIONS = (
    "relu sigmoid softplus silu swish gelu elu leaky_relu tanh softmax log_softmax logsumexp log_sigmoid relu6 selu"
)

NAMES: dict[str, Kind] = {
    **_rows("jax.numpy", Kind.ARRAY, _ELEMENTWISE + _REDUCTIONS),
    **_rows("jax.numpy", Kind.SIZED, _SIZED),
    **_rows("jax.numpy", Kind.CONSTANT, _DTYPES + " bfloat16 " + _NUMBERS),
    **_rows("jax.numpy.linalg", Kind.ARRAY, "norm det inv solve"),
    **_rows("jax.nn", Kind.ARRAY, _ACTIVATIONS),
    **_rows("jax.nn", Kind.SIZED, "one_hot"),
    **_rows("jax.random", Kind.SIZED, _SAMPLERS),
    **_rows("jax", Kind.TRANSFORM, "grad value_and_grad jit jvp vjp linearize checkpoint remat"),
    **_rows("jax", Kind.BATCH, "vmap"),
    **_rows("jax", Kind.FORWARD_BASIS, "jacfwd"),
    **_rows("jax", Kind.REVERSE_BASIS, "jacrev jacobian"),
    **_rows("jax", Kind.BOTH_BASES, "hessian"),
    **_rows("jax", Kind.ARRAY, "block_until_ready"),
    **_rows("jax.tree", Kind.TRANSFORM, "map leaves reduce"),
    **_rows("jax.tree_util", Kind.TRANSFORM, "tree_map tree_leaves tree_reduce"),
    **_rows("jax.lax", Kind.ARRAY, "stop_gradient"),
    **_rows("functools", Kind.TRANSFORM, "partial"),
    **_rows("numpy", Kind.ARRAY, _ELEMENTWISE + _REDUCTIONS),
    **_rows("numpy", Kind.SIZED, _SIZED),
    **_rows("numpy", Kind.CONSTANT, _DTYPES + " " + _NUMBERS),
    **_rows("numpy.linalg", Kind.ARRAY, "norm det inv solve"),
    **_rows("math", Kind.CONSTANT, "pi e inf nan tau"),
    **_rows("math", Kind.ARRAY, "sin cos tan asin acos atan atan2 sinh cosh tanh exp log log2 log10 log1p expm1 sqrt"),
    **_rows("matplotlib.cm", Kind.CONSTANT, "coolwarm viridis plasma inferno magma cividis jet gray RdBu Blues Reds"),
}  # fmt: skip

MODULES = frozenset(name.rpartition(".")[0] for name in NAMES) | {"matplotlib", "matplotlib.pyplot"}
"""What may be imported. Matplotlib is a stand-in: it draws nothing and need not be installed."""

KEYWORDS = _words("""
    allow_int argnums axis axis1 axis2 base bias copy correction ddof decimals dtype endpoint fill_value has_aux
    holomorphic in_axes indexing initial is_leaf k key keepdims maxval mean minval nan neginf num num_classes offset
    ord out_axes p posinf replace shape static_argnums start step stop where x x1 x2 y a b
    """)
"""Keywords that library functions may be given: none names a device, a file, a compiler option or an output buffer."""

WORDS = frozenset(
    {"xy", "ij", "fro", "nuc", "float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "bool"}
)
"""Strings that library functions may be given."""

ARRAY_PROPERTIES = _words("shape T dtype ndim size real imag")
ARRAY_METHODS = _words("""
    all any argmax argmin argsort astype block_until_ready clip copy cumprod cumsum dot flatten item max mean min prod
    ravel reshape squeeze std sum tolist transpose var
    """)
CONTAINER_METHODS: dict[type, frozenset[str]] = {
    list: _words("append extend pop insert copy reverse clear"),
    dict: _words("items keys values get copy"),
}

PLOTTING: dict[str, frozenset[str]] = {
    "pyplot": _words("""
        axhline axvline axis bar barh colorbar contour contourf figure fill_between gca gcf grid hist imshow legend
        loglog plot quiver savefig scatter semilogx semilogy show subplots subplot suptitle text tight_layout title
        xlabel xlim xscale xticks ylabel ylim yscale yticks annotate clabel close errorbar step
        """),
    "axes": _words("""
        annotate axhline axvline axis bar barh clabel contour contourf errorbar fill_between grid hist imshow legend
        loglog plot quiver scatter semilogx semilogy set set_aspect set_title set_xlabel set_xlim set_xscale
        set_ylabel set_ylim set_yscale step text
        """),
    "figure": _words("colorbar savefig suptitle tight_layout legend"),
    "artist": frozenset(),
}
"""What the stand-ins for Matplotlib's objects accept and record."""

DRAWS_NOTHING = frozenset(_rows("jax.random", Kind.SIZED, "PRNGKey key split fold_in key_data wrap_key_data"))
"""Names under jax.random that handle keys and draw no number."""
