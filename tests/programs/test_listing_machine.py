"""Hostile listings: whatever they try is refused or bounded, and nothing happens."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from verifier.model.catalog import Listing
from verifier.programs.listing import run_listings
from verifier.programs.listing_runs import ListingRun

START = "import jax, jax.numpy as jnp, numpy as np, functools\nimport matplotlib.pyplot as plt\nx = jnp.ones(3)\n"


def attempt(code: str) -> ListingRun:
    return run_listings([Listing(id="hostile", section="s", code=START + code)], steps=200_000)[0]


FORBIDDEN = [
    "import os\nos.system('touch {file}')",
    "from os import system",
    "import sys",
    "import builtins",
    "import jax._src.core",
    "import numpy.lib",
    "from jax import *",
    "from . import os",
    "__import__('os').system('touch {file}')",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "jnp.__builtins__",
    "jax.__dict__",
    "__builtins__",
    "__name__",
    "(lambda: 0).__globals__",
    "print.__self__",
    "jax.grad.__wrapped__",
    "jax.grad(jnp.sin).call",
    "(lambda: 0).machine.names",
    "jnp.array.function",
    "plt.figure.machine",
    "def f(__x):\n    return 1",
    "def f():\n    return 1\nf.definition",
    "getattr(x, 'shape')",
    "eval('1')",
    "exec('1')",
    "open('{file}', 'w')",
    "compile('1', '', 'eval')",
    "globals()",
    "vars()",
    "type(x)",
    "object()",
    "input()",
    "breakpoint()",
    "print('a', file=x)",
    "'{{0.__class__}}'.format(x)",
    "'%s' % x",
    "'%1000000000d' % 1",
    "f'{{x.__class__}}'",
    "f'{{1:1000000000d}}'",
    "f'{{1:{{10**9}}d}}'",
    "print(print)",
    "print(jax)",
    "print(lambda: 0)",
    "str(jax.grad)",
    "jax.jit(lambda v: print(v))(1.0)",
    "jnp.save('{file}', x)",
    "jnp.load('{file}')",
    "np.save('{file}', x)",
    "np.load('{file}', allow_pickle=True)",
    "np.fromfile('{file}')",
    "np.array([1.0]).tofile('{file}')",
    "np.array([1.0]).dump('{file}')",
    "np.array([1.0]).data",
    "np.array([1.0]).ctypes",
    "np.lib.npyio",
    "np.f2py",
    "np.ctypeslib",
    "np.frompyfunc(print, 1, 1)",
    "np.vectorize(print)",
    "np.array([print])",
    "np.array(['a'])",
    "np.array([None, {{}}])",
    "np.zeros(3, dtype='O')",
    "np.zeros(3, dtype='U1000000000')",
    "np.memmap('{file}')",
    "jax.profiler.start_trace('{file}')",
    "jax.debug.callback(print)",
    "jax.pure_callback(print, x, x)",
    "jax.lax.while_loop(lambda v: True, lambda v: v, 0)",
    "jax.config.update('jax_platforms', 'x')",
    "jax.devices()",
    "jax.jit(lambda v: v, compiler_options={{'xla_dump_to': '{file}'}})",
    "jax.jit(lambda v: v, backend='tpu')",
    "jnp.array(1.0, device=None)",
    "jax.vmap(lambda v: v, in_axes=None, axis_size=10**9)(x)",
    "np.sin(np.ones(1), out=np.ones(1))",
    "functools.reduce(print, [])",
    "plt.switch_backend('agg')",
    "plt.rcParams",
    "class A:\n    pass",
    "try:\n    pass\nexcept Exception:\n    pass",
    "with x:\n    pass",
    "raise SystemExit",
    "del x",
    "x = 1\ndef f():\n    global x\n    x = 2\nf()",
    "def f():\n    yield 1\nf()",
    "async def f():\n    pass",
    "(y := 1)",
    "b'a'",
    "{{1, 2}}",
    "x.y = 1",
    "jnp.pi.real.__class__",
    "jnp.float32.dtype",
    "jnp.float32(1.0)",
]  # fmt: skip


@pytest.mark.parametrize("code", FORBIDDEN)
def test_forbidden(code: str, tmp_path: Path) -> None:
    run = attempt(code.format(file=tmp_path / "made"))
    assert run.status == "refused", (run.status, run.exception, run.message)
    assert run.line is not None
    assert run.line >= 4
    assert run.message
    assert not list(tmp_path.iterdir())


BOMBS = {
    "endless loop": "while True:\n    pass",
    "endless append": "t = [0]\nfor i in t:\n    t.append(i)",
    "huge range": "for i in range(10**12):\n    pass",
    "huge range ends": "range(-10**40, 10**40)",
    "nested loops": "for i in range(10**5):\n    for j in range(10**5):\n        pass",
    "recursion": "def f(n):\n    return f(n + 1)\nf(0)",
    "mutual recursion under grad": "def f(v):\n    return jax.grad(f)(v)\nf(1.0)",
    "recursion by tree.map": "def f(v):\n    return jax.tree.map(f, [v])\nf(1.0)",
    "integer power": "10**10**10",
    "integer tower": "n = 2\nfor i in range(100):\n    n = n * n",
    "integer shift": "1 << 10**10",
    "augmented power": "n = 10\nn **= 10**9",
    "rounding": "round(5, -10**9)",
    "powers of objects": "np.arange(5) ** [10**30]",
    "power of a scalar object": "np.arange(5).sum() ** 10**30",
    "power function": "np.power([10], [10**30])",
    "text": "'a' * 10**10",
    "list": "[0] * 10**10",
    "list by an array": "[0] * np.array(10**9).astype('int64').sum()",
    "list by a jax array": "[0] * jnp.array(10**9)",
    "doubling list": "t = [0]\nfor i in range(100):\n    t = t + t",
    "doubling list in place": "t = [0]\nfor i in range(100):\n    t += t",
    "doubling by extend": "t = [0]\nfor i in range(100):\n    t.extend(t)",
    "doubling by slice": "t = [0]\nfor i in range(100):\n    t[0:0] = t",
    "doubling text": "t = 'a'\nfor i in range(100):\n    t = f'{t}{t}'",
    "printing": "t = 'a' * 100000\nfor i in range(1000):\n    print(t)",
    "shared references printed": "t = [1]\nfor i in range(35):\n    t = [t, t]\nprint(t)",
    "shared references compared": "a = b = [1]\nfor i in range(35):\n    a, b = [a, a], [b, b]\na == b",
    "shared references mapped": "t = [1.0]\nfor i in range(35):\n    t = [t, t]\njax.tree.map(abs, t)",
    "shared references hashed": "t = (1,)\nfor i in range(35):\n    t = (t, t)\nd = {t: 1}",
    "itself": "t = [1]\nt.append(t)\nprint(t)",
    "deep list": "t = []\nfor i in range(10000):\n    t = [t]\njnp.array(t)",
    "zeros": "jnp.zeros(10**12)",
    "numpy zeros": "np.zeros((10**6, 10**6))",
    "arange": "jnp.arange(0, 1, 1e-12)",
    "numpy arange": "np.arange(10**12)",
    "linspace": "np.linspace(0, 1, 10**12)",
    "eye": "jnp.eye(10**6)",
    "random": "jax.random.normal(jax.random.PRNGKey(0), (10**6, 10**6))",
    "tile": "jnp.tile(x, 10**12)",
    "repeat": "np.repeat(np.ones(3), 10**12)",
    "one_hot": "jax.nn.one_hot(x.astype('int32'), 10**9)",
    "outer": "jnp.outer(jnp.ones(10**5), jnp.ones(10**5))",
    "broadcast": "jnp.ones((10**5, 1)) * jnp.ones((1, 10**5))",
    "numpy broadcast": "np.ones((10**5, 1)) * np.ones((1, 10**5))",
    "comparison broadcast": "jnp.ones((10**5, 1)) < jnp.ones((1, 10**5))",
    "hidden broadcast": "max([np.ones((10**5, 1)), np.ones((1, 10**5))])",
    "hidden equality": "[np.ones((10**5, 1))] == [np.ones((1, 10**5))]",
    "sum broadcast": "sum([np.ones((10**5, 1)), np.ones((1, 10**5))])",
    "meshgrid": "np.meshgrid(np.ones(10**5), np.ones(10**5))",
    "fancy index": "np.ones((1, 10**5))[np.zeros(10**5).astype('int32')]",
    "method": "np.ones((10**5, 1)).dot(np.ones((1, 10**5)))",
    "vmap": "jax.vmap(lambda v: v * jnp.ones(10**5))(jnp.ones(10**5))",
    "nested vmap": "f = jax.vmap(jax.vmap(jnp.multiply, (None, 0)), (0, None))\nf(jnp.ones(10**5), jnp.ones(10**5))",
    "nested vmap of the listing's own": "f = jax.vmap(jax.vmap(lambda a: a * 1.0))\nf(jnp.ones((10**5, 10**4)))",
    "vmap of an old trace": "f = jax.jit(lambda v: jnp.sum(v * jnp.ones(10**6)))\nf(1.0)\njax.vmap(f)(jnp.ones(10**4))",
    "vmap of a pullback": "y, f = jax.vjp(lambda v: v * jnp.ones(10**6), 1.0)\njax.vmap(f)(jnp.ones((10**4, 10**2)))",
    "jacrev": "jax.jacrev(lambda v: v * jnp.ones(10**5))(1.0)",
    "jacfwd": "jax.jacfwd(lambda v: jnp.sum(v))(jnp.ones(10**6)) + jax.jacfwd(lambda v: v * 1.0)(jnp.ones(10**5))",
    "hessian": "jax.hessian(lambda v: jnp.sum(v**2))(jnp.ones(10**5))",
    "many axes": "x[(None,) * 1000]",
    "many axes in reshape": "jnp.ones(1).reshape((1,) * 5000)",
    "many axes in zeros": "jnp.zeros([1] * 5000)",
    "deep expression": "y = " + "-" * 5000 + "1",
    "deep parentheses": "y = " + "(" * 500 + "1" + ")" * 500,
    "long sum": "y = " + "+".join(["1"] * 5000),
    "long text": "# " + "x" * 200_000,
    "null": "y = '\0'",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bounded(name: str) -> None:
    start = time.process_time()
    run = attempt(BOMBS[name])
    assert run.status in ("refused", "raised"), run
    assert run.exception in ("", "SyntaxError", "TypeError", "ValueError", "OverflowError", "IndexError"), run.message
    assert time.process_time() - start < 20  # a bomb would take minutes or all memory


def test_steps_end_a_listing_but_not_the_next() -> None:
    listings = [
        Listing(id=str(i), section="s", code=code)
        for i, code in enumerate(["y = 1\nwhile True:\n    y += 1\n", "z = y > 5\n"])
    ]
    first, second = run_listings(listings, steps=10_000)
    assert (first.status, first.line is not None, second.status, second.variables["z"]) == ("refused", True, "ok", True)
    assert "steps" in first.message


def test_nothing_of_the_process_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    monkeypatch.setattr(os, "system", lambda *args: called.append(args))
    monkeypatch.setattr("builtins.open", lambda *args, **kwargs: called.append(args))
    for code in FORBIDDEN:
        attempt(code.format(file=tmp_path / "made"))
    assert not called
    assert not list(tmp_path.iterdir())
