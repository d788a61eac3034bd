"""What makes small runs cheap changes nothing about them: tables on demand, seeds, keys."""

import hashlib
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import simulation
from simulator.engine.routes import MOST_CODED, _distinct
from simulator.errors import InputError
from simulator.inputs import open_inputs
from simulator.percentiles import percentiles
from simulator.registry import provisioning
from simulator.results import save
from simulator.scenario import Scenario, from_document, load
from simulator.version import MODEL_VERSION, SCHEMA_VERSION
from tests.property.workloads import EXACTLY
from tests.unit.scenario_documents import SMALL, changed

SLEEPY = changed("clusters.c.idle", {"policy": "headroom", "nodes": 1})
NAP = {"name": "nap", "after": "1 min", "power": "50 W"}
SLEEPY["nodes"]["n"]["idle_states"] = [NAP]

# Tables


def test_no_table_is_made_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for name in ("job_table", "interval_table", "node_table"):
        maker = getattr(simulation, name)

        def counted(*given: Any, _name: str = name, _maker: Any = maker) -> Any:
            made.append(_name)
            return _maker(*given)

        monkeypatch.setattr(simulation, name, counted)
    results = simulation.run(from_document(SMALL)).results
    assert results.summary["jobs_submitted"] > 0
    assert made == []
    assert len(results.jobs) == len(results.tables["jobs"]) > 0
    assert made == ["job_table"]
    assert list(results.tables) == ["jobs", "hourly", "nodes"]
    assert len(dict(results.tables)) == len(results.tables) == 3
    assert made == ["job_table", "interval_table", "node_table"]


def test_every_run_is_audited_though_nobody_asks_for_a_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(_: object) -> None:
        raise ArithmeticError("sums of energy disagree")

    monkeypatch.setattr(simulation, "audit", wrong)
    with pytest.raises(ArithmeticError, match="disagree"):
        simulation.run(from_document(SMALL))


def test_a_later_run_changes_no_table_of_an_earlier_one() -> None:
    inputs = open_inputs(from_document(SLEEPY))
    at_once, later = simulation.simulated(inputs).results, simulation.simulated(inputs).results
    tables = dict(at_once.tables)
    simulation.simulated(inputs)
    assert all(later.tables[name].equals(table) for name, table in tables.items())


def test_results_go_to_another_process_with_their_tables() -> None:
    results = simulation.run(from_document(SLEEPY)).results
    again = pickle.loads(pickle.dumps(results))
    assert again.summary == results.summary
    assert list(again.tables) == list(results.tables)
    assert all(table.equals(again.tables[name]) for name, table in results.tables.items())


# Seeds


@pytest.mark.parametrize("document", [SMALL, SLEEPY, changed("clusters.c.node", "hgx-a100")])
def test_with_seed_is_replace_in_everything(document: dict[str, Any]) -> None:
    scenario = from_document(document)
    quick, slow = scenario.with_seed(9), scenario.replace({"seed": 9})
    assert quick == slow
    assert quick.document == slow.document
    assert list(quick.document) == list(slow.document)
    assert list(quick.origins.items()) == list(slow.origins.items())
    assert (quick.to_toml(), quick.canonical()) == (slow.to_toml(), slow.canonical())
    assert (quick.warnings, quick.source) == (slow.warnings, slow.source)
    assert quick.with_seed(4).replace({"name": "x"}) == slow.replace({"seed": 4, "name": "x"})
    assert "seed" not in document
    assert scenario.seed == scenario.document["seed"] == 0
    assert open_inputs(quick).key == open_inputs(slow).key != open_inputs(scenario).key


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, "7", [1], np.int64(3)])
def test_with_seed_refuses_what_replace_refuses(seed: Any) -> None:
    scenario = from_document(SMALL)
    with pytest.raises(InputError) as slow:
        scenario.replace({"seed": seed})
    with pytest.raises(InputError) as quick:
        scenario.with_seed(seed)
    assert str(quick.value) == str(slow.value)


def test_with_seed_looks_for_files_that_nobody_has_looked_for(tmp_path: Path) -> None:
    document = changed("workloads.w", {"clusters": ["c"], "jobs": {"file": "jobs.csv"}})
    unchecked = from_document(document, tmp_path, check_files=False)
    with pytest.raises(InputError, match="does not exist"):
        unchecked.with_seed(3)
    (tmp_path / "jobs.csv").touch()
    assert unchecked.with_seed(3).seed == 3


def test_with_seed_refuses_a_scenario_without_a_document() -> None:
    made = from_document(SMALL)
    bare = Scenario.model_validate(dict(made), by_name=True)
    assert not bare.document
    with pytest.raises(InputError):
        bare.with_seed(3)


