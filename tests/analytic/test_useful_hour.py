"""Carbon of a useful hour: the closed form of figure 9 against the paper's own arithmetic."""

import pytest

from simulator.papers.material import Material
from simulator.papers.shelf import paper_of
from simulator.papers.sustainable_ai import figure_9
from simulator.papers.sustainable_ai.useful_hour import UsefulHour, useful_hour
from simulator.plans.plan import plan_of
from simulator.scenario.load import read_study
from simulator.sweeps.carrying import sweep
from simulator.sweeps.study import Study

FITTED = UsefulHour(0.3098, 1.0, 0.4962)
"""What meets 3x and 30:70 exactly."""


@pytest.mark.parametrize(
    ("utilisation", "relative"),
    [(0.2, 3.0), (0.3, 2.11), (0.4, 1.67), (0.5, 1.40), (0.6, 1.22), (0.75, 1.04), (0.8, 1.0)],
)
def test_the_curve_of_the_fitted_parameters(utilisation: float, relative: float) -> None:
    ratio = FITTED.total_g(utilisation) / FITTED.total_g(0.8)
    assert ratio == pytest.approx(relative, abs=0.005)


def test_no_ratio_exceeds_that_of_the_utilisations() -> None:
    """So the paper's 3x can't begin at its average of 30 to 60 %."""
    for idle_share in (0.0, 0.2, 0.5, 1.0):
        form = UsefulHour(10.0, 1.0, idle_share)
        assert form.total_g(0.3) / form.total_g(0.8) <= 0.8 / 0.3 + 1e-12


def test_simulated_pools_are_the_closed_form_at_the_utilisation_they_had() -> None:
    """Where nobody waits it is an identity: energy, making and useful hours, run by run."""
    paper = paper_of("sustainable-ai")
    base, table = read_study(paper.scenario("figure_9_old"), "sweep")
    short = base.replace({"horizon": "20 d", "warm_up": "5 d"})
    plan = plan_of(short, {**table, "seeds": 2})
    carried = sweep(plan)
    assert carried.table is not None
    runs = Study(plan, carried.table).runs
    for at, run in runs.iterrows():
        form = useful_hour(short, float(run[figure_9.GRID].removesuffix(" g/kWh")))
        expected_g = form.total_g(run["utilisation"])
        assert run["useful_gco2e_per_gpu_hour"] == pytest.approx(expected_g), at
    measured = figure_9.measure(
        Material(
            {"figure_9_old": short, "figure_9_modern": short},
            {"figure_9_old": runs, "figure_9_modern": runs},
        )
    )
    assert set(measured.numbers["utilisation_percent"]) == {20, 30, 50, 75, 80}
    assert measured.findings["old_reduction"] == measured.findings["modern_reduction"]
