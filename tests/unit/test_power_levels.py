"""Power levels and budgets: what they do to a fleet, and what a job becomes at a level."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.fleet import Fleet, fleet_of
from simulator.kernels.curves import draw
from simulator.power.curves import curves_of
from simulator.scenario import from_document
from simulator.scenario.power_checks import floor, power_problems
from simulator.units import MS_PER_S
from simulator.workload.generate import job_table
from tests.builders import results_of, scenario_document, write_jobs

CAPS = [
    {"name": "cap-300W", "speed": 0.8, "busy_power": "400 W"},
    {"name": "cap-200W", "speed": 0.5, "busy_power": "220 W"},
]


def document(jobs: Path | None = None, levels: Any = CAPS, **keys: Any) -> dict[str, Any]:
    return scenario_document(jobs, nodes={"power_levels": levels}, **keys)


def fleet(levels: Any = CAPS, **keys: Any) -> Fleet:
    return fleet_of(from_document(document(None, levels, **keys)))


def test_a_fleet_that_says_nothing_has_one_level_and_no_limit() -> None:
    made = fleet_of(from_document(scenario_document()))
    assert made.level_names == (("full",),)
    assert made.level_count.tolist() == [1]
    assert made.level_speed.tolist() == made.level_draw.tolist() == [[1.0]]
    assert (made.idle_w[0], made.busy_w[0], made.floor_w[0]) == (100.0, 500.0, 100.0)
    assert (made.relative_speed[0], made.own_speed[0]) == (1.0, 1.0)
    assert made.power_budget_w.tolist() == made.site_power_budget_w.tolist() == [np.inf]


def test_levels_are_columns_relative_to_the_clusters_own() -> None:
    """(400 - 100) / (500 - 100) = 0.75 and (220 - 100) / 400 = 0.3."""
    made = fleet()
    assert made.level_names == (("full", "cap-300W", "cap-200W"),)
    assert made.level_speed.tolist() == [[1.0, 0.8, 0.5]]
    assert made.level_draw[0] == pytest.approx([1.0, 0.75, 0.3], rel=1e-15)


def test_a_cluster_at_a_level_has_its_power_and_speed() -> None:
    made = fleet(clusters__c__power_level="cap-300W", nodes__n__relative_speed=2.0)
    assert (made.idle_w[0], made.busy_w[0]) == (100.0, 400.0)
    assert (made.own_speed[0], made.relative_speed[0]) == (0.8, 1.6)
    assert made.level_names == (("cap-300W", "cap-200W"),)
    assert made.level_speed[0] == pytest.approx([1.0, 0.625], rel=1e-15)
    assert made.level_draw[0] == pytest.approx([1.0, 0.4], rel=1e-15)


def test_a_level_that_another_beats_in_speed_and_power_is_not_offered_to_jobs() -> None:
    beaten = {"name": "bad", "speed": 0.7, "busy_power": "450 W"}
    made = fleet([CAPS[1], beaten, CAPS[0]])
    assert made.level_names == (("full", "cap-300W", "cap-200W"),)
    assert fleet([beaten, *CAPS], clusters__c__power_level="bad").busy_w[0] == 450.0


def test_a_level_below_idle_power_is_for_whole_clusters_only() -> None:
    low = {"name": "low", "speed": 0.2, "idle_power": "60 W", "busy_power": "90 W"}
    assert fleet([*CAPS, low]).level_names == (("full", "cap-300W", "cap-200W"),)
    made = fleet([*CAPS, low], clusters__c__power_level="low")
    assert (made.idle_w[0], made.busy_w[0], made.floor_w[0]) == (60.0, 90.0, 60.0)
    assert made.level_names == (("low",),)


def test_no_job_is_capped_to_a_level_at_which_work_takes_no_power() -> None:
    none = {"name": "none", "speed": 0.2, "busy_power": "100 W"}
    assert fleet([*CAPS, none]).level_names == (("full", "cap-300W", "cap-200W"),)


def test_a_budget_covers_all_nodes_that_a_policy_may_add() -> None:
    planner = {"policy": "capacity-planner", "most": 4}
    said = document(clusters__c__idle=planner, clusters__c__power_budget="400 W")
    assert fleet_of(from_document(said)).room_w[0] == 0.0
    said["clusters"]["c"]["power_budget"] = "399 W"
    with pytest.raises(InputError, match="400 W: 4 nodes idle at 100 W"):
        from_document(said)


def test_clusters_with_fewer_levels_are_filled_up_with_nan() -> None:
    said = document()
    said["nodes"]["m"] = {**said["nodes"]["n"], "power_levels": []}
    said["clusters"]["d"] = {**said["clusters"]["c"], "node": "m"}
    made = fleet_of(from_document(said))
    assert made.level_count.tolist() == [3, 1]
    assert np.isnan(made.level_speed[1, 1:]).all()
    assert np.isnan(made.level_draw[1, 1:]).all()
    assert (made.level_speed[1, 0], made.level_draw[1, 0]) == (1.0, 1.0)


def test_a_node_that_draws_the_same_busy_as_idle_has_levels_of_the_same_draw() -> None:
    flat = {"idle_power": "500 W", "busy_power": "500 W"}
    said = scenario_document(
        nodes={**flat, "power_levels": [{"name": "cap", "speed": 0.9, "busy_power": "500 W"}]},
        clusters__c__power_level="cap",
    )
    made = fleet_of(from_document(said))
    assert made.level_names == (("cap",),)
    assert made.level_draw.tolist() == [[1.0]]


def test_jobs_of_a_cluster_at_a_level_take_longer_and_draw_less(tmp_path: Path) -> None:
    """One hour on 8 accelerators at 0.8: 75 min at 400 W, then 8.75 h idle at 100 W."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, 3600, 8, 1.0)])
    results = results_of(document(jobs, clusters__c__power_level="cap-300W"))
    assert results.jobs["end_s"].tolist() == [3600 / 0.8]
    summary = results.summary
    assert summary["energy_dynamic_kwh"] == pytest.approx(0.3 * 1.25, rel=1e-12)
    assert summary["energy_it_kwh"] == pytest.approx(0.3 * 1.25 + 0.1 * 10, rel=1e-12)


