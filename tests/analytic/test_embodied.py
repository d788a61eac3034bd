"""Embodied carbon and attribution against hand-worked cases."""

from pathlib import Path

import pytest

from tests.builders import results_of, scenario_document, write_jobs


def test_embodied_carbon_is_a_straight_line_over_the_lifetime(tmp_path: Path) -> None:
    """1500 kg over 35064 h: 30.8008 kg in 720 h; a job of 512 GPU-hours bears 2.73785 kg.

    The owner bears the rest. If jobs bore the idle share too (0.6 of the node is used), the same
    job would bear 4.563085 kg; that is another rule, and not this one.
    """
    others_h = 0.6 * 720 * 8 - 512
    rows = [(0, 64 * 3600, 8, 1.0), (64 * 3600, others_h / 8 * 3600, 8, 1.0)]
    jobs = write_jobs(tmp_path / "j.csv", rows)
    document = scenario_document(
        jobs, nodes={"embodied": "1500 kg", "lifetime": "35064 h"}, horizon="720 h"
    )
    results = results_of(document)
    assert results.summary["scope3_embodied_kgco2e"] == pytest.approx(30.8008213552, rel=1e-11)
    shares_kg = results.jobs["embodied_kgco2e"].to_numpy()
    assert shares_kg[0] == pytest.approx(2.73785078713, rel=1e-11)
    assert shares_kg[0] / 512 == pytest.approx(0.00534736481862, rel=1e-11)
    assert shares_kg.sum() == pytest.approx(0.6 * 30.8008213552, rel=1e-11)
    assert shares_kg[0] / 0.6 == pytest.approx(4.56308464522, rel=1e-11)


def test_every_node_owned_counts_whether_used_or_not(tmp_path: Path) -> None:
    jobs = write_jobs(tmp_path / "j.csv", [(0, 3600, 8, 1.0)])
    document = scenario_document(
        jobs,
        nodes={"embodied": "1500 kg", "lifetime": "35064 h"},
        horizon="720 h",
        clusters__c__count=5,
    )
    results = results_of(document)
    total_kg = results.summary["scope3_embodied_kgco2e"]
    assert total_kg == pytest.approx(5 * 30.8008213552, rel=1e-11)
    jobs_kg = results.jobs["embodied_kgco2e"].sum()
    assert jobs_kg == pytest.approx(5 * 30.8008213552 / 720 / 5, rel=1e-11)


def test_attributed_shares_add_up_to_the_meter(tmp_path: Path) -> None:
    """Two jobs, 10 h at 1 and 30 h at 0.5; 50 kWh dynamic, 8 kWh idle: 22 and 36 of 58 kWh."""
    rows = [(0, 10 * 3600, 1, 1.0), (10 * 3600, 30 * 3600, 1, 0.5)]
    jobs = write_jobs(tmp_path / "j.csv", rows)
    document = scenario_document(
        jobs,
        nodes={"accelerators": 1, "idle_power": "200 W", "busy_power": "2200 W"},
        horizon="40 h",
    )
    results = results_of(document)
    billed_kwh = results.jobs["energy_dynamic_kwh"] + results.jobs["energy_idle_share_kwh"]
    assert results.summary["energy_dynamic_kwh"] == pytest.approx(50.0, rel=1e-12)
    assert results.summary["energy_idle_kwh"] == pytest.approx(8.0, rel=1e-12)
    assert billed_kwh.to_numpy() == pytest.approx([22.0, 36.0], rel=1e-12)
    assert results.summary["unallocated_kgco2e"] == pytest.approx(0.0, abs=1e-12)
    assert results.summary["allocated_kgco2e"] == pytest.approx(5.8, rel=1e-12)  # at 100 g/kWh


def test_the_software_carbon_intensity_is_operational_and_embodied_over_the_unit(
    tmp_path: Path,
) -> None:
    """SCI = (E I + M) / R: (1200 kWh x 300 g + 50 kg) / 1e6 GPU-hours = 0.41 g each."""
    nodes, hours = 1250, 100
    rows = [(0, hours * 3600, 8 * nodes, 1.0)]
    jobs = write_jobs(tmp_path / "j.csv", rows)
    power = "9.6 W"  # 1250 nodes draw 1200 kWh in 100 h
    document = scenario_document(
        jobs,
        nodes={
            "idle_power": power,
            "busy_power": power,
            "embodied": "40 g",
            "lifetime": f"{hours} h",
        },
        grid={"average": {"constant": "300 g/kWh"}},
        horizon=f"{hours} h",
        clusters__c__count=nodes,
    )
    summary = results_of(document).summary
    assert summary["energy_facility_kwh"] == pytest.approx(1200.0, rel=1e-12)
    assert summary["scope3_embodied_kgco2e"] == pytest.approx(50.0, rel=1e-12)
    assert summary["gpu_hours_delivered"] == pytest.approx(1e6, rel=1e-12)
    assert summary["sci_gco2e_per_gpu_hour"] == pytest.approx(0.41, rel=1e-12)
