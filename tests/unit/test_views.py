"""One total under the headings of several standards: sums, names, refusals, what is printed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator import api
from simulator.cli.app import status
from simulator.errors import InputError
from simulator.explanation.making import built_of, nodes_kg, written_off_kg
from simulator.explanation.sums import number
from simulator.explanation.view_page import view_lines
from simulator.explanation.views import VIEWS, view_of
from simulator.likeness import unlike
from simulator.results import Results, load_results, save
from simulator.scenario import from_document
from tests.builders import results_of, scenario_document, write_jobs

BUILT = {
    "building": {"embodied": "1500 t/MW", "lifetime": "20 y", "capacity": "60 kW"},
    "power_gear": {"embodied": "300 t/MW", "lifetime": "10 y"},
}
PLANNER = {
    "policy": "capacity-planner",
    "most": 6,
    "lead_time": "2 h",
    "every": "4 h",
    "sample": "1 h",
    "lifetime": "15 h",
    "age": "9 h",
}
RULES: dict[str, dict[str, Any]] = {
    "straight-line": {},
    "written-off": {"retirement": "written-off"},
    "held": {"embodied": "by-use"},
    "held, written-off": {"embodied": "by-use", "retirement": "written-off"},
    "awake": {"embodied": "by-use", "in_use": "awake"},
}


def fleet(accounting: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """Return two clusters at two sites, one that changes, jobs of several phases, and a warm-up."""
    parts = [{"part": "dram", "capacity": "1 TB"}, {"part": "package", "count": 30}]
    sleep = {"name": "sleep", "after": "30 min", "power": "20 W", "wake_time": "3 min"}
    document = scenario_document(
        horizon="61 h",
        warm_up="90 min",
        accounting={"interval": "2 h", **accounting},
        **keys,
    )
    lives = {"lifetime": "40 h", "use_lifetime": "30 h"}
    document["nodes"]["n"] |= {"embodied": {"parts": parts}, "idle_states": [sleep], **lives}
    document["nodes"]["m"] = document["nodes"]["n"] | {"embodied": "77 kg", "accelerators": 4}
    document["sites"]["s"] |= BUILT | {"wue": "1.8 L/kWh", "electricity_price": "80 USD/MWh"}
    document["sites"]["t"] = {"pue": 1.3, "grid": {"average": "CISO"}, "wue": "1 L/kWh"}
    document["clusters"]["c"] |= {"idle": PLANNER, "count": 2}
    document["clusters"]["d"] = {"site": "t", "node": "m", "count": 3, "idle": "ladder"}
    document["workloads"] = {
        name: {
            "clusters": ["c", "d"],
            "arrivals": {"process": "poisson", "rate": "8 per d"},
            "duration": {"p50": "2 h", "p99": "6 h"},
            "gpus": gpus,
            **({"phase": phase} if phase else {}),
        }
        for name, gpus, phase in (("a", 8, "training"), ("b", 2, "data"), ("x", 1, None))
    }
    return document


@pytest.mark.parametrize("accounting", RULES.values(), ids=RULES)
def test_every_view_adds_up_to_the_total_under_every_rule(accounting: dict[str, Any]) -> None:
    run = api.run(from_document(fleet(accounting)), seed=3)
    summary = run.summary
    total_kg = summary["total_kgco2e"]
    for name in VIEWS:
        table = run.view(name)
        assert table[table.counted].kgco2e.sum() == pytest.approx(total_kg, rel=1e-9), name
        assert table.attrs["total_kgco2e"] == total_kg
    assert summary["allocated_kgco2e"] + summary["unallocated_kgco2e"] == pytest.approx(
        total_kg, rel=1e-12
    )
    assert summary["unallocated_kgco2e"] > 0
    jobs_kg = run.jobs["embodied_kgco2e"].sum()
    assert jobs_kg < summary["scope3_embodied_kgco2e"]
    parts_kg = sum(nodes_kg(run.results).values()) + sum(written_off_kg(run.results).values())
    built_kg = sum(built.kgco2e for built in built_of(run.results))
    assert parts_kg + built_kg == pytest.approx(summary["scope3_embodied_kgco2e"], rel=1e-9)
    assert bool(written_off_kg(run.results)) == ("retirement" in accounting)


def test_every_view_counts_what_plants_and_storage_took_to_make() -> None:
    document = fleet({})
    document["sites"]["s"]["supply"] = {
        "wind": {
            "capacity": "20 kW",
            "profile": {"constant": 0.4},
            "embodied": "700 kg/kW",
            "lifetime": "20 y",
        }
    }
    run = api.run(from_document(document), seed=3)
    made_kg = run.summary["scope3_supply_kgco2e"]
    assert made_kg > 0.0
    for name in VIEWS:
        table = run.view(name)
        counted_kg = table[table.counted].kgco2e.sum()
        assert counted_kg == pytest.approx(run.summary["total_kgco2e"], rel=1e-9), name
    for name in ("life-cycle", "ghg-protocol", "component"):
        own = run.view(name).set_index("item").kgco2e["generation and storage"]
        assert own == pytest.approx(made_kg, rel=1e-12)


def test_nodes_that_came_and_went_are_told_from_those_that_stayed() -> None:
    results = results_of(fleet({"retirement": "written-off"}), seed=3)
    assert sum(written_off_kg(results).values()) > 0
    table = view_of(results, "ghg-protocol").lines
    assert any(line.item == "nodes of c, written off" for line in table)


def test_phases_are_sums_over_the_jobs_of_their_workloads() -> None:
    run = api.run(from_document(fleet({})), seed=3)
    table, jobs = run.view("phase"), run.jobs
    assert list(dict.fromkeys(table.group)) == ["data", "training", "not stated", "no job"]
    for phase, workload in (("data", "b"), ("training", "a"), ("not stated", "x")):
        own = jobs[jobs.workload == workload]
        for kind in ("operational", "embodied"):
            (kg,) = table[(table.group == phase) & (table.item == kind)].kgco2e
            assert kg == pytest.approx(own[f"{kind}_kgco2e"].sum(), rel=1e-12)


def test_a_phase_changes_no_result_and_an_unknown_one_is_refused() -> None:
    document = fleet({})
    told = results_of(document, seed=3)
    for workload in document["workloads"].values():
        workload.pop("phase", None)
    untold = results_of(document, seed=3)
    assert told.summary | {"key": ""} == untold.summary | {"key": ""}
    document["workloads"]["a"]["phase"] = "train"
    with pytest.raises(InputError, match='did you mean "training"'):
        from_document(document)


def test_components_are_the_parts_in_their_proportion() -> None:
    run = api.run(from_document(fleet({})), seed=3)
    made = run.view("component").set_index("item").kgco2e
    assert made["dram"] / made["package"] == pytest.approx(65.0 / 4.5, rel=1e-12)
    assert made["m, as a whole"] == pytest.approx(nodes_kg(run.results)["d"], rel=1e-12)
    assert made["electricity of buildings"] == pytest.approx(run.summary["overhead_kgco2e"])


def test_the_market_based_figure_stands_beside_scope_2_where_there_is_one() -> None:
    results = results_of(fleet({}), seed=3)
    for market_kg in (None, 12.5):
        changed = replace(results, summary=results.summary | {"scope2_market_kgco2e": market_kg})
        (line,) = [
            each
            for each in view_of(changed, "ghg-protocol").lines
            if each.item == "electricity, market-based"
        ]
        assert (line.kgco2e, line.counted) == (market_kg, False)


def test_life_cycle_factors_are_told_where_upstream_belongs_elsewhere() -> None:
    plain = view_of(results_of(scenario_document()), "ghg-protocol")
    cycle = view_of(results_of(scenario_document(grid={"average": "CISO"})), "ghg-protocol")
    assert len(cycle.left_out) == len(plain.left_out) + 1
    assert "direct factors" in cycle.left_out[-1]


def test_the_example_of_the_standard_is_28_g(tmp_path: Path) -> None:
    """ISO/IEC 21031: a server of 1000 kg over 4 years, for an hour: 28.5 g."""
    document = scenario_document(
        write_jobs(tmp_path / "j.csv", [(0, 3600, 1, 1.0)]),
        nodes={
            "accelerators": 1,
            "idle_power": "0 W",
            "busy_power": "10 W",
            "embodied": "1000 kg",
            "lifetime": "4 y",
        },
        grid={"average": {"constant": "0 g/kWh"}},
        horizon="1 h",
    )
    view = view_of(results_of(document), "sci")
    assert view.rate["embodied_gco2e"] == pytest.approx(1e6 / (4 * 8766), rel=1e-12)
    assert view.rate["sci_gco2e"] == pytest.approx(28.5, abs=0.05)


def test_the_rate_is_energy_times_intensity_and_embodied_over_the_unit(tmp_path: Path) -> None:
    """SCI = (E I + M) / R: (1200 kWh x 300 g + 50 kg) / 1e6 GPU-hours = 0.41 g each."""
    nodes, hours = 1250, 100
    document = scenario_document(
        write_jobs(tmp_path / "j.csv", [(0, hours * 3600, 8 * nodes, 1.0)]),
        nodes={
            "idle_power": "9.6 W",
            "busy_power": "9.6 W",
            "embodied": "40 g",
            "lifetime": f"{hours} h",
        },
        grid={"average": {"constant": "300 g/kWh"}},
        horizon=f"{hours} h",
        clusters__c__count=nodes,
    )
    results = results_of(document)
    rate = view_of(results, "sci").rate
    assert rate["energy_kwh"] == pytest.approx(1200.0, rel=1e-12)
    assert rate["intensity_g_per_kwh"] == pytest.approx(300.0, rel=1e-12)
    assert rate["embodied_gco2e"] == pytest.approx(50_000.0, rel=1e-12)
    assert rate["functional_units"] == pytest.approx(1e6, rel=1e-12)
    assert rate["sci_gco2e"] == pytest.approx(0.41, rel=1e-12)
    assert rate["sci_gco2e"] == results.summary["sci_gco2e_per_gpu_hour"]
    by_job = view_of(results, "sci", "job").rate
    assert by_job["functional_units"] == 1
    assert by_job["sci_gco2e"] == pytest.approx(410_000.0, rel=1e-12)


def test_the_rate_says_where_its_embodied_term_is_not_that_of_the_standard() -> None:
    counts = {
        rule: len(view_of(results_of(fleet(accounting), seed=3), "sci").left_out)
        for rule, accounting in RULES.items()
    }
    assert counts == {
        "straight-line": 1,
        "written-off": 2,
        "held": 2,
        "held, written-off": 3,
        "awake": 2,
    }


def test_rules_and_buildings_are_among_the_assumptions() -> None:
    rows = {row[:2]: row[2:4] for row in results_of(fleet(RULES["held"]), seed=3).assumptions}
    assert rows["n", "lifetime of use"] == (f"{30 / 8766:.6g}", "y")
    assert rows["s", "building, for 60000 W"] == ("1500", "gCO2e/W")
    assert rows["s", "power gear, for all nodes at full load"] == ("300", "gCO2e/W")
    assert rows["s", "power gear, lifetime"] == ("10", "y")


def test_a_run_that_delivers_nothing_has_no_rate() -> None:
    rate = view_of(results_of(scenario_document(nodes={"idle_power": "0 W"})), "sci").rate
    assert (rate["sci_gco2e"], rate["intensity_g_per_kwh"]) == (None, None)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    """Return the folder of a run, and its results."""
    folder = tmp_path_factory.mktemp("views") / "out"
    results = results_of(fleet({"retirement": "written-off"}), seed=3)
    save(results, folder)
    return folder, results


def test_a_view_of_a_folder_is_that_of_its_run(saved: tuple[Path, Results]) -> None:
    folder, results = saved
    again = load_results(folder)
    for name in VIEWS:
        assert view_of(again, name) == view_of(results, name)
    meaning = (folder / "columns.csv").read_text()
    rule = "of nodes and building and power gear in a straight line, written off at retirement"
    assert f"Embodied carbon: {rule}" in meaning.replace('"', "")
    assert "written_off_kgco2e" in meaning


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_printed_within_eighty_columns(
    saved: tuple[Path, Results], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["explain", str(saved[0]), "--view", name]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "= total_kgco2e" in out
    assert status(["explain", str(saved[0]), "--view", name, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    lines = document["view"]["lines"]
    total_kg = sum(line["kgco2e"] for line in lines if line["counted"])
    assert total_kg == pytest.approx(saved[1].summary["total_kgco2e"], rel=1e-9)


def test_what_is_beside_carbon_has_its_unit(saved: tuple[Path, Results]) -> None:
    _, results = saved
    priced = replace(results, summary=results.summary | {"cost_electricity": 3.5})
    text = "\n".join(view_lines(view_of(priced, "life-cycle"), "USD"))
    assert "USD" in text
    assert f"{number(results.summary['water_l'])} L" in text
    assert text.count("left out") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--view", "scii"], 'did you mean "sci"'),
        (["--view", "phase", "--per", "job"], 'is of the view "sci"'),
        (["--view", "sci", "--per", "token"], "is not a functional unit"),
        (["--per", "job"], "is of a view"),
        (["--view", "sci", "--job", "a-0000001"], "leave out --view"),
    ],
)
def test_what_is_no_view_is_refused(
    saved: tuple[Path, Results], words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["explain", str(saved[0]), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_sum_that_is_not_the_total_is_a_fault_of_ours() -> None:
    results = results_of(fleet({}), seed=3)
    wrong = replace(results, summary=results.summary | {"dynamic_kgco2e": 1e6})
    with pytest.raises(ArithmeticError, match="adds up to"):
        view_of(wrong, "life-cycle")


def test_runs_of_unlike_rules_are_not_compared() -> None:
    line, use = (
        api.run(from_document(fleet(RULES[rule])), seed=3) for rule in ("straight-line", "held")
    )
    (reason,) = unlike(line.results, use.results)
    assert "embodied carbon of nodes by use, held" in reason
    assert unlike(line.results, line.results) == []
    assert unlike(line.results, use.results, on=("currency",)) == []
    with pytest.raises(InputError, match="by one rule"):
        use.against(line)


def test_the_kept_explanation_names_what_is_not_of_clusters(
    saved: tuple[Path, Results], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["explain", str(saved[0])]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "is of the building of s" in out
    assert "is of nodes written off at retirement" in out
    assert "n: making one node takes 69.5 kg" in out
    assert status(["show", str(saved[0] / "scenario.toml")]) == 0
    assert "n: making one node takes 69.5 kg" in capsys.readouterr().out
