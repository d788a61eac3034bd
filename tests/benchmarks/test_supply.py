"""How long dispatch takes: a year by the hour for 20 sites with storage, by every rule."""

import time

import numpy as np
import pytest

from simulator.kernels import arbitrage, supply
from simulator.kernels.supply import Site, Store
from simulator.units import H_PER_D

pytestmark = pytest.mark.verify

SITES = 20
HOURS = 365 * H_PER_D
MOST_S = 0.2


@pytest.mark.parametrize(
    "rule", [supply.GREEDY, supply.PEAK_SHAVING, supply.THRESHOLD, supply.ARBITRAGE]
)
def test_a_year_of_twenty_sites_takes_a_fifth_of_a_second(rule: int) -> None:
    random = np.random.default_rng(1)
    sun = np.maximum(np.sin(np.arange(HOURS) / H_PER_D * 2 * np.pi), 0.0)
    sites = [
        Site(
            np.ones(HOURS),
            random.uniform(30e3, 50e3, HOURS),
            120e3 * sun * random.uniform(0.0, 1.0, HOURS),
        )
        for _ in range(SITES)
    ]
    store = Store(8e3, 72e3, 20e3, 20e3, 0.95, 0.95, 1e-4, 40e3, rule, 45e3, 200.0, 250.0)
    outlook = arbitrage.Outlook(
        random.uniform(100.0, 400.0, HOURS),
        np.full(HOURS, np.nan),
        np.zeros(HOURS),
        arbitrage.PERFECT,
        H_PER_D,
        H_PER_D,
    )
    work = np.zeros((2, arbitrage.PIECES_PER_BIN * (H_PER_D + 1) + 1))
    flows = np.zeros((HOURS, supply.FLOWS))
    supply.dispatch(sites[0], store, outlook, work, flows)  # compiles
    begun_s = time.process_time()
    for site in sites:
        supply.dispatch(site, store, outlook, work, flows)
    assert time.process_time() - begun_s < MOST_S
    assert flows[:, supply.GRID].sum() > 0.0
