"""Where equations were written."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from verifier.programs.one_equation import EquationRuns
from verifier.programs.source_lines import SourceLine, source_line


def _line_of(text: str) -> int:
    with open(__file__, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


def _function(x):
    return jnp.sin(x) * 2  # the line


def test_an_equation_knows_the_users_line_in_a_derivative_too():
    for made in (_function, jax.grad(_function)):
        equation = jax.make_jaxpr(made)(1.0).jaxpr.eqns[0]
        found = source_line(equation)
        assert found is not None
        assert (found.file, found.line, found.function) == (__file__, _line_of("# the line"), "_function")
        assert str(found).endswith("(_function)")


def test_a_library_s_file_is_named_as_everywhere():
    at = {"line": 7, "function": "i0"}
    assert str(SourceLine(file="/a/lib/python3.11/site-packages/jax/_src/x.py", **at)) == "jax/_src/x.py:7 (i0)"
    assert str(SourceLine(file="/a/mine.py", **at)) == "/a/mine.py:7 (i0)"


def test_machinery_of_jax_is_no_source_line():
    """JAX traces `jax.nn.sigmoid` apart: nothing of the caller is left, and a line of its tracer would say nothing."""
    found = source_line(jax.make_jaxpr(jax.grad(jax.nn.sigmoid))(1.0).jaxpr.eqns[0])
    assert found is None or "interpreters" not in found.file


def test_one_equation_runs_in_its_own_dtype():
    for dtype in (np.float16, jnp.bfloat16, np.float32, np.float64):
        with jax.enable_x64(dtype is np.float64):
            at = np.asarray(0.5, dtype)
            equation = jax.make_jaxpr(jnp.exp)(at).jaxpr.eqns[0]
        ((found,),) = EquationRuns()([(equation, [at])])
        assert found.dtype == np.dtype(dtype)
        assert float(found) == float(np.asarray(np.exp(np.float64(0.5)), dtype))
