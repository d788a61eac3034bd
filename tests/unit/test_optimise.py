"""Searches: the optimum is found, limits are kept, and the same search is the same search."""

import sys
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.errors import InputError
from simulator.optimisation.evaluation import Evaluation
from simulator.optimisation.front import unbeaten
from simulator.optimisation.optimise import optimise, serial
from simulator.optimisation.sampling import PATIENCE
from simulator.optimisation.search import search_of
from simulator.studies import optimize
from simulator.sweeps.session import Options
from tests.unit.searches import AFTER, CARBON, COUNT, IDLE, WAIT, Formula, day, table, trade_off
from tests.unit.shard_lines import lines_by_row

HOUR = {"policy": "timeout", "after": "1 h"}
SAMPLERS = ("tpe", "nsga2", "random")


def beaten_by_some(losses: np.ndarray[Any, Any], row: int) -> bool:
    return any((other <= losses[row]).all() and (other < losses[row]).any() for other in losses)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_the_front_is_that_of_brute_force(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    for _ in range(20):
        losses = rng.integers(0, 6, (rng.integers(1, 40), objectives)).astype(float)
        expected = [not beaten_by_some(losses, row) for row in range(len(losses))]
        assert unbeaten(losses).tolist() == expected


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_finds_the_optimum_that_enumeration_finds(sampler: str) -> None:
    base, limit = day(), {"objectives": {CARBON: "min"}, "constraints": [f"{WAIT} <= 0.06"]}
    axes = {COUNT: {"low": 1, "high": 20}, IDLE: ["always-on", "ladder", HOUR]}
    every = optimise(search_of(base, axes | limit | {"trials": 60}))
    assert every.ending == ""
    assert len(every.ran) == 60
    some = optimise(search_of(base, axes | limit | {"trials": 40, "sampler": sampler}))
    assert len(some.ran) == 40
    best, expected = some.best, every.best
    assert best is not None
    assert expected is not None
    assert best[CARBON] == expected[CARBON]
    assert best[WAIT] <= 0.06


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_search_gives_the_same_trials_broken_off_or_not(sampler: str) -> None:
    search = search_of(day(), table(trials=20, sampler=sampler, seeds=2))
    whole = optimise(search).trials
    run, ran = serial(search), 0

    def broken(points: Any) -> Any:
        nonlocal ran
        ran += len(points)
        if ran > 12:
            raise KeyboardInterrupt
        return run(points)

    with pytest.raises(KeyboardInterrupt):
        optimise(search, broken)
    # The second attempt finds what was run in the memory of `run`, as a store would have it.
    pd.testing.assert_frame_equal(optimise(search, run).trials, whole)
    assert len(whole) == 20


def test_more_trials_begin_with_the_same_ones() -> None:
    few, more = (
        optimise(search_of(day(), table(trials=trials)), Formula(trade_off)).trials
        for trials in (12, 22)
    )
    pd.testing.assert_frame_equal(more.drop(columns="on_front")[:12], few.drop(columns="on_front"))


def test_another_seed_gives_other_trials() -> None:
    one, other = (
        optimise(search_of(day().replace({"seed": seed}), table(trials=8)), Formula(trade_off))
        for seed in (1, 2)
    )
    assert one.trials[COUNT].tolist() != other.trials[COUNT].tolist()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_point_is_run_twice_and_batches_have_one_size(sampler: str) -> None:
    formula = Formula(trade_off)
    found = optimise(search_of(day(), table(trials=22, sampler=sampler, batch=5)), formula)
    points = [(point[COUNT], point[IDLE]) for point in formula.asked]
    assert len(points) == len(set(points)) == len(found.ran) == 22
    assert [len(batch) for batch in formula.batches] == [1, 5, 5, 5, 5, 2]
    assert formula.batches[0] == [{}]


def test_a_space_no_larger_than_the_trials_is_tried_in_full_without_optuna(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    formula = Formula(trade_off)
    found = optimise(search_of(day(), table(trials=30)), formula)
    expected = [
        {COUNT: n, IDLE: idle} for n, idle in product(range(1, 13), ["always-on", "ladder"])
    ]
    assert formula.asked == expected
    assert found.ending == "every point was tried"
    with pytest.raises(InputError, match=r"pip install 'fleetsim\[optimize\]'"):
        optimise(search_of(day(), table(trials=23)), formula)


def test_the_front_of_a_search_is_that_of_brute_force_over_its_trials() -> None:
    limits = {"constraints": [f"{WAIT} < 3", f"{CARBON} <= 90"]}
    found = optimise(search_of(day(), table(trials=18, **limits)), Formula(trade_off))
    trials = found.trials
    feasible = (trials[WAIT] < 3) & (trials[CARBON] <= 90)
    assert trials["feasible"].tolist() == feasible.tolist()
    assert 0 < feasible.sum() < len(trials)
    losses = trials.loc[feasible, [CARBON, WAIT]].to_numpy()
    front = [row for row in range(len(losses)) if not beaten_by_some(losses, row)]
    assert found.front["trial"].tolist() == (
        trials[feasible].iloc[front].sort_values(CARBON)["trial"].tolist()
    )
    assert trials["on_front"].sum() == len(front)


def test_more_is_better_where_it_is_to_be() -> None:
    asked = {"objectives": {WAIT: "max"}, "constraints": [f"{CARBON} >= 50"]}
    found = optimise(search_of(day(), table(**asked, trials=24)), Formula(trade_off))
    assert found.best == {"trial": 8, COUNT: 5, IDLE: "always-on", WAIT: 1.2, CARBON: 50.0}


def test_points_that_where_forbids_are_not_run() -> None:
    where = [f"{COUNT} * 2 <= 12", f'not ({COUNT} > 3 and {IDLE} == "ladder")']
    formula = Formula(trade_off)
    search = search_of(day(), table(trials=8, where=where))
    found = optimise(search, formula)
    assert len(found.ran) == 8
    assert all(point[COUNT] <= 6 for point in formula.asked)
    assert not any(point[COUNT] > 3 and point[IDLE] == "ladder" for point in formula.asked)


def test_a_sampler_that_finds_nothing_new_ends_the_search() -> None:
    search = search_of(day(), table(trials=20, where=[f"{COUNT} <= 3"]))
    found = optimise(search, Formula(trade_off))
    assert len(found.ran) == 6
    assert found.ending == f"the sampler found nothing new in {PATIENCE} proposals"
    with pytest.raises(InputError, match=r"optimize.where  +no point was found that fulfils all"):
        optimise(search_of(day(), table(trials=20, where=[f"{COUNT} > 99"])), Formula(trade_off))


def test_failed_trials_and_absent_results_say_why() -> None:
    def formula(point: Any) -> Any:
        if point[COUNT] == 2:
            return "PolicyError: it fell over"
        return trade_off(point) | ({WAIT: None} if point[COUNT] > 8 else {})

    found = optimise(search_of(day(), table(trials=20)), Formula(formula))
    trials = found.trials.set_index("trial")
    failed = trials[trials["failed"].notna()]
    assert set(failed["failed"]) == {"PolicyError: it fell over", f"has no {WAIT}"}
    assert not failed["feasible"].any()
    assert found.counts["failed"] == len(failed)
    assert np.isfinite(found.front[[CARBON, WAIT]]).all(axis=None)


def test_a_run_that_fails_is_one_failed_trial() -> None:
    search = search_of(day(), table(trials=24, **{AFTER: ["5 min", "10 min"]}))
    (outcome,) = serial(search)([{"workloads.w.gpus": 99, "clusters.a.count": -1}])
    assert isinstance(outcome, str)
    assert outcome.startswith("InputError: ")


def test_a_run_is_the_mean_over_the_seeds() -> None:
    search = search_of(day(), table(seeds=[3, 5]))
    (both,) = serial(search)([{}])
    one, other = (serial(search_of(day(), table(seeds=[seed])))([{}])[0] for seed in (3, 5))
    assert isinstance(both, dict)
    for name in (CARBON, "jobs_started"):
        assert both[name] == pytest.approx((one[name] + other[name]) / 2)  # type: ignore[index]
    assert both["scope2_market_kgco2e"] is None


def test_nothing_is_said_and_optunas_settings_stay(capsys: pytest.CaptureFixture[str]) -> None:
    from optuna import logging

    before = logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = optimise(search_of(day(), table(trials=12)), Formula(trade_off))
    assert found.ran
    assert capsys.readouterr() == ("", "")
    assert logging.get_verbosity() == before


def test_values_are_as_a_file_would_say_them() -> None:
    axes = {
        AFTER: {"low": "1 min", "high": "2 h", "log": True},
        "sites.s.pue": {"low": 1.0, "high": 1.5, "step": 0.1},
        COUNT: {"low": 2, "high": 12, "step": 5},
    }
    asked = {"objectives": {CARBON: "min"}, "trials": 30}
    formula = Formula(trade_off)
    optimise(search_of(day(), axes | asked), formula)
    assert {point[COUNT] for point in formula.asked} == {2, 7, 12}
    assert {point["sites.s.pue"] for point in formula.asked} <= {1.0, 1.1, 1.2, 1.3, 1.4, 1.5}
    minutes = [point[AFTER] for point in formula.asked]
    assert all(text.endswith(" min") for text in minutes)
    numbers = [float(text.split()[0]) for text in minutes]
    assert 1.0 <= min(numbers) < 10 < max(numbers) <= 120
    assert all(len(f"{number:g}") == len(repr(number).removesuffix(".0")) for number in numbers)


def test_progress_is_told_after_each_batch() -> None:
    told: list[tuple[int, int]] = []
    optimise(
        search_of(day(), table(trials=20)), Formula(trade_off), lambda *step: told.append(step)
    )
    assert told == [(8, 20), (16, 20), (20, 20)]


def test_the_python_face_takes_what_a_file_says() -> None:
    found = optimize(
        day(),
        {COUNT: np.arange(1, 7), IDLE: ("always-on", "ladder")},
        objectives={CARBON: "minimise"},
        constraints=[f"{WAIT} <= 1"],
        trials=12,
    )
    runs = {
        (trial.changes[COUNT], trial.changes[IDLE]): (trial.number(CARBON), trial.is_feasible)
        for trial in found.ran
    }
    assert len(runs) == 12
    assert found.best is not None
    assert found.best[CARBON] == min(carbon for carbon, feasible in runs.values() if feasible)
    assert found.scenario(0).clusters["a"].count == 1
    several = optimize(day(), {COUNT: [1, 2]}, objectives={CARBON: "min", WAIT: "min"}, trials=2)
    with pytest.raises(InputError, match=r"no trial is best in all of total_kgco2e, wait_p99_h"):
        assert several.best


def test_a_search_in_a_folder_goes_on_there(tmp_path: Path) -> None:
    said = table(trials=12, seeds=2)
    search = search_of(day(), said)
    alone = optimise(search)
    folder = tmp_path / "search"

    def cut(done: int, total: int) -> None:
        if done >= 8:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        Evaluation(search, folder) as evaluate,
    ):
        optimise(search, evaluate, cut)
    before = lines_by_row(folder / "runs")
    assert before.total() == (1 + 8) * 2
    with Evaluation(search, folder, Options(jobs=2)) as evaluate:
        again = optimise(search, evaluate)
    assert again.trials.equals(alone.trials)
    after = lines_by_row(folder / "runs")
    assert after.total() == (1 + 12) * 2
    assert set(after.values()) == {1}


def test_rows_of_other_points_are_not_believed(tmp_path: Path) -> None:
    search = search_of(day(), table(trials=4, seeds=2))
    with Evaluation(search, tmp_path) as evaluate:
        first = evaluate([{COUNT: 2}, {COUNT: 3}])
    with Evaluation(search, tmp_path) as evaluate:
        assert evaluate([{COUNT: 5}, {COUNT: 3}]) != first
    with Evaluation(search, tmp_path) as evaluate:
        assert evaluate([{COUNT: 2}, {COUNT: 3}]) == first
