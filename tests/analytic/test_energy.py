"""Energy against closed forms: power is linear in the busy share, and its integral is exact."""

from pathlib import Path

import numpy as np
import pytest

from tests.builders import results_of, scenario_document, write_jobs

STEP_NODE = {"accelerators": 4, "idle_power": "300 W", "busy_power": "3000 W"}


def test_a_node_of_linear_power_draws_the_closed_form(tmp_path: Path) -> None:
    """Utilisation 0, 0.5, 1, 0 over 3600, 5400, 3600, 1800 s: 21.33 MJ, 5.925 kWh."""
    jobs = write_jobs(tmp_path / "j.csv", [(3600, 5400, 4, 0.5), (9000, 3600, 4, 1.0)])
    document = scenario_document(jobs, nodes=STEP_NODE, horizon="4 h", sites__s__pue=1.2)
    summary = results_of(document).summary
    assert summary["energy_it_kwh"] == pytest.approx(5.925, rel=1e-12)
    assert summary["energy_facility_kwh"] == pytest.approx(7.11, rel=1e-12)
    assert summary["energy_idle_kwh"] == pytest.approx(0.3 * 4, rel=1e-12)
    assert summary["energy_dynamic_kwh"] == pytest.approx(5.925 - 0.3 * 4, rel=1e-12)


def test_jobs_that_share_a_node_add_up_their_busy_accelerators(tmp_path: Path) -> None:
    """u = sum of accelerators held x utilisation / accelerators: (1 x 1 + 3 x 1/3) / 4 = 0.5."""
    rows = [(3600, 5400, 1, 1.0), (3600, 5400, 3, 1 / 3), (9000, 3600, 4, 1.0)]
    jobs = write_jobs(tmp_path / "j.csv", rows)
    summary = results_of(scenario_document(jobs, nodes=STEP_NODE, horizon="4 h")).summary
    assert summary["energy_it_kwh"] == pytest.approx(5.925, rel=1e-12)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_splitting_and_reordering_the_same_power_changes_no_total(
    tmp_path: Path, pieces: int
) -> None:
    """Three nodes' segments in any order and in any number of pieces: 1e-12 of one another."""
    segments = [(0, 7000, 4, 0.25), (0, 14000, 4, 0.5), (7000, 7000, 4, 1.0)]
    joules = 3 * 300 * 14400 + sum(s * u * 2700 for _, s, _, u in segments)
    for order in ([0, 1, 2], [1, 0, 2]):
        rows = [
            (at + k * length / pieces, length / pieces, gpus, u)
            for at, length, gpus, u in (segments[k] for k in order)
            for k in range(pieces)
        ]
        rows.sort(key=lambda row: row[0])
        jobs = write_jobs(tmp_path / f"{pieces}{order[0]}.csv", rows)
        document = scenario_document(jobs, nodes=STEP_NODE, horizon="4 h", clusters__c__count=3)
        results = results_of(document)
        per_node = results.nodes["energy_it_kwh"].to_numpy()
        assert results.summary["energy_it_kwh"] == pytest.approx(joules / 3.6e6, rel=1e-12)
        assert per_node.sum() == pytest.approx(joules / 3.6e6, rel=1e-12)


def test_a_job_of_no_duration_costs_nothing_and_is_counted(tmp_path: Path) -> None:
    jobs = write_jobs(tmp_path / "j.csv", [(3600, 0, 4, 1.0), (3600, 0, 2, 1.0)])
    summary = results_of(scenario_document(jobs, nodes=STEP_NODE, horizon="4 h")).summary
    assert summary["jobs_finished"] == 2
    assert summary["energy_dynamic_kwh"] == 0.0
    assert summary["energy_it_kwh"] == pytest.approx(1.2, rel=1e-12)


def test_a_running_job_is_cut_off_at_the_horizon_and_its_energy_counts(tmp_path: Path) -> None:
    jobs = write_jobs(tmp_path / "j.csv", [(3 * 3600, 1e6, 4, 1.0)])
    results = results_of(scenario_document(jobs, nodes=STEP_NODE, horizon="4 h"))
    assert results.summary["jobs_running"] == 1
    assert results.summary["energy_it_kwh"] == pytest.approx(3 * 0.3 + 3.0, rel=1e-12)
    assert results.jobs["energy_dynamic_kwh"].to_numpy() == pytest.approx([2.7], rel=1e-12)


def test_a_job_faster_than_the_reference_ends_sooner_and_draws_the_same_power() -> None:
    """GPU-days over GPUs over relative speed is the run time: 1 GPU-day on 8 at 2x is 1.5 h."""
    document = scenario_document(
        nodes={"relative_speed": 2.0},
        workloads__w={
            "clusters": ["c"],
            "arrivals": {"process": "regular", "every": "100 h"},
            "gpu_days": 1.0,
            "gpus": 8,
        },
    )
    results = results_of(document)
    ran_s = (results.jobs["end_s"] - results.jobs["start_s"]).to_numpy()
    np.testing.assert_allclose(ran_s, 24 * 3600 / 8 / 2, rtol=1e-12)
    assert results.summary["energy_dynamic_kwh"] == pytest.approx(0.4 * 1.5 * len(ran_s))
