"""Sleeping servers against queueing theory with setup times.

Each case is run as independent replications; the Student-t interval of their means at 99.9 %
must cover the formula. The readable model and a short run of the engine are held to a loose
width; the `verify` tier runs the model on every case, and the engine until the interval is within
2 %. A freed server takes the head of the line and one wake-up that is then too many is cancelled;
a wake-up draws its power until it is over or cancelled: the formulas stand on these two choices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.rng import stream
from simulator.units import MS_PER_H, MS_PER_S
from tests.analytic.formulas_setup import (
    BUSY_W,
    IDLE_W,
    OFF_W,
    SETUP_W,
    Steady,
    delayed_off,
    setup_chain,
    setup_without_bound,
)
from tests.analytic.replications import (
    REPLICATIONS,
    WARM_UP,
    exponential,
    interval,
    poisson_jobs,
)
from tests.builders import LadderRan, Nodes, fleet, run_ladder, run_ladder_model
from tests.oracle.ladder import Ladder

Run = Callable[..., LadderRan]

FACTS = ("sojourn", "busy", "idle", "setup", "off", "setups", "power_w")
COOL_DOWN = 0.1  # share of the jobs at the end that may not have started when the run ends
DRAWS_A_JOB = 3
"""More wake-ups and more idle periods than any case has for each of its jobs."""


@dataclass(frozen=True)
class Case:
    """A queue with setup, its exact steady state, and how well a run of so many jobs knows it.

    Times are in hours and in units of the mean service time. `expected` has the reference
    figures; `loose` holds the jobs of a replication of the readable model, and the relative
    half-width to be reached by them.
    """

    name: str
    rate: float
    servers: int
    setup: float
    theory: Callable[[], Steady]
    expected: dict[str, float]
    verify_jobs: int
    drawn_setup: bool = True
    timer: float = 0.0
    drawn_timer: bool = False
    max_waking: int | None = None
    off_w: float = OFF_W
    loose: tuple[int, float] = (500, 0.25)

    @property
    def ladder(self) -> Ladder:
        return Ladder(
            after_ms=(round(self.timer * MS_PER_H),),
            enter_ms=(0,),
            power_w=(self.off_w,),
            enter_w=(IDLE_W,),
            wake_ms=(round(self.setup * MS_PER_H),),
            wake_w=(SETUP_W,),
            max_waking=self.max_waking,
        )


ONE_SERVER = {"busy": 0.5, "idle": 0.0}
CASES = [
    Case(
        "M/M/1, exponential setup",
        rate=0.5,
        servers=1,
        setup=4.0,
        theory=partial(delayed_off, 0.5, (4.0, 32.0)),
        # Welch 1964; Gandhi and Harchol-Balter: that of M/M/1 and the mean setup
        expected={
            "sojourn": 6.0,
            **ONE_SERVER,
            "setup": 0.333333333333,
            "off": 0.166666666667,
            "setups": 0.0833333333333,
            "power_w": 552.5,
        },
        verify_jobs=100_000,
    ),
    Case(
        "M/M/1, constant setup",
        rate=0.5,
        servers=1,
        setup=4.0,
        drawn_setup=False,
        theory=partial(delayed_off, 0.5, (4.0, 16.0)),
        # Welch 1964: a constant setup delays by less than itself
        expected={
            "sojourn": 4.66666666667,
            **ONE_SERVER,
            "setup": 0.333333333333,
            "off": 0.166666666667,
            "setups": 0.0833333333333,
            "power_w": 552.5,
        },
        verify_jobs=100_000,
    ),
    Case(
        "M/M/1, off after 2",
        rate=0.5,
        servers=1,
        setup=4.0,
        drawn_setup=False,
        timer=2.0,
        theory=partial(delayed_off, 0.5, (4.0, 16.0), 2.0),
        # an idle period needs a setup with chance exp(-1)
        expected={
            "sojourn": 3.69553246094,
            "busy": 0.5,
            "idle": 0.182087663574,
            "setup": 0.211941557617,
            "off": 0.105970778809,
            "setups": 0.0529853894043,
            "power_w": 515.172028967,
        },
        verify_jobs=100_000,
    ),
    Case(
        "M/M/1, off after 8",
        rate=0.5,
        servers=1,
        setup=4.0,
        drawn_setup=False,
        timer=8.0,
        theory=partial(delayed_off, 0.5, (4.0, 16.0), 8.0),
        # less sleep, and less energy too: waking is dear
        expected={
            "sojourn": 2.14134737611,
            "busy": 0.5,
            "idle": 0.473497366979,
            "setup": 0.017668422014,
            "off": 0.00883421100702,
            "setups": 0.00441710550351,
            "power_w": 455.433039769,
        },
        verify_jobs=600_000,
        loose=(500, 0.55),  # a setup every hundred jobs
    ),
    Case(
        "M/M/1, wake-ups far longer than jobs",
        rate=0.2,
        servers=1,
        setup=30.0,
        drawn_setup=False,
        timer=10.0,
        theory=partial(delayed_off, 0.2, (30.0, 900.0), 10.0),
        expected={
            "sojourn": 10.212543671,
            "busy": 0.2,
            "idle": 0.38174796202,
            "setup": 0.35850174684,
            "off": 0.0597502911399,
            "setups": 0.011950058228,
            "power_w": 432.346894875,
        },
        verify_jobs=100_000,
    ),
    Case(
        "M/M/2, setup",
        rate=1.0,
        servers=2,
        setup=4.0,
        theory=partial(setup_chain, 1.0, 2, 0.25),
        # Gandhi et al. 2013, Phung-Duc 2014; truncated chain
        expected={
            "sojourn": 3.84892869182,
            "busy": 1.0,
            "setup": 0.668588253353,
            "off": 0.331411746647,
            "power_w": 1106.12412821,
        },
        verify_jobs=100_000,
    ),
    Case(
        "M/M/3, setup",
        rate=1.2,
        servers=3,
        setup=2.0,
        theory=partial(setup_chain, 1.2, 3, 0.5),
        expected={
            "sojourn": 2.15520682891,
            "busy": 1.2,
            "setup": 0.781680213597,
            "off": 1.0183197864,
            "power_w": 1324.28292495,
        },
        verify_jobs=100_000,
    ),
    Case(
        "M/M/4, setup",
        rate=2.0,
        servers=4,
        setup=10.0,
        theory=partial(setup_chain, 2.0, 4, 0.1),
        expected={
            "sojourn": 4.46213673786,
            "busy": 2.0,
            "setup": 1.60577640123,
            "off": 0.394223598771,
            "power_w": 2369.37919472,
        },
        verify_jobs=200_000,
    ),
    Case(
        "M/M/4, one setup at a time",
        rate=2.0,
        servers=4,
        setup=10.0,
        max_waking=1,
        theory=partial(setup_chain, 2.0, 4, 0.1, most_in_setup=1),
        # Gandhi, Harchol-Balter and Adan 2010: that of M/M/4 and the mean setup
        expected={
            "sojourn": 11.0869565217,
            "busy": 2.0,
            "setup": 0.786749482402,
            "off": 1.2132505176,
            "power_w": 1890.2484472,
        },
        verify_jobs=400_000,
        loose=(1_500, 0.3),
    ),
    Case(
        "M/M/inf, setup",
        rate=2.0,
        servers=25,  # as good as without bound: 3.4 are in use on average
        setup=2.0,
        off_w=0.0,
        theory=partial(setup_without_bound, 2.0, 0.5),
        # Gandhi, Harchol-Balter and Adan 2010, product form; servers that are off draw nothing
        expected={
            "sojourn": 1.68969641968,
            "busy": 2.0,
            "setup": 1.37939283937,
            "power_w": 2227.63570362,
        },
        verify_jobs=100_000,
    ),
    Case(
        "M/M/2, off after an exponential time",
        rate=1.0,
        servers=2,
        setup=4.0,
        timer=2.0,
        drawn_timer=True,
        theory=partial(setup_chain, 1.0, 2, 0.25, timer_rate=0.5),
        expected={
            "sojourn": 2.96895532762,
            "busy": 1.0,
            "idle": 0.223974119787,
            "setup": 0.447948239573,
            "off": 0.32807764064,
            "power_w": 1018.48493231,
        },
        verify_jobs=100_000,
    ),
]


READ = {"M/M/1, exponential setup", "M/M/1, off after 8", "M/M/2, setup"}
"""Cases of which every run of the tests asks the readable model too, which takes its time."""

COMPILED = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="many jobs: only the compiled loop has the time"
)


def by_name(case: Case) -> str:
    return case.name


def drawn_ms(seed: int, name: str, mean: float, count: int) -> list[NDArray[np.int64]]:
    """Return exponential times for the one cluster."""
    times = exponential(stream(seed, name).uniforms(count)) * mean * MS_PER_H
    return [np.rint(times).astype(np.int64)]


def replication(run: Run, case: Case, seed: int, count: int) -> list[float]:
    """Return what one run of `count` jobs says of each of `FACTS`, after its warm-up."""
    jobs = poisson_jobs(seed, case.rate, exponential, count)
    nodes = fleet(Nodes(case.servers, 1, idle_w=IDLE_W, busy_w=BUSY_W))
    options: dict[str, Any] = {}
    if case.drawn_setup:
        options["wake_draws"] = drawn_ms(seed, "setups", case.setup, DRAWS_A_JOB * count)
    if case.drawn_timer:
        options["timer_draws"] = drawn_ms(seed, "timers", case.timer, DRAWS_A_JOB * count)
    begin_ms, end_ms = int(jobs.submit_ms[int(WARM_UP * count)]), int(jobs.submit_ms[-1])
    # A shorter run is the beginning of a longer one: their difference is what came between.
    before, ran = (run(nodes, [case.ladder], jobs, at, **options) for at in (begin_ms, end_ms))
    state_ms = (ran.state_ms - before.state_ms).sum(axis=0) / (end_ms - begin_ms)
    awake, entering, off, setup = state_ms
    assert entering == 0
    started = ran.start_ms >= 0
    starts, run_ms = ran.start_ms[started], np.rint(jobs.duration_ms[started])
    at_work = np.clip(starts + run_ms, begin_ms, end_ms) - np.clip(starts, begin_ms, end_ms)
    busy = at_work.sum() / (end_ms - begin_ms)
    counted = slice(int(WARM_UP * count), int((1 - COOL_DOWN) * count))
    assert started[counted].all()
    waits_ms = (ran.start_ms - jobs.submit_ms)[counted]
    setups = (ran.wake_ups - before.wake_ups).sum() / (end_ms - begin_ms) * MS_PER_H
    power_w = (ran.energy_j - before.energy_j).sum() / (end_ms - begin_ms) * MS_PER_S
    sojourn = (waits_ms + jobs.duration_ms[counted]).mean() / MS_PER_H
    idle = awake - busy if case.expected.get("idle") else 0.0
    return [sojourn, busy, idle, setup, off, setups, power_w]


def check(run: Run, case: Case, count: int, precision: float) -> None:
    """Assert that the replications cover the theory, within `precision` of it."""
    facts = np.array([replication(run, case, seed, count) for seed in range(REPLICATIONS)])
    for name, values in zip(FACTS, facts.T, strict=True):
        if name in case.expected:
            interval(values).check(case.expected[name], precision)


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_formulas_give_the_reference_figures(case: Case) -> None:
    theory = case.theory()
    for name, expected in case.expected.items():
        said = theory.power_w(case.off_w) if name == "power_w" else getattr(theory, name)
        assert said == pytest.approx(expected, rel=1e-10, abs=1e-12), name


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=() if case.name in READ else pytest.mark.verify) for case in CASES],
    ids=by_name,
)
def test_the_readable_model_sleeps_as_theory_says(case: Case) -> None:
    check(run_ladder_model, case, *case.loose)


@COMPILED
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_engine_sleeps_as_theory_says(case: Case) -> None:
    jobs, precision = case.loose
    check(run_ladder, case, 25 * jobs, precision / 4)


@COMPILED
@pytest.mark.verify
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_engine_sleeps_as_theory_says_within_two_per_cent(case: Case) -> None:
    check(run_ladder, case, case.verify_jobs, 0.02)
