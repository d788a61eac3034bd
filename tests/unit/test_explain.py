"""``fleetsim explain``: ladders, a run's carbon and a job's bill, each to be checked by hand."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator import api, bundled, catalog
from simulator.explanation.factors import factors_of, not_by_cluster_kg
from simulator.explanation.job import job_bill
from simulator.explanation.ladders import cluster_ladders
from simulator.explanation.page import ladder_lines, power_text, time_text
from simulator.explanation.residency import residencies
from simulator.explanation.sums import number
from simulator.results import Results, load_results, save
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_H, MS_PER_Y
from tests.builders import file_grid, scenario_document, write_grid, write_jobs
from tests.unit.conftest import Shell

NEED_DATA = {"carbon-free-247", "philly-on-ciso"}
"""Scenarios whose files do not ship."""

SLEEP = (
    '{ name = "sleep", after = "30 s", power = "15 W", enter_time = "10 s", wake_time = "20 s", '
    'wake_power = "350 W" }'
)
TINY = f"""
schema  = 1
name    = "tiny"
start   = 2022-06-01T00:00:00Z
horizon = "2 d"
warm_up = "6 h"
seed    = 3
[nodes.small]
accelerators = 4
idle_power   = "200 W"
busy_power   = "1 kW"
embodied     = "1000 kg"
lifetime     = "4 y"
idle_states  = [{SLEEP}]
[sites.here]
pue  = 1.2
grid = {{ average = "CISO", marginal = "CAISO" }}
[sites.there]
pue  = 1.5
grid = {{ average = {{ constant = "400 g/kWh" }} }}
[clusters.few]
site  = "here"
node  = "small"
count = 2
[clusters.more]
site  = "there"
node  = "hgx-a100"
count = 3
[workloads.w]
clusters    = ["few", "more"]
arrivals    = {{ process = "regular", every = "1 h" }}
duration    = "90 min"
gpus        = 3
utilisation = 0.5
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of a run of tiny.toml."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    save(api.run(folder / "tiny.toml").results, folder / "out")
    return folder / "out"


@pytest.fixture
def shell(shell: Shell, ran: Path) -> Shell:
    """Run commands in a folder that holds tiny.toml and the results of a run of it."""
    Path("tiny.toml").write_text(TINY, encoding="utf-8")
    shutil.copytree(ran, "out")
    return shell


def results() -> Results:
    return load_results("out")


def widest(text: str) -> int:
    return max(len(line) for line in text.splitlines())


def numbers(line: str) -> list[float]:
    found = re.findall(r"(?<![\w.])[0-9][0-9,]*(?:\.[0-9]+)?(?![\w.])", line)
    return [float(text.replace(",", "")) for text in found]


# -- scenarios ----------------------------------------------------------------------------------


def test_a_scenario_prints_each_state_with_its_break_even_gap(shell: Shell) -> None:
    code, out, err = shell("explain", "tiny.toml")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert widest(out) <= 80
    assert out.startswith('few: 2 x small, 200 W awake and idle; idle = "always-on": its states')
    head = next(line.split() for line in lines if line.startswith("  state"))
    assert head == ["state", "power", "saves", "after", "break-even", "wake", "p50/p99", "verdict"]
    sleep = next(line.split() for line in lines if line.startswith("  sleep"))
    assert " ".join(sleep) == "sleep 15 W 185 W 30 s 46.2 s 20 s too early"
    assert "cheapest by length of gap: awake up to 46.2 s, then sleep" in out
    assert "a gap costs at most 2.5 times the least possible, one just over" in out
    assert "clusters.few.idle=ladder" in out
    said = " ".join(out.split())
    assert "(E_transition - P t_transition) / (P_idle - P)" in said
    for source in ("Benini and De Micheli 1998", "Karlin et al. 1990", "Irani et al. 2003"):
        assert source in said


