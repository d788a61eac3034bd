"""How the carbon of making and building is spread, against hand-worked cases."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import api
from simulator.accounting.service import Service
from simulator.errors import InputError
from simulator.explanation.factors import factors_of, not_by_cluster_kg
from simulator.explanation.job import job_bill
from simulator.kernels.tables import ABSENT, AWAKE
from simulator.results import Results
from simulator.scenario import from_document
from tests.builders import results_of, scenario_document, write_jobs

NODE = {"embodied": "1500 kg", "lifetime": "35064 h"}
HOUR_S = 3600


def adds_up(results: Results) -> None:
    """Hold jobs + unallocated = fleet, and nothing unallocated below zero."""
    summary = results.summary
    embodied_kg = summary["scope3_embodied_kgco2e"]
    jobs_kg = results.jobs["embodied_kgco2e"].sum()
    assert summary["total_kgco2e"] == pytest.approx(
        summary["scope2_location_kgco2e"] + embodied_kg, rel=1e-12
    )
    assert summary["allocated_kgco2e"] + summary["unallocated_kgco2e"] == pytest.approx(
        summary["total_kgco2e"], rel=1e-12
    )
    assert jobs_kg <= embodied_kg * (1 + 1e-9)


def test_by_use_jobs_bear_the_whole_of_what_is_counted(tmp_path: Path) -> None:
    """1500 kg over 0.6 of 35064 h: a job of 512 GPU-hours bears 4.563085 kg, all jobs 30.8 kg."""
    others_h = 0.6 * 720 * 8 - 512
    rows = [(0, 64 * HOUR_S, 8, 1.0), (64 * HOUR_S, others_h / 8 * HOUR_S, 8, 1.0)]
    document = scenario_document(
        write_jobs(tmp_path / "j.csv", rows),
        nodes={**NODE, "use_lifetime": "21038.4 h"},
        horizon="720 h",
        accounting={"embodied": "by-use"},
    )
    results = results_of(document)
    adds_up(results)
    shares_kg = results.jobs["embodied_kgco2e"].to_numpy()
    assert shares_kg[0] == pytest.approx(4.56308464522, rel=1e-11)
    assert shares_kg[0] == pytest.approx(1500 * 64 / 21038.4, rel=1e-12)
    assert shares_kg.sum() == pytest.approx(30.8008213552, rel=1e-11)
    assert results.summary["scope3_embodied_kgco2e"] == pytest.approx(30.8008213552, rel=1e-11)


def test_by_use_of_awake_nodes_leaves_what_no_job_held_unallocated(tmp_path: Path) -> None:
    """Two nodes of 8 awake for 10 h; a job holds 4 for 5 h: 20 of 160 GPU-hours."""
    document = scenario_document(
        write_jobs(tmp_path / "j.csv", [(0, 5 * HOUR_S, 4, 1.0)]),
        nodes={**NODE, "use_lifetime": "1000 h"},
        clusters__c__count=2,
        accounting={"embodied": "by-use", "in_use": "awake"},
    )
    results = results_of(document)
    adds_up(results)
    assert results.summary["scope3_embodied_kgco2e"] == pytest.approx(30.0, rel=1e-12)
    assert results.jobs["embodied_kgco2e"].sum() == pytest.approx(30.0 * 20 / 160, rel=1e-12)


def test_by_use_counts_no_time_asleep(tmp_path: Path) -> None:
    """A node that sleeps from its second hour on is awake for 1 of 10 h, and held for none."""
    sleep = {"name": "sleep", "after": "1 h", "power": "10 W"}
    document = scenario_document(
        nodes={**NODE, "use_lifetime": "1000 h", "idle_states": [sleep]},
        clusters__c__idle="ladder",
        accounting={"embodied": "by-use", "in_use": "awake"},
    )
    awake_kg = results_of(document).summary["scope3_embodied_kgco2e"]
    assert awake_kg == pytest.approx(1.5, rel=1e-12)
    document["accounting"]["in_use"] = "held"
    assert results_of(document).summary["scope3_embodied_kgco2e"] == 0.0


@pytest.mark.parametrize(("years", "utilisation"), [(3, 0.3), (4, 0.45), (5, 0.6)])
def test_the_published_rule_is_so_much_per_useful_hour(
    tmp_path: Path, years: int, utilisation: float
) -> None:
    """2000 kg over 3 to 5 years at 30 to 60 %: 0.2537 to 0.0761 kg an hour of use."""
    use_h = years * 8760 * utilisation
    document = scenario_document(
        write_jobs(tmp_path / "j.csv", [(0, HOUR_S, 8, 1.0)]),
        nodes={
            "embodied": {"parts": [{"part": "gpu-system"}]},
            "lifetime": f"{years} y",
            "use_lifetime": f"{use_h} h",
        },
        accounting={"embodied": "by-use"},
    )
    published_kg = {3: 0.2537, 4: 0.1268, 5: 0.0761}[years]
    found_kg = results_of(document).summary["scope3_embodied_kgco2e"]
    assert found_kg == pytest.approx(2000 / use_h, rel=1e-12)
    assert found_kg == pytest.approx(published_kg, abs=5e-5)


def test_a_job_bears_a_building_by_the_power_of_what_it_holds(tmp_path: Path) -> None:
    """1500 t/MW over 20 y for 1 kW: 1500 kg; a node of 500 W, half of it held, bears a quarter."""
    document = scenario_document(
        write_jobs(tmp_path / "j.csv", [(0, 10 * HOUR_S, 4, 1.0)]),
        sites__s__building={"embodied": "1500 t/MW", "lifetime": "20 y", "capacity": "1 kW"},
        sites__s__power_gear={"embodied": "300 kg/kW", "lifetime": "10 y"},
    )
    results = results_of(document)
    adds_up(results)
    building_kg = 1500 * 10 / (20 * 8766)
    gear_kg = 300 * 0.5 * 10 / (10 * 8766)  # for the 500 W that stand there
    total_kg = results.summary["scope3_embodied_kgco2e"]
    assert total_kg == pytest.approx(building_kg + gear_kg, rel=1e-12)
    borne_kg = results.jobs["embodied_kgco2e"].sum()
    assert borne_kg == pytest.approx(building_kg / 4 + gear_kg / 2, rel=1e-12)
    assert results.basis["embodied"] == "of nodes and building and power gear in a straight line"


def planner(lifetime: str, age: str, **keys: Any) -> dict[str, Any]:
    """Return a scenario of two nodes that a planner retires when they are old."""
    rule = {
        "policy": "capacity-planner",
        "most": 4,
        "lead_time": "1 h",
        "every": "2 h",
        "sample": "1 h",
        "lifetime": lifetime,
        "age": age,
    }
    return scenario_document(
        nodes={"embodied": "100 kg", "lifetime": "100 h"},
        horizon="40 h",
        clusters__c__count=2,
        clusters__c__idle=rule,
        **keys,
    )


def test_what_a_retired_node_leaves_is_carried_or_written_off() -> None:
    """Two nodes of 100 h, 15 h old, retire when 25 h old: 10 kg each counted, 75 kg each left."""
    carried = results_of(planner("25 h", "15 h"))
    assert carried.summary["scope3_embodied_kgco2e"] == pytest.approx(20.0, rel=1e-12)
    assert "written_off_kgco2e" not in carried.nodes
    written = results_of(planner("25 h", "15 h", accounting={"retirement": "written-off"}))
    adds_up(written)
    assert written.summary["scope3_embodied_kgco2e"] == pytest.approx(20.0 + 150.0, rel=1e-12)
    assert written.nodes["written_off_kgco2e"].sum() == pytest.approx(150.0, rel=1e-12)
    assert written.summary["unallocated_kgco2e"] == pytest.approx(
        written.summary["total_kgco2e"], rel=1e-12
    )


def test_a_retirement_in_the_warm_up_is_not_counted() -> None:
    document = planner("25 h", "15 h", accounting={"retirement": "written-off"}, warm_up="12 h")
    results = results_of(document)
    assert results.summary["scope3_embodied_kgco2e"] == 0.0


def test_a_node_that_serves_for_its_whole_lifetime_leaves_nothing() -> None:
    document = planner("110 h", "80 h", accounting={"retirement": "written-off"})
    results = results_of(document)
    assert results.nodes["written_off_kgco2e"].sum() == 0.0
    assert results.summary["scope3_embodied_kgco2e"] == pytest.approx(60.0, rel=1e-12)
    assert results.basis["embodied"].endswith("written off at retirement")


def test_by_use_a_node_leaves_what_it_was_not_used(tmp_path: Path) -> None:
    """Two nodes of 100 kg over 50 h of use, 15 h of 100 old: 15 % used; one is held for 8 h."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, 8 * HOUR_S, 8, 1.0)])
    document = planner(
        "25 h", "15 h", accounting={"embodied": "by-use", "retirement": "written-off"}
    )
    document["nodes"]["n"]["use_lifetime"] = "50 h"
    document["horizon"] = "12 h"  # before any that are bought retire
    document["workloads"] = {"w": {"clusters": ["c"], "jobs": {"file": str(jobs)}}}
    results = results_of(document)
    adds_up(results)
    left_kg = sorted(results.nodes["written_off_kgco2e"])[-2:]
    assert left_kg == pytest.approx([69.0, 85.0], rel=1e-12)
    assert results.jobs["embodied_kgco2e"].sum() == pytest.approx(100 * 8 / 50, rel=1e-12)
    assert results.basis["embodied"] == "of nodes by use, held, written off at retirement"


