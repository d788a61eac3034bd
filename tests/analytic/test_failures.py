"""Failures, checkpoints and restarts against closed forms.

With exponential failures at rate l = 1 / M a run of n equal segments, each ended by a checkpoint,
takes n e^(l R) / l (e^(l (W / n + C)) - 1) on average (Daly 2006; Bougeret, Herault and Robert):
failures strike during checkpoints and restarts too. Each case is run as independent replications;
the Student-t interval of their means at 99.9 % must cover the formula. The fast tests hold it to a
loose width, the `verify` tier to 2 %.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from scipy import stats
from scipy.special import lambertw

import simulator as fs
from simulator.accounting.energy import energy_of
from simulator.accounting.metering import Grid, Meter
from simulator.analysis.reliability import mttf_by_gang
from simulator.engine import simulate
from simulator.kernels import checkpoints
from simulator.kernels.tables import FAILED
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import J_PER_KWH, MS_PER_H, S_PER_H
from simulator.workload.checkpoints import Saving, plan_of
from tests.analytic.replications import interval
from tests.builders import Nodes, failing, fleet, job_table, scenario_document, write_jobs
from tests.policy_runs import happened


def makespan_h(
    work_h: float, segments: int, cost_h: float, restart_h: float, mtbf_h: float
) -> float:
    """Return the mean time of a run of equal segments, each ended by a checkpoint. [h]"""
    segment_h = work_h / segments + cost_h
    return segments * math.exp(restart_h / mtbf_h) * mtbf_h * math.expm1(segment_h / mtbf_h)


def exact_h(cost_h: float, mtbf_h: float) -> float:
    """Return the best work between two checkpoints. [h]"""
    return (1 + float(lambertw(-math.exp(-cost_h / mtbf_h - 1)).real)) * mtbf_h


def interval_h(rule: str, cost_h: float, mtbf_h: float, nodes: int = 1) -> float:
    """Return the interval that the engine goes by. [h]"""
    plan = plan_of(
        (Saving(rule=rule, cost_ms=cost_h * MS_PER_H),),
        fleet(Nodes(count=nodes, accelerators=8)),
        np.array([mtbf_h * MS_PER_H]),
    )
    return float(checkpoints.interval(plan, 0, 0, 8 * nodes)) / MS_PER_H


def test_intervals_of_young_and_daly() -> None:
    cost_h = 5 / 60
    assert interval_h("young", cost_h, 24.0) == pytest.approx(2.0, rel=1e-9)
    assert interval_h("daly", cost_h, 24.0) == pytest.approx(1.94483024691, rel=1e-9)
    assert exact_h(cost_h, 24.0) == pytest.approx(1.94483455544, rel=1e-9)


def test_the_interval_goes_by_the_failures_of_the_whole_gang() -> None:
    assert exact_h(0.05, 20_000 / 64) == pytest.approx(5.55688641946, rel=1e-9)
    assert interval_h("daly", 0.05, 20_000.0, 64) == interval_h("daly", 0.05, 312.5)
    assert interval_h("daly", 0.05, 312.5) == pytest.approx(exact_h(0.05, 312.5), rel=1e-5)


def test_a_checkpoint_dearer_than_two_mtbf_is_made_once_an_mtbf() -> None:
    assert interval_h("daly", 5.0, 2.0) == 2.0


@pytest.mark.parametrize(
    ("case", "best", "expected"),
    [
        ((240.0, 5 / 60, 10 / 60, 24.0), 123, 262.983370061),
        ((168.0, 0.05, 0.25, 312.5), 30, 171.178444425),
    ],
)
def test_the_formula_is_best_where_the_reference_says(
    case: tuple[float, float, float, float], best: int, expected: float
) -> None:
    work_h, *rest = case
    by_segments = [makespan_h(work_h, n, *rest) for n in range(1, 300)]
    assert int(np.argmin(by_segments)) + 1 == best
    assert min(by_segments) == pytest.approx(expected, rel=1e-9)


def test_a_host_that_fails_in_the_middle_starts_its_task_anew() -> None:
    """A task of 10 min at 150 W loses its host at minute 5 for 5 min, at 100 W."""
    host = fleet(Nodes(count=1, accelerators=1, idle_w=100.0, busy_w=200.0))
    never = 2**60
    power = failing(host, [[300_000], [never]], [[300_000], [0]], failed_w=100.0)
    meter = Meter(host, power, Grid(0, 0, MS_PER_H), 1_200_000)
    jobs = job_table([0], 600_000, utilisation=0.5)
    log = simulate(host, jobs, power, end_ms=1_200_000, on_log=meter.read)
    assert power.failures is not None
    energy = energy_of(host, power.ladders, meter.close(1_200_000), power.failures.failed_w)
    assert log.end_ms.tolist() == [1_200_000]
    assert float(energy.it_kwh.sum()) * J_PER_KWH == pytest.approx(165_000.0, abs=1e-6)


@dataclass(frozen=True)
class Case:
    """Gangs that run beside one another on nodes that fail, and are repaired at once."""

    name: str
    work_h: float
    mtbf_h: float
    expected: dict[str, float]
    nodes: int = 1
    checkpoint: dict[str, Any] | None = None
    gangs: int = 40
    loose: float = 0.05
    verify_gangs: int = 400


def reference_case(segments: int, expected_h: float) -> Case:
    saving = {
        "interval": f"{240 / segments} h", "cost": "5 min", "restart": "10 min", "at_end": True,
    }  # fmt: skip
    return Case(f"{segments} segments", 240.0, 24.0, {"end_h": expected_h}, checkpoint=saving)


CASES = [
    reference_case(24, 302.867582451),
    reference_case(60, 268.937213065),
    reference_case(120, 262.991598612),
    reference_case(240, 267.810707352),
    Case(
        "no checkpoint",
        10.0,
        24.0,
        {"end_h": 12.4055231133, "untouched": 0.6592406302, "restarts": 0.516896796388},
        gangs=250,
        loose=0.12,
        verify_gangs=6000,
    ),
    Case(
        "a gang of 64 nodes",
        168.0,
        20_000.0,
        {"end_h": 171.178444425},
        nodes=64,
        checkpoint={"interval": "5.6 h", "cost": "0.05 h", "restart": "0.25 h", "at_end": True},
        gangs=4,
        verify_gangs=20,
    ),
]


def replication(folder: Path, case: Case, gangs: int, seed: int) -> dict[str, float]:
    rows = [(0, case.work_h * S_PER_H, 8 * case.nodes, 1.0)] * gangs
    document = scenario_document(
        write_jobs(folder / "jobs.csv", rows),
        nodes={"failures": {"mtbf": f"{case.mtbf_h} h", "repair": "0 s"}},
        horizon="1 h",
        drain=True,
        clusters__c__count=gangs * case.nodes,
        accounting={"interval": "1 d"},
    )
    if case.checkpoint:
        document["workloads"]["w"]["checkpoint"] = case.checkpoint
    jobs = run(from_document(document), seed=seed).results.jobs
    return {
        "end_h": float(jobs["end_s"].mean()) / S_PER_H,
        "untouched": float((jobs["restarts"] == 0).mean()),
        "restarts": float(jobs["restarts"].mean()),
    }


def check(folder: Path, case: Case, gangs: int, precision: float) -> None:
    found = [replication(folder, case, gangs, seed) for seed in range(20)]
    for quantity, expected in case.expected.items():
        interval([each[quantity] for each in found]).check(expected, precision)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.name not in {"60 segments", "240 segments"}],
    ids=lambda case: case.name,
)
def test_runs_take_as_long_as_theory_says(tmp_path: Path, case: Case) -> None:
    check(tmp_path, case, case.gangs, case.loose)


@pytest.mark.verify
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_runs_take_as_long_as_theory_says_closely(tmp_path: Path, case: Case) -> None:
    check(tmp_path, case, case.verify_gangs, 0.02)


def up_shares(seed: int, hours: int) -> dict[str, float]:
    """Return how many of 16 idle nodes were up on average, and how often at least 14 were."""
    document = scenario_document(
        nodes={
            "failures": {"mtbf": "1000 h", "repair": {"dist": "exponential", "mean": "8 h"}},
        },
        horizon=f"{hours} h",
        seed=seed,
        clusters__c__count=16,
        accounting={"interval": "1 d"},
    )
    seen = happened(from_document(document))
    order = np.lexsort((seen.node, seen.time_ms))
    down = np.zeros(16, bool)
    counts, times = [0], [0]
    for at in order:
        down[seen.node[at]] = seen.state[at] == FAILED
        times.append(int(seen.time_ms[at]))
        counts.append(int(down.sum()))
    widths = np.diff([*times, hours * MS_PER_H])
    up = 16 - np.array(counts)
    total = float(widths.sum())
    return {
        "up": float(up @ widths) / total,
        "enough": float(widths[up >= 14].sum()) / total,
    }


def check_availability(hours: int, precision: float) -> None:
    found = [up_shares(seed, hours) for seed in range(20)]
    up = interval([each["up"] for each in found])
    up.check(15.873015873, precision)
    interval([each["up"] / 16 for each in found]).check(0.992063492063, precision)
    interval([each["enough"] for each in found]).check(0.999740909659, precision)


def test_nodes_are_up_as_often_as_theory_says() -> None:
    check_availability(10_000, 0.005)


@pytest.mark.verify
def test_nodes_are_up_as_often_as_theory_says_closely() -> None:
    check_availability(100_000, 0.001)


@dataclass(frozen=True)
class Law:
    """A law of the time between failures, and its mean and standard deviation."""

    mtbf: Any
    mean_h: float
    sd_h: float


@pytest.mark.parametrize(
    "law",
    [
        Law("50 h", 50.0, 50.0),
        Law(
            {"dist": "weibull", "shape": 2.0, "scale": "50 h"},
            50.0 * math.gamma(1.5),
            50.0 * math.sqrt(math.gamma(2.0) - math.gamma(1.5) ** 2),
        ),
    ],
    ids=["exponential", "weibull"],
)
def test_first_failures_follow_their_law(law: Law) -> None:
    document = scenario_document(
        nodes={"failures": {"mtbf": law.mtbf, "repair": "100000 h"}},
        horizon="1000 h",
        clusters__c__count=4000,
    )
    seen = happened(from_document(document))
    first_h = seen.time_ms[seen.state == FAILED] / MS_PER_H
    assert len(first_h) == 4000
    error_h = law.sd_h / math.sqrt(len(first_h))
    assert abs(first_h.mean() - law.mean_h) < 3.5 * error_h
    assert first_h.std() == pytest.approx(law.sd_h, rel=0.06)


PER_1000_NODE_DAYS = {"first": 6.50, "second": 2.34}
"""Failures of the two research clusters of arXiv 2410.21680; at 16,384 GPUs the first rate makes
1.8 h, the paper's projection."""


