"""What idle states may change, and what they may not, whatever the scenario."""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_H
from tests.builders import file_grid, results_of, scenario_document, write_grid, write_jobs
from tests.property.workloads import SEVERAL_RUNS

HORIZON_H = 4
INTENSITIES = [400.0, 350.0, 120.0, 90.0, 300.0]
KINDS = ("energy_dynamic_kwh", "energy_idle_kwh", "energy_sleep_kwh", "energy_transition_kwh")
PAID_HOURLY = ("energy_it_kwh", "energy_facility_kwh", "operational_kgco2e")

rows = st.lists(
    st.tuples(
        st.sampled_from([0, 60, 300, 1800]),  # gap since the last submission [s]
        st.integers(0, 3000),  # duration [s]
        st.integers(1, 16),  # accelerators, at most what the larger cluster has
        st.integers(0, 100),  # utilisation in hundredths
    ),
    min_size=1,
    max_size=25,
)
powers = st.tuples(st.sampled_from([100.0, 123.4]), st.sampled_from([500.0, 987.6]))
afters = st.lists(st.integers(0, 3000), min_size=1, max_size=3, unique=True).map(sorted)
latencies = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 600)),  # entering and waking [s]
    min_size=3,
    max_size=3,
)


def ladder(
    afters_s: list[int],
    power_w: float,
    latencies_s: list[tuple[int, int]] | None = None,
    *,
    share: float = 1.0,
) -> list[dict[str, Any]]:
    """Return states that draw a share of `power_w`, each deeper one the share of the one above."""
    pairs = latencies_s or [(0, 0)] * len(afters_s)
    return [
        {
            "name": f"state-{depth}",
            "after": f"{after} s",
            "power": f"{power_w * share ** (depth + 1)} W",
            "enter_time": f"{enter} s",
            "wake_time": f"{wake} s",
        }
        for depth, (after, (enter, wake)) in enumerate(zip(afters_s, pairs, strict=False))
    ]


@contextmanager
def a_document(
    drawn: list[Any], idle: str, states: list[dict[str, Any]], power_w: tuple[float, float]
) -> Iterator[dict[str, Any]]:
    """Yield a scenario of two clusters on two sites, its files in a folder of their own."""
    submit_s = np.minimum(np.cumsum([row[0] for row in drawn]), HORIZON_H * 3600 - 1)
    with tempfile.TemporaryDirectory() as folder:
        jobs = write_jobs(
            Path(folder) / "j.csv",
            [
                (int(at), duration, gpus, percent / 100)
                for at, (_, duration, gpus, percent) in zip(submit_s, drawn, strict=True)
            ],
        )
        grid = write_grid(Path(folder) / "g.csv", "2022-01-01T00:00:00Z", MS_PER_H, INTENSITIES)
        yield scenario_document(
            jobs,
            nodes={
                "idle_power": f"{power_w[0]} W",
                "busy_power": f"{power_w[1]} W",
                "embodied": "1500 kg",
                "idle_states": states,
            },
            grid=file_grid(grid),
            horizon=f"{HORIZON_H} h",
            sites__s__pue=1.25,
            sites__t={"pue": 1.5, "grid": {"average": {"constant": "50 g/kWh"}}},
            clusters__c__count=2,
            clusters__c__idle=idle,
            clusters__d={"site": "t", "node": "n", "count": 3, "placement": "spread", "idle": idle},
            workloads__w__clusters=["c", "d"],
        )


def results_for(
    drawn: list[Any], idle: str, states: list[dict[str, Any]], power_w: tuple[float, float]
) -> Results:
    with a_document(drawn, idle, states, power_w) as document:
        return results_of(document)


def same_summary(one: Results, other: Results) -> None:
    """Assert that two runs say the same, but for the key of their scenario."""
    assert {**one.summary, "key": None} == {**other.summary, "key": None}


def same_columns(one: pa.Table, other: pa.Table) -> None:
    """Assert that a table has the columns of another, to the byte."""
    for name in one.column_names:
        assert other[name].combine_chunks().equals(one[name].combine_chunks()), name


@SEVERAL_RUNS
@given(rows, afters, powers)
def test_states_of_idle_power_and_no_latency_change_no_byte_of_energy_and_carbon(
    drawn: Any, afters_s: Any, power_w: Any
) -> None:
    plain = results_for(drawn, "always-on", [], power_w)
    neutral = results_for(drawn, "ladder", ladder(afters_s, power_w[0]), power_w)
    for name in PAID_HOURLY:
        assert neutral.tables["hourly"][name].equals(plain.tables["hourly"][name]), name
    assert neutral.tables["jobs"].equals(plain.tables["jobs"])
    assert neutral.tables["nodes"]["energy_it_kwh"].equals(plain.tables["nodes"]["energy_it_kwh"])


@SEVERAL_RUNS
@given(rows, afters, latencies, powers, st.sampled_from([61_000, 300_000, MS_PER_H]))
def test_a_controller_that_does_nothing_changes_no_byte_where_nodes_sleep(
    drawn: Any, afters_s: Any, latencies_s: Any, power_w: Any, step_ms: int
) -> None:
    def look(env: Any, view: Any) -> Iterator[Any]:
        while True:
            yield env.timeout(step_ms)

    states = ladder(afters_s, power_w[0], latencies_s, share=0.5)
    with a_document(drawn, "ladder", states, power_w) as document:
        scenario = from_document(document)
        one = run(scenario).results
        two = run(scenario, controllers=[look, look]).results
    assert one.summary == two.summary
    for name, table in one.tables.items():
        assert table.equals(two.tables[name]), name


