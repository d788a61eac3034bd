"""The engine and the readable model agree on random fleets whose idle nodes sleep.

Job for job, millisecond for millisecond of every node in every state, wake-up for wake-up, and
joule for joule. The cases come in groups by what they use, so that a difference says where it is.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from simulator.fleet import Fleet
from simulator.units import MS_PER_S
from simulator.workload.table import JobTable
from tests.builders import (
    LadderRan,
    Nodes,
    fleet,
    job_table,
    run_engine,
    run_ladder,
    run_ladder_model,
)
from tests.oracle.closing import Command
from tests.oracle.ladder import Ladder

CASES = 60
"""Cases in each group."""

GROUPS = {
    "one state": {"deepest": 1},
    "several states": {"deepest": 4},
    "gangs": {"deepest": 2, "most_gpus": 40},
    "a few at a time": {"deepest": 2, "max_waking": True},
    "states without latency": {"deepest": 3, "prompt": True},
    "drawn wake times": {"deepest": 2, "wake_draws": True},
    "drawn timers": {"deepest": 1, "timer_draws": True},
    "drawn timers of a state without latency": {"deepest": 1, "timer_draws": True, "prompt": True},
    "nodes kept ready": {"deepest": 2, "keep": True},
    "several clusters": {"deepest": 2, "clusters": 3},
    "closed and opened": {"deepest": 3, "close": True},
    "closed, kept and a few at a time": {
        "deepest": 2,
        "most_gpus": 40,
        "max_waking": True,
        "keep": True,
        "clusters": 2,
        "close": True,
    },
    "everything": {
        "deepest": 3,
        "most_gpus": 40,
        "max_waking": True,
        "prompt": True,
        "wake_draws": True,
        "keep": True,
        "clusters": 3,
        "close": True,
    },
}


@dataclass(frozen=True)
class Case:
    """One random fleet with ladders, and its workload."""

    fleet: Fleet
    ladders: list[Ladder | None]
    jobs: JobTable
    end_ms: int
    options: dict[str, Any] = field(default_factory=dict)

    def model(self) -> LadderRan:
        return run_ladder_model(self.fleet, self.ladders, self.jobs, self.end_ms, **self.options)

    def engine(self) -> LadderRan:
        return run_ladder(self.fleet, self.ladders, self.jobs, self.end_ms, **self.options)


def random_ladder(
    rng: np.random.Generator, nodes: Nodes, tick_ms: int, *, deepest: int, prompt: bool
) -> Ladder:
    """Return a ladder on a coarse clock, so that its edges meet submissions and completions."""
    count = int(rng.integers(1, deepest + 1))
    after = np.cumsum(rng.integers(1, 8, count)) - rng.integers(0, 2)
    enter, wake = rng.integers(0, 4, count), rng.integers(0, 9, count)
    if prompt:
        leading = int(rng.integers(1, count + 1))
        enter[:leading] = wake[:leading] = 0
    power_w = np.sort(rng.integers(0, int(nodes.idle_w) + 1, count))[::-1]
    return Ladder(
        after_ms=tuple((after * tick_ms).tolist()),
        enter_ms=tuple((enter * tick_ms).tolist()),
        power_w=tuple(power_w.astype(float).tolist()),
        enter_w=tuple(rng.integers(0, 900, count).astype(float).tolist()),
        wake_ms=tuple((wake * tick_ms).tolist()),
        wake_w=tuple(rng.integers(0, 900, count).astype(float).tolist()),
    )


def random_jobs(
    rng: np.random.Generator, clusters: list[Nodes], tick_ms: int, *, most_gpus: int
) -> JobTable:
    """Return jobs that leave the fleet idle most of the time, in bursts and in ones and twos."""
    count = int(rng.integers(3, 61))
    largest = max(c.count * c.accelerators for c in clusters)
    sizes = np.array([g for g in (1, 1, 2, 3, 4, 8, 12, 16, 33) if g <= most_gpus])
    gpus = np.minimum(rng.choice(sizes, count), largest)
    numbers = np.arange(len(clusters))
    routes = [
        tuple(int(n) for n in rng.permutation(numbers)[: rng.integers(1, len(clusters) + 1)])
        for _ in range(rng.integers(1, 4))
    ]
    gap = rng.choice([1, 3, 8]) * rng.integers(0, 6, count) * (rng.random(count) < 0.6)
    return job_table(
        np.cumsum(gap) * tick_ms,
        rng.integers(0, 12, count) * tick_ms * rng.choice([0.5, 1.0, 1.0], count),
        gpus,
        utilisation=rng.integers(0, 65, count) / 64,  # sums of these are exact
        priority=rng.choice([0, 0, 1, -2], count) if rng.random() < 0.3 else 0,
        route=rng.integers(0, len(routes), count),
        routes=routes,
    )


def random_case(
    seed: int,
    *,
    deepest: int,
    most_gpus: int = 4,
    clusters: int = 1,
    max_waking: bool = False,
    prompt: bool = False,
    wake_draws: bool = False,
    timer_draws: bool = False,
    keep: bool = False,
    close: bool = False,
) -> Case:
    """Return a case that uses what it is told to; even seeds have times of their own."""
    rng = np.random.default_rng(seed)
    tick_ms = 10 * MS_PER_S
    nodes = [
        Nodes(
            count=int(rng.integers(1, 9)),
            accelerators=int(rng.choice([1, 2, 4, 8])),
            placement=str(rng.choice(["pack", "first-fit", "spread"])),
            idle_w=float(rng.integers(50, 500)),
            busy_w=float(rng.integers(500, 6000)),
        )
        for _ in range(clusters)
    ]
    ladders: list[Ladder | None] = [
        random_ladder(rng, one, tick_ms, deepest=deepest, prompt=prompt and rng.random() < 0.7)
        for one in nodes
    ]
    if max_waking:
        ladders = [replace(ladder, max_waking=int(rng.integers(1, 4))) for ladder in ladders]
    if clusters > 1 and rng.random() < 0.3:
        ladders[int(rng.integers(clusters))] = None
    most = min(most_gpus, max(one.accelerators for one in nodes)) if most_gpus <= 4 else most_gpus
    jobs = random_jobs(rng, nodes, tick_ms, most_gpus=most)
    if seed % 2 == 0:
        late_ms = np.sort(rng.integers(0, tick_ms, len(jobs)))
        jobs = replace(jobs, submit_ms=jobs.submit_ms + late_ms)
    options: dict[str, Any] = {}
    draws = [rng.exponential(3 * tick_ms, 5000).astype(int).tolist() for _ in nodes]
    if wake_draws:
        options["wake_draws"] = [row if rng.random() < 0.7 else None for row in draws]
    if timer_draws:
        options["timer_draws"] = draws
    if keep:
        options["keep_free"] = [int(rng.integers(0, 3)) for _ in nodes]
        options["keep_awake"] = [int(rng.integers(0, one.count + 1)) for one in nodes]
    # A gang whose nodes fall asleep before the last of them is awake may wait for ever.
    elif jobs.gpus.max() <= min(one.accelerators for one in nodes):
        options["drain"] = bool(rng.random() < 0.3)
    end_ms = int(jobs.submit_ms[-1]) + 1 + int(rng.integers(0, 30)) * tick_ms
    if close:
        options["commands"] = random_commands(rng, nodes, tick_ms, end_ms)
    return Case(fleet(*nodes), ladders, jobs, end_ms, options)


def random_commands(
    rng: np.random.Generator, clusters: list[Nodes], tick_ms: int, end_ms: int
) -> list[Command]:
    """Return commands that close nodes and, more of them, open them, one at an instant."""
    ticks = np.unique(rng.integers(0, -(-end_ms // tick_ms), int(rng.integers(2, 25))))
    commands = []
    for tick in ticks.tolist():
        number = int(rng.integers(len(clusters)))
        nodes = np.flatnonzero(rng.random(clusters[number].count) < rng.choice([0.3, 1.0]))
        commands.append((tick * tick_ms, number, bool(rng.random() < 0.45), nodes.tolist()))
    return commands


@pytest.fixture(scope="module", params=GROUPS)
def group(request: pytest.FixtureRequest) -> str:
    """Return the name of a group; the tests of a group follow one another."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def played(group: str) -> list[tuple[Case, LadderRan]]:
    """Return the cases of a group, and what the readable model makes of each."""
    cases = [random_case(seed, **GROUPS[group]) for seed in range(CASES)]
    return [(case, case.model()) for case in cases]


