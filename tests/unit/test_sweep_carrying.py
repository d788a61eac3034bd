"""Sweeps carried out: the same table by every way, resumed, changed, kept, tidied up."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import simulator as fs
from simulator.errors import InputError
from simulator.plans.plan import plan_of
from simulator.simulation import run
from simulator.sweeps import lock, shards, upkeep
from simulator.sweeps.carrying import Carried, sweep
from simulator.sweeps.rows import VALUES
from simulator.sweeps.session import Options
from simulator.sweeps.store import RESULTS, Store
from simulator.sweeps.study import Study
from simulator.sweeps.table import results_table, rows_in
from tests.unit.shard_lines import lines_by_row
from tests.unit.sweep_samples import AXES, base, plan, short_grid

ONE = Options(jobs=1)


def table_bytes(folder: Path) -> bytes:
    return (folder / RESULTS).read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of the table of an uninterrupted serial sweep."""
    folder = tmp_path_factory.mktemp("plain") / "sweep"
    sweep(plan(), folder, ONE)
    return table_bytes(folder)


def test_rows_are_the_runs_of_their_scenarios() -> None:
    study = fs.sweep(base(), AXES)
    runs = study.runs
    assert len(runs) == 18
    for at in (0, 4, 17):
        alone = run(study.scenario(at)).results
        assert runs.loc[at, "key"] == alone.key
        assert runs.loc[at, "seed"] == alone.seed == 7 + at % 3
        for name in ("total_kgco2e", "energy_it_kwh", "wait_p99_h", "jobs_finished"):
            assert runs.loc[at, name] == alone.summary[name]
    assert runs["clusters.few.count"].tolist() == [c for c in (2, 3, 4) for _ in range(6)]


def test_points_are_means_over_their_seeds() -> None:
    study = fs.sweep(base(), AXES)
    points, runs = study.points, study.runs
    assert list(study.axes) == ["clusters.few.count", "clusters.few.idle"]
    assert points["runs"].tolist() == [3] * 6
    for point in range(6):
        mean = runs.loc[runs["point"] == point, "total_kgco2e"].mean()
        assert points.loc[point, "total_kgco2e"] == pytest.approx(mean, rel=1e-12)


def test_a_mean_over_seeds_is_absent_where_one_of_the_runs_lacks_it() -> None:
    study = fs.sweep(base(), {"clusters.few.count": [2, 4]}, seeds=2)
    runs = study.runs
    runs.loc[0, "wait_p99_h"] = np.nan
    lacking = Study(study.plan, pa.Table.from_pandas(runs))
    assert lacking.points["wait_p99_h"].isna().tolist() == [True, False]
    assert lacking.means("wait_p99_h")["mean"].isna().tolist() == [True, False]
    assert lacking.points["total_kgco2e"].equals(study.points["total_kgco2e"])


def test_nothing_is_written_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fs.sweep(base(), {"clusters.few.count": [2, 3]})
    assert list(tmp_path.iterdir()) == []


def test_unless_said_there_is_a_process_on_each_core() -> None:
    assert Options().workers == len(os.sched_getaffinity(0))
    assert Options(jobs=3).workers == 3


def test_two_processes_give_the_same_bytes(tmp_path: Path, undisturbed: bytes) -> None:
    sweep(plan(), tmp_path / "two", Options(jobs=2))
    assert table_bytes(tmp_path / "two") == undisturbed
    assert set(lines_by_row(tmp_path / "two").values()) == {1}


def test_shards_in_any_order_give_the_same_bytes(tmp_path: Path, undisturbed: bytes) -> None:
    folder = tmp_path / "parts"
    ends: list[Carried] = [
        sweep(plan(), folder, Options(jobs=1, shard=(index, 3))) for index in (2, 3, 1)
    ]
    assert [end.left for end in ends] == [12, 6, 0]
    assert [end.table is None for end in ends] == [True, True, False]
    assert table_bytes(folder) == undisturbed
    assert set(lines_by_row(folder).values()) == {1}


