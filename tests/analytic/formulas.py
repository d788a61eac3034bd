"""Closed forms of queueing theory, in units of the mean service time unless said.

Each has its source beside it; `test_queueing` holds the engine to them.
"""

import math

Z99 = 2.3263478740408408


def erlang_b(load: float, servers: int) -> float:
    """Return the blocking probability of M/G/c/c by the stable recursion (Erlang 1917)."""
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking


def erlang_c(load: float, servers: int) -> float:
    """Return the probability to wait in M/M/c, C = B / (1 - rho (1 - B)) (Erlang 1917)."""
    blocking = erlang_b(load, servers)
    return blocking / (1.0 - load / servers * (1.0 - blocking))


def mmc_wait(rate: float, servers: int) -> float:
    """Return the mean wait of M/M/c with service rate 1, C / (c - lambda)."""
    return erlang_c(rate, servers) / (servers - rate)


def mg1_wait(rate: float, second_moment: float, load: float) -> float:
    """Return the mean wait of M/G/1, lambda E[S^2] / (2 (1 - rho)) (Pollaczek-Khinchine)."""
    return rate * second_moment / (2.0 * (1.0 - load))


def lognormal_moments(p50: float, p99: float) -> tuple[float, float]:
    """Return E[S] and E[S^2] of the lognormal with these quantiles."""
    sigma = math.log(p99 / p50) / Z99
    return p50 * math.exp(sigma**2 / 2), p50**2 * math.exp(2 * sigma**2)


def cobham_waits(rates: list[float]) -> list[float]:
    """Return the mean waits of M/M/1 with non-preemptive priorities, first is served first.

    W_k = W0 / ((1 - s_{k-1}) (1 - s_k)), s_k the load of the classes up to k (Cobham 1954).
    """
    residual = sum(rates)  # lambda E[S^2] / 2 with E[S^2] = 2
    loads = [sum(rates[:k]) for k in range(len(rates) + 1)]
    return [residual / ((1 - loads[k]) * (1 - loads[k + 1])) for k in range(len(rates))]


def mm1_run_length(load: float, eps: float, z: float = 1.96) -> float:
    """Return the service times a run of M/M/1 needs for L to be known within `eps` of itself.

    From the asymptotic variance of L, 2 rho (1 + rho) / (1 - rho)^4 (Whitt 1989):
    T = z^2 2 (1 + rho) / (rho (1 - rho)^2 eps^2).
    """
    return z**2 * 2 * (1 + load) / (load * (1 - load) ** 2 * eps**2)
