"""What holds of every supply: nothing is lost or made, and storage keeps its bounds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.kernels import arbitrage, supply
from simulator.supply.balance import Balance, balance_of, check
from simulator.supply.sources import METHODS, Source
from simulator.units import MS_PER_H
from tests.property.workloads import SEVERAL_RUNS

HOURS = 30
CLOSE = 1e-9

energies = st.lists(st.floats(0.0, 1e3), min_size=HOURS, max_size=HOURS).map(np.array)
shares = st.floats(0.0, 1.0)


@st.composite
def stores(draw: Any, rules: Any = None) -> supply.Store:
    most = draw(st.floats(0.0, 500.0))
    least = most * draw(shares)
    low, high = sorted(draw(st.tuples(st.floats(0.0, 600.0), st.floats(0.0, 600.0))))
    return supply.Store(
        least_kwh=least,
        most_kwh=most,
        charge_kw=draw(st.floats(0.0, 300.0)),
        discharge_kw=draw(st.floats(0.0, 300.0)),
        charge_efficiency=draw(st.floats(0.3, 1.0)),
        discharge_efficiency=draw(st.floats(0.3, 1.0)),
        leak_per_h=draw(st.sampled_from([0.0, 1e-6, 0.01, 1.0])),
        initial_kwh=least + (most - least) * draw(shares),
        rule=draw(st.integers(0, 3) if rules is None else rules),
        limit_kw=draw(st.floats(0.0, 500.0)),
        charge_below_g_per_kwh=low,
        discharge_above_g_per_kwh=high,
    )


@st.composite
def sources(draw: Any, store: Any = None) -> Source:
    hours = np.ones(HOURS)
    hours[0], hours[-1] = 0.0, draw(st.floats(0.01, 1.0))
    made, bought, grams = draw(energies), draw(energies), draw(energies)
    outlook = arbitrage.Outlook(
        g_per_kwh=grams,
        day_before=np.concatenate([np.full(24, np.nan), grams[:-24]]),
        drift=draw(energies),
        method=draw(st.integers(0, len(METHODS) - 1)),
        window=draw(st.integers(1, HOURS)),
        day=24,
    )
    return Source(
        hours=hours,
        epoch_ms=MS_PER_H * np.arange(HOURS, dtype=np.int64),
        solar_kwh=made * hours,
        wind_kwh=None,
        hourly_kwh=bought * hours,
        annual_kwh=None,
        average_g_per_kwh=grams,
        residual_g_per_kwh=grams,
        store=draw(store if store is not None else stores()),
        outlook=outlook,
        embodied_kg=0.0,
        has_store=True,
    )


def balanced(source: Source, load_kwh: Any) -> Balance:
    return balance_of(source, load_kwh * source.hours)


@SEVERAL_RUNS
@given(source=sources(), load_kwh=energies)
def test_generation_and_grid_are_load_curtailed_stored_and_lost(
    source: Source, load_kwh: Any
) -> None:
    balance = balanced(source, load_kwh)
    assert check(balance) <= CLOSE
    into = balance.generated_kwh + balance.grid_kwh
    out = balance.load_kwh + balance.curtailed_kwh + balance.losses_kwh
    off = into - out - balance.stored_change_kwh
    scale = np.maximum(into + balance.stored_kwh, 1.0)
    assert np.abs(off / scale).max() <= CLOSE
    terminals = balance.charged_kwh - balance.discharged_kwh
    kept = balance.stored_change_kwh + balance.losses_kwh
    assert terminals == pytest.approx(kept, rel=CLOSE, abs=1e-9)


@SEVERAL_RUNS
@given(source=sources(), load_kwh=energies)
def test_storage_keeps_its_bounds_and_powers(source: Source, load_kwh: Any) -> None:
    store, balance = source.store, balanced(source, load_kwh)
    room = CLOSE * max(store.most_kwh, 1.0)
    assert balance.stored_kwh.max() <= store.most_kwh + room
    if not store.leak_per_h:
        assert balance.stored_kwh.min() >= store.least_kwh - room
    assert balance.stored_kwh.min() >= 0.0
    for flow, power_kw in (
        (balance.charged_kwh, store.charge_kw),
        (balance.discharged_kwh, store.discharge_kw),
    ):
        assert (flow >= 0.0).all()
        assert (flow <= power_kw * source.hours * (1 + CLOSE) + 1e-9).all()


@SEVERAL_RUNS
@given(source=sources(), load_kwh=energies)
def test_nothing_goes_to_the_grid_and_scores_are_shares(source: Source, load_kwh: Any) -> None:
    balance = balanced(source, load_kwh)
    for flow in (balance.grid_kwh, balance.curtailed_kwh, balance.losses_kwh, balance.cfe_kwh):
        assert flow.min() >= -CLOSE
    assert (balance.curtailed_kwh <= balance.generated_kwh + CLOSE).all()
    assert (balance.discharged_kwh <= balance.load_kwh + CLOSE).all()
    assert (balance.cfe_kwh <= balance.load_kwh).all()
    assert (balance.covered_kwh <= balance.grid_kwh * (1 + CLOSE)).all()
    assert (balance.covered_kwh <= balance.contracted_kwh + CLOSE).all()


@SEVERAL_RUNS
@given(source=sources(store=stores(st.just(supply.GREEDY))), load_kwh=energies)
def test_a_greedy_store_only_lessens_what_is_drawn(source: Source, load_kwh: Any) -> None:
    none = source.store._replace(most_kwh=0.0, least_kwh=0.0, initial_kwh=0.0, charge_kw=0.0)
    without = balanced(replace(source, store=none._replace(discharge_kw=0.0)), load_kwh)
    with_it = balanced(source, load_kwh)
    assert (with_it.grid_kwh <= without.grid_kwh + CLOSE).all()
    assert (with_it.curtailed_kwh <= without.curtailed_kwh + CLOSE).all()
