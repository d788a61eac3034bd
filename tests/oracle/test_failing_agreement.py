"""The engine against the plain reference of failures, on random small runs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulator.accounting.energy import energy_of
from simulator.accounting.metering import Grid, Meter
from simulator.engine import Queues, simulate
from simulator.kernels.tables import FOREVER_MS
from simulator.policies import QueueRule
from simulator.units import MS_PER_H
from simulator.workload.checkpoints import Saving
from tests.builders import Nodes, failing, fleet, job_table
from tests.oracle.failing import Cluster, Job, Saves

CASES = 60
FAILED_W = 30.0


def saving_of(saves: Saves | None) -> tuple[Saving | None, ...]:
    if saves is None:
        return ()
    return (Saving(saves.interval_ms, saves.cost_ms, saves.restart_ms, saves.at_end),)


def random_case(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    nodes, whole = int(rng.integers(1, 7)), int(rng.choice([1, 2, 4, 8]))
    count, tick = int(rng.integers(1, 25)), int(rng.choice([1, 50, 997]))
    largest = nodes * whole
    drains = bool(rng.random() < 0.5)
    mean = 400 if drains else int(rng.choice([20, 100, 400]))  # else some jobs would never end
    rounds = 400
    coarse = 20 if rng.random() < 0.5 else 1  # many failures share an instant with others
    lives = (1 + rng.integers(0, 2 * mean // coarse, (nodes, rounds))) * coarse * tick
    repairs = rng.integers(0, mean // coarse + 1, (nodes, rounds)) * coarse * tick
    if rng.random() < 0.3:
        lives[rng.integers(nodes)] = FOREVER_MS // 2
    saves = None
    if rng.random() < 0.6:
        interval, cost, restart = (int(x) for x in rng.integers([5, 0, 0], [60, 10, 10]))
        saves = Saves(interval * tick, cost * tick, restart * tick, bool(rng.random() < 0.5))
    return {
        "nodes": nodes,
        "whole": whole,
        "placement": str(rng.choice(["pack", "first-fit", "spread"])),
        "submit": np.sort(rng.integers(0, 200, count)) * tick,
        "work": rng.integers(0, 80, count) * tick,
        "gpus": np.minimum(rng.choice([1, 1, 2, 3, 8, 16, 24], count), largest),
        "priority": rng.choice([0, 0, 1], count),
        "lives": lives,
        "repairs": repairs,
        "saves": saves,
        "stop": None if drains else int(rng.integers(100, 500)) * tick,
        "last": 250 * tick,
        "user": np.zeros(count, np.int32),
        "half_life": None,
    }


def shared_case(seed: int) -> dict[str, Any]:
    """Return a case with some users and a half-life, which is no whole number of ticks."""
    case = random_case(5000 + seed)
    rng = np.random.default_rng([1, seed])
    users = rng.integers(0, rng.integers(1, 5), len(case["work"])).astype(np.int32)
    half_life = int(rng.choice([497, 9973])) * case["last"] // 250 + 1
    return {**case, "user": users, "half_life": half_life}


@pytest.fixture(autouse=True)
def small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have log and pieces handed over, and failures drawn, many times in a run."""
    monkeypatch.setattr("simulator.engine.state.LOG_ROWS", 7)
    monkeypatch.setattr("simulator.engine.faults.PIECE_ROWS", 2)
    monkeypatch.setattr("simulator.engine.faults.FIRST_ROUNDS", 2)


@pytest.mark.parametrize("block", range(6))
@pytest.mark.parametrize("made", [random_case, shared_case])
def test_the_engine_and_the_reference_agree_on_every_run_of_every_job(
    made: Callable[[int], dict[str, Any]], block: int
) -> None:
    for seed in range(block * CASES // 6, (block + 1) * CASES // 6):
        case = made(seed)
        columns = (case[name] for name in ("submit", "work", "gpus", "priority", "user"))
        jobs = [Job(*map(int, row)) for row in zip(*columns, strict=True)]
        reference = Cluster(
            case["nodes"], case["whole"], case["placement"], jobs,
            case["lives"].tolist(), case["repairs"].tolist(), case["saves"], case["half_life"],
        )  # fmt: skip
        stop_ms = reference.run(case["stop"])

        here = fleet(Nodes(case["nodes"], case["whole"], case["placement"]))
        power = failing(here, case["lives"].T, case["repairs"].T, failed_w=FAILED_W)
        table = job_table(
            case["submit"], case["work"], case["gpus"],
            priority=case["priority"], savings=saving_of(case["saves"]),
        )  # fmt: skip
        table = replace(table, user=case["user"], user_names=("a", "b", "c", "d"))
        queues = None
        if case["half_life"] is not None:
            rule = QueueRule("fair-share", half_life_ms=case["half_life"])
            queues = Queues((rule,), (0,))
        end_ms = case["stop"] or case["last"]
        meter = Meter(here, power, Grid(0, 0, MS_PER_H), end_ms)
        log = simulate(
            here, table, power, end_ms=end_ms, drain=case["stop"] is None, on_log=meter.read,
            queues=queues,
        )  # fmt: skip

        said = f"seed {seed}"
        assert log.pieces is not None
        runs = [
            (row, *run) for run, row in sorted(((r, k) for k, j in enumerate(jobs) for r in j.runs))
        ]
        found = sorted(
            zip(
                log.pieces.start_ms.tolist(), log.pieces.end_ms.tolist(),
                log.pieces.kept_ms.tolist(), log.pieces.lost_ms.tolist(),
                log.pieces.job.tolist(), strict=True,
            )
        )  # fmt: skip
        assert [(row, *run) for *run, row in found] == runs, said
        assert log.start_ms.tolist() == [job.start_ms for job in jobs], said
        assert log.end_ms.tolist() == [job.end_ms for job in jobs], said
        metered = meter.close(log.finished_ms)
        energy = energy_of(here, power.ladders, metered, power.failures.failed_w)
        if case["stop"] is not None or log.finished_ms == stop_ms:
            assert metered.failures.tolist() == reference.failures, said
            assert energy.node_failed_ms.tolist() == reference.failed_ms, said
