"""Queues whose servers sleep and need a setup to serve again: closed forms and a Markov chain.

In units of the mean service time, service rate 1. Each has its source beside it; `test_setup`
holds the engine to them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

BUSY_W, IDLE_W, SETUP_W, OFF_W = 700.0, 200.0, 600.0, 15.0
LONGEST_QUEUE = 1000
"""Jobs in line in the truncated chain; `setup_chain` checks that the tail is negligible."""


@dataclass(frozen=True)
class Steady:
    """Long-run means: sojourn, servers by what they do, and setups begun per unit of time."""

    sojourn: float
    busy: float
    idle: float
    setup: float
    off: float
    setups: float | None = None

    def power_w(self, off_w: float = OFF_W) -> float:
        """Return the mean power of all servers."""
        drawn_w = BUSY_W * self.busy + IDLE_W * self.idle + SETUP_W * self.setup
        return drawn_w + off_w * self.off


def delayed_off(rate: float, setup: tuple[float, float], timer: float = 0.0) -> Steady:
    """Return M/M/1 whose server sleeps after `timer` without a job and then needs a setup.

    With D the setup, given by its first two moments, and p = exp(-rate timer) the chance that an
    idle period needs one, E[T] = E[S] + lambda E[S^2] / (2 (1 - rho))
    + (2 p E[D] + lambda p E[D^2]) / (2 (1 + lambda p E[D])), the exceptional first service of
    Welch (1964); shares of time by renewal-reward over cycles of (1/lambda + p E[D]) / (1 - rho).
    """
    sleeps = math.exp(-rate * timer)
    first, second = (sleeps * moment for moment in setup)
    sojourn = 1 + rate / (1 - rate) + (2 * first + rate * second) / (2 * (1 + rate * first))
    cycle = (1 / rate + first) / (1 - rate)
    return Steady(
        sojourn=sojourn,
        busy=rate,
        idle=(1 - sleeps) / rate / cycle,
        setup=first / cycle,
        off=sleeps / rate / cycle,
        setups=sleeps / cycle,
    )


def setup_chain(
    rate: float,
    servers: int,
    setup_rate: float,
    *,
    most_in_setup: int | None = None,
    timer_rate: float | None = None,
) -> Steady:
    """Return M/M/c where each waiting job has a server in setup, solved as a Markov chain.

    States are servers at work, servers idle, and jobs in line; a server that ends its work takes
    the head of the line, and the setup that is then too many is cancelled. Without `timer_rate` a
    server is off as soon as it finds nobody (Gandhi, Doroudi, Harchol-Balter and Scheller-Wolf
    2013; Phung-Duc 2014); with it, after an exponential time.
    """
    most = servers if most_in_setup is None else most_in_setup
    states = [(b, 0, q) for b in range(servers + 1) for q in range(LONGEST_QUEUE + 1)]
    if timer_rate is not None:
        states += [(b, d, 0) for b in range(servers) for d in range(1, servers - b + 1)]
    number = {state: k for k, state in enumerate(states)}

    def in_setup(state: tuple[int, int, int]) -> int:
        return min(state[2], servers - state[0] - state[1], most)

    def moves(state: tuple[int, int, int]) -> Iterator[tuple[tuple[int, int, int], float]]:
        b, d, q = state
        yield ((b + 1, d - 1, q) if d else (b, 0, q + 1)), rate
        if b:
            left = (b, 0, q - 1) if q else (b - 1, d + (timer_rate is not None), 0)
            yield left, float(b)
        if in_setup(state):
            yield (b + 1, 0, q - 1), in_setup(state) * setup_rate
        if d and timer_rate is not None:
            yield (b, d - 1, 0), d * timer_rate

    flow = sparse.lil_matrix((len(states), len(states)))
    for state, k in number.items():
        for after, speed in moves(state):
            if after in number:  # an arrival that finds the longest queue is lost
                flow[number[after], k] += speed
                flow[k, k] -= speed
    flow[0, :] = 1.0
    share = linalg.spsolve(flow.tocsc(), np.eye(1, len(states))[0])
    assert share[[number[b, 0, LONGEST_QUEUE] for b in range(servers + 1)]].sum() < 1e-12
    b, d, q = np.array(states).T
    setup = float(share @ [in_setup(state) for state in states])
    busy, idle = float(share @ b), float(share @ d)
    return Steady(
        sojourn=float(share @ (b + q)) / rate,
        busy=busy,
        idle=idle,
        setup=setup,
        off=servers - busy - idle - setup,
    )


def setup_without_bound(rate: float, setup_rate: float) -> Steady:
    """Return M/M/inf with setup: busy servers are Poisson and those in setup independent of them.

    P(j in setup) is proportional to the product over l <= j of lambda / (lambda + l alpha)
    (Gandhi, Harchol-Balter and Adan 2010); the servers that are off are not counted.
    """
    chances, setup, weight = 1.0, 0.0, 1.0
    for j in range(1, LONGEST_QUEUE):
        weight *= rate / (rate + j * setup_rate)
        chances += weight
        setup += j * weight
    setup /= chances
    return Steady(sojourn=(rate + setup) / rate, busy=rate, idle=0.0, setup=setup, off=0.0)
