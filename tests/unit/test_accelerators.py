"""Jobs that ask for an accelerator, or accept several with their speeds."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from simulator.assumptions import assumptions_of
from simulator.errors import InputError
from simulator.inputs import Inputs, open_inputs
from simulator.scenario import Scenario, from_document, load, schema
from simulator.simulation import run
from simulator.workload.speeds import speed_table
from tests.builders import write_jobs
from tests.unit.scenario_documents import SMALL, changed, problems

KINDS = {"c": ("old", 1.0), "d": ("new", 3.0), "e": ("new", 2.0)}
"""Accelerator and relative speed of each cluster's nodes."""


def document(accelerators: Any = None, **keys: Any) -> dict[str, Any]:
    """Return the small document with three clusters of two kinds of accelerators."""
    said = changed("workloads.w.clusters", list(KINDS))
    node = said["nodes"].pop("n")
    for cluster, (kind, speed) in KINDS.items():
        said["nodes"][f"n{cluster}"] = {**node, "accelerator": kind, "relative_speed": speed}
        said["clusters"][cluster] = {**SMALL["clusters"]["c"], "node": f"n{cluster}"}
    said["workloads"]["w"].update(keys)
    if accelerators is not None:
        said["workloads"]["w"]["accelerators"] = accelerators
    return said


def opened(accelerators: Any = None, **keys: Any) -> Inputs:
    return open_inputs(from_document(document(accelerators, **keys)))


def replaying(folder: Path, cells: list[str], accelerators: Any = None, **keys: Any) -> Scenario:
    """Return the scenario whose jobs of an hour name accelerators."""
    rows = [(60 * at, 3600, 8, cell) for at, cell in enumerate(cells)]
    file = write_jobs(folder / "jobs.csv", rows, "submit_s,duration_s,gpus,accelerator")
    said = document()
    said["workloads"]["w"] = {"clusters": list(KINDS), "jobs": {"file": str(file)}, **keys}
    if accelerators is not None:
        said["workloads"]["w"]["accelerators"] = accelerators
    return from_document(said)


# -- reading ------------------------------------------------------------------------------------


def test_a_list_names_them_and_a_table_gives_their_speeds() -> None:
    assert from_document(document()).workloads["w"].accelerators is None
    listed = from_document(document(["old"])).workloads["w"]
    assert listed.accelerators == {"old": None}
    rated = from_document(document({"old": 0.4, "new": 1})).workloads["w"]
    assert rated.accelerators == {"old": 0.4, "new": 1.0}


@pytest.mark.parametrize(
    ("accelerators", "below", "said"),
    [
        ("old", "", '"old" is not a list; write ["old"]'),
        ([], "", "[] names no accelerators; write ["),
        ({}, "", "{} names no accelerators; write ["),
        (["old", "old"], "[1]", '"old" stands in the list twice; take one out'),
        ([8], "[0]", "8 is not a text; write an accelerator's name in quotes"),
        ({"old": 0}, ".old", "0 is out of range; write a speed from 1e-06 to 1e+06"),
        ({"old": "0.4"}, ".old", '"0.4" is not a number; write a plain one, without quotes'),
        (["nwe"], "", 'none of its clusters has "nwe"; did you mean "new"? they have new, old'),
    ],
)
def test_what_is_wrong_is_told_with_its_path(accelerators: Any, below: str, said: str) -> None:
    found = problems(document(accelerators))
    assert list(found) == [f"workloads.w.accelerators{below}"]
    assert found[f"workloads.w.accelerators{below}"].startswith(said)


def test_nodes_without_a_name_are_told_to_have_one() -> None:
    assert problems(changed("workloads.w.accelerators", ["old"])) == {
        "workloads.w.accelerators": (
            'none of its clusters has "old"; their node types name no accelerator: write it into '
            "[nodes]"
        )
    }


def test_a_name_that_no_cluster_has_beside_one_that_some_have_is_warned_of() -> None:
    made = from_document(document(["old", "other"]))
    text = 'workloads.w.accelerators: none of its clusters has "other"'
    assert text in made.warnings
    assert open_inputs(made).jobs.routes == ((0,),)


@pytest.mark.parametrize("accelerators", [["old"], {"old": 0.4, "new": 1.0}])
def test_it_is_written_back_and_described(accelerators: Any, tmp_path: Path) -> None:
    made = from_document(document(accelerators))
    assert jsonschema.Draft202012Validator(schema()).is_valid(document(accelerators))
    path = tmp_path / "scenario.toml"
    path.write_text(made.to_toml())
    assert load(path).canonical() == made.canonical() != from_document(document()).canonical()
    assert '"accelerators":[' in made.canonical()
    workload = from_document(document()).canonical().partition('"workloads"')[2]
    assert "accelerators" not in workload


# -- routes and speeds --------------------------------------------------------------------------


def test_clusters_of_other_accelerators_are_not_on_the_route() -> None:
    assert opened().jobs.routes == ((0, 1, 2),)
    assert opened(["new"]).jobs.routes == ((1, 2),)
    assert opened({"old": 1.0}).jobs.routes == ((0,),)


def test_clusters_left_aside_may_have_another_queue() -> None:
    said = document(["new"])
    said["clusters"]["c"]["queue"] = "easy-backfill"
    assert open_inputs(from_document(said)).jobs.routes == ((1, 2),)
    said["workloads"]["w"]["accelerators"] = ["old", "new"]
    (text,) = problems(said).values()
    assert text.startswith("c, d, e share jobs")