def test_a_scenario_as_json_is_one_document(shell: Shell) -> None:
    code, out, err = shell("explain", "tiny.toml", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["name"] == "tiny"
    assert document["warnings"] == []
    few, more = document["ladders"]
    assert (few["cluster"], few["in_use"], few["idle"]) == ("few", False, "always-on")
    (sleep,) = few["states"]
    assert sleep["break_even_s"] == pytest.approx(46.2162162162, rel=1e-11)
    assert sleep["verdict"] == "too early"
    assert [state["verdict"] for state in more["states"]] == ["pays", "pays"]
    assert more["states"][1]["wake_p99_s"] == pytest.approx(900.0)


@pytest.mark.parametrize("name", sorted(set(bundled.scenarios()) - NEED_DATA))
def test_every_scenario_that_ships_is_explained(shell: Shell, name: str) -> None:
    code, out, _ = shell("explain", name)
    assert code == 0
    assert widest(out) <= 80
    assert "too early" not in out


def test_values_may_be_replaced(shell: Shell) -> None:
    out = shell("explain", "tiny.toml", "--set", "nodes.small.idle_states[0].after=1 min")[1]
    assert "too early" not in out


def test_a_node_without_states_is_said_to_have_none(shell: Shell) -> None:
    out = shell("explain", "tiny.toml", "--set", "nodes.small.idle_states=[]")[1]
    assert "few: 2 x small, 200 W awake and idle; idle = " in out
    assert "  no idle states: a gap is spent awake, however long it is" in out


def test_clusters_alike_share_a_table() -> None:
    lines = list(ladder_lines(cluster_ladders(api.load("hello"))))
    assert lines[0].startswith("west, east: 64 x hgx-a100")
    assert sum(line.startswith("  sleep") for line in lines) == 1


def test_long_names_and_odd_laws_stay_within_the_page() -> None:
    wake_time = {"dist": "weibull", "shape": 0.7, "scale": "3.123 min"}
    state = {"after": "1234567 ms", "power": "12.345 W", "wake_time": wake_time}
    states = [state | {"name": "no-saving", "power": "100 W", "after": "1 min"}]
    states += [state | {"name": "a-very-long-name-of-a-state"}]
    scenario = from_document(scenario_document(nodes={"idle_states": states}))
    text = "\n".join(ladder_lines(cluster_ladders(scenario)))
    assert widest(text) <= 80
    assert "no saving" in text
    assert "never the cheapest: no-saving" in text


def test_states_of_one_power_are_explained() -> None:
    """Both draw 15 W, the deeper one is left at once: the other is never the cheapest."""
    states = [
        {"name": "slow", "after": "1 min", "power": "15 W", "wake_time": "20 s"},
        {"name": "free", "after": "2 min", "power": "15 W"},
    ]
    (found,) = cluster_ladders(from_document(scenario_document(nodes={"idle_states": states})))
    assert [state.verdict for state in found.states] == ["never best", "pays"]
    assert [state.break_even_s for state in found.states] == [20.0, 0.0]
    (turned,) = cluster_ladders(
        from_document(
            scenario_document(
                nodes={
                    "idle_states": [
                        states[1] | {"after": "1 min"},
                        states[0] | {"after": "2 min"},
                    ]
                }
            )
        )
    )
    assert [state.verdict for state in turned.states] == ["pays", "never best"]


def test_a_gap_of_next_to_nothing_that_costs_any_number_of_times_the_least_is_said() -> None:
    states = [{"name": "off", "after": "0 s", "power": "0 W", "wake_time": "20 s"}]
    (found,) = cluster_ladders(from_document(scenario_document(nodes={"idle_states": states})))
    assert (found.worst_ratio, found.worst_gap_s) == (float("inf"), 0.0)
    page = " ".join(line.strip() for line in ladder_lines([found]))
    assert "a gap can cost any number of times the least possible, one just over 0 s;" in page


def test_a_law_of_wake_times_in_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "wakes.csv").write_text("wake\n10\n20\n60\n")
    law = {"file": str(tmp_path / "wakes.csv"), "column": "wake"}
    state = {"name": "s", "after": "1 h", "power": "10 W", "wake_time": law}
    scenario = from_document(scenario_document(nodes={"idle_states": [state]}))
    (line,) = cluster_ladders(scenario)[0].states
    assert (line.wake_mean_s, line.wake_p50_s, line.wake_p99_s) == (30.0, 20.0, 60.0)
    assert line.break_even_s == pytest.approx(30.0)


def test_a_ladder_in_use_is_said_to_be() -> None:
    used = api.load("hello").replace({"clusters.west.idle": "ladder"})
    west, east = cluster_ladders(used)
    assert (west.in_use, east.in_use) == (True, False)
    text = "\n".join(ladder_lines([west]))
    assert "its states are in use" in " ".join(text.split())
    assert "--set" not in text
    # They have the same machines, but not the same rule.
    lines = list(ladder_lines([west, east]))
    assert sum(line.startswith("  sleep") for line in lines) == 2