def test_rows_in_another_order_give_the_same_table(undisturbed: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "backwards"
    table = sweep(plan(), options=ONE).table
    assert table is not None
    store = Store(folder, plan())
    with store.opened():
        for row in reversed(list(rows_in(table))):
            store.record(row)
        store.compact(results_table(plan(), store.scan().ledger))
    assert table_bytes(folder) == undisturbed


def test_repeating_a_sweep_runs_nothing_again(tmp_path: Path, undisturbed: bytes) -> None:
    folder = tmp_path / "again"
    sweep(plan(), folder, ONE)
    before = lines_by_row(folder)
    again = sweep(plan(), folder, ONE)
    assert again.standing.cached == again.standing.done == 18
    assert lines_by_row(folder) == before
    assert table_bytes(folder) == undisturbed


def test_more_values_run_only_what_is_new(tmp_path: Path) -> None:
    folder = tmp_path / "grown"
    sweep(plan(), folder, ONE)
    more = plan({**AXES, "clusters.few.count": [2, 3, 4, 5]})
    grown = sweep(more, folder, ONE)
    assert (grown.standing.done, grown.standing.cached) == (24, 18)
    fresh = tmp_path / "fresh"
    sweep(more, fresh, ONE)
    assert table_bytes(folder) == table_bytes(fresh)
    back = sweep(plan(), folder, ONE)
    assert back.standing.cached == 18


def test_a_changed_value_of_the_base_runs_what_it_concerns(tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    axes = {"clusters.few.count": [2, 3], "sites.here.pue": [1.1, 1.2]}
    sweep(plan(axes), folder, ONE)
    changed = base().replace({"clusters.few.idle": "ladder", "sites.here.pue": 1.4})
    done = sweep(plan_of(changed, axes), folder, ONE)
    assert done.standing.cached == 0
    again = sweep(plan(axes), folder, ONE)
    assert again.standing.cached == 4


def test_a_point_that_is_refused_is_a_row_and_others_go_on(tmp_path: Path) -> None:
    short = base().replace({"sites.here.grid.average": short_grid(tmp_path)})
    axes = {"horizon": ["2 d", "4 d", "3 d"]}
    folder = tmp_path / "refused"
    study = fs.sweep(short, axes, seeds=2, folder=folder)
    assert study.runs["status"].tolist() == ["done"] * 2 + ["failed"] * 2 + ["done"] * 2
    assert study.failed["error"].str.contains("sites.here.grid.average").all()
    assert study.points["runs"].tolist() == [2, 0, 2]
    assert study.points["total_kgco2e"].isna().tolist() == [False, True, False]
    assert lines_by_row(folder)[2] == 1
    fs.sweep(short, axes, seeds=2, folder=folder)
    assert lines_by_row(folder)[2] == 1
    fs.sweep(short, axes, seeds=2, folder=folder, retry_failed=True)
    assert lines_by_row(folder)[2] == 2


def test_kept_runs_have_whole_folders(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    made = plan(keep=["every 7", "best 2 of total_kgco2e", "worst 1 of wait_mean_h"])
    carried = sweep(made, folder, ONE)
    assert carried.table is not None
    frame = carried.table.to_pandas()
    best = set(np.argsort(frame["total_kgco2e"], kind="stable")[:2].tolist())
    worst = {int(np.argsort(-frame["wait_mean_h"].to_numpy(), kind="stable")[0])}
    kept = {int(path.name.partition("-")[0]): path for path in (folder / "kept").iterdir()}
    assert set(kept) == {0, 7, 14} | best | worst
    for at, path in kept.items():
        opened = fs.open_run(path)
        assert opened.summary["total_kgco2e"] == frame.loc[at, "total_kgco2e"]
    assert set(lines_by_row(folder).values()) == {1}
    jobs = Study(made, carried.table, folder).jobs
    assert sorted(set(jobs["row"])) == sorted(kept)
    for row, of_run in jobs.groupby("row"):
        assert set(of_run["seed"]) == {frame.loc[row, "seed"]}
        assert set(of_run["point"]) == {frame.loc[row, "point"]}
        assert of_run["job_id"].tolist() == fs.open_run(kept[int(row)]).jobs["job_id"].tolist()


def test_jobs_of_runs_that_kept_none_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    study = fs.sweep(base(), AXES, folder=folder)
    for each in (study, fs.sweep(base(), AXES)):
        with pytest.raises(InputError, match='write keep = "all" under'):
            _ = each.jobs
    kept = folder / "kept" / f"3-{study.runs.loc[3, 'key'][:8]}"
    kept.mkdir(parents=True)
    with pytest.raises(InputError, match="damaged"):
        _ = study.jobs


def test_status_and_gc(tmp_path: Path, undisturbed: bytes) -> None:
    folder = tmp_path / "tidy"
    sweep(plan(), folder, Options(jobs=1, shard=(1, 2)))
    before = upkeep.status(folder).document
    assert (before["done"], before["left"], before["complete"]) == (9, 9, False)
    with pytest.raises(InputError, match="9 runs are left"):
        upkeep.tidy(folder)
    sweep(plan(), folder, ONE)
    assert upkeep.status(folder).document["complete"]
    freed = upkeep.tidy(folder)
    assert freed.document["bytes"] > 0
    assert shards.shard_files(folder) == []
    assert table_bytes(folder) == undisturbed
    assert sweep(plan(), folder, ONE).standing.cached == 18


def test_a_folder_that_another_holds_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "held"
    sweep(plan(), folder, ONE)
    with lock.held(folder):
        assert "process" in (lock.owner_of(folder) or "")
        with pytest.raises(InputError, match="works on this sweep; wait for it"):
            sweep(plan(), folder, ONE)
        assert "at work" in "\n".join(upkeep.status(folder).lines)
    assert lock.owner_of(folder) is None


def test_shards_go_beside_one_another_but_not_beside_the_whole(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    sweep(plan(), folder, Options(jobs=1, shard=(1, 3)))
    with lock.held(folder, shard="2/3"):
        sweep(plan(), folder, Options(jobs=1, shard=(3, 3)))
        with pytest.raises(InputError, match="works on this shard 2/3"):
            sweep(plan(), folder, Options(jobs=1, shard=(2, 3)))
        with pytest.raises(InputError, match="works on this sweep"):
            sweep(plan(), folder, ONE)


@pytest.mark.parametrize("what", ["file", "link", "foreign", "run"])
def test_folders_of_something_else_are_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "there"
    if what == "file":
        folder.write_text("mine")
    elif what == "link":
        (tmp_path / "real").mkdir()
        folder.symlink_to(tmp_path / "real")
    else:
        folder.mkdir()
        (folder / ("notes.txt" if what == "foreign" else "summary.json")).write_text("{}")
    with pytest.raises(InputError, match="output folder"):
        sweep(plan(), folder, ONE)
    assert not list(tmp_path.rglob("*.jsonl"))


def test_the_file_of_a_folder_gives_the_same_sweep(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    sweep(plan(), folder, ONE)
    assert upkeep.plan_in(folder).digest == plan().digest
    index = json.loads((folder / "results.json").read_text())
    assert index["sweep"] == plan().digest
    assert index["rows"] == 18


def test_a_study_counts_what_its_folder_knew_and_reads_as_its_table(tmp_path: Path) -> None:
    first, again, wider = (
        fs.sweep(base(), {"clusters.few.count": counts}, seeds=2, folder=tmp_path / "kept")
        for counts in ([2, 3], [2, 3], [2, 3, 4])
    )
    assert first.counts == {"runs": 4, "made": 4, "known": 0, "failed": 0}
    assert again.counts == {"runs": 4, "made": 0, "known": 4, "failed": 0}
    assert wider.counts == {"runs": 6, "made": 2, "known": 4, "failed": 0}
    assert again.runs.equals(first.runs)
    assert str(first).splitlines()[0].split()[:2] == ["few.count", "carbon"]
    assert first._repr_html_() == f'<pre style="font-family: monospace">{first}</pre>'
    assert repr(first).startswith("<Study ")


def test_a_tornado_without_its_base_is_said_to_be_none() -> None:
    whole = fs.sweep(base(), {"clusters.few.count": [2, 4]}, design="one-at-a-time")
    runs = whole.runs
    values = [column.name for column in VALUES]
    for failed, said in (
        ([0], "no tornado: total carbon is absent at the base"),
        ([0, 1, 2], "all of 3 runs failed; .failed says why"),
    ):
        broken = runs.astype(dict.fromkeys(values, "float64"))
        broken.loc[failed, "status"] = "failed"
        broken.loc[failed, values] = np.nan
        assert str(Study(whole.plan, pa.Table.from_pandas(broken))).startswith(said)