@SEVERAL_RUNS
@given(rows, powers)
def test_a_ladder_of_no_states_is_always_on(drawn: Any, power_w: Any) -> None:
    plain = results_for(drawn, "always-on", [], power_w)
    empty = results_for(drawn, "ladder", [], power_w)
    same_summary(plain, empty)
    for name, table in plain.tables.items():
        assert empty.tables[name].equals(table), name


@SEVERAL_RUNS
@given(rows, latencies, powers)
def test_states_that_nobody_is_idle_long_enough_for_are_always_on(
    drawn: Any, latencies_s: Any, power_w: Any
) -> None:
    plain = results_for(drawn, "always-on", [], power_w)
    beyond_s = [HORIZON_H * 3600 + late for late in (0, 1, 3600)]  # a gap of all the run is not
    states = ladder(beyond_s, power_w[0], latencies_s, share=0.5)
    never = results_for(drawn, "ladder", states, power_w)
    same_summary(plain, never)
    for name, table in plain.tables.items():
        same_columns(table, never.tables[name])


@SEVERAL_RUNS
@given(rows, afters, latencies, powers, st.sampled_from([2.0, 8.0, 1.5]))
def test_energies_scale_with_power_and_nobody_starts_at_another_time(
    drawn: Any, afters_s: Any, latencies_s: Any, power_w: Any, k: float
) -> None:
    states = ladder(afters_s, power_w[0], latencies_s, share=0.5)
    one = results_for(drawn, "ladder", states, power_w)
    more_w = (power_w[0] * k, power_w[1] * k)
    states = ladder(afters_s, more_w[0], latencies_s, share=0.5)
    other = results_for(drawn, "ladder", states, more_w)
    for key in ("energy_it_kwh", "energy_facility_kwh", *KINDS, "scope2_location_kgco2e"):
        assert other.summary[key] == pytest.approx(k * one.summary[key], rel=1e-12, abs=1e-15)
    for name in ("start_s", "end_s", "cluster"):
        assert other.tables["jobs"][name].equals(one.tables["jobs"][name])
    assert other.tables["nodes"]["wake_ups"].equals(one.tables["nodes"]["wake_ups"])


@SEVERAL_RUNS
@given(rows, afters, powers)
def test_states_of_lower_power_and_no_latency_only_lower_energy(
    drawn: Any, afters_s: Any, power_w: Any
) -> None:
    runs = [results_for(drawn, "always-on", [], power_w)] + [
        results_for(drawn, "ladder", ladder(afters_s, power_w[0], share=share), power_w)
        for share in (0.9, 0.5, 0.0)
    ]
    for more, less in pairwise(runs):
        assert less.tables["jobs"].equals(more.tables["jobs"])
        for table in ("hourly", "nodes"):
            drawn_kwh = [r.tables[table]["energy_it_kwh"].to_numpy() for r in (more, less)]
            assert np.all(drawn_kwh[1] <= drawn_kwh[0] * (1 + 1e-12))
        all_kwh = [r.summary["energy_it_kwh"] for r in (more, less)]
        assert all_kwh[1] <= all_kwh[0] * (1 + 1e-12)
        assert less.summary["energy_transition_kwh"] == 0.0


@SEVERAL_RUNS
@given(rows, afters, latencies, powers)
def test_hours_nodes_and_kinds_add_up_where_nodes_sleep(
    drawn: Any, afters_s: Any, latencies_s: Any, power_w: Any
) -> None:
    states = ladder(afters_s, power_w[0], latencies_s, share=0.5)
    results = results_for(drawn, "ladder", states, power_w)
    summary = results.summary
    energy_kwh = pytest.approx(summary["energy_it_kwh"], rel=1e-9, abs=1e-12)
    assert math.fsum(results.hourly["energy_it_kwh"]) == energy_kwh
    assert math.fsum(results.nodes["energy_it_kwh"]) == energy_kwh
    assert sum(summary[kind] for kind in KINDS) == energy_kwh
    for kind in KINDS:
        hourly_kwh = math.fsum(results.hourly[kind])
        assert hourly_kwh == pytest.approx(summary[kind], rel=1e-9, abs=1e-12)
    placed = summary["allocated_kgco2e"] + summary["unallocated_kgco2e"]
    assert placed == pytest.approx(summary["total_kgco2e"], rel=1e-9)


@SEVERAL_RUNS
@given(rows, afters, latencies, powers)
def test_hours_and_nodes_tell_the_same_time_awake_and_changing(
    drawn: Any, afters_s: Any, latencies_s: Any, power_w: Any
) -> None:
    states = ladder(afters_s, power_w[0], latencies_s, share=0.5)
    results = results_for(drawn, "ladder", states, power_w)
    spent_s = results.nodes.filter(like="residency_").sum()
    for column, kinds in (
        ("nodes_awake_mean", ("busy", "idle")),
        ("nodes_transition_mean", ("entering", "waking")),
    ):
        by_node_s = sum(spent_s[f"residency_{kind}_s"] for kind in kinds)
        by_hour_s = 3600 * math.fsum(results.hourly[column])  # whole hours
        assert by_hour_s == pytest.approx(by_node_s, rel=1e-9, abs=1e-9)
    assert 3600 * math.fsum(results.hourly["nodes_owned_mean"]) == pytest.approx(spent_s.sum())
