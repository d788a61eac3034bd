"""What holds of every run in which jobs are preempted: whatever sleeps, bends, fails, is saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.accounting.billing import account
from simulator.accounting.signals import signals_of
from simulator.accounting.summary import audit
from simulator.scenario import from_document
from simulator.simulation import Simulated, _facility, run
from tests.builders import scenario_document, write_jobs
from tests.policy_runs import happened, same_bytes

SLEEP = {
    "name": "sleep", "after": "5 min", "power": "20 W", "enter_time": "10 s", "wake_time": "2 min",
}  # fmt: skip
DOZE = {"name": "doze", "after": "1 min", "power": "60 W"}
QUEUES: tuple[Any, ...] = (
    "fifo", "easy-backfill", "shortest-first", {"policy": "priority", "backfill": "easy"},
    {"policy": "fair-share", "of": "workload"}, {"policy": "fair-share", "backfill": "easy"},
)  # fmt: skip
WAYS: tuple[Any, ...] = (
    "restart",
    "suspend",
    {"way": "restart", "after": "4 min"},
    {"way": "suspend", "suspend": "90 s", "resume": "2 min", "after": "1 min"},
)
EXTRA = ["run_s", "preemptions", "preempted_s", "waited_again_s"]
SUMMARY = ("preemptions", "gpu_hours_preempted")
ACROSS = 0.8
"""Relative speed of a gang on nodes of several racks."""
FAILURES = {"mtbf": "5 h", "repair": "30 min", "failed_power": "40 W"}


def random_document(folder: Path, seed: int, preemption: Any, most: int = 24) -> dict[str, Any]:
    """Return a scenario of two clusters with all that may matter to a job that is preempted."""
    rng = np.random.default_rng([17, seed])
    rows = sorted(
        (
            int(rng.integers(0, 30_000)), int(rng.integers(0, 9_000)),
            min(most, int(rng.choice([1, 2, 4, 8, 12, 16, 24]))), int(rng.integers(0, 9)) / 8,
            int(rng.integers(0, 3)), rng.choice(["true", "true", "false"]),
        )
        for _ in range(60)
    )  # fmt: skip
    nodes: dict[str, Any] = {
        "load_curve": ["linear", {"exponent": 1.4}][rng.integers(2)],
        "idle_states": [[], [SLEEP], [DOZE, SLEEP], [DOZE]][rng.integers(4)],
    }
    if rng.random() < 0.4:
        nodes["failures"] = FAILURES
    columns = "submit_s,duration_s,gpus,utilisation,priority,preemptible"
    document = scenario_document(
        write_jobs(folder / "jobs.csv", rows, columns),
        nodes=nodes,
        warm_up=str(rng.choice(["0 s", "2 h"])),
        drain=bool(rng.random() < 0.6),
    )
    queue = QUEUES[rng.integers(len(QUEUES))]
    racks = {"racks": {"nodes": 1, "cross_rack_speed": ACROSS}} if rng.random() < 0.4 else {}
    for name, count in (("c", 3), ("d", 2)):
        document["clusters"][name] = {
            **document["clusters"]["c"],
            **racks,
            "count": count,
            "queue": queue,
            "idle": "ladder" if nodes["idle_states"] else "always-on",
            "placement": str(rng.choice(["pack", "first-fit", "spread"])),
        }
        if (rng.random() < 0.7 or name == "c") and preemption is not None:
            document["clusters"][name]["preemption"] = preemption
    document["workloads"]["w"]["clusters"] = ["c", "d"]
    if rng.random() < 0.6:
        document["workloads"]["w"]["checkpoint"] = [
            {"interval": "20 min", "cost": "1 min", "restart": "90 s"},
            {"interval": "15 min", "cost": "30 s", "at_end": True},
        ][rng.integers(2)]
    return document


def done_of(folder: Path, seed: int) -> Simulated:
    document = random_document(folder, seed, WAYS[seed % len(WAYS)])
    return run(from_document(document), seed=seed)


@pytest.mark.parametrize("seed", range(16))
def test_nothing_is_lost_where_jobs_are_preempted(tmp_path: Path, seed: int) -> None:
    done = done_of(tmp_path, seed)
    summary, jobs = done.results.summary, done.results.jobs
    assert summary["preemptions"] == jobs["preemptions"].sum()
    assert not (jobs["preemptions"][~done.inputs.jobs.preemptible]).any()
    if done.inputs.scenario.drain:
        assert (jobs["state"] == "finished").all()
    held_h = float((jobs["run_s"] * jobs["gpus"]).sum()) / 3600
    assert held_h == pytest.approx(summary["gpu_hours_delivered"], rel=1e-9)
    cost_h = float((jobs["preempted_s"] * jobs["gpus"]).sum()) / 3600
    assert cost_h == pytest.approx(summary["gpu_hours_preempted"], rel=1e-9, abs=1e-9)
    lost_h = summary["gpu_hours_lost"] or 0.0
    assert 0.0 <= summary["goodput"] <= 1.0 - (cost_h + lost_h) / held_h + 1e-9
    work_is_done(done)
    seen = happened(done.inputs.scenario)
    assert (seen.held[seen.state != 0] == 0).all()
    assert 0 <= seen.held.min() <= seen.held.max() <= 8


def work_is_done(done: Simulated) -> None:
    """Assert that what runs kept is the work of their jobs, and that runs follow each other."""
    log, jobs = done.log, done.inputs.jobs
    cut = log.pieces
    assert cut is not None
    assert log.left_ms is not None
    done_ms = cut.kept_ms * np.where(cut.racks > 1, ACROSS, 1.0)
    kept_ms = np.bincount(cut.job, done_ms, len(jobs))
    np.testing.assert_allclose(kept_ms + log.left_ms, jobs.duration_ms, atol=1e-6)
    assert (cut.kept_ms + cut.lost_ms <= cut.end_ms - cut.start_ms + 1e-6).all()
    following_ms = cut.next_start_ms(log.start_ms)
    assert ((following_ms >= cut.end_ms) | (following_ms < 0)).all()
    assert np.array_equal(cut.end_ms, np.sort(cut.end_ms))


@pytest.mark.parametrize("seed", range(16))
def test_the_sums_of_a_run_with_preemption_agree(tmp_path: Path, seed: int) -> None:
    done = done_of(tmp_path, seed)
    opened, metered = done.inputs, done.metered
    billed = account(
        opened.fleet, done.power, opened.jobs, done.log, metered,
        signals_of(opened.average, opened.marginal, metered), _facility(opened, metered),
    )  # fmt: skip
    assert max(audit(billed).values()) <= 1e-9
    summary, jobs = done.results.summary, done.results.jobs
    allocated = jobs["operational_kgco2e"].sum() + jobs["embodied_kgco2e"].sum()
    total = allocated + summary["unallocated_kgco2e"]
    assert total == pytest.approx(summary["total_kgco2e"], rel=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_preemption_that_never_comes_changes_nothing(tmp_path: Path, seed: int) -> None:
    """Whoever has run for 900 years may be preempted. All jobs fit both clusters: full clusters
    have heads only where jobs may be preempted, whom others see where routes differ."""
    rare = {"way": "restart", "after": "900 y"}
    plain, done = (
        run(from_document(random_document(tmp_path, seed, said, most=16)), seed=seed)
        for said in (None, rare)
    )
    summary = dict(done.results.summary)
    assert summary["preemptions"] == summary["gpu_hours_preempted"] == 0
    assert [plain.results.summary[key] for key in SUMMARY] == [None, None]
    known = [*SUMMARY, "key"]
    if plain.results.summary["failures"] is None:
        known += ["goodput", "ettr", "useful_gco2e_per_gpu_hour"]
    assert {**summary, **dict.fromkeys(known)} == {
        **plain.results.summary, **dict.fromkeys(known),
    }  # fmt: skip
    for name, table in plain.results.tables.items():
        other = done.results.tables[name]
        extra = [column for column in EXTRA if column not in table.column_names]
        assert (other.drop_columns(extra) if name == "jobs" else other).equals(table), name


def test_the_same_run_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    scenario = from_document(random_document(tmp_path, 3, WAYS[3]))
    same_bytes(run(scenario, seed=5), run(scenario, seed=5))
