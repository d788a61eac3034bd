"""What the folder of a sweep keeps: by several parts, after failures, through interruptions."""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import simulator as fs
from simulator.sweeps import session, store, upkeep
from simulator.sweeps.backends.inline import Inline
from simulator.sweeps.carrying import sweep
from simulator.sweeps.driver import Standing
from simulator.sweeps.ledger import Ledger
from simulator.sweeps.session import Options
from simulator.sweeps.store import INDEX, RESULTS, Store
from simulator.sweeps.table import results_table
from tests.unit.sweep_samples import base, plan, short_grid

ONE = Options(jobs=1)
COUNT = "clusters.few.count"


def test_parts_that_end_beside_one_another_keep_the_best_too(tmp_path: Path) -> None:
    made = plan(keep=["best 1 of total_kgco2e", "worst 1 of total_kgco2e"])
    folder, alone = tmp_path / "parts", tmp_path / "alone"
    others = [Options(jobs=1, shard=(2, 2))]

    def meanwhile(_: Standing) -> None:
        if others:
            assert sweep(made, folder, others.pop()).left == 9 - 1

    ended = sweep(made, folder, Options(jobs=1, shard=(1, 2)), show=meanwhile)
    assert ended.table is not None
    sweep(made, alone, ONE)
    kept = [{path.name for path in (each / "kept").iterdir()} for each in (folder, alone)]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 2


def failing(folder: Path) -> tuple[fs.Scenario, dict[str, Any]]:
    """Return a base whose grid ends after three days, and an axis that goes beyond."""
    short = base(sites={"here": {"pue": 1.1, "grid": {"average": short_grid(folder)}}})
    return short, {"horizon": ["2 d", "4 d"]}


def test_gc_leaves_the_scenarios_of_failed_runs(tmp_path: Path) -> None:
    folder = tmp_path / "failed"
    short, axes = failing(tmp_path)
    study = fs.sweep(short, axes, folder=folder, keep=["failed"])
    assert study.failed["row"].tolist() == [1]
    (folder / "kept" / "failed-0.toml").write_text("of a run that did not fail\n")
    upkeep.tidy(folder)
    assert [path.name for path in (folder / "kept").iterdir()] == ["failed-1.toml"]


def test_a_failed_run_has_its_key_whatever_the_folder_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simulator.sweeps import worker

    simulated = worker.simulated

    def fails(inputs: Any) -> Any:
        if inputs.scenario.clusters["few"].count == 3:
            raise ValueError("three")
        return simulated(inputs)

    monkeypatch.setattr(worker, "simulated", fails)
    sweep(plan({COUNT: [2, 4]}), tmp_path / "used", ONE)
    for name in ("used", "new"):
        sweep(plan({COUNT: [2, 3]}), tmp_path / name, ONE)
    first, second = ((tmp_path / name / RESULTS).read_bytes() for name in ("used", "new"))
    assert first == second


def test_a_search_has_as_many_processes_as_its_batches_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from simulator.optimisation.evaluation import Evaluation
    from simulator.optimisation.search import search_of

    wanted = []

    def backend(name: str, workers: int, **_: Any) -> Inline:
        wanted.append((name, workers))
        return Inline()

    monkeypatch.setattr(session, "backend_of", backend)
    table = {COUNT: [2, 3, 4], "objectives": {"total_kgco2e": "minimise"}, "batch": 3}
    with Evaluation(search_of(base(), table), None, Options(jobs=8)) as evaluate:
        evaluate([{}])
        evaluate([{COUNT: 2}])
    assert wanted == [("auto", 3)]


def test_two_interruptions_in_the_same_place_lose_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cut"
    made = plan({COUNT: [2, 3]})
    sweep(made, folder, ONE)
    shutil.rmtree(folder / "shards")
    held = Store(folder, made)
    table = results_table(made, held.scan().ledger)
    write_index = Store._write_index

    def cut(self: Store, index: dict[str, Any]) -> None:
        if store.NEXT not in index:
            raise KeyboardInterrupt
        write_index(self, index)

    # A table of other bytes took its place, and the index was not written; twice.
    monkeypatch.setattr(Store, "_write_index", cut)
    with held.opened():
        for note in (b"one", b"two"):
            with pytest.raises(KeyboardInterrupt):
                held.compact(table.replace_schema_metadata({b"note": note}))
        monkeypatch.setattr(store, "replaced", lambda *_, ready: ready("never written"))
        with pytest.raises(KeyboardInterrupt):
            held.compact(table)
    found = held.scan()
    assert found.damaged == []
    assert found.ledger.done == 2
    assert json.loads((folder / INDEX).read_text())[store.NEXT]["sha256"] == "never written"


def columns_of(values: list[Any], path: str = COUNT) -> pa.ChunkedArray:
    from simulator.plans.axes import Axis
    from simulator.plans.designs import Points
    from simulator.plans.plan import Plan

    made = Plan(base(), (Axis(path, tuple(values)),), Points.grid([path], [values]), (1, 2**63 - 1))
    table = results_table(made, Ledger(len(made)))
    assert table["seed"].to_pylist() == [1, 2**63 - 1] * len(values)
    return table[path].to_pylist()[::2]


def test_values_of_axes_stand_in_the_table_as_they_are() -> None:
    day = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
    assert columns_of([1, 2**53 + 1, 2**63 - 1]) == [1, 2**53 + 1, 2**63 - 1]
    assert columns_of([1, 2**70]) == ["1", str(2**70)]
    assert columns_of([2**53 + 1, 0.5]) == [2.0**53, 0.5]
    assert columns_of([day, day.date()]) == ["2022-01-01T00:00:00+00:00", "2022-01-01"]
    assert columns_of([True, 1]) == ["true", "1"]
    assert columns_of([[1, 2], {"b": 1, "a": day}]) == ["[1, 2]", f'{{"a": "{day}", "b": 1}}']


def test_a_base_point_is_said_as_its_axis_says_it() -> None:
    tables = [{"policy": "ladder"}, {"policy": "always-on"}]
    axes = {"clusters.few.idle": tables, "start": [base().start, base().start + dt.timedelta(1)]}
    study = fs.sweep(base(), axes)
    found = study.compare({"clusters.few.idle": tables[1], "start": base().start})
    assert sorted(set(found["point"])) == [0, 1, 3]
    assert np.isfinite(found.loc[found["quantity"] == "total_kgco2e", "difference"]).all()
