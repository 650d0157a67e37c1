"""Runs of different machines, devices and JAX versions as one."""

from dataclasses import replace

import pytest

from verifier.errors import UsageError
from verifier.runs import records
from verifier.runs.merging import merged
from verifier.runs.reader import read
from verifier.runs.writer import RunWriter

POINT = records.Point(origin="declared", label="x = 1")


def on(run, *names, processor="p"):
    """The run with these devices on this processor."""
    devices = tuple(records.Device(name=name) for name in names)
    machine = records.Machine(processor=processor, cores=2)
    return replace(run, provenance=replace(run.provenance, devices=devices, machine=machine))


def of(found, kind):
    return [each for each in found if isinstance(each, kind)]


def test_devices_of_their_own_stand_side_by_side_under_their_names(run_of, number):
    a = on(run_of(number(), jax="0.10.2"), "cpu:0")
    b = on(run_of(number(device="gpu:0"), jax="0.11.2"), "gpu:0", processor="q")
    found = merged([a, b])
    assert [each.device for each in of(found, records.Verdict)] == ["cpu:0", "gpu:0"]
    (provenance,) = of(found, records.Provenance)
    assert provenance.versions == {"jax": "0.10.2 and 0.11.2"}
    assert provenance.machine == records.Machine(processor="p and q", cores=2)
    assert [each.name for each in provenance.devices] == ["cpu:0", "gpu:0"]


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"jax": "0.12.0"}, ["cpu:0 (JAX 0.10.2)", "cpu:0 (JAX 0.12.0)"]),
        ({"processor": "q"}, ["cpu:0 (p)", "cpu:0 (q)"]),
    ],
)
def test_one_name_for_two_targets_is_told_apart(run_of, number, changed, names):
    a = on(run_of(number(), jax="0.10.2"), "cpu:0")
    b = on(
        run_of(number("LOSSY", 20.0, fails=True), jax=changed.get("jax", "0.10.2")),
        "cpu:0",
        processor=changed.get("processor", "p"),
    )
    found = merged([a, b])
    assert [each.device for each in of(found, records.Verdict)] == names
    assert [each.name for each in of(found, records.Provenance)[0].devices] == names
    assert of(found, records.End)[0].findings == 1


def test_equal_records_of_one_target_are_one(run_of, number):
    run = on(run_of(number(), jax="0.10.2"), "cpu:0")
    assert len(of(merged([run, run]), records.Verdict)) == 1


def test_runs_that_contradict_each_other_are_refused_by_name(run_of, number):
    a = on(run_of(number(), jax="0.10.2"), "cpu:0")
    b = on(run_of(number("LOSSY", 20.0, fails=True), jax="0.10.2"), "cpu:0")
    with pytest.raises(UsageError, match=r"e: the runs contradict .* 1 grad/jit float32 cpu:0 d/dx"):
        merged([a, b])


def test_other_catalogs_seeds_and_points_are_refused(run_of, number):
    run = run_of(number())
    with pytest.raises(UsageError, match="not the same catalog"):
        merged([run, run_of(number(), digest="other")])
    with pytest.raises(UsageError, match="different seeds"):
        merged([run, replace(run, header=replace(run.header, seed=1))])
    entry = replace(run.entries[0], points={"float32": (POINT,)})
    other = replace(entry, points={"float32": (replace(POINT, label="x = 2"),)})
    with pytest.raises(UsageError, match="different points in float32"):
        merged([replace(run, entries=(entry,)), replace(run, entries=(other,))])


def test_dtypes_and_entries_of_both_runs_are_there(run_of, number):
    a = replace(run_of(number()), entries=(replace(run_of(number()).entries[0], points={"float32": (POINT,)}),))
    half = run_of(number(dtype="float16"), number(entry="only-here"))
    b = replace(half, entries=tuple(replace(each, points={"float16": (POINT,)}) for each in half.entries))
    found = merged([a, b])
    assert [(each.entry, set(each.points)) for each in of(found, records.Entry)] == [
        ("e", {"float32", "float16"}),
        ("only-here", {"float16"}),
    ]


def test_a_claim_that_differs_between_versions_keeps_the_worse_and_says_so(run_of, claim):
    a, b = run_of(claim(), jax="0.10.2"), run_of(claim("REFUTED", fails=True, reason="no"), jax="0.12.0")
    (kept,) = of(merged([a, b]), records.Claim)
    assert (kept.verdict, kept.reason) == ("REFUTED", "with JAX 0.12.0: no; with JAX 0.10.2 it is CONFIRMED")
    with pytest.raises(UsageError, match="contradict each other about the claim c"):
        merged([a, run_of(claim("REFUTED"), jax="0.10.2")])


def test_an_oracle_conflict_stays_a_finding(run_of, number):
    run = run_of(number())
    loud = replace(run, entries=(replace(run.entries[0], status="ORACLE CONFLICT", reason="at x = 1"),))
    assert of(merged([run, loud]), records.End)[0].findings == 1


