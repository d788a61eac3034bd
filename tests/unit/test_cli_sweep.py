"""``fleetsim sweep``: what it prints, writes and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.sweeps import session
from simulator.sweeps.backends.inline import Inline
from tests.unit.conftest import Shell
from tests.unit.sweep_samples import file, short_grid


def test_a_sweep_prints_its_points_within_80_columns(shell: Shell, tmp_path: Path) -> None:
    code, out, err = shell("sweep", file(tmp_path), "-j", 1, "-o", "study")
    assert code == 0, err
    assert max(map(len, out.splitlines())) <= 80
    assert "few: 6 points x 3 seeds" in out
    assert "18 of 18 runs finished" in out
    assert out.count("always-on") == out.count("ladder") == 3
    assert Path("study/results.parquet").is_file()
    code, out, _ = shell("sweep", file(tmp_path), "-j", 1, "-o", "study")
    assert code == 0
    assert "18 of them known before" in out


def test_json_is_one_document_and_the_rest_goes_to_stderr(shell: Shell, tmp_path: Path) -> None:
    code, out, _ = shell("sweep", file(tmp_path), "-j", 1, "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["points"], document["done"], document["complete"]) == (6, 18, True)
    assert len(document["headlines"]) == 6
    assert Path(document["table"]).is_file()
    assert document["folder"].startswith("runs/few-")


def test_without_a_folder_the_same_sweep_goes_on_in_its_own(shell: Shell, tmp_path: Path) -> None:
    shell("sweep", file(tmp_path), "-j", 1, "--shard", "1/2")
    code, out, _ = shell("sweep", file(tmp_path), "-j", 1, "--json")
    assert code == 0
    assert json.loads(out)["known"] == 9


def test_shards_tell_what_is_left(shell: Shell, tmp_path: Path) -> None:
    code, out, _ = shell("sweep", file(tmp_path), "-j", 1, "--shard", "1/3", "-o", "s")
    assert code == 0
    assert "12 runs are left to other parts" in out
    code, out, _ = shell("sweep", "status", "s")
    assert "6 of 18 runs finished, 0 failed, 12 left" in out
    assert "go on with: fleetsim sweep s/sweep.toml -o s" in out
    assert shell("sweep", "s/sweep.toml", "-o", "s", "-j", 1)[0] == 0
    code, out, _ = shell("sweep", "gc", "s", "--json")
    assert code == 0
    assert json.loads(out)["bytes"] > 0


def test_seed_and_set_reach_the_base(shell: Shell, tmp_path: Path) -> None:
    said = ("--seed", 40, "--set", "sites.here.pue=1.5", "--json")
    _, out, _ = shell("sweep", file(tmp_path), "-j", 1, *said)
    assert json.loads(out)["seeds"] == [40, 41, 42]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--jobs", "0"], "--jobs  0 must be at least 1"),
        (["--shard", "4/3"], "parts are counted from 1 to 3"),
        (["--shard", "x"], "no part of a whole"),
        (["--shard", "auto"], "SLURM_ARRAY_TASK_ID"),
        (["--point-timeout", "5"], "--point-timeout"),
        (["--point-timeout", "0 s"], "longer than 0 s"),
        (["--backend", "dusk"], "did you mean dask?"),
        (["--backend", "local", "--address", "tcp://a:1"], "no address"),
    ],
)
def test_wrong_options_are_refused_and_nothing_is_written(
    shell: Shell, tmp_path: Path, words: list[str], told: str
) -> None:
    path = file(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, _, err = shell("sweep", path, *words)
    assert code == 2
    assert told in err
    assert sorted(tmp_path.iterdir()) == before


def test_all_wrong_options_are_told_at_once(shell: Shell, tmp_path: Path) -> None:
    code, _, err = shell("sweep", file(tmp_path), "--jobs", "0", "--shard", "9", "--backend", "b")
    assert code == 2
    assert "3 problems" in err


@pytest.mark.parametrize("words", [["status", "nowhere"], ["gc", "."], ["a", "b", "c"]])
def test_folders_that_hold_no_sweep_are_refused(shell: Shell, words: list[str]) -> None:
    code, _, err = shell("sweep", *words)
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.parametrize("word", ["status", "gc"])
def test_a_look_at_no_folder_is_refused_with_what_to_write(shell: Shell, word: str) -> None:
    code, _, err = shell("sweep", word)
    assert code == 2
    assert "write sweep status DIR or sweep gc DIR" in err


def test_a_plain_scenario_is_no_sweep(shell: Shell, tmp_path: Path) -> None:
    file(tmp_path)
    code, _, err = shell("sweep", "few.toml")
    assert code == 2
    assert "sweep" in err.replace("few.toml", "")


def test_runs_that_fail_are_counted_and_told(shell: Shell, tmp_path: Path) -> None:
    grid = ", ".join(f'{key} = "{value}"' for key, value in short_grid(tmp_path).items())
    table = f'[sites.here.grid]\naverage = {{ {grid} }}\n[sweep]\nhorizon = ["2 d", "4 d"]\n'
    code, out, _ = shell("sweep", file(tmp_path, table), "-j", 1, "-o", "s")
    assert code == 1
    assert "1 of 2 runs finished, 1 failed" in out
    assert "1 run failed:" in out
    assert "sites.here.grid.average" in out
    assert "shorten the horizon" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_an_absent_backend_is_told_in_one_line_and_local_goes_on(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simulator.sweeps.backends import choice

    monkeypatch.setattr(choice, "find_spec", lambda _: None)
    code, out, err = shell("sweep", file(tmp_path), "--backend", "dask", "-j", 1, "-o", "s")
    assert code == 0
    assert (
        "dask is not installed: pip install 'fleetsim[dask]'; carrying on with 1 local process"
        in err
    )
    assert "18 of 18 runs finished" in out


@pytest.mark.parametrize("said", [("-j", 3), ()])
def test_jobs_beside_an_address_are_warned_of(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: tuple[object, ...]
) -> None:
    class Elsewhere:
        """A cluster that is reached by its address."""

        workers = 1

        def __init__(self) -> None:
            self._inner = Inline()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    monkeypatch.setattr(session, "backend_of", lambda *_, **__: Elsewhere())
    words = ("--address", "tcp://head:8786", *said)
    code, _, err = shell("sweep", file(tmp_path), *words, "-o", "s")
    assert code == 0
    line = "jobs = 3 counts for nothing at tcp://head:8786"
    kept = json.loads(Path("s/manifest.json").read_text())["warnings"]
    assert err.count(line) == sum(line in warning for warning in kept) == bool(said)


def test_a_folder_of_a_later_version_is_refused(shell: Shell, tmp_path: Path) -> None:
    assert shell("sweep", file(tmp_path), "-j", 1, "-o", "s")[0] == 0
    token = Path("s/sweep.json")
    token.write_text(token.read_text().replace('"version": 1', '"version": 99'))
    for words in (
        ["sweep", file(tmp_path), "-o", "s"],
        ["sweep", "status", "s"],
        ["sweep", "gc", "s"],
    ):
        code, _, err = shell(*words)
        assert code == 2
        assert "version 99, this is 1" in err


def test_a_refusal_leaves_no_folder(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.sweeps.backends.dask.CONNECT_S", 0.2)
    words = ("--backend", "dask", "--address", "tcp://127.0.0.1:1")
    code, _, err = shell("sweep", file(tmp_path), *words, "-o", "deep/s")
    assert code == 2, err
    assert not Path("deep").exists()


def test_what_is_told_on_the_way_is_kept(shell: Shell, tmp_path: Path) -> None:
    assert shell("sweep", file(tmp_path), "-j", 1, "-o", "s")[0] == 0
    other = file(tmp_path, '[sweep]\n"sites.here.pue" = [1.1, 1.3]\n', "other.toml")
    code, _, err = shell("sweep", other, "-j", 1, "-o", "s", "--quiet")
    assert code == 0
    assert "warning: 18 finished runs of an earlier sweep in this folder are not asked for" in err
    warnings = json.loads(Path("s/manifest.json").read_text())["warnings"]
    assert any("of an earlier sweep" in each for each in warnings)
    code, out, _ = shell("sweep", "gc", "s")
    assert code == 0
    assert "18 finished runs of earlier sweeps in this folder are forgotten" in out


@pytest.mark.parametrize(("samples", "is_told"), [(4, True), (64, False)])
def test_too_few_samples_for_indices_are_warned_of(
    shell: Shell, tmp_path: Path, samples: int, is_told: bool
) -> None:
    table = f'[sweep]\ndesign = "saltelli"\nsamples = {samples}\n'
    table += '"sites.here.pue" = { low = 1.0, high = 2.0 }\n'
    table += '"nodes.box.idle_power" = { low = "300 W", high = "500 W" }\n'
    path = file(tmp_path, table)
    for _ in range(2):  # once more when everything is known
        code, out, err = shell("sweep", path, "-j", 1, "-o", "s")
        assert code == 0
        assert "variance of total carbon" in out
        lines = [line for line in err.splitlines() if "too few for Sobol indices" in line]
        kept = json.loads(Path("s/manifest.json").read_text())["warnings"]
        assert [line.removeprefix("warning: ") for line in lines] == [
            each for each in kept if "too few for Sobol indices" in each
        ]
        assert len(lines) == is_told
    if is_told:
        assert lines[0].startswith("warning: sweep.samples: 4 are too few for Sobol indices")
        assert int(lines[0].rpartition(" ")[2]) > samples
