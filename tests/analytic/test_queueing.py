"""The engine against queueing theory.

Each case is run as independent replications; the Student-t interval of their means at 99.9 %
must cover the formula and be narrow. The default tier uses loads up to 0.75 and an interval of a
few per cent; the `verify` tier uses the loads of the reference cases and 2 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from simulator.rng import stream
from simulator.units import MS_PER_H
from simulator.workload.table import JobTable
from tests.analytic.formulas import (
    cobham_waits,
    erlang_c,
    lognormal_moments,
    mg1_wait,
    mm1_run_length,
    mmc_wait,
)
from tests.analytic.replications import (
    REPLICATIONS,
    WARM_UP,
    Floats,
    Law,
    exponential,
    interval,
    poisson_jobs,
)
from tests.builders import Nodes, fleet, job_table, run_engine

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="millions of jobs: only the compiled loop has the time"
)


def constant(u: Floats) -> Floats:
    return np.ones_like(u)


def lognormal(p50: float, p99: float) -> Law:
    sigma = math.log(p99 / p50) / 2.3263478740408408
    return lambda u: p50 * np.exp(sigma * special.ndtri(u))


def waits_h(seed: int, cluster: Nodes, jobs: JobTable) -> Floats:
    ran = run_engine(fleet(cluster), jobs, int(jobs.submit_ms[-1]) + 1, drain=True)
    kept = slice(int(WARM_UP * len(jobs)), None)
    return (ran.start_ms - jobs.submit_ms)[kept] / MS_PER_H


@dataclass(frozen=True)
class Queue:
    """A queue of gangs that each take the whole of one server, and its exact mean wait."""

    name: str
    servers: int
    rate_per_h: float
    law: Law
    wait_h: float
    jobs: int  # a replication
    precision: float


def mmc(servers: int, rate_per_h: float, wait_h: float, jobs: int, precision: float) -> Queue:
    assert mmc_wait(rate_per_h, servers) == pytest.approx(wait_h, rel=1e-9)
    name = f"M/M/{servers} rate {rate_per_h:g}"
    return Queue(name, servers, rate_per_h, exponential, wait_h, jobs, precision)


def mg1(
    law: Law, moments: tuple[float, float], load: float, wait_h: float, jobs: int, precision: float
) -> Queue:
    mean, second = moments
    assert mg1_wait(load / mean, second, load) == pytest.approx(wait_h, rel=1e-9)
    name = f"M/G/1 mean {mean:.4g} second moment {second:.4g} load {load}"
    return Queue(name, 1, load / mean, law, wait_h, jobs, precision)


HEAVY = lognormal_moments(10.0, 100.0)
LIGHT = lognormal_moments(1.0, 8.0)
UNIT = (1.0, 1.0)

FAST = [
    mmc(1, 0.5, 1.0, 100_000, 0.03),
    mmc(2, 1.5, 1.28571428571, 100_000, 0.06),
    mmc(4, 3.0, 0.509433962264, 150_000, 0.06),
    mmc(8, 6.0, 0.178490542939, 200_000, 0.06),
    mmc(64, 48.0, mmc_wait(48.0, 64), 400_000, 0.2),
    mg1(constant, UNIT, 0.6, 0.75, 100_000, 0.03),
    mg1(lognormal(1.0, 8.0), LIGHT, 0.5, 1.65755805406, 200_000, 0.06),
]
TIGHT = [
    mmc(1, 0.8, 4.0, int(0.8 * mm1_run_length(0.8, 0.004) / REPLICATIONS), 0.02),
    mmc(1, 0.5, 1.0, 250_000, 0.02),
    mmc(2, 1.5, 1.28571428571, 800_000, 0.02),
    mmc(4, 3.0, 0.509433962264, 1_200_000, 0.02),
    mmc(8, 6.0, 0.178490542939, 1_500_000, 0.02),
    mmc(16, 14.4, 0.36958962117, 4_000_000, 0.02),
    mmc(64, 57.6, 0.0485411432083, 8_000_000, 0.02),
    mg1(constant, UNIT, 0.8, 2.0, 1_000_000, 0.02),
    mg1(
        lognormal(10.0, 100.0),
        HEAVY,
        0.7,
        50.7163524963,
        4_000_000,
        0.02,
    ),
    mg1(lognormal(1.0, 8.0), LIGHT, 0.5, 1.65755805406, 1_500_000, 0.02),
]


def check_wait(queue: Queue) -> None:
    nodes = Nodes(count=queue.servers, accelerators=1)
    means, shares = [], []
    for seed in range(REPLICATIONS):
        jobs = poisson_jobs(seed, queue.rate_per_h, queue.law, queue.jobs)
        waits = waits_h(seed, nodes, jobs)
        means.append(float(waits.mean()))
        shares.append(float((waits > 0).mean()))
    interval(means).check(queue.wait_h, queue.precision)
    if queue.law is exponential:
        interval(shares).check(erlang_c(queue.rate_per_h, queue.servers), queue.precision)


@pytest.mark.parametrize("queue", FAST, ids=lambda queue: queue.name)
def test_the_mean_wait_is_that_of_theory(queue: Queue) -> None:
    check_wait(queue)


@pytest.mark.verify
@pytest.mark.parametrize("queue", TIGHT, ids=lambda queue: queue.name)
def test_the_mean_wait_is_that_of_theory_within_two_per_cent(queue: Queue) -> None:
    check_wait(queue)


def sojourn_facts(load: float, jobs_per_replication: int) -> tuple[list[float], list[float]]:
    """Return variance of the sojourn and P(sojourn > 2 mean sojourns) of M/M/1, by replication."""
    variances, tails = [], []
    for seed in range(100, 100 + REPLICATIONS):
        jobs = poisson_jobs(seed, load, exponential, jobs_per_replication)
        ran = run_engine(fleet(Nodes(1, 1)), jobs, int(jobs.submit_ms[-1]) + 1, drain=True)
        sojourns_h = (ran.end_ms - jobs.submit_ms) / MS_PER_H
        variances.append(float(sojourns_h.var()))
        tails.append(float((sojourns_h > 2 / (1 - load)).mean()))
    return variances, tails


def test_the_sojourn_in_mm1_is_exponential() -> None:
    variances, tails = sojourn_facts(0.5, 20_000)
    interval(variances).check(1 / (1 - 0.5) ** 2, 0.2)
    interval(tails).check(math.exp(-2.0), 0.08)


@pytest.mark.verify
def test_the_sojourn_in_mm1_is_exponential_at_load_0_8() -> None:
    variances, tails = sojourn_facts(0.8, 2_000_000)
    interval(variances).check(25.0, 0.02)
    interval(tails).check(0.135335283237, 0.02)


@pytest.mark.parametrize("nodes", [Nodes(1, 4), Nodes(4, 1)], ids=["one node", "four nodes"])
def test_a_gang_of_the_whole_cluster_sees_one_server(nodes: Nodes) -> None:
    means = [
        float(waits_h(seed, nodes, poisson_jobs(seed, 0.75, exponential, 40_000, 4)).mean())
        for seed in range(200, 200 + REPLICATIONS)
    ]
    interval(means).check(3.0, 0.12)


def test_a_gang_of_the_whole_cluster_waits_as_long_as_one_job_on_one_server() -> None:
    alone = poisson_jobs(7, 0.75, exponential, 5_000)
    gangs = poisson_jobs(7, 0.75, exponential, 5_000, 4)
    np.testing.assert_array_equal(waits_h(7, Nodes(1, 1), alone), waits_h(7, Nodes(4, 1), gangs))


def split_sojourns_h(seed: int, count: int) -> tuple[float, float]:
    """Return mean sojourns of one Poisson stream split 0.4 to 0.6 over two servers."""
    jobs = poisson_jobs(seed, 1.0, exponential, count)
    route = (stream(seed, "routes").uniforms(count) > 0.4).astype(np.int16)
    split = job_table(jobs.submit_ms, jobs.duration_ms, route=route, routes=((0,), (1,)))
    ran = run_engine(
        fleet(Nodes(1, 1), Nodes(1, 1)), split, int(jobs.submit_ms[-1]) + 1, drain=True
    )
    sojourns_h = (ran.end_ms - jobs.submit_ms) / MS_PER_H
    return float(sojourns_h[route == 0].mean()), float(sojourns_h[route == 1].mean())


def test_random_routing_keeps_poisson_streams() -> None:
    means = np.array([split_sojourns_h(seed, 40_000) for seed in range(REPLICATIONS)])
    interval(means[:, 0]).check(1.66666666667, 0.08)
    interval(means[:, 1]).check(2.5, 0.08)


@pytest.mark.verify
def test_random_routing_keeps_poisson_streams_within_two_per_cent() -> None:
    means = np.array([split_sojourns_h(seed, 1_000_000) for seed in range(REPLICATIONS)])
    interval(means[:, 0]).check(1.66666666667, 0.02)
    interval(means[:, 1]).check(2.5, 0.02)
    interval(0.4 * means[:, 0] + 0.6 * means[:, 1]).check(2.16666666667, 0.02)


def priority_waits_h(seed: int, count: int) -> tuple[float, float]:
    """Return mean waits of the urgent and the patient class of M/M/1, rates 0.3 and 0.4."""
    jobs = poisson_jobs(seed, 0.7, exponential, count)
    urgent = stream(seed, "classes").uniforms(count) < 0.3 / 0.7
    ranked = job_table(jobs.submit_ms, jobs.duration_ms, priority=urgent)
    waits = waits_h(seed, Nodes(1, 1), ranked)
    kept = urgent[-len(waits) :]
    return float(waits[kept].mean()), float(waits[~kept].mean())


def test_priorities_wait_as_cobham_says() -> None:
    expected = cobham_waits([0.3, 0.4])
    assert expected == pytest.approx([1.0, 3.33333333333], rel=1e-9)
    means = np.array([priority_waits_h(seed, 40_000) for seed in range(REPLICATIONS)])
    interval(means[:, 0]).check(expected[0], 0.06)
    interval(means[:, 1]).check(expected[1], 0.12)


@pytest.mark.verify
def test_priorities_wait_as_cobham_says_within_two_per_cent() -> None:
    means = np.array([priority_waits_h(seed, 2_000_000) for seed in range(REPLICATIONS)])
    interval(means[:, 0]).check(1.0, 0.02)
    interval(means[:, 1]).check(3.33333333333, 0.02)


def numbers_at(start_ms: NDArray[np.int64], end_ms: NDArray[np.int64], at_ms: Floats) -> Floats:
    """Return how many jobs run at each time."""
    started = np.searchsorted(np.sort(start_ms), at_ms, side="right")
    ended = np.searchsorted(np.sort(end_ms), at_ms, side="right")
    return (started - ended).astype(float)


def crowd_facts(seed: int, count: int) -> tuple[float, float, float, float]:
    """Return mean, variance, P(0) and P(> 5) of the jobs in a cluster that is never full."""
    jobs = poisson_jobs(seed, 0.5, lognormal(2.0, 12.0), count)
    ran = run_engine(fleet(Nodes(100, 1)), jobs, int(jobs.submit_ms[-1]) + 1, drain=True)
    np.testing.assert_array_equal(ran.start_ms, jobs.submit_ms)
    at_ms = np.arange(100.0 * MS_PER_H, float(jobs.submit_ms[-1]), float(MS_PER_H))
    number = numbers_at(ran.start_ms, ran.end_ms, at_ms)
    return (
        float(number.mean()),
        float(number.var()),
        float((number == 0).mean()),
        float((number > 5).mean()),
    )


CROWD = (1.3452853113, 1.3452853113, 0.26046538354, 0.00263775357737)
"""Jobs in M/G/inf: Poisson of mean lambda E[S], whatever the law of S (insensitivity)."""


def check_crowd(count: int, precisions: Sequence[float]) -> None:
    mean = 0.5 * lognormal_moments(2.0, 12.0)[0]
    poisson = (mean, mean, stats.poisson.pmf(0, mean), stats.poisson.sf(5, mean))
    assert poisson == pytest.approx(CROWD, rel=1e-9)
    facts = np.array([crowd_facts(seed, count) for seed in range(REPLICATIONS)])
    for fact, expected, precision in zip(facts.T, CROWD, precisions, strict=True):
        interval(fact).check(expected, precision)


def test_a_cluster_that_is_never_full_holds_a_poisson_number() -> None:
    check_crowd(20_000, (0.02, 0.05, 0.03, 0.3))


@pytest.mark.verify
def test_a_cluster_that_is_never_full_holds_a_poisson_number_within_two_per_cent() -> None:
    check_crowd(2_000_000, (0.005, 0.01, 0.01, 0.02))


def test_a_run_started_empty_follows_the_ramp_of_mm_infinity() -> None:
    """N(t) ~ Poisson(lambda/mu (1 - e^(-mu t))): the bias that a warm-up is for."""
    times_h = np.array([0.5, 1.0, 2.0, 5.0, 10.0])
    expected = [4.42398433857, 7.86938680575, 12.6424111766, 18.3583000275, 19.86524106]
    assert 20 * (1 - np.exp(-times_h / 2)) == pytest.approx(expected, rel=1e-9)
    epochs, apart_h = 2_000, 200.0  # an epoch's jobs have left long before the next begins
    per_epoch = 160  # more than ten hours of arrivals at ten an hour ever bring
    gaps_h = exponential(stream(1, "gaps").uniforms(epochs * per_epoch)) / 10
    since_h = np.cumsum(gaps_h.reshape(epochs, per_epoch), axis=1)
    assert since_h[:, -1].min() > 10.0
    epoch_h = np.arange(epochs)[:, None] * apart_h
    submit_ms = np.floor((epoch_h + since_h)[since_h < 10.0] * MS_PER_H)
    service_h = 2 * exponential(stream(1, "services").uniforms(len(submit_ms)))
    jobs = job_table(submit_ms, service_h * MS_PER_H)
    ran = run_engine(fleet(Nodes(100, 1)), jobs, int(jobs.submit_ms[-1]) + 1, drain=True)
    number = numbers_at(ran.start_ms, ran.end_ms, (epoch_h + times_h).ravel() * MS_PER_H)
    by_block = number.reshape(REPLICATIONS, -1, len(times_h)).mean(axis=1)
    for k, mean in enumerate(expected):
        interval(by_block[:, k]).check(mean, 0.05)


def test_the_path_of_littles_law_is_exact() -> None:
    """Integral of N over time equals the sum of sojourns: 14.25 for this path."""
    path_h = np.array([[0.0, 3.0], [1.0, 2.5], [2.0, 6.0], [2.0, 2.75], [4.0, 9.0]])
    jobs = job_table(path_h[:, 0] * MS_PER_H, (path_h[:, 1] - path_h[:, 0]) * MS_PER_H)
    ran = run_engine(fleet(Nodes(1, 8)), jobs, 9 * MS_PER_H, drain=True)
    np.testing.assert_array_equal(ran.end_ms, path_h[:, 1] * MS_PER_H)
    edges_ms = np.append(ran.time_ms, 9 * MS_PER_H)
    integral = float((ran.held * np.diff(edges_ms)).sum()) / MS_PER_H
    sojourns_h = (ran.end_ms - jobs.submit_ms) / MS_PER_H
    assert integral == pytest.approx(14.25, rel=1e-12)
    assert sojourns_h.sum() == pytest.approx(14.25, rel=1e-12)
    assert integral / 9 == pytest.approx(1.58333333333, rel=1e-9)
    assert sojourns_h.mean() == pytest.approx(2.85, rel=1e-12)