@pytest.fixture
def _policies_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioning.names()
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))


@pytest.mark.usefixtures("_policies_as_they_were")
def test_a_policy_that_a_notebook_rewrites_is_read_again() -> None:
    def mine(env: Any, cluster: Any, *, nodes: int = 1) -> Iterator[Any]:
        yield env.timeout(nodes)

    def again(env: Any, cluster: Any, *, most: int = 5) -> Iterator[Any]:
        yield env.timeout(most)

    for function in (mine, again):
        function.__module__, function.__qualname__ = "__main__", "mine"
    provisioning("mine")(mine)
    scenario = from_document(changed("clusters.c.idle", {"policy": "mine"}))
    provisioning("mine")(again)
    for other in (scenario.with_seed(2), scenario.replace({"name": "other"})):
        assert other.clusters["c"].idle.parameters == {"most": 5}
        assert other.document["clusters"]["c"]["idle"] == {"policy": "mine", "most": 5}


def test_an_entry_that_names_a_file_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").touch()
    jobs = {"clusters": ["c"], "jobs": {"file": "jobs.csv"}}
    scenario = from_document(changed("workloads.w", jobs), tmp_path)
    assert scenario.replace({"name": "x"}).clusters["c"] is scenario.clusters["c"]
    (tmp_path / "jobs.csv").unlink()
    with pytest.raises(InputError, match="does not exist"):
        scenario.replace({"name": "x"})


def test_replacing_in_a_list_leaves_the_scenario_it_came_from_alone() -> None:
    scenario = from_document(SLEEPY)
    path = "nodes.n.idle_states[0].after"
    other = scenario.replace({path: "7 min"}).replace({path: "9 min", "nodes.n.source": "me"})
    assert other.document["nodes"]["n"]["idle_states"][0]["after"] == "9 min"
    assert scenario.document["nodes"]["n"]["idle_states"] == [NAP]
    assert scenario.nodes["n"].idle_states[0].after_ms == 60_000
    assert "nodes.n.source" not in scenario.origins


# Keys


@pytest.mark.parametrize("document", [SMALL, SLEEPY, changed("name", 'a "ü"\\')])
def test_a_key_is_the_digest_of_one_sorted_document(document: dict[str, Any]) -> None:
    scenario = from_document(document).with_seed(5)
    for other in (scenario, scenario.with_seed(6), scenario.replace({"horizon": "11 h"})):
        inputs = open_inputs(other)
        said = {
            "scenario": json.loads(other.canonical()),
            "traces": [trace.sha256 for trace in inputs.traces],
            "jobs": [content for _, _, content in inputs.jobs.inputs],
            "schema_version": SCHEMA_VERSION,
            "model_version": MODEL_VERSION,
        }
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
        assert inputs.key == hashlib.sha256(text.encode()).hexdigest()


def test_the_text_of_a_key_follows_a_value_changed_by_hand() -> None:
    scenario = from_document(SMALL)
    longer = scenario.model_copy(update={"horizon_ms": scenario.horizon_ms + 1})
    for each in (scenario, longer, scenario.with_seed(3)):
        said = json.dumps(json.loads(each.canonical()), sort_keys=True, separators=(",", ":"))
        assert each.key_text() == said


def test_saved_results_and_their_scenario_read_back(tmp_path: Path) -> None:
    run = simulation.run(from_document(SLEEPY), seed=12)
    save(run.results, tmp_path / "run")
    again = load(tmp_path / "run" / "scenario.toml")
    assert again.canonical() == run.results.scenario.canonical()
    assert open_inputs(again).key == run.results.key


# Columns


@EXACTLY
@given(
    st.lists(st.integers(0, 10**15), min_size=1, max_size=60),
    st.lists(st.sampled_from([0, 1, 37.5, 50, 95, 99, 99.9, 100]), min_size=1, max_size=4),
    st.booleans(),
)
def test_percentiles_are_those_of_numpy_to_the_bit(
    values: list[int], percents: list[float], as_float: bool
) -> None:
    column = np.array(values) / (7.0 if as_float else 1)
    column = column if as_float else column.astype(np.int64)
    expected = [float(value) for value in np.percentile(column, percents)]
    assert percentiles(column.copy(), percents) == expected


@EXACTLY
@given(st.integers(1, MOST_CODED + 2), st.integers(1, 40), st.integers(0, 2**32))
def test_rows_are_told_apart_in_lexical_order(columns: int, rows: int, seed: int) -> None:
    able = np.random.default_rng(seed).random((rows, columns)) < 0.5
    patterns, number = _distinct(able)
    assert np.array_equal(patterns, np.unique(able, axis=0))
    assert np.array_equal(patterns[number], able)