def written(path, found):
    """The run of these records, read back from a file."""
    with RunWriter(path) as out:
        for record in found:
            out.write(record)
    return read(path)


def test_what_is_merged_is_a_run_file(run_of, number, rule, claim, tmp_path):
    run = on(run_of(number(), rule(), claim(), jax="0.10.2"), "cpu:0")
    other = on(run_of(number(), rule(), claim(), jax="0.12.0"), "cpu:0")
    both = written(tmp_path / "merged.jsonl", merged([run, other]))
    assert len(both.verdicts) == len(both.rules) == 2


def test_rules_are_told_apart_by_version_where_no_device_is_shared(run_of, number, rule):
    def run(device, jax, verdict, **changes):
        return on(run_of(number(device=device), rule(verdict, **changes), jax=jax), device)

    older = run("cpu:0", "0.10.2", "RIGHT")
    found = merged([older, run("gpu:0", "0.12.0", "WRONG", fails=True)])
    assert [(each.program, each.verdict) for each in of(found, records.Rule)] == [
        ("grad (JAX 0.10.2)", "RIGHT"),
        ("grad (JAX 0.12.0)", "WRONG"),
    ]
    assert [each.device for each in of(found, records.Verdict)] == ["cpu:0", "gpu:0"]
    assert [each.program for each in of(merged([older, run("gpu:0", "0.10.2", "RIGHT")]), records.Rule)] == ["grad"]
    with pytest.raises(UsageError, match="contradict each other about the same rule"):
        merged([older, run("gpu:0", "0.10.2", "WRONG")])


OTHERS = {
    "the same": {},
    "another version": {"jax": "0.12.0"},
    "another processor": {"processor": "q"},
    "both": {"jax": "0.12.0", "processor": "q"},
    "another library": {"numpy": "2.1"},
    "another device": {"jax": "0.12.0", "name": "gpu:0"},
}


@pytest.fixture
def target(run_of, number, rule, claim):
    """target(name, processor, versions) -> a run with a number, a rule and claims of its own on one device."""

    def make(name="cpu:0", processor="p", **versions):
        versions = {"jax": "0.10.2", "numpy": "2.0"} | versions
        said = claim() if versions["jax"] == "0.10.2" else claim("REFUTED", fails=True, reason="no")
        told = (number(device=name), rule(bits=float(len(str(versions)))), said)
        run = on(run_of(*told, **versions), name, processor=processor)
        cells = (records.Cell(entry="e", dtype="float32", device=name, programs=("grad/jit",)),)
        return replace(
            run,
            coverage=replace(run.coverage, matrix=cells),
            provenance=replace(run.provenance, seconds=2.0, entries={"e": 1.0}, started=f"{name}{processor}{versions}"),
        )

    return make


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_merged_already_counts_once(target, tmp_path, other):
    a, b = target(), target(**OTHERS[other])
    once = merged([a, b])
    both = written(tmp_path / "both.jsonl", once)
    for runs in ([both, a], [both, b], [both, both], [both, a, b], [both]):
        assert merged(runs) == once
    assert once[-1].verdicts == {"ACCURATE": 1 if other == "the same" else 2}


@pytest.mark.parametrize("pair", [("another processor", "both"), ("another device", "another version")])
def test_a_merged_run_is_named_anew_beside_a_third_one(target, tmp_path, pair):
    a, b, c = target(), *(target(**OTHERS[each]) for each in pair)
    both = written(tmp_path / "both.jsonl", merged([a, b]))
    at_once, in_turn = merged([a, b, c]), merged([both, c])
    for kind in (records.Verdict, records.Rule, records.Provenance, records.End, records.Coverage):
        assert of(in_turn, kind) == of(at_once, kind)
    assert len({each.device for each in of(in_turn, records.Verdict)}) == 3


def test_names_say_what_differs_where_the_version_of_jax_and_the_processor_do_not(target):
    found = merged([target(), target(numpy="2.1")])
    assert [each.device for each in of(found, records.Verdict)] == ["cpu:0 (numpy 2.0)", "cpu:0 (numpy 2.1)"]


def test_a_claim_of_a_merged_run_is_contradicted_only_by_what_it_has_heard_of(run_of, claim, tmp_path):
    def run(verdict, jax, *entries):
        made = run_of(*(claim(verdict, entry=each, reason=f"{verdict} {each}") for each in entries), jax=jax)
        return replace(made, provenance=replace(made.provenance, entries=dict.fromkeys(entries, 1.0)))

    both = written(tmp_path / "both.jsonl", merged([run("CONFIRMED", "0.10", "e"), run("CONFIRMED", "0.12", "f")]))
    assert [each.verdict for each in both.claims] == ["CONFIRMED", "CONFIRMED"]
    heard = merged([both, run("REFUTED", "0.12", "e")])
    assert [each.verdict for each in of(heard, records.Claim)] == ["REFUTED", "CONFIRMED"]
    with pytest.raises(UsageError, match=r"contradict each other about the claim c, both with JAX 0\.10"):
        merged([both, run("REFUTED", "0.10", "e")])