def test_the_engine_and_the_readable_model_agree_on_sleeping_nodes(
    group: str, played: list[tuple[Case, LadderRan]]
) -> None:
    for seed, (case, model) in enumerate(played):
        engine = case.engine()
        said = f"{group}, seed {seed}"
        np.testing.assert_array_equal(engine.start_ms, model.start_ms, said)
        np.testing.assert_array_equal(np.maximum(engine.cluster, -1), model.cluster, said)
        finished = model.end_ms >= 0
        np.testing.assert_array_equal(engine.end_ms[finished], model.end_ms[finished], said)
        held = (model.start_ms < 0) | ~finished | (model.end_ms > model.start_ms)
        np.testing.assert_array_equal(engine.first_node[held], model.first_node[held], said)
        np.testing.assert_array_equal(engine.state_ms, model.state_ms, said)
        np.testing.assert_array_equal(engine.wake_ups, model.wake_ups, said)
        np.testing.assert_array_equal(engine.cancelled, model.cancelled, said)
        np.testing.assert_allclose(engine.energy_j, model.energy_j, rtol=1e-12, err_msg=said)


def test_the_cases_use_what_their_group_is_about(played: list[tuple[Case, LadderRan]]) -> None:
    """Over all cases of a group nodes sleep, jobs wait for them, and time is accounted for."""
    seen: dict[str, float] = dict.fromkeys(("wake_ups", "cancelled", "asleep_ms", "late"), 0)
    for case, model in played:
        stop_ms = model.state_ms.sum(axis=1)
        assert np.all(stop_ms == max(case.end_ms, stop_ms[0]))
        assert np.all(model.state_ms >= 0)
        assert np.all(model.cancelled <= model.wake_ups)
        seen["wake_ups"] += model.wake_ups.sum()
        seen["cancelled"] += model.cancelled.sum()
        seen["asleep_ms"] += model.state_ms[:, 1:].sum()
        seen["late"] += (model.start_ms > case.jobs.submit_ms).sum()
    assert min(seen.values()) > CASES / 4, seen


@pytest.mark.parametrize("seed", range(20))
def test_without_a_ladder_the_readable_model_is_the_engine(seed: int) -> None:
    case = random_case(seed, **GROUPS["several clusters"])
    nobody = replace(case, ladders=[None] * len(case.ladders))
    model = nobody.model()
    plain = run_engine(case.fleet, case.jobs, case.end_ms, **case.options)
    np.testing.assert_array_equal(plain.start_ms, model.start_ms)
    assert model.state_ms.shape == (int(case.fleet.first_node[-1]), 1)
    assert not model.wake_ups.any()