def test_jobs_sized_in_gpu_days_are_stretched_once() -> None:
    """A GPU-day on 8 at relative speed 2 and level speed 0.5 takes 3 h, as at speed 1."""
    workload = {
        "clusters": ["c"],
        "arrivals": {"process": "regular", "every": "4 h"},
        "gpu_days": 1.0,
        "gpus": 8,
    }
    said = document(
        workloads__w=workload, clusters__c__power_level="cap-200W", nodes__n__relative_speed=2.0
    )
    jobs = results_of(said).jobs
    ran_s = jobs["end_s"][0] - jobs["start_s"][0]
    assert ran_s == pytest.approx(3 * 3600)


def test_the_offered_load_counts_stretched_jobs(tmp_path: Path) -> None:
    jobs = write_jobs(tmp_path / "j.csv", [(0, 3600, 8, 1.0)])
    loads = []
    for level in ("full", "cap-200W"):
        scenario = from_document(document(jobs, clusters__c__power_level=level))
        (size,) = job_table(scenario, fleet_of(scenario), seed=0).sizes
        loads.append(size.offered_load)
    assert loads == pytest.approx([0.1, 0.2], rel=1e-12)


def test_budgets_are_columns_of_clusters_and_sites() -> None:
    made = fleet(clusters__c__power_budget="0.2 kW", sites__s__power_budget="1 MW")
    assert made.power_budget_w.tolist() == [200.0]
    assert made.site_power_budget_w.tolist() == [1e6]


def test_a_budget_may_be_what_idle_nodes_draw_but_not_less() -> None:
    keys = {"clusters__c__count": 3, "clusters__c__power_budget": "300 W"}
    assert fleet(**keys).power_budget_w[0] == 300.0
    capped = [{"name": "low", "speed": 0.5, "idle_power": "80 W", "busy_power": "200 W"}]
    below = {**keys, "clusters__c__power_budget": "240 W"}
    assert fleet(capped, clusters__c__power_level="low", **below).floor_w[0] == 80.0