def check_mttf(table: Any, per_1000_node_days: float) -> None:
    """Assert that jobs of each size were cut short as often as so many failures make likely."""
    rate_per_node_h = per_1000_node_days / 1000 / 24
    for row in table.itertuples():
        expected = row.run_h * row.nodes * rate_per_node_h
        low, high = stats.poisson.ppf([0.0005, 0.9995], expected)
        assert low <= row.interruptions <= high, (row, expected)


@pytest.mark.parametrize(
    "gangs",
    [
        pytest.param([(1024, 2), (64, 20), (8, 200)], id="to 1024"),
        pytest.param([(16_384, 1), (1024, 4), (8, 1000)], id="to 16384", marks=pytest.mark.verify),
    ],
)
def test_mttf_by_gang_size_follows_from_the_rate_of_one_node(
    tmp_path: Path, gangs: list[tuple[int, int]]
) -> None:
    rate = PER_1000_NODE_DAYS["first"]
    rows = [(0, 1e8, gpus, 1.0) for gpus, count in gangs for _ in range(count)]
    document = scenario_document(
        write_jobs(tmp_path / "jobs.csv", rows),
        nodes={"failures": {"mtbf": f"{1000 / rate} d", "repair": "0 s"}},
        horizon="60 d",
        clusters__c__count=sum(gpus // 8 * count for gpus, count in gangs),
    )
    table = fs.run(from_document(document), seed=1).mttf_by_gang()
    assert table["nodes"].tolist() == sorted(gpus // 8 for gpus, _ in gangs)
    check_mttf(table, rate)
    if table["nodes"].max() == 2048:
        assert table["mttf_h"].iloc[-1] == pytest.approx(1.8, rel=0.12)


@pytest.mark.verify
def test_the_study_of_research_clusters_fails_at_their_rates() -> None:
    ran = fs.run("research-cluster-reliability", seed=3)
    for name, rate in PER_1000_NODE_DAYS.items():
        mine = ran.results.tables["jobs"].filter(pc.field("cluster") == name)
        tables = {**ran.results.tables, "jobs": mine}
        table = mttf_by_gang(replace(ran.results, tables=tables))
        # A job that moved between the clusters has its hours where it ran last.
        check_mttf(table[table["nodes"] == 1], rate)
    assert 0.80 < ran.summary["allocation"] < 0.88
    assert 0.9 < ran.summary["ettr"] < 1.0
