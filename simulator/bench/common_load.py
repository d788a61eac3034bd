"""The common load: the scenario every simulator of this kind was timed on.

GPU-days are lognormal with p50 1.5 and p99 24, gangs of 1 to 64, arrivals Poisson at a share of
the fleet's capacity; every job runs to its end.
"""

import math
from typing import Any, Final

from simulator.scenario import Scenario, from_document

P50_GPU_DAYS: Final = 1.5
P99_GPU_DAYS: Final = 24.0
Z99: Final = 2.3263478740408408
GANGS: Final = {1: 0.40, 2: 0.15, 4: 0.15, 8: 0.20, 16: 0.05, 32: 0.03, 64: 0.02}
ACCELERATORS: Final = 8
SEED: Final = 20261121


def mean_gpu_days() -> float:
    """Return the mean of the size law in GPU-days, p50 e^(sigma^2 / 2)."""
    sigma = math.log(P99_GPU_DAYS / P50_GPU_DAYS) / Z99
    return P50_GPU_DAYS * math.exp(sigma**2 / 2)


def common_load(jobs: int, nodes: int, load: float, placement: str) -> Scenario:
    """Return the scenario of exactly `jobs` jobs on `nodes` nodes of 8 accelerators.

    Parameters
    ----------
    jobs, nodes : int
    load : float
        GPU-days submitted per day over the fleet's accelerators; at 0.8 nothing ever waits on a
        fleet of this size, above 1 a queue forms and grows.
    placement : str
    """
    rate_per_d = load * nodes * ACCELERATORS / mean_gpu_days()
    # The last of so many Poisson arrivals comes within ten standard deviations of its mean.
    horizon_d = (jobs + 10 * math.sqrt(jobs) + 10) / rate_per_d
    document: dict[str, Any] = {
        "schema": 1,
        "name": f"common-load-{jobs}-{nodes}",
        "start": "2022-01-01T00:00:00Z",
        "horizon": f"{horizon_d!r} d",
        "drain": True,
        "seed": SEED,
        "nodes": {
            "hgx": {
                "accelerators": ACCELERATORS,
                "idle_power": "1.4 kW",
                "busy_power": "5.4 kW",
                "embodied": "2500 kg",
                "lifetime": "4 y",
            }
        },
        "sites": {"here": {"pue": 1.1, "grid": {"average": "CISO"}}},
        "clusters": {
            "train": {"site": "here", "node": "hgx", "count": nodes, "placement": placement}
        },
        "workloads": {
            "common": {
                "clusters": ["train"],
                "arrivals": {"process": "poisson", "rate": f"{rate_per_d!r} per d"},
                "gpu_days": {"p50": P50_GPU_DAYS, "p99": P99_GPU_DAYS},
                "gpus": {"choices": list(GANGS), "weights": list(GANGS.values())},
                "utilisation": {"dist": "beta", "mean": 0.4, "sd": 0.1},
                "max_jobs": jobs,
            }
        },
    }
    return from_document(document)
