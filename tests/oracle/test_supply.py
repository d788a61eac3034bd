"""The rules of storage against a linear programme, and against published and worked answers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.kernels import arbitrage, supply
from simulator.kernels.supply import Site, Store
from simulator.supply.balance import balance_of
from simulator.supply.sources import Source, store_of
from simulator.units import G_PER_KG, MS_PER_H
from tests.oracle.supply import least

linprog = pytest.importorskip(
    "scipy.optimize", reason="the linear programme needs scipy, of the extra [sweep]"
).linprog

CASES = range(12)
DAY_MS = 24 * MS_PER_H


def outlook(g_per_kwh: NDArray[np.float64], window: int) -> arbitrage.Outlook:
    nothing = np.full(len(g_per_kwh), np.nan)
    return arbitrage.Outlook(g_per_kwh, nothing, np.zeros_like(nothing), 0, window, 24)


def played(site: Site, store: Store, g_per_kwh: NDArray[np.float64], window: int) -> NDArray:
    flows = np.zeros((len(site.hours), supply.FLOWS))
    work = np.zeros((2, arbitrage.PIECES_PER_BIN * (window + 1) + 1))
    supply.dispatch(site, store, outlook(g_per_kwh, window), work, flows)
    return flows


def drawn(seed: int, *, rule: int, leak_per_h: float = 0.0, bins: int = 48) -> tuple[Site, Store]:
    """Return a random site and storage; the last bin is cut."""
    random = np.random.default_rng(seed)
    hours = np.ones(bins)
    hours[-1] = 0.4
    load = random.uniform(5.0, 50.0, bins) * hours
    made = np.maximum(random.normal(10.0, 30.0, bins), 0.0) * hours
    least_kwh = 0.0 if leak_per_h else random.uniform(0.0, 20.0)
    store = Store(
        least_kwh=least_kwh,
        most_kwh=random.uniform(40.0, 120.0),
        charge_kw=random.uniform(5.0, 40.0),
        discharge_kw=random.uniform(5.0, 40.0),
        charge_efficiency=random.uniform(0.6, 1.0),
        discharge_efficiency=random.uniform(0.6, 1.0),
        leak_per_h=leak_per_h,
        initial_kwh=random.uniform(20.0, 40.0),
        rule=rule,
        limit_kw=0.0,
        charge_below_g_per_kwh=0.0,
        discharge_above_g_per_kwh=0.0,
    )
    return Site(hours, load, made), store


@pytest.mark.parametrize("leak_per_h", [0.0, 0.02])
@pytest.mark.parametrize("seed", CASES)
def test_arbitrage_that_sees_all_is_the_optimum(seed: int, leak_per_h: float) -> None:
    site, store = drawn(seed, rule=supply.ARBITRAGE, leak_per_h=leak_per_h)
    grams = np.random.default_rng(100 + seed).uniform(50.0, 500.0, len(site.hours))
    flows = played(site, store, grams, len(grams))
    best_g, _ = least(site, store, grams)
    assert float(flows[:, supply.GRID] @ grams) == pytest.approx(best_g, rel=1e-9)


@pytest.mark.parametrize("seed", CASES)
def test_arbitrage_that_sees_a_day_is_near_the_optimum(seed: int) -> None:
    """On days alike but for noise it emits 0.5 % more at most, and saves 98 % of what can be."""
    site, store = drawn(seed, rule=supply.ARBITRAGE, bins=168)
    day = 250.0 + 150.0 * np.sin(np.arange(168) / 24 * 2 * np.pi)
    grams = day + np.random.default_rng(seed).normal(0.0, 20.0, 168)
    none = store._replace(charge_kw=0.0, discharge_kw=0.0, rule=supply.GREEDY)
    found_g = float(played(site, store, grams, 24)[:, supply.GRID] @ grams)
    plain_g = float(played(site, none, grams, 1)[:, supply.GRID] @ grams)
    best_g, _ = least(site, store, grams)
    assert best_g <= found_g * (1 + 1e-12)
    assert found_g == pytest.approx(best_g, rel=0.005)
    assert (plain_g - found_g) / (plain_g - best_g) > 0.98


@pytest.mark.parametrize("seed", CASES)
def test_greedy_takes_the_least_from_the_grid(seed: int) -> None:
    """It maximises self-consumption: no dispatch of this storage draws less."""
    site, store = drawn(seed, rule=supply.GREEDY)
    flows = played(site, store, np.ones(len(site.hours)), 1)
    best_kwh, _ = least(site, store, np.ones(len(site.hours)))
    assert float(flows[:, supply.GRID].sum()) == pytest.approx(best_kwh, rel=1e-9)


def bought(seed: int, **keys: Any) -> tuple[Source, NDArray[np.float64]]:
    """Return a site with random contracts over the end of a year, and its load. [kWh]"""
    random = np.random.default_rng(seed)
    hours = np.ones(48)
    new_year_ms = 1_672_531_200_000
    source = Source(
        hours=hours,
        epoch_ms=new_year_ms - DAY_MS + MS_PER_H * np.arange(48, dtype=np.int64),
        solar_kwh=np.maximum(random.normal(0.0, 20.0, 48), 0.0),
        wind_kwh=None,
        hourly_kwh=random.uniform(0.0, 40.0, 48),
        annual_kwh=random.uniform(0.0, 10.0, 48),
        average_g_per_kwh=np.full(48, 300.0),
        residual_g_per_kwh=np.full(48, 450.0),
        store=store_of(None),
        outlook=outlook(np.zeros(48), 1),
        embodied_kg=0.0,
        has_store=False,
    )
    return replace(source, **keys), random.uniform(5.0, 60.0, 48)


def least_market_kg(source: Source, grid_kwh: NDArray[np.float64]) -> float:
    """Return the least market-based carbon that contracts leave, as a linear programme.

    Covered by the hour: at most the delivery of the hour. Covered over the year: at most the
    deliveries of its hours. Both together: at most what is drawn.
    """
    hourly, annual = source.hourly_kwh, source.annual_kwh
    assert hourly is not None
    assert annual is not None
    count = len(grid_kwh)
    years = np.repeat(np.eye(2), count // 2, axis=1)
    limits = np.vstack(
        [np.hstack([np.eye(count), np.eye(count)]), np.hstack([np.zeros((2, count)), years])]
    )
    found = linprog(
        -np.concatenate([source.residual_g_per_kwh] * 2),
        A_ub=limits,
        b_ub=np.concatenate([grid_kwh, years @ annual]),
        bounds=[(0.0, limit) for limit in hourly] + [(0.0, None)] * count,
        method="highs",
    )
    assert found.status == 0
    return (float(grid_kwh @ source.residual_g_per_kwh) + float(found.fun)) / G_PER_KG


@pytest.mark.parametrize("seed", CASES)
def test_contracts_cover_as_much_as_they_can(seed: int) -> None:
    source, load_kwh = bought(seed)
    balance = balance_of(source, load_kwh)
    best_kg = least_market_kg(source, balance.grid_kwh)
    assert balance.market_kg == pytest.approx(best_kg, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", CASES)
def test_contracts_by_the_hour_cover_as_much_under_any_residual_mix(seed: int) -> None:
    residual = np.random.default_rng(seed + 50).uniform(50.0, 900.0, 48)
    nothing = np.zeros(48)
    source, load_kwh = bought(seed, residual_g_per_kwh=residual, annual_kwh=nothing)
    balance = balance_of(source, load_kwh)
    best_kg = least_market_kg(source, balance.grid_kwh)
    assert balance.market_kg == pytest.approx(best_kg, rel=1e-9, abs=1e-9)