def test_every_node_bought_is_counted_once_in_full(tmp_path: Path) -> None:
    """Written off, a fleet that is replaced every 10 h bears 100 kg for each node that has left."""
    jobs = write_jobs(tmp_path / "j.csv", [(k * HOUR_S, HOUR_S, 8, 1.0) for k in range(40)])
    document = planner("10 h", "0 h", accounting={"retirement": "written-off"})
    document["workloads"] = {"w": {"clusters": ["c"], "jobs": {"file": str(jobs)}}}
    results = results_of(document)
    adds_up(results)
    told = {row[1]: float(row[2]) for row in results.assumptions if row[0] == "c"}
    served = told["nodes_delivered"] + 2
    gone = told["nodes_retired"]
    owned_kg = results.summary["gpu_hours_capacity"] / 8
    assert gone >= 4
    written_kg = results.summary["scope3_embodied_kgco2e"]
    # Those still there have borne a kilogram for each hour since they came.
    assert 100.0 * gone <= written_kg <= 100.0 * gone + 10.0 * (served - gone)
    assert results.nodes["written_off_kgco2e"].sum() == pytest.approx(written_kg - owned_kg)


def test_service_is_read_alike_however_the_log_is_cut() -> None:
    node = np.array([1, 0, 1, 2, 2, 0, 2, 1, 2], np.int32)
    time_ms = np.array([2, 5, 6, 7, 8, 9, 11, 12, 15], np.int64)
    held = np.array([3, 0, 1, 4, 2, 0, 0, 0, 0], np.int32)
    gone = np.array([0, 1, 0, 0, 0, 0, 1, 1, 0], bool)
    state = np.where(gone, ABSENT, AWAKE).astype(np.int8)

    class Rows:
        def __init__(self, first: int) -> None:
            self.node, self.time_ms = node[first:], time_ms[first:]
            self.state, self.held = state[first:], held[first:]

    for cut in range(len(node) + 1):
        service = Service(np.array([False, False, True]))
        service.read(Rows(0), cut)  # type: ignore[arg-type]
        service.read(Rows(cut), len(node) - cut)  # type: ignore[arg-type]
        gone = service.retirements()
        rows = sorted(zip(*(column.tolist() for column in gone), strict=True))
        # Node 1 held 3 from 2 to 6 and 1 from then to 12; node 2 held 4 for 1 and 2 for 3.
        assert rows == [(0, 5, 5, 0, True), (1, 12, 12, 18, True), (2, 11, 4, 10, False)]