# -- runs ---------------------------------------------------------------------------------------


def test_the_factors_of_a_run_multiply_to_its_total(shell: Shell) -> None:
    found = results()
    factors = factors_of(found)
    for each in factors:
        assert each.pue is not None
        assert each.intensity_g_per_kwh is not None
        grams = each.energy_it_kwh * each.pue * each.intensity_g_per_kwh
        assert grams / 1000 == pytest.approx(each.operational_kgco2e, rel=1e-12)
        assert sum(each.kinds_kwh.values()) == pytest.approx(each.energy_it_kwh, rel=1e-12)
    few, more = factors
    assert (few.pue, more.pue) == (pytest.approx(1.2), pytest.approx(1.5))
    assert more.intensity_g_per_kwh == pytest.approx(400.0, rel=1e-12)
    assert few.embodied_kgco2e == pytest.approx(2 * 1000 * 42 / (4 * MS_PER_Y / MS_PER_H))
    total_kg = sum(each.total_kgco2e for each in factors)
    assert total_kg == pytest.approx(found.summary["total_kgco2e"], rel=1e-12)
    assert not_by_cluster_kg(found, factors) == 0.0


def test_what_clusters_do_not_account_for_is_named(shell: Shell) -> None:
    found = results()
    grown = replace(found, summary=found.summary | {"scope3_embodied_kgco2e": 1000.0})
    assert not_by_cluster_kg(grown, factors_of(grown)) == pytest.approx(
        1000.0 - found.summary["scope3_embodied_kgco2e"]
    )


def test_the_printed_factors_can_be_checked_by_hand(shell: Shell) -> None:
    code, out, err = shell("explain", "out")
    assert (code, err) == (0, "")
    assert widest(out) <= 80
    lines = out.splitlines()
    start = lines.index("few at here: 2 x small")
    printed = {}
    for line in lines[start + 1 : start + 7]:
        printed[line[2:25].strip()] = numbers(line[25:])[0]
    product = printed["IT energy"] * printed["x PUE"] * printed["x intensity"] / 1000
    assert product == pytest.approx(printed["/ 1000 = operational"], rel=1e-5)
    assert printed["= total"] == pytest.approx(
        printed["/ 1000 = operational"] + printed["+ embodied"], rel=1e-5
    )
    fleet = lines.index("fleet")
    total = next(line for line in lines[fleet:] if "= total_kgco2e" in line)
    assert numbers(total[25:])[0] == pytest.approx(results().summary["total_kgco2e"], rel=1e-5)
    assert "few in this run: busy " in out


def test_a_run_as_json_holds_ladders_residency_and_factors(shell: Shell) -> None:
    document = json.loads(shell("explain", "out", "--json")[1])
    assert document["summary"] == json.loads(Path("out/summary.json").read_text())
    assert [each["cluster"] for each in document["factors"]] == ["few", "more"]
    assert [each["cluster"] for each in document["residency"]] == ["few", "more"]
    assert [each["cluster"] for each in document["ladders"]] == ["few", "more"]
    shares = document["residency"][0]["shares"]
    assert sum(shares.values()) == pytest.approx(1.0)


IN_USE = {
    "clusters.few.idle": "ladder",
    "clusters.more.idle": "ladder",
    "nodes.small.idle_states[0].after": "2 min",
    "workloads.w.duration": "20 min",
}


