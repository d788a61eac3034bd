"""What holds of every run in which nodes fail: whatever sleeps, bends, backfills or is saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.accounting.summary import audit
from simulator.scenario import from_document
from simulator.simulation import Simulated, run
from tests.builders import scenario_document, write_jobs
from tests.policy_runs import happened, same_bytes

SLEEP = {
    "name": "sleep", "after": "5 min", "power": "20 W", "enter_time": "10 s", "wake_time": "2 min",
}  # fmt: skip
DOZE = {"name": "doze", "after": "1 min", "power": "60 W"}
QUEUES = ("fifo", "easy-backfill", "conservative-backfill", "shortest-first", "priority")
FAILURES = ("failures", "gpu_hours_lost", "goodput", "ettr")


def random_document(folder: Path, seed: int, failures: dict[str, Any] | None) -> dict[str, Any]:
    """Return a scenario of one cluster of all that may matter to a failure."""
    rng = np.random.default_rng(seed)
    rows = sorted(
        (
            int(rng.integers(0, 30_000)), int(rng.integers(0, 9_000)),
            int(rng.choice([1, 2, 4, 8, 12, 16, 24])), int(rng.integers(0, 9)) / 8,
        )
        for _ in range(60)
    )  # fmt: skip
    nodes: dict[str, Any] = {
        "load_curve": str(rng.choice(["linear", "bent"])),
        "idle_states": [[], [SLEEP], [DOZE, SLEEP], [DOZE]][rng.integers(4)],
    }
    if nodes["load_curve"] == "bent":
        nodes["load_curve"] = {"exponent": 1.4}
    if failures is not None:
        nodes["failures"] = failures
    keys: dict[str, Any] = {
        "clusters__c__count": 5,
        "clusters__c__queue": str(rng.choice(QUEUES)),
        "clusters__c__idle": "ladder" if nodes["idle_states"] else "always-on",
        "clusters__c__placement": str(rng.choice(["pack", "first-fit", "spread"])),
        "warm_up": str(rng.choice(["0 s", "2 h"])),
        "drain": bool(rng.random() < 0.6),
    }
    document = scenario_document(write_jobs(folder / "jobs.csv", rows), nodes=nodes, **keys)
    if rng.random() < 0.7:
        document["workloads"]["w"]["checkpoint"] = [
            {"interval": "20 min", "cost": "1 min", "restart": "90 s"},
            {"interval": "15 min", "cost": "30 s", "at_end": True},
            {"interval": "young", "cost": "20 s", "restart": "1 min"},
            {"interval": "daly", "cost": "40 s"},
        ][rng.integers(4)]
    return document


def often(seed: int) -> dict[str, Any]:
    """Return failures that strike many jobs within hours."""
    repair: Any = ["30 min", "0 s", {"dist": "uniform", "low": "1 min", "high": "3 h"}][seed % 3]
    law: Any = ["5 h", {"dist": "weibull", "shape": 0.7, "scale": "4 h"}][seed % 2]
    return {"mtbf": law, "repair": repair, "failed_power": ["0 W", "40 W"][seed % 2]}


@pytest.mark.parametrize("seed", range(16))
def test_nothing_is_lost_where_nodes_fail(tmp_path: Path, seed: int) -> None:
    document = random_document(tmp_path, seed, often(seed))
    done = run(from_document(document), seed=seed)
    summary, jobs, nodes = done.results.summary, done.results.jobs, done.results.nodes
    assert summary["failures"] == nodes["failures"].sum()
    check_jobs(done)
    if document["drain"]:
        assert (jobs["state"] == "finished").all()
    held_h = float((jobs["run_s"] * jobs["gpus"]).sum()) / 3600
    assert held_h == pytest.approx(summary["gpu_hours_delivered"], rel=1e-9)
    lost_h = float((jobs["lost_s"] * jobs["gpus"]).sum()) / 3600
    assert lost_h == pytest.approx(summary["gpu_hours_lost"], rel=1e-9, abs=1e-9)
    assert 0.0 <= summary["goodput"] <= 1.0 - lost_h / held_h + 1e-9
    assert (jobs["lost_s"] <= jobs["run_s"] + 1e-9).all()


def check_jobs(done: Simulated) -> None:
    """Assert that accelerators are held once, never on failed nodes, and that the work is done."""
    log, jobs = done.log, done.inputs.jobs
    cut = log.pieces
    assert cut is not None
    assert (cut.end_ms >= cut.start_ms).all()
    finished = (log.end_ms >= 0) & (log.end_ms <= log.finished_ms)
    kept_ms = np.bincount(cut.job, cut.kept_ms, len(jobs))
    assert log.left_ms is not None
    np.testing.assert_allclose(kept_ms + log.left_ms, jobs.duration_ms, atol=1e-6)
    last_ms = log.end_ms - log.start_ms
    assert (last_ms[finished] >= np.rint(log.left_ms[finished])).all()
    seen = happened(done.inputs.scenario)
    assert (seen.held[seen.state != 0] == 0).all()
    assert seen.held.max() <= 8


@pytest.mark.parametrize("seed", range(8))
def test_the_sums_of_a_run_with_failures_agree(tmp_path: Path, seed: int) -> None:
    from simulator.accounting.billing import account
    from simulator.accounting.signals import signals_of
    from simulator.simulation import _facility

    done = run(from_document(random_document(tmp_path, seed, often(seed))), seed=seed)
    opened, metered = done.inputs, done.metered
    billed = account(
        opened.fleet, done.power, opened.jobs, done.log, metered,
        signals_of(opened.average, opened.marginal, metered), _facility(opened, metered),
    )  # fmt: skip
    assert max(audit(billed).values()) <= 1e-9


@pytest.mark.parametrize("seed", range(16))
def test_nodes_that_never_come_to_fail_change_nothing(tmp_path: Path, seed: int) -> None:
    without = random_document(tmp_path, seed, None)
    rare = random_document(tmp_path, seed, {"mtbf": "900 y", "repair": "8 h"})
    for document in (without, rare):  # young and daly need failures to mean anything
        document["workloads"]["w"].pop("checkpoint", None)
    plain, done = (run(from_document(document), seed=seed) for document in (without, rare))
    summary = done.results.summary
    assert summary["failures"] == summary["gpu_hours_lost"] == 0
    assert [plain.results.summary[key] for key in FAILURES] == [None] * 4
    assert {**summary, **dict.fromkeys((*FAILURES, "key"))} == {
        **plain.results.summary, "key": None,
    }  # fmt: skip
    extra = {"jobs": ["restarts", "run_s", "lost_s"], "nodes": ["residency_failed_s", "failures"]}
    for name, table in plain.results.tables.items():
        kept = done.results.tables[name].drop_columns(extra.get(name, []))
        assert kept.equals(table), name


def test_the_same_run_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    scenario = from_document(random_document(tmp_path, 3, often(3)))
    same_bytes(run(scenario, seed=5), run(scenario, seed=5))


def test_more_nodes_leave_the_failures_of_the_others_as_they_were(tmp_path: Path) -> None:
    few, many = (
        happened(
            from_document(
                scenario_document(
                    nodes={"failures": {"mtbf": "3 h", "repair": "5 min"}},
                    clusters__c__count=count,
                    horizon="200 h",
                )
            )
        )
        for count in (4, 9)
    )
    for node in range(4):
        assert few.of_node(node) == many.of_node(node)
        assert len(few.of_node(node)) > 50