def test_other_accounting_of_the_same_events_keeps_the_rule() -> None:
    document = planner("25 h", "15 h", accounting={"retirement": "written-off"})
    run = api.run(from_document(document))
    again = run.bill(pue=1.5)
    assert again.summary["scope3_embodied_kgco2e"] == run.summary["scope3_embodied_kgco2e"]
    assert again.summary["energy_facility_kwh"] > run.summary["energy_facility_kwh"]


def test_factors_and_bills_multiply_out_under_every_rule(tmp_path: Path) -> None:
    rows = [(0, 5 * HOUR_S, 4, 1.0)]
    for accounting in ({}, {"embodied": "by-use"}, {"embodied": "by-use", "in_use": "awake"}):
        document = scenario_document(
            write_jobs(tmp_path / "j.csv", rows),
            nodes={**NODE, "use_lifetime": "1000 h"},
            clusters__c__count=2,
            accounting=accounting,
            sites__s__building={"embodied": "1500 t/MW", "lifetime": "20 y", "capacity": "4 kW"},
        )
        results = results_of(document)
        (each,) = factors_of(results)
        made_kg = each.node_count * each.embodied_each_kg * each.counted_h / each.lifetime_h
        assert each.embodied_kgco2e == pytest.approx(made_kg, rel=1e-12)
        rest_kg = results.summary["scope3_embodied_kgco2e"] - each.embodied_kgco2e
        assert not_by_cluster_kg(results, factors_of(results)) == 0.0
        assert rest_kg == pytest.approx(1500 * 4 * 10 / (20 * 8766), rel=1e-9)
        bill = job_bill(results, "j0")
        share_kg = 4 / 8 * bill.embodied_each_kg * bill.held_h / bill.lifetime_h
        assert bill.embodied_kgco2e == pytest.approx(share_kg + bill.built_kgco2e, rel=1e-12)
        assert bill.built_kgco2e == pytest.approx(1500 * 0.25 * 5 / (20 * 8766), rel=1e-9)


def test_rules_that_contradict_are_refused_together() -> None:
    with pytest.raises(InputError) as refused:
        from_document(
            scenario_document(
                accounting={
                    "embodied": "by-use",
                    "in_use": "awake",
                    "retirement": "written-off",
                },
                sites__s__building={"embodied": "1 t/MW", "lifetime": "20 y", "capacity": "300 W"},
            )
        )
    text = str(refused.value)
    for path in ("accounting.retirement", "nodes.n.use_lifetime", "sites.s.building.capacity"):
        assert path in text
    with pytest.raises(InputError, match="says nothing of"):
        from_document(scenario_document(accounting={"in_use": "awake"}))
    with pytest.raises(InputError, match="must not be above lifetime"):
        from_document(scenario_document(nodes={"use_lifetime": "5 y"}))
