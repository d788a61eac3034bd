"""What a percentile means, and how long a run must be to say something."""

from pathlib import Path

import numpy as np
import pytest

from tests.analytic.formulas import mm1_run_length
from tests.builders import results_of, scenario_document, write_jobs

WAITS_H = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0]


def test_percentiles_are_linear_ones(tmp_path: Path) -> None:
    """p50 3.5, p90 6.3, p99 8.73; the nearest rank would say 3, 6 and 9."""
    assert np.percentile(WAITS_H, [50, 90, 99]) == pytest.approx([3.5, 6.3, 8.73], rel=1e-12)
    # Ten clusters of one node, each blocked until its job has waited as long as the list says;
    # the blockers are submitted within the warm-up, which no statistic counts.
    rows = [(k, (1 + wait) * 3600 - k, 8, f"c{k}") for k, wait in enumerate(WAITS_H)]
    rows += [(3600, 3600, 8, f"c{k}") for k in range(len(WAITS_H))]
    jobs = write_jobs(tmp_path / "j.csv", rows, "submit_s,duration_s,gpus,cluster")
    names = [f"c{k}" for k in range(len(WAITS_H))]
    document = scenario_document(jobs, horizon="24 h", warm_up="1 h")
    document["clusters"] = {n: {"site": "s", "node": "n", "count": 1} for n in names}
    document["workloads"]["w"]["clusters"] = names
    summary = results_of(document).summary
    assert summary["jobs_started"] == len(WAITS_H)
    assert summary["wait_p50_h"] == pytest.approx(3.5, rel=1e-12)
    assert summary["wait_p95_h"] == pytest.approx(float(np.percentile(WAITS_H, 95)), rel=1e-12)
    assert summary["wait_p99_h"] == pytest.approx(8.73, rel=1e-12)
    assert summary["wait_mean_h"] == pytest.approx(3.9, rel=1e-12)
    assert summary["waited_share"] == 1.0


def test_the_run_length_for_one_per_cent_grows_as_the_load_nears_one() -> None:
    lengths = [mm1_run_length(load, 0.01) for load in (0.5, 0.7, 0.8, 0.9)]
    assert lengths == pytest.approx([921984.0, 2073244.44444, 4321800.0, 16220088.8889], rel=1e-9)
