"""The article's 2,000 training steps in exact arithmetic: its float32 program does what gradient descent does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from verifier.arithmetic.elements import is_finite
from verifier.catalog.reader import read
from verifier.engine.entry import prepare
from verifier.model.catalog import Iteration, Text
from verifier.programs.listing import run_listings
from verifier.truth.workspace import Workspace

CATALOG = Path(__file__).parents[1] / "catalog" / "article.yaml"
BITS = 512
STEPS = 2000


@pytest.mark.slow
def test_two_thousand_certified_steps_end_where_the_article_ends():
    """Every relu guard of every step is decided, and the losses agree with the printed ones to float32's noise."""
    catalog = read(CATALOG)
    runs = {run.id: run for run in run_listings(catalog.listings)}
    network = next(entry for entry in catalog.entries if entry.id == "network")
    step = tuple((leaf.name, Text(f"{leaf.name} - 0.01*D(value, {leaf.name})")) for leaf in network.inputs)
    training = Iteration(name="training", start=network.points[0], step=step, count=STEPS)
    entry = replace(network, iterations=(training,), quantities=(), claims=())
    prepared = prepare(entry, runs)
    certified = Workspace(entry, prepared.definitions, prepared.data).certified(BITS)
    end = {leaf.name: certified.named[f"training.{leaf.name}"][-1] for leaf in network.inputs}
    assert all(is_finite(element) for array in end.values() for element in array.flat)
    trained = {name: array.reshape(-1) for name, array in end.items()}
    for leaf, points in zip(network.inputs, network.points[1], strict=True):
        printed = prepared.data[str(points[1])].astype(float).reshape(-1)
        exact = np.array([float(element.mid()) for element in trained[leaf.name]])
        assert np.abs(exact - printed).max() < 1e-3, leaf.name
        assert max(float(element.rad()) for element in trained[leaf.name]) < 1e-9
