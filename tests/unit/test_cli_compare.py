"""``fleetsim compare``: what it prints and writes, and which words it refuses."""

import json
from pathlib import Path

import pytest

from simulator.cli.compare import distinct
from simulator.rare_columns import SUPPLY_SUMMARY
from tests.unit.conftest import Shell

BASE = """
schema  = 1
name    = "base"
start   = 2022-06-01T00:00:00Z
horizon = "2 d"
seed    = 3
[sites.here]
pue  = 1.2
grid = { average = "CISO", marginal = "CAISO" }
[clusters.few]
site  = "here"
node  = "hgx-a100"
count = 3
[workloads.small]
clusters = ["few"]
arrivals = { process = "poisson", rate = "20 per d" }
duration = { p50 = "90 min", p99 = "9 h" }
gpus     = 4
"""
SLEEP = """
extends = "base.toml"
name    = "sleep"
[clusters.few]
idle = "ladder"
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """Run commands in a folder that holds base.toml and sleep.toml."""
    Path("base.toml").write_text(BASE, encoding="utf-8")
    Path("sleep.toml").write_text(SLEEP, encoding="utf-8")
    return shell


def leftovers() -> set[str]:
    return {path.name for path in Path.cwd().iterdir()} - {"base.toml", "sleep.toml"}


def test_a_table_of_eighty_columns_says_what_is_compared_and_how(shell: Shell) -> None:
    code, out, err = shell("compare", "base.toml", "sleep.toml", "--seeds", 4, "--no-progress")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    said = " ".join(out.split())
    assert "sleep against base: 4 seeds (3 to 6), the same on every side" in said
    assert "differences are paired by seed" in said
    assert "95 % interval" in said
    assert "absent on a side, so not compared: market-based carbon, cost, water" in said
    assert "location-based: average, life-cycle, production-based, CISO 2022" in said
    assert "marginal: direct, mix not stated, CAISO 2020" in said
    words = ("total [", "facility [", "p99 [", "allocation", "SCI [", "wake-ups", "finished")
    for word in words:
        assert any(word in line for line in lines), word
    total = next(line for line in lines if "total [" in line)
    assert " ± " in total
    assert total.endswith("% *")
    assert leftovers() == set()


def test_without_seeds_there_are_twenty(shell: Shell) -> None:
    code, out, _ = shell("compare", "base.toml", "sleep.toml", "--json", "--jobs", 2)
    document = json.loads(out)
    assert code == 0
    assert document["seeds"] == list(range(3, 23))
    assert document["names"] == ["base", "sleep"]
    total = document["differences"][0]
    assert (total["quantity"], total["n"], total["clear"]) == ("total_kgco2e", 20, True)
    assert total["low"] < total["difference"] < total["high"]
    assert document["absent"]["sleep"] == [
        "scope2_market_kgco2e", "cost_total", "goodput", "gpu_hours_lost", "gpu_hours_preempted",
        "gpu_hours_shared", "slowdown_interference_mean", "failures", "preemptions", "water_l",
        "cost_electricity", "cost_machines", "ettr", "cross_rack_share",
        *(column.name for column in SUPPLY_SUMMARY),
    ]  # fmt: skip
    assert document["folder"] is None


def test_one_seed_works_and_says_that_it_has_no_interval(shell: Shell) -> None:
    code, out, _ = shell("compare", "base.toml", "sleep.toml", "--seeds", 1)
    assert code == 0
    assert "one seed gives no interval" in " ".join(out.split())
    assert "±" not in out
    code, out, _ = shell("compare", "base.toml", "sleep.toml", "--seeds", 1, "--json")
    assert {row["low"] for row in json.loads(out)["differences"]} == {None}


def test_a_set_applies_to_every_side(shell: Shell) -> None:
    words = ("--set", "clusters.few.count=5", "--seeds", 2, "--json")
    code, out, _ = shell("compare", "base.toml", "sleep.toml", *words)
    assert code == 0
    rows = {row["quantity"]: row for row in json.loads(out)["differences"]}
    capacity = rows["gpu_hours_capacity"]
    assert capacity["base_mean"] == capacity["other_mean"] == 5 * 8 * 48


def test_a_folder_is_written_whole_or_not_at_all(shell: Shell) -> None:
    words = ("compare", "base.toml", "sleep.toml", "--seeds", 2, "-o", "out")
    code, out, _ = shell(*words)
    assert code == 0
    assert out.endswith("written to out\n")
    assert {path.name for path in Path("out").iterdir()} == {
        "comparison.csv", "comparison.json", "figures", "manifest.json", "runs.parquet",
        "scenarios",
    }  # fmt: skip
    assert {path.name for path in Path("out/scenarios").iterdir()} == {"base.toml", "sleep.toml"}
    before = Path("out/comparison.csv").read_bytes()
    code, out, err = shell(*words)
    assert (code, out) == (2, "")
    assert "--overwrite" in err
    assert shell(*words, "--overwrite")[0] == 0
    assert Path("out/comparison.csv").read_bytes() == before
    assert leftovers() == {"out"}
    code, out, err = shell("compare", "out", "out")
    assert code == 2
    assert "no run's folder" in err


def test_identical_scenarios_are_warned_of_and_differ_by_nothing(shell: Shell) -> None:
    code, out, err = shell("compare", "base.toml", "base.toml", "--seeds", 2, "--json")
    assert code == 0
    assert "warning: base (2) gives exactly the figures of base" in err
    rows = json.loads(out)["differences"]
    assert {row["difference"] for row in rows} <= {0.0, None}
    assert sum(row["difference"] == 0.0 for row in rows) > 20


def test_finished_runs_are_compared_by_their_folders(shell: Shell) -> None:
    for name in ("base", "sleep"):
        assert shell("run", f"{name}.toml", "-o", f"runs/{name}", "--quiet")[0] == 0
    code, out, _ = shell("compare", "runs/base", "runs/sleep", "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["names"], document["seeds"]) == (["base", "sleep"], [3])
    rows = {row["quantity"]: row for row in document["differences"]}
    summaries = [
        json.loads(Path(f"runs/{name}/summary.json").read_text()) for name in ("base", "sleep")
    ]
    for quantity, row in rows.items():
        values = [summary.get(quantity) for summary in summaries]
        expected = None if None in values else values[1] - values[0]
        assert row["difference"] == expected
        assert row["low"] is None
    for words, message in (
        (("runs/base", "sleep.toml"), "is a scenario, and the others are finished runs"),
        (("runs/base", "runs/sleep", "--seeds", 3), "finished runs have their seed"),
        (("runs/base", "runs/sleep", "--set", "seed=3"), "results stay as they are"),
    ):
        code, out, err = shell("compare", *words)
        assert (code, out) == (2, "")
        assert message in err


def test_finished_runs_of_other_seeds_are_refused(shell: Shell) -> None:
    shell("run", "base.toml", "-o", "a", "--quiet")
    shell("run", "sleep.toml", "-o", "b", "--quiet", "--seed", 4)
    code, out, err = shell("compare", "a", "b", "--force")
    assert (code, out) == (2, "")
    assert "sleep  its seed is 4, of base 3" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Missing argument"),
        (("base.toml",), "base.toml  there is nothing to compare it with"),
        (("base.toml", "sleep.toml", "--seeds", "0"), "0 is too few"),
        (("base.toml", "sleep.toml", "--seeds", "-1"), "-1 is too few"),
        (("base.toml", "sleep.toml", "--seeds", "1.5"), "Invalid value for '--seeds'"),
        (("base.toml", "sleep.toml", "--seeds", "x"), "Invalid value for '--seeds'"),
        (("base.toml", "sleep.toml", "--seeds", "9999999"), "more than 10,000"),
        (("base.toml", "sleep.toml", "--jobs", "0"), "--jobs  0 is too few"),
        (("base.toml", "no.toml"), "no.toml"),
        (("base.toml", "sleep.toml", "-o", "."), "is the current folder"),
        (("base.toml", "sleep.toml", "-o", "base.toml"), "is a file"),
    ],
)
def test_words_that_make_no_sense_are_refused(
    shell: Shell, words: tuple[str, ...], message: str
) -> None:
    code, out, err = shell("compare", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert leftovers() == set()


def test_what_is_wrong_with_several_files_is_told_at_once(shell: Shell) -> None:
    Path("bad.toml").write_text(BASE.replace("count = 3", "count = -3"))
    code, _, err = shell("compare", "base.toml", "bad.toml", "gone.toml")
    assert code == 2
    assert "compare: 2 problems" in err
    assert "bad.toml: clusters.few.count" in err
    assert "gone.toml" in err


def test_unlike_scenarios_are_refused_unless_forced(shell: Shell) -> None:
    longer = SLEEP.replace('name    = "sleep"', 'name = "longer"\nhorizon = "3 d"')
    Path("longer.toml").write_text(longer)
    code, out, err = shell("compare", "base.toml", "longer.toml", "--seeds", 2)
    assert (code, out) == (2, "")
    assert "longer  its horizon is 3 d, of the base 2 d; write the same in both, or force" in err
    code, out, err = shell("compare", "base.toml", "longer.toml", "--seeds", 2, "--force")
    assert code == 0
    assert "warning: longer is unlike base: its horizon is 3 d" in err


def test_quiet_says_nothing_and_progress_goes_to_stderr(shell: Shell) -> None:
    code, out, err = shell("compare", "base.toml", "sleep.toml", "--seeds", 2, "--quiet")
    assert (code, out, err) == (0, "", "")


@pytest.mark.parametrize(
    ("names", "paths", "expected"),
    [
        (["a", "b"], ["x.toml", "y.toml"], ["a", "b"]),
        (["a", "a"], ["x.toml", "y.toml"], ["x", "y"]),
        (["a", "a", "b"], ["x.toml", "y.toml", "z.toml"], ["x", "y", "b"]),
        (["a", "a"], ["p/x.toml", "q/x.toml"], ["p/x.toml", "q/x.toml"]),
        (["a", "a"], ["x.toml", "x.toml"], ["a", "a (2)"]),
        (["a", "a", "a"], ["x.toml", "x.toml", "y.toml"], ["a", "a (2)", "y"]),
        (["x", "a", "a"], ["w.toml", "x.toml", "y.toml"], ["x", "x.toml", "y"]),
    ],
)
def test_sides_have_names_of_their_own(
    names: list[str], paths: list[str], expected: list[str]
) -> None:
    files = [Path(path) for path in paths]
    assert distinct(names, [file.stem for file in files], files) == expected