def test_a_sites_budget_covers_the_floors_of_all_its_clusters() -> None:
    said = scenario_document(sites__s__power_budget="350 W")
    said["clusters"]["d"] = {**said["clusters"]["c"], "count": 3}
    parts = {**said, **_read(said)}
    (issue,) = power_problems(parts)
    assert issue.path == "sites.s.power_budget"
    assert issue.message.startswith(
        "power_budget (350 W) is below what its clusters draw at least (400 W: c 100 W, d 300 W)"
    )


def _read(said: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of a document that is refused for its budgets alone."""
    bare = {**said, "sites": {"s": {**said["sites"]["s"], "power_budget": "1 MW"}}}
    scenario = from_document(bare)
    site = scenario.sites["s"].model_copy(update={"power_budget_w": 350.0})
    return {"nodes": scenario.nodes, "sites": {"s": site}, "clusters": scenario.clusters}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"enter_time": "5 s", "enter_power": "130 W"}, (130.0, 'entering "sleep"')),
        ({"enter_power": "130 W"}, (100.0, "idle")),
        ({"wake_time": "9 s", "wake_power": "160 W"}, (160.0, 'waking from "sleep"')),
        ({"wake_power": "160 W"}, (100.0, "idle")),
        ({"wake_time": "9 s", "wake_power": "90 W"}, (100.0, "idle")),
        (
            {"wake_time": {"dist": "exponential", "mean": "9 s"}, "wake_power": "160 W"},
            (160.0, 'waking from "sleep"'),
        ),
    ],
)
def test_the_floor_of_nodes_that_sleep_is_the_most_they_draw_without_work(
    state: dict[str, Any], expected: tuple[float, str]
) -> None:
    sleep = {"name": "sleep", "after": "1 min", "power": "10 W", **state}
    scenario = from_document(scenario_document(nodes={"idle_states": [sleep]}))
    node, awake = scenario.nodes["n"], scenario.clusters["c"]
    assert floor(node, awake) == (100.0, "idle")
    asleep = scenario.replace({"clusters.c.idle": "ladder"}).clusters["c"]
    assert floor(node, asleep) == expected


def test_a_published_timeline_of_four_cores_and_two_frequencies() -> None:
    """SimGrid's energy-exec example: 1000, 1120, 1645, 2005, 2905 J, one core at a time.

    At full frequency one core at work draws 120 W and four 200 W, on a line that meets the
    load 0 at 93.33 W; idle are 100 W. At the other frequency a fifth of the speed, 90 to 150 W.
    """
    slow = {
        "name": "pstate2",
        "speed": 0.2,
        "idle_power": "90 W",
        "busy_power": "150 W",
        "load_curve": "linear",
    }
    node = {
        "accelerators": 4,
        "idle_power": "100 W",
        "busy_power": "200 W",
        "load_curve": {"points": [[0, "100 W"], [0.25, "120 W"], [1, "200 W"]]},
        "power_levels": [slow],
    }
    said = scenario_document(nodes=node)
    powers_w = {}
    for level in ("full", "pstate2"):
        said["clusters"]["c"]["power_level"] = level
        scenario = from_document(said)
        made, curves = fleet_of(scenario), curves_of(scenario)
        span_w = (made.busy_w[0] - made.idle_w[0]) / 4
        for cores in range(5):
            powers_w[level, cores] = made.idle_w[0] + span_w * draw(curves, 0, float(cores))
    line_w = [100.0, *(93 + 1 / 3 + cores / 4 * (200 - 93 - 1 / 3) for cores in (1, 2, 3, 4))]
    assert [powers_w["full", cores] for cores in range(5)] == pytest.approx(line_w, rel=1e-15)
    script = [
        (10, powers_w["full", 0]),
        (1, powers_w["full", 1]),
        (1 / 0.2, powers_w["pstate2", 1]),
        (4, powers_w["pstate2", 0]),
        (10, powers_w["pstate2", 0]),
    ]
    joules = np.cumsum([seconds * watts for seconds, watts in script])
    assert joules == pytest.approx([1000.0, 1120.0, 1645.0, 2005.0, 2905.0], abs=1e-6)
    assert made.own_speed[0] * MS_PER_S == 200.0