def test_residency_counts_each_state_and_what_woke_it(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")
    found = api.run(api.load(tmp_path / "tiny.toml").replace(IN_USE)).results
    did, nodes = residencies(found), found.nodes
    few = nodes[nodes.cluster == "few"]
    total_s = 2 * 42 * 3600.0
    shares = did["few"].shares
    assert list(shares) == ["busy", "idle", "entering", "waking", "sleep"]
    for kind, share in shares.items():
        assert share == pytest.approx(few[f"residency_{kind}_s"].sum() / total_s)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert did["few"].wake_ups == few.wake_ups.sum() == 42
    assert did["few"].wake_ups_per_node_day == pytest.approx(42 / 3.5)
    slept_h = few.residency_sleep_s.sum() / 3600
    assert did["few"].asleep_per_wake_up_h == pytest.approx(slept_h / 42)
    assert did["more"].shares == {"off": 1.0}
    assert did["more"].asleep_per_wake_up_h is None
    ladders = cluster_ladders(found.scenario)
    assert [ladder.in_use for ladder in ladders] == [True, True]
    text = "\n".join(ladder_lines(ladders, did))
    assert "42 wake-ups, 12 a node and day" in text
    assert "more in this run: off 100.0 %" in text
    assert widest(text) <= 80


def test_factors_of_a_run_that_sleeps_name_every_kind_of_energy(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")
    found = api.run(api.load(tmp_path / "tiny.toml").replace(IN_USE)).results
    few, more = factors_of(found)
    assert all(kwh > 0 for kwh in few.kinds_kwh.values())
    assert more.energy_it_kwh == pytest.approx(3 * 0.05 * 42)
    total_kg = few.total_kgco2e + more.total_kgco2e
    assert total_kg == pytest.approx(found.summary["total_kgco2e"], rel=1e-12)


def test_a_timeout_that_is_too_short_is_warned_of_by_every_verb(shell: Shell) -> None:
    words = ("tiny.toml", "--set", "clusters.few.idle=ladder")
    for verb in ("validate", "show", "explain", "run"):
        code, _, err = shell(verb, *words)
        assert code == 0
        assert "nodes.small.idle_states[0].after: 30 s is below the break-even gap of" in err
    (folder,) = Path("runs").iterdir()
    warnings = json.loads((folder / "manifest.json").read_text())["warnings"]
    assert "30 s is below the break-even gap of 46.22 s" in warnings[0]
    assert json.loads(shell("explain", folder, "--json")[1])["warnings"] == warnings


@pytest.mark.parametrize("name", catalog.names("nodes"))
def test_the_ladder_of_a_catalog_node_runs_as_it_stands(name: str) -> None:
    document = scenario_document(horizon="12 h")
    del document["nodes"]
    document["clusters"]["c"] |= {"node": name, "idle": "ladder"}
    document["workloads"] = {
        "w": {
            "clusters": ["c"],
            "arrivals": {"process": "regular", "every": "6 h"},
            "duration": "10 min",
            "gpus": 1,
        }
    }
    scenario = from_document(document)
    assert scenario.warnings == ()
    did = residencies(api.run(scenario).results)["c"]
    states = [state.name.replace("-", "_") for state in scenario.nodes[name].idle_states]
    assert set(states) <= set(did.shares)
    assert did.wake_ups == 1


# -- jobs ---------------------------------------------------------------------------------------


def test_no_utilisation_is_worked_back_where_a_budget_may_have_capped_the_job() -> None:
    """A capped job draws less for another reason than its utilisation."""
    level = {"name": "cap", "speed": 0.8, "busy_power": "350 W"}
    document = scenario_document(
        nodes={"power_levels": [level]},
        workloads__w={
            "clusters": ["c"],
            "arrivals": {"process": "regular", "every": "5 h"},
            "duration": "1 h",
            "gpus": 8,
        },
    )
    free = run(from_document(document)).results
    document["clusters"]["c"]["power_budget"] = "400 W"
    capped = run(from_document(document)).results
    assert capped.summary["jobs_capped"] == 2
    for results, expected in ((free, 1.0), (capped, None)):
        bill = job_bill(results, results.jobs["job_id"][0])
        assert bill.utilisation == (expected and pytest.approx(expected, rel=1e-12))


def test_the_bill_of_a_job_multiplies_to_its_row(shell: Shell) -> None:
    found = results()
    rows = found.jobs.set_index("job_id")
    checked = 0
    for job_id, row in rows[rows.operational_kgco2e > 0].iterrows():
        bill = job_bill(found, str(job_id))
        assert bill.pue is not None
        assert bill.intensity_g_per_kwh is not None
        assert bill.utilisation == pytest.approx(0.5, rel=1e-9)
        node = found.scenario.nodes[found.scenario.clusters[bill.cluster].node]
        idle_w = node.idle_power_w * 3 / node.accelerators
        dynamic_w = 0.5 * 3 / node.accelerators * (node.busy_power_w - node.idle_power_w)
        assert bill.idle_share_w == pytest.approx(idle_w, rel=1e-9)
        assert bill.dynamic_w == pytest.approx(dynamic_w, rel=1e-9)
        it_kwh = (idle_w + dynamic_w) * bill.held_h / 1000
        product = it_kwh * bill.pue * bill.intensity_g_per_kwh / 1000
        assert product == pytest.approx(row.operational_kgco2e, rel=1e-9)
        embodied = 3 / node.accelerators * node.embodied_kg * bill.held_h / bill.lifetime_h
        assert embodied == pytest.approx(row.embodied_kgco2e, rel=1e-9)
        checked += 1
    assert checked > 20


def test_the_intensity_of_a_job_is_the_mean_of_the_grid_over_its_run(shell: Shell) -> None:
    found = results()
    row = found.jobs.query("cluster == 'few' and state == 'finished' and start_s > 30000").iloc[0]
    hourly = found.hourly.query("cluster == 'few'")
    since_s = (hourly.time.astype("int64") / 1e3 - found.scenario.start.timestamp()).to_numpy()
    overlap_s = np.minimum(since_s + 3600, row.end_s) - np.maximum(since_s, row.start_s)
    overlap_s = np.clip(overlap_s, 0, None)
    mean = float(hourly.intensity_average_g_per_kwh.to_numpy() @ overlap_s / overlap_s.sum())
    bill = job_bill(found, row.job_id)
    assert bill.intensity_g_per_kwh == pytest.approx(mean, rel=1e-9)
    assert bill.pue == pytest.approx(1.2, rel=1e-12)


FIXED = {"model": "load", "fixed": "500 W", "proportional": 0.1}
BEND = {"points": [[0.0, "100 W"], [0.5, "200 W"], [1.0, "300 W"]]}
"""A straight line, written as a curve."""


@pytest.mark.parametrize("interval", ["5 min", "15 min", "1 h", "1 d"])
@pytest.mark.parametrize("curve", ["linear", BEND], ids=["linear", "points"])
def test_the_factors_of_a_job_are_its_own_whatever_the_interval(
    tmp_path: Path, interval: str, curve: object
) -> None:
    """Fixed losses of an hour are borne by the IT energy of that hour, by two jobs in the second.

    Job 0 draws 200 W of the first hour's 200 W, and 150 W of 300 W in half of the second, whose
    node draws 0.15 kWh then and 0.1 kWh once it is alone there.
    """
    rows = [(0, 5400, 1, 1.0), (3600, 3600, 1, 1.0)]
    grid = write_grid(tmp_path / "grid.csv", "2022-01-01T00:00:00Z", MS_PER_H, [100, 400, 100, 100])
    found = run(
        from_document(
            scenario_document(
                write_jobs(tmp_path / "jobs.csv", rows),
                nodes={"accelerators": 2, "busy_power": "300 W", "load_curve": curve},
                grid=file_grid(grid),
                horizon="4 h",
                sites__s__pue=FIXED,
                accounting={"interval": interval},
            )
        )
    ).results
    first, second = job_bill(found, "j0"), job_bill(found, "j1")
    # 150 W of job 0: its own 100 W and half of the node's idle 100 W.
    pues = (1.1 + 0.5 / 0.2, 1.1 + 0.5 / 0.25)
    facility_kwh = 0.15 * pues[0] + 0.075 * pues[1]
    assert first.energy_facility_kwh == pytest.approx(facility_kwh, rel=1e-12)
    assert first.pue == pytest.approx(facility_kwh / 0.225, rel=1e-12)
    grams = 0.15 * pues[0] * 100 + 0.075 * pues[1] * 400
    assert first.intensity_g_per_kwh == pytest.approx(grams / facility_kwh, rel=1e-12)
    assert first.operational_kgco2e == pytest.approx(grams / 1000, rel=1e-12)
    assert (second.pue, second.intensity_g_per_kwh) == (
        pytest.approx(pues[1], rel=1e-12),
        pytest.approx(400.0, rel=1e-12),
    )


def test_a_job_is_printed_factor_by_factor(shell: Shell) -> None:
    job_id = str(results().jobs.query("operational_kgco2e > 0").job_id.iloc[0])
    code, out, err = shell("explain", "out", "--job", job_id)
    assert (code, err) == (0, "")
    assert widest(out) <= 80
    lines = out.splitlines()
    assert lines[0].startswith(f"{job_id}: finished, of w, on ")
    printed = {
        line[2:25].strip(): numbers(line[25:])[0] for line in lines[1:] if numbers(line[25:])
    }
    product = printed["x h / 1000 = IT energy"] * printed["x PUE"] * printed["x intensity"] / 1000
    assert product == pytest.approx(printed["/ 1000 = operational"], rel=1e-5)
    document = json.loads(shell("explain", "out", "--job", job_id, "--json")[1])
    assert document["job"]["job_id"] == job_id
    assert document["job"]["total_kgco2e"] == pytest.approx(printed["= total"], rel=1e-5)


def test_a_job_cut_off_by_the_horizon_is_billed_until_then(shell: Shell) -> None:
    found = results()
    row = found.jobs.query("state == 'running'").iloc[-1]
    bill = job_bill(found, row.job_id)
    assert bill.held_h == pytest.approx(48 - row.start_s / 3600)
    assert bill.state == "running"


def test_a_job_before_the_counted_period_is_billed_nothing(shell: Shell) -> None:
    out = shell("explain", "out", "--job", "w-0000001")[1]
    assert "it held nothing in the counted period, and is billed nothing" in out


@pytest.mark.parametrize(
    ("asked", "near"),
    [("w-1", "w-0000001"), ("w-00000012", "w-0000012"), ("W-0000007", "w-0000007")],
)
def test_an_unknown_job_is_refused_with_the_nearest(shell: Shell, asked: str, near: str) -> None:
    code, out, err = shell("explain", "out", "--job", asked)
    assert (code, out) == (2, "")
    assert err == (
        f'tiny: 1 problem\n  --job  "{asked}" is not a job of this run; did you mean "{near}"?\n'
    )


def test_any_unknown_job_is_answered_with_one_there_is(shell: Shell) -> None:
    for asked in ("zzz", "", "é" * 500, "w-99999999999999999999"):
        code, _, err = shell("explain", "out", "--job", asked)
        assert code == 2
        assert 'did you mean "w-0000' in err


def test_a_run_without_jobs_has_none_to_name(shell: Shell) -> None:
    text = TINY[: TINY.index("[workloads.w]")]
    Path("empty.toml").write_text(text, encoding="utf-8")
    assert shell("run", "empty.toml", "-o", "none", "--quiet")[0] == 0
    code, _, err = shell("explain", "none", "--job", "a")
    assert code == 2
    assert "is not a job of this run; it has none" in err
    assert shell("explain", "none")[0] == 0


# -- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent.toml"], "absent.toml"),
        (["nosuch"], "neither a file nor a scenario that ships"),
        (["."], "this is no run's folder"),
        (
            ["tiny.toml", "--job", "w-1"],
            "--job  a scenario has no results; name the folder of a run",
        ),
        (["out", "--set", "seed=1"], "--set  results stay as they are"),
    ],
)
def test_what_cannot_be_explained_is_refused(shell: Shell, words: list[str], said: str) -> None:
    code, out, err = shell("explain", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    document = json.loads(shell("explain", *words, "--json")[1])
    assert document["error"] == "refused"


def test_a_folder_called_as_a_shipped_scenario_is_only_a_run_if_one_lies_there(
    shell: Shell,
) -> None:
    Path("hello").mkdir()
    assert "west, east: 64 x hgx-a100" in shell("explain", "hello")[1]
    Path("hello").rmdir()
    Path("out").rename("hello")
    assert "few at here" in shell("explain", "hello")[1]


def test_a_bill_of_nothing_drawn_has_no_factors() -> None:
    document = scenario_document(nodes={"idle_power": "0 W", "busy_power": "1 W"})
    found = api.run(from_document(document)).results
    (each,) = factors_of(found)
    assert (each.pue, each.intensity_g_per_kwh, each.operational_kgco2e) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.1, "1.1"), (97503.264, "97,503.26"), (40320.0, "40,320"), (0.0, "0"), (100.0, "100")],
)
def test_numbers_keep_the_digits_of_a_product(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0.0, "0 s"), (125.0, "2.08 min"), (float("inf"), "never"), (0.65, "0.65 s")],
)
def test_times_have_three_digits(time_s: float, text: str) -> None:
    assert time_text(time_s) == text
    assert power_text(1250.0) == "1.25 kW"
    assert power_text(7.5) == "7.5 W"


@pytest.mark.parametrize("words", [[], ["--view", "sci"], ["--figure", "energy_it_kwh"]])
def test_a_folder_that_was_edited_is_not_explained(shell: Shell, words: list[str]) -> None:
    assert shell("explain", "out", *words)[0] == 0
    summary = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    text = json.dumps(summary | {"energy_it_kwh": summary["energy_it_kwh"] + 1.0})
    Path("out/summary.json").write_text(text, encoding="utf-8")
    code, out, err = shell("explain", "out", *words)
    assert (code, out) == (2, "")
    assert "summary.json" in err
