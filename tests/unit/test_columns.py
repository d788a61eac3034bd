"""The registry of columns: the contract's names in the contract's order, each explained."""

import csv
import io

import pytest

from simulator.columns import RARE_TABLES, SUMMARY, TABLES, Column, columns_csv

CONTRACT = {
    "summary": """name seed key horizon_h energy_it_kwh energy_facility_kwh
        energy_dynamic_kwh energy_idle_kwh energy_sleep_kwh energy_transition_kwh
        scope2_location_kgco2e scope2_market_kgco2e marginal_kgco2e scope3_embodied_kgco2e
        total_kgco2e allocated_kgco2e unallocated_kgco2e gpu_hours_capacity gpu_hours_delivered
        gpu_hours_awake allocation utilisation pue sci_gco2e_per_gpu_hour
        useful_gco2e_per_gpu_hour jobs_submitted jobs_started jobs_finished jobs_running
        jobs_queued jobs_unschedulable wait_mean_h wait_p50_h wait_p95_h wait_p99_h waited_share
        slowdown_mean water_l wake_ups wake_ups_per_node_day jobs_delayed_by_power jobs_capped
        energy_capped_kwh dynamic_kgco2e idle_kgco2e sleep_kgco2e transition_kgco2e
        overhead_kgco2e peak_facility_kw peak_it_kw cost_electricity cost_machines cost_total
        failures gpu_hours_lost goodput ettr preemptions gpu_hours_preempted cross_rack_share
        gpu_hours_shared slowdown_interference_mean solar_kwh wind_kwh grid_kwh curtailed_kwh
        charged_kwh discharged_kwh stored_change_kwh storage_losses_kwh contracted_kwh
        covered_kwh cfe_score_hourly cfe_score_annual scope3_supply_kgco2e""",
    "jobs": """job_id workload cluster gpus submit_s start_s end_s wait_s state energy_dynamic_kwh
        energy_idle_share_kwh operational_kgco2e marginal_kgco2e embodied_kgco2e
        energy_facility_kwh""",
    "hourly": """time site cluster energy_it_kwh energy_facility_kwh intensity_average_g_per_kwh
        intensity_marginal_g_per_kwh operational_kgco2e marginal_kgco2e gpus_allocated_mean
        jobs_queued_mean energy_dynamic_kwh energy_idle_kwh energy_sleep_kwh
        energy_transition_kwh water_l nodes_awake_mean nodes_owned_mean
        nodes_transition_mean""",
    "supply": """time site load_kwh solar_kwh wind_kwh charged_kwh discharged_kwh stored_kwh
        curtailed_kwh grid_kwh losses_kwh contracted_kwh covered_kwh cfe_kwh
        intensity_average_g_per_kwh""",
    "nodes": """node cluster type energy_it_kwh residency_busy_s residency_idle_s
        residency_entering_s residency_waking_s wake_ups wake_ups_cancelled""",
}
UNITS = {
    "_g_per_kwh": "gCO2e/kWh",
    "_kwh": "kWh",
    "_kgco2e": "kgCO2e",
    "_kw": "kW",
    "_s": "s",
    "_h": "h",
    "_l": "L",
}
REGISTRY = {"summary": SUMMARY, **TABLES, **RARE_TABLES}
COLUMNS = [column for columns in REGISTRY.values() for column in columns]


@pytest.mark.parametrize("table", CONTRACT)
def test_names_and_order_are_the_contracts(table: str) -> None:
    assert [column.name for column in REGISTRY[table]] == CONTRACT[table].split()


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_each_column_says_its_unit_and_meaning(column: Column) -> None:
    assert len(column.meaning) > 5
    expected = [unit for suffix, unit in UNITS.items() if column.name.endswith(suffix)]
    assert column.unit == (expected[0] if expected else column.unit) != ""


def test_only_what_may_be_absent_is_nullable() -> None:
    absent = {column.name for column in COLUMNS if column.nullable}
    assert {"start_s", "end_s", "wait_s", "marginal_kgco2e", "scope2_market_kgco2e"} <= absent
    assert absent.isdisjoint({"energy_it_kwh", "operational_kgco2e", "submit_s", "total_kgco2e"})


def test_the_data_dictionary_holds_every_column_once() -> None:
    rows = list(csv.DictReader(io.StringIO(columns_csv(rare_tables=RARE_TABLES))))
    assert len(rows) == len(COLUMNS) == len({(row["file"], row["name"]) for row in rows})
    assert {row["file"] for row in rows} == {
        "summary.json",
        "jobs.parquet",
        "hourly.parquet",
        "nodes.parquet",
        "supply.parquet",
    }
    assert all(row["unit"] and row["meaning"] for row in rows)


def test_the_data_dictionary_of_a_run_without_supply_has_no_table_of_it() -> None:
    rows = list(csv.DictReader(io.StringIO(columns_csv())))
    assert "supply.parquet" not in {row["file"] for row in rows}
    told = {row["name"] for row in rows if row["file"] == "summary.json"}
    assert told == {column.name for column in SUMMARY}