def test_a_stated_speed_stands_in_place_of_the_nodes_and_scales_durations() -> None:
    by_duration, stated = opened(), opened({"old": 0.4, "new": 5.0})
    assert speed_table(by_duration.fleet, by_duration.jobs).tolist() == [[1.0, 1.0, 1.0]]
    assert speed_table(stated.fleet, stated.jobs).tolist() == [[0.4, 5.0, 5.0]]
    said = document(["new"])
    said["workloads"]["w"].pop("duration")
    said["workloads"]["w"]["gpu_days"] = 0.5
    listed = open_inputs(from_document(said))
    assert speed_table(listed.fleet, listed.jobs).tolist() == [[1.0, 3.0, 2.0]]
    said["workloads"]["w"]["accelerators"] = {"new": 4.0}
    rated = open_inputs(from_document(said))
    assert speed_table(rated.fleet, rated.jobs)[0, 1:].tolist() == [4.0, 4.0]


def test_a_power_level_slows_stated_speeds_too() -> None:
    said = document({"new": 4.0})
    for node in said["nodes"].values():
        node["power_levels"] = [{"name": "cap", "speed": 0.5, "busy_power": "3 kW"}]
    said["clusters"]["d"]["power_level"] = "cap"
    made = open_inputs(from_document(said))
    assert speed_table(made.fleet, made.jobs)[0, 1:].tolist() == [2.0, 4.0]


def test_jobs_take_as_long_as_the_speed_says() -> None:
    results = run(from_document(document({"old": 0.5, "new": 4.0}, gpus=16))).results
    jobs = results.jobs.dropna(subset=["end_s"])
    length_h = (jobs["end_s"] - jobs["start_s"]) / 3600
    wanted = jobs["cluster"].map({"c": 4.0, "d": 0.5, "e": 0.5}).astype(float)
    assert set(jobs["cluster"]) >= {"c"}
    assert length_h.tolist() == pytest.approx(wanted.tolist(), abs=1e-6)


# -- offered load, assumptions --------------------------------------------------------------------


def test_offered_load_counts_accelerators_by_their_stated_speed() -> None:
    def load_of(accelerators: Any) -> float:
        (size,) = opened(accelerators).jobs.sizes
        return size.offered_load

    one = load_of(["old"])
    assert load_of({"old": 0.5}) == pytest.approx(2 * one)
    assert load_of({"old": 1.0, "new": 4.0}) == pytest.approx(one / 9)


def test_too_much_for_the_accelerators_it_may_use_is_warned_of() -> None:
    rate = {"process": "poisson", "rate": "60 per d"}

    def texts(accelerators: Any) -> list[str]:
        made = opened(accelerators, arrivals=rate, duration="4 h", gpus=8)
        return [text for text in made.warnings if "offered load" in text]

    assert texts({"old": 10.0}) == []
    (text,) = texts({"old": 1.0})
    assert text.startswith("offered load 5 of capacity")
    assert "clusters: c)" in text


def assumed(said: dict[str, Any]) -> list[tuple[str, ...]]:
    made = from_document(said)
    bare = made.model_copy(update={"sites": {}})
    rows = assumptions_of(bare, open_inputs(made).jobs, (), ())
    return [row for row in rows if "relative speed" in row[1]]


def test_speeds_are_assumptions_where_a_workload_chooses_among_accelerators() -> None:
    stated = "scenario, for this workload"
    assert assumed(document()) == []
    assert assumed(document({"old": 0.4, "new": 2.0})) == [
        ("w", "relative speed on old", "0.4", "1", stated),
        ("w", "relative speed on new", "2", "1", stated),
    ]
    assert assumed(document(["old"])) == [
        ("w", "relative speed on old", "1", "1", "durations hold on any node")
    ]
    said = document()
    said["workloads"]["w"].pop("duration")
    said["workloads"]["w"]["gpu_days"] = 1.0
    said["workloads"]["w"]["clusters"] = {"policy": "least-wait", "among": ["c", "d"]}
    said["clusters"]["c"]["node"] = "hgx-a100"
    assert assumed(said) == [
        ("w", "relative speed on a100-80g", "1", "1",
         "catalog: left at 1, no source compared them"),
        ("w", "relative speed on new", "3", "1", "scenario"),
    ]  # fmt: skip


# -- job files ----------------------------------------------------------------------------------


def test_a_cell_may_name_several_accelerators(tmp_path: Path) -> None:
    made = open_inputs(replaying(tmp_path, ["", "old", "new", "old|new", "new | other"]))
    routes = [made.jobs.routes[route] for route in made.jobs.route.tolist()]
    assert routes == [(0, 1, 2), (0,), (1, 2), (0, 1, 2), (1, 2)]


def test_cells_narrow_what_the_workload_accepts_and_its_speeds_apply(tmp_path: Path) -> None:
    speeds = {"old": 0.5, "new": 2.0}
    scenario = replaying(tmp_path, ["old|new", "new", "old"], speeds)
    made = open_inputs(scenario)
    assert speed_table(made.fleet, made.jobs).tolist() == [[0.5, 2.0, 2.0]]
    jobs = run(scenario).results.jobs
    assert list(jobs["cluster"]) == ["c", "d", "c"]
    assert list(jobs["end_s"] - jobs["start_s"]) == [7200.0, 1800.0, 7200.0]
    (narrow,) = open_inputs(replaying(tmp_path, ["old|new"], {"new": 2.0})).jobs.routes
    assert narrow == (1, 2)


def test_cells_that_name_nothing_the_workload_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        open_inputs(replaying(tmp_path, ["odl|nothing", "new"], ["old"]))
    assert {issue.path for issue in refused.value.issues} == {"workloads.w.jobs"}
    texts = sorted(issue.message.partition(": ")[2] for issue in refused.value.issues)
    unknown = "is unknown to this workload"
    assert texts == [
        f'accelerator "new" {unknown}; known are old (job j1)',
        f'accelerator "odl|nothing" {unknown}; did you mean "old"? known are old (job j0)',
    ]
