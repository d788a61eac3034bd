"""A finished run billed again from its folder: the same numbers as a run with those assumptions."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import simulator as fs
from simulator import api
from simulator.bills import Bill, bill_folder
from simulator.errors import InputError
from simulator.explanation.bill import _change
from simulator.origin import Origin
from simulator.results import Results, load_results, save
from simulator.scenario import from_document
from simulator.terms import Terms
from simulator.units import MS_PER_H
from tests.builders import file_grid, scenario_document, write_grid, write_jobs
from tests.unit.conftest import Shell

SAME = 1e-12
LOAD = (
    "warning: offered load 1.212 of capacity: the queue grows without limit (workloads: w; "
    "clusters: c)\n"
)
HOURS = [120.0, 480.0, 90.0, 300.0, 250.0, 700.0, 30.0, 410.0, 200.0, 350.0, 275.0, 125.0]
FIXED = {"model": "load", "fixed": "300 W", "proportional": 0.07}
PRICED = {
    "sites__s__electricity_price": "0.2 EUR/kWh",
    "nodes__n__price": "90000 EUR",
    "nodes__n__embodied": "1300 kg",
}
STATES = [{"name": "nap", "after": "10 min", "power": "20 W", "wake_time": "3 min"}]


def jobs_of(folder: Path) -> Path:
    """Write jobs of all lengths, of which the first begin within the warm-up."""
    rng = np.random.default_rng(5)
    rows = [
        (int(at), int(length), int(gpus), float(busy))
        for at, length, gpus, busy in zip(
            np.sort(rng.integers(0, 30000, 40)),
            rng.integers(0, 9000, 40),
            rng.choice([1, 2, 3, 8], 40),
            rng.random(40),
            strict=True,
        )
    ]
    return write_jobs(folder / "jobs.csv", [*rows, (31000, 9000, 16, 0.5)])


def fresh(folder: Path, **keys: Any) -> fs.Scenario:
    """Return two nodes and a grid of a file, with these keys."""
    (folder / "in").mkdir(exist_ok=True)
    path = write_grid(folder / "in/grid.csv", "2022-01-01T00:00:00Z", MS_PER_H, 2 * HOURS)
    common = {"clusters__c__count": 2, "warm_up": "90 min", "nodes": {"idle_states": STATES}}
    document = scenario_document(
        jobs_of(folder / "in"), **{**common, "grid": file_grid(path), **keys}
    )
    return from_document(document)


def saved(scenario: fs.Scenario, folder: Path) -> Path:
    save(api.run(scenario).results, folder / "out")
    return folder / "out"


def assert_same(billed: Results, run: Results, *, key: bool = True) -> None:
    """Hold every figure, every row and every word of two results against one another."""
    for name, value in run.summary.items():
        other = billed.summary[name]
        if name == "key" and not key:
            continue
        if isinstance(value, float) and isinstance(other, float):
            # What is left of two sums that are almost the same has their digits, not its own.
            scale = run.summary["total_kgco2e"] if name == "unallocated_kgco2e" else value
            assert math.isclose(other, value, rel_tol=SAME, abs_tol=SAME * abs(scale)), name
        else:
            assert other == value, name
    for name, table in run.tables.items():
        other = billed.tables[name]
        assert other.schema.equals(table.schema)
        for column in table.column_names:
            assert_equal_columns(other[column], table[column], f"{name}.{column}")
    assert billed.basis == run.basis
    assert billed.assumptions == run.assumptions
    billed_files, run_files = (
        {(Path(name).name, sha256) for name, sha256 in each.inputs} for each in (billed, run)
    )
    assert billed_files == run_files
    assert set(billed.warnings) == set(run.warnings)


def assert_equal_columns(one: pa.ChunkedArray, other: pa.ChunkedArray, name: str) -> None:
    if pa.types.is_floating(other.type):
        left, right = (each.to_numpy(zero_copy_only=False) for each in (one, other))
        np.testing.assert_allclose(left, right, rtol=SAME, atol=0, err_msg=name)
    else:
        assert one.to_pylist() == other.to_pylist(), name


def billed_as_run(folder: Path, scenario: fs.Scenario, terms: Terms) -> Bill:
    """Bill a run again and hold it against a run under these terms."""
    bill = bill_folder(saved(scenario, folder), terms)
    assert_same(bill.results, api.run(terms.of(scenario)).results)
    return bill


TERMS = {
    "nothing": Terms(),
    "constant": Terms(average={"constant": "380 g/kWh"}, pue=1.4),
    "catalog": Terms(average="PJM", marginal={"constant": "500 g/kWh"}),
    "marginal": Terms(marginal="CAISO"),
    "fixed losses": Terms(average="ERCO", pue=FIXED),
    "machines": Terms(embodied="2000 kg", lifetime={"n": "6 y"}, electricity_price="0.1 USD/kWh"),
}


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"drain": True, "sites__s__pue": FIXED, "clusters__c__idle": "ladder"},
        {"accounting": {"interval": "15 min"}, "start": "2022-01-01T00:20:00Z"},
    ],
    ids=["plain", "drain", "quarters"],
)
def test_a_bill_from_tables_is_that_of_a_run(
    tmp_path: Path, terms: Terms, keys: dict[str, Any]
) -> None:
    if "start" in keys:
        keys = keys | {"horizon": "9 h"}
    bill = billed_as_run(tmp_path, fresh(tmp_path, **keys), terms)
    assert bill.again is None
    assert bill.results.billed_from == bill.base.key


def test_prices_and_machines_are_billed_too(tmp_path: Path) -> None:
    scenario = fresh(tmp_path, **PRICED)
    terms = Terms(lifetime="8 y", electricity_price="0.4 EUR/kWh")
    bill = billed_as_run(tmp_path, scenario, terms)
    was, now = bill.base.summary, bill.results.summary
    assert now["cost_electricity"] == pytest.approx(2 * was["cost_electricity"], rel=SAME)
    assert now["cost_machines"] == pytest.approx(was["cost_machines"] / 2, rel=SAME)
    assert now["scope3_embodied_kgco2e"] == pytest.approx(
        was["scope3_embodied_kgco2e"] / 2, rel=SAME
    )


def test_jobs_that_fit_nowhere_are_billed_nothing(tmp_path: Path) -> None:
    drawn = {
        "clusters": ["c"],
        "arrivals": {"process": "regular", "every": "40 min"},
        "duration": "1 h",
        "gpus": {"choices": [2, 64], "weights": [0.5, 0.5]},
    }
    scenario = fresh(tmp_path, workloads={"w": drawn})
    bill = billed_as_run(tmp_path, scenario, Terms(average="PJM", pue=1.3))
    assert bill.results.summary["jobs_unschedulable"] > 0


def test_two_sites_of_which_one_has_no_marginal_signal(tmp_path: Path) -> None:
    scenario = fresh(
        tmp_path,
        sites__t={"pue": 1.3, "grid": {"average": "CISO", "marginal": "CAISO"}},
        clusters__d={"site": "t", "node": "hgx-a100", "count": 1},
        workloads__w__clusters=["c", "d"],
    )
    bill = billed_as_run(tmp_path, scenario, Terms(pue=1.2))
    assert bill.again is None
    assert bill.results.summary["marginal_kgco2e"] is None
    assert bill.results.tables["jobs"]["marginal_kgco2e"].null_count > 0


BENT = {"load_curve": {"exponent": 1.4}, "embodied": "900 kg"}
PLAN = {
    "policy": "capacity-planner", "most": 6, "target": 1.0, "lead_time": "2 h", "every": "1 h",
    "sample": "30 min",
}  # fmt: skip
AGAIN: dict[str, tuple[dict[str, Any], Terms, str | None]] = {
    "edges within an interval": (
        {"accounting": {"interval": "1 d"}},
        Terms(average="PJM"),
        "sites.s.grid.average changes within a reporting interval of 1 d",
    ),
    "no edges": ({"accounting": {"interval": "1 d"}}, TERMS["constant"], None),
    "a bent curve": (
        {"nodes": BENT},
        Terms(pue=1.5),
        "jobs share nodes whose load curve bends, on c",
    ),
    "a bent curve on a constant grid": ({"nodes": BENT}, TERMS["constant"], None),
    "nodes that come later": (
        {"clusters__c__idle": PLAN, "nodes": {"embodied": "700 kg"}},
        Terms(average="PJM", pue=1.5, embodied="900 kg"),
        None,
    ),
    "failures": (
        {"nodes": {"failures": {"mtbf": "5 h", "repair": "10 min"}}},
        Terms(average="PJM", pue=1.5),
        "was cut short by a failed node",
    ),
    "sharing": (
        {"clusters__c__sharing": {"jobs": 2}},
        Terms(average="PJM"),
        "shared its accelerator",
    ),
}


@pytest.mark.parametrize(("keys", "terms", "why"), AGAIN.values(), ids=AGAIN)
def test_what_tables_do_not_tell_is_run_again(
    tmp_path: Path, keys: dict[str, Any], terms: Terms, why: str | None
) -> None:
    bill = billed_as_run(tmp_path, fresh(tmp_path, **keys), terms)
    assert (bill.again or "").endswith(why or "")
    assert (bill.again is None) is (why is None)


def test_a_run_that_was_preempted_is_run_again(tmp_path: Path) -> None:
    rows = [(0, 9000, 8, 0.5, 0), (3600, 3600, 8, 0.5, 1)]
    text = "\n".join(",".join(map(str, (f"j{at}", *row))) for at, row in enumerate(rows))
    columns = "job_id,submit_s,duration_s,gpus,utilisation,priority\n"
    (tmp_path / "p.csv").write_text(columns + text + "\n", encoding="utf-8")
    grid = file_grid(write_grid(tmp_path / "g.csv", "2022-01-01T00:00:00Z", MS_PER_H, HOURS))
    document = scenario_document(tmp_path / "p.csv", grid=grid)
    document["clusters"]["c"] |= {"queue": "priority", "preemption": "restart"}
    bill = billed_as_run(tmp_path, from_document(document), Terms(pue=1.25))
    assert bill.again == "job j0 was preempted"


def test_a_bill_can_be_billed_again(tmp_path: Path) -> None:
    scenario = fresh(tmp_path)
    first = bill_folder(saved(scenario, tmp_path), Terms(average="MISO"))
    save(first.results, tmp_path / "two")
    second = bill_folder(tmp_path / "two", Terms(pue=1.5))
    assert second.results.billed_from == first.base.key
    assert_same(second.results, api.run(Terms(average="MISO", pue=1.5).of(scenario)).results)


def test_the_python_face_bills_a_folder_too(tmp_path: Path) -> None:
    scenario = fresh(tmp_path)
    opened = fs.open_run(saved(scenario, tmp_path))
    done = fs.run(scenario)
    words: dict[str, Any] = {"grid": "PJM", "pue": 1.3, "embodied": "700 kg", "lifetime": "3 y"}
    assert_same(opened.bill(**words).results, done.bill(**words).results)
    assert done.bill(**words).results.billed_from == done.results.key


def test_policies_that_look_at_what_changes_are_told_of(shell: Shell, tmp_path: Path) -> None:
    keys = {
        "sites__t": {"pue": 1.3, "grid": {"average": "CISO"}},
        "clusters__d": {"site": "t", "node": "n", "count": 2},
        "workloads__w__clusters": {"policy": "least-energy", "among": ["c", "d"]},
    }
    folder = saved(fresh(tmp_path, **keys), tmp_path)
    decided = {
        terms: bill_folder(folder, terms).decided
        for terms in (Terms(average="PJM"), Terms(lifetime="5 y"), Terms(pue=1.2))
    }
    assert list(decided.values()) == [None, None, "the dispatch policy least-energy"]
    words = " ".join(shell("bill", folder, "--pue", "1.2")[1].split())
    assert "what the dispatch policy least-energy decided stays" in words
    (tmp_path / "planned").mkdir()
    planned = saved(fresh(tmp_path / "planned", clusters__c__idle=PLAN), tmp_path / "planned")
    assert bill_folder(planned, Terms(pue=1.2)).decided is None
    assert bill_folder(planned, Terms(lifetime="5 y")).decided == "the policy capacity-planner"


def test_an_origin_tells_whether_policies_in_python_took_part() -> None:
    assert not Origin((), "").has_policies
    assert not Origin((), '[["law"],[]]').has_policies
    assert Origin((), '[[],[["mine","code"]]]').has_policies
    assert Origin((), '[[],[],{"dispatch":[["mine","code"]]}]').has_policies


# -- refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["scenario.toml", "summary.json", "jobs.parquet", "hourly.parquet"]
)
def test_a_changed_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = saved(fresh(tmp_path), tmp_path)
    content = (folder / name).read_bytes()
    changed = content.replace(b"test", b"tesT") if name.endswith(("toml", "json")) else content
    (folder / name).write_bytes(changed if changed != content else content + b"\n")
    with pytest.raises(InputError, match="its SHA-256 is not the manifest's"):
        bill_folder(folder, Terms(pue=1.2))


def test_a_grid_that_has_changed_since_is_refused_where_it_is_still_billed_by(
    tmp_path: Path,
) -> None:
    folder = saved(fresh(tmp_path), tmp_path)
    write_grid(tmp_path / "in/grid.csv", "2022-01-01T00:00:00Z", MS_PER_H, HOURS[::-1])
    with pytest.raises(InputError, match="is not what the run read; name its grid anew"):
        bill_folder(folder, Terms(pue=1.2))
    assert bill_folder(folder, Terms(average="PJM")).again is None


def test_jobs_may_have_gone_where_tables_tell_enough(tmp_path: Path) -> None:
    scenario = fresh(tmp_path)
    terms = Terms(average="PJM", pue=1.2)
    run = api.run(terms.of(scenario)).results
    folder = saved(scenario, tmp_path)
    (tmp_path / "in/jobs.csv").unlink()
    assert_same(bill_folder(folder, terms).results, run)


def test_a_scenario_that_does_not_come_to_the_same_is_refused(tmp_path: Path) -> None:
    """A folder without seals is run again; the jobs have changed since."""
    folder = saved(fresh(tmp_path), tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert bill_folder(folder, Terms()).again == "its manifest seals no files"
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"wait_mean_h": 77.0}))
    with pytest.raises(InputError, match="does not come to the same wait_mean_h, 77"):
        bill_folder(folder, Terms())
    write_jobs(tmp_path / "in/jobs.csv", [(0, 100, 1, 0.5)])
    with pytest.raises(InputError, match="a file that it read, or a policy of your own"):
        bill_folder(folder, Terms())


def test_every_refused_term_is_named(tmp_path: Path) -> None:
    folder = saved(fresh(tmp_path), tmp_path)
    with pytest.raises(InputError) as caught:
        bill_folder(folder, Terms(average="nowhere", pue=0.4, lifetime="2 kg"))
    paths = {issue.path for issue in caught.value.issues}
    assert paths == {"sites.s.grid.average", "sites.s.pue", "nodes.n.lifetime"}
    with pytest.raises(InputError, match='"m" is no node type of a cluster; there are n'):
        bill_folder(folder, Terms(embodied={"m": "1 kg"}))


# -- the command --------------------------------------------------------------------------------


@pytest.fixture
def hello(shell: Shell, tmp_path: Path) -> Path:
    return saved(fresh(tmp_path, nodes={"embodied": "600 kg"}), tmp_path)


def test_the_command_shows_what_changes(shell: Shell, hello: Path) -> None:
    code, out, err = shell(
        "bill", hello, "--grid", "380 g/kWh", "--pue", "1.5", "--embodied", "1 t"
    )
    assert (code, err) == (0, LOAD)
    assert max(map(len, out.splitlines())) <= 80
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0].endswith("the same events, from its tables")
    assert "s: PUE 1.5 (scenario), was 1" in lines
    assert "n: embodied carbon 1000 kgCO2e (scenario), was 600 kgCO2e" in lines
    assert any(line.startswith("total carbon") and line.endswith("%") for line in lines)
    assert any(line.startswith("embodied") and line.endswith("+66.7 %") for line in lines)


def test_the_command_as_json_and_into_a_folder(shell: Shell, hello: Path) -> None:
    words = ("--grid", "PJM", "--marginal", "{ constant = '500 g/kWh' }", "--json", "-o", "two")
    code, out, err = shell("bill", hello, *words)
    assert (code, err) == (0, LOAD)
    document = json.loads(out)
    written = load_results("two", sealed=True)
    assert document["was"] == json.loads((hello / "summary.json").read_text())
    assert {key: document[key] for key in written.summary} == written.summary
    assert document["run_again"] is None
    assert document["billed_from"] == written.billed_from == document["was"]["key"]
    assert written.command is not None
    assert written.scenario.sites["s"].grid.average != load_results(hello).scenario.sites["s"].grid
    assert Path("two/report.html").is_file()
    code, _, err = shell("bill", hello, "-o", "two")
    assert (code, "--overwrite" in err) == (2, True)


def test_a_file_of_the_command_line_is_relative_to_where_one_is(shell: Shell, hello: Path) -> None:
    write_grid(Path("here.csv"), "2022-01-01T00:00:00Z", MS_PER_H, HOURS[::-1])
    table = '{ file = "here.csv", time = "time", value = "value", unit = "g/kWh" }'
    code, out, err = shell("bill", hello, "--grid", table, "--json")
    assert (code, err) == (0, LOAD)
    assert json.loads(out)["total_kgco2e"] != json.loads(out)["was"]["total_kgco2e"]


def test_the_command_says_when_it_runs_again(shell: Shell, tmp_path: Path) -> None:
    folder = saved(fresh(tmp_path, accounting={"interval": "1 d"}), tmp_path)
    code, out, err = shell("bill", folder, "--grid", "PJM")
    why = "sites.s.grid.average changes within a reporting interval of 1 d"
    assert (code, err) == (0, f"running the scenario again, since {why} ...\n{LOAD}")
    assert f"run again, since {why}" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pue", "much"), '"much" is not a number'),
        (("--grid", "{ file = "), "not a table of TOML"),
        (("--embodied", "1 kg", "--embodied", "n=2 kg"), "write NODE=VALUE for each"),
        (("--lifetime", "m=2 y"), '"m" is no node type of a cluster; there are n'),
    ],
)
def test_words_that_make_no_sense_are_refused(
    shell: Shell, hello: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = shell("bill", hello, *words)
    assert (code, out) == (2, "")
    assert said in err


def test_a_bill_names_what_its_carbon_stands_on_and_stood_on(shell: Shell, hello: Path) -> None:
    code, out, _ = shell("bill", hello, "--grid", "PJM", "--pue", "1.0")
    text = " ".join(out.split())
    was, now = load_results(hello).basis, json.loads(shell("bill", hello, "--json")[1])["basis"]
    assert code == 0
    assert now == was
    assert f"was {was['average']}" in text
    assert "basis of location-based: average, life-cycle, production-based, PJM 2022; was" in text


def test_rounding_is_no_change() -> None:
    assert _change(1.0, 1.0 + 4e-16) == _change(0.0, 0.0) == "none"
    assert _change(1.0, 1.0 + 1e-9) == "+1.0e-07 %"
