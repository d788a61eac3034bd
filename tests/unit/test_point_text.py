"""The points of a sweep in 80 columns: means, intervals, and what is said of the rest."""

import itertools
import json
from typing import Any

import pandas as pd
import pytest

import simulator as fs
from simulator.analysis.statistics import mean_of
from simulator.display import mean_text
from simulator.sweeps.headlines import SHOWN
from simulator.sweeps.page import headlines
from simulator.sweeps.point_text import MOST_POINTS, point_lines
from simulator.text_table import WIDTH, aligned, least_width, shortened
from tests.unit.sweep_samples import AXES, base


def runs(axes: dict[str, list[Any]], seeds: int, **columns: Any) -> pd.DataFrame:
    """Return a table of runs over every combination of values, with plain numbers as results."""
    rows = []
    for point, values in enumerate(itertools.product(*axes.values())):
        for seed in range(seeds):
            results = dict.fromkeys(SHOWN, 100.0 * (point + 1) + 3.0 * seed)
            fixed = dict(zip(axes, values, strict=True))
            row = {"point": point, **fixed, "seed": seed, "status": "done", **results}
            rows.append(row | {name: make(point, seed) for name, make in columns.items()})
    return pd.DataFrame(rows)


COUNTS: dict[str, list[Any]] = {"clusters.few.count": [2, 3, 4]}


def test_the_means_shown_and_their_intervals_are_those_of_the_runs() -> None:
    study = fs.sweep(base(), AXES)
    lines = point_lines(study.runs, study.axes)
    assert lines[0].split() == [
        "few.count",
        "few.idle",
        "carbon",
        "energy",
        "p99",
        "wait",
        "alloc.",
    ]
    assert lines[1].split() == ["kg", "CO2e", "kWh", "h", "%"]
    table = study.runs
    for point, line in enumerate(lines[2:8]):
        carbon = mean_of(table[table["point"] == point]["total_kgco2e"])
        assert carbon is not None
        assert carbon.half_width is not None
        assert mean_text(carbon.mean, carbon.half_width) in line
    assert lines[8:] == [
        "± half the 95 % interval of a mean over 3 seeds",
        "all points meet the same seeds; .compare() in Python pairs them",
    ]


def test_points_and_intervals_are_had_from_python_and_as_json() -> None:
    study = fs.sweep(base(), AXES)
    means = study.means("wait_mean_h")
    assert means["n"].tolist() == [3] * 6
    assert means["mean"].tolist() == pytest.approx(study.points["wait_mean_h"].tolist())
    rows = json.loads(json.dumps(headlines(study)))
    carbon = study.means()
    for row, low, high in zip(rows, carbon["low"], carbon["high"], strict=True):
        assert row["intervals"]["total_kgco2e"] == [low, high]
        assert low < row["total_kgco2e"] < high
        assert set(row["intervals"]) == set(SHOWN)


def test_one_run_at_each_point_has_no_interval_and_that_is_said() -> None:
    lines = point_lines(runs(COUNTS, 1), list(COUNTS))
    assert not any("±" in line for line in lines)
    assert lines[-1] == "one run at each point has no interval; --set sweep.seeds=5 gives one"


def test_intervals_give_way_to_axes_and_are_said_to_be_elsewhere() -> None:
    idle = [f"a policy that has a long name and ends as number {at}" for at in range(4)]
    lines = point_lines(runs({"clusters.c.idle": idle, **COUNTS}, 3), ["clusters.c.idle", *COUNTS])
    assert max(map(len, lines)) <= WIDTH
    assert len({line.split("  ")[0] for line in lines[2:14]}) == len(idle)
    assert "--json has it, .means() in Python" in " ".join(lines)


def test_points_and_axes_that_are_not_shown_are_named() -> None:
    axes: dict[str, list[Any]] = {
        f"workloads.experiments{at}.gpu_days.p50_of_the_law": [1.5, 2.5] for at in range(5)
    }
    lines = point_lines(runs(axes, 2), list(axes))
    assert max(map(len, lines)) <= WIDTH
    assert len(lines[2:]) > MOST_POINTS
    said = " ".join(line.strip() for line in lines[-4:])
    assert "the first 24 of 32 points; all: --json, .points in Python" in said
    for axis in list(axes)[3:]:
        assert axis in said


def test_more_axes_are_shown_where_there_is_room() -> None:
    axes: dict[str, list[Any]] = {f"nodes.n{at}.after": [1, 2] for at in range(4)}
    lines = point_lines(runs(axes, 2), list(axes))
    assert lines[0].split()[:4] == [f"n{at}.after" for at in range(4)]
    assert not any("not shown" in line for line in lines)


def test_points_with_failed_runs_have_means_of_the_others_and_that_is_said() -> None:
    table = runs(COUNTS, 3)
    table.loc[0, "status"] = "failed"
    lines = point_lines(table, list(COUNTS))
    assert "over 3 seeds, fewer where runs failed" in lines[5]


def test_what_a_run_lacks_its_point_lacks() -> None:
    waits = runs(COUNTS, 2, wait_p99_h=lambda point, seed: None if point + seed == 0 else 2.0)
    lines = point_lines(waits, list(COUNTS))
    assert "  -  " in lines[2]
    assert "2.000 ± 0" in lines[3]


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (43.6268, 0.7651, "43.63 ± 0.77"),
        (2.535, 4.819, "2.5 ± 4.8"),
        (1302.3, 27.4, "1,302 ± 27"),
        (679.02, 0.031, "679.0 ± 0.0"),
        (0.1268, 0.0062, "0.1268 ± 0.0062"),
        (0.0, 0.0, "0 ± 0"),
        (3.2851, 0.0, "3.285 ± 0"),
        (5.0, float("nan"), "5.000"),
        (float("nan"), float("nan"), "-"),
    ],
)
def test_a_mean_has_the_digits_its_interval_leaves(mean: float, half: float, text: str) -> None:
    assert mean_text(mean, half) == text


def test_cells_are_cut_such_that_different_ones_differ() -> None:
    cells = ["forecast, season 1 d", "forecast, season 7 d", "ladder"]
    assert len(set(shortened(cells, 14))) == 3
    assert max(map(len, shortened(cells, 14))) == 14
    assert shortened(cells, 30) == cells
    assert least_width(cells, 4) <= 14
    assert least_width(["ab", "cd"], 20) == 2


def test_columns_stand_below_one_another() -> None:
    assert aligned([["a", "long"], ["1", "100"]], [0]) == ["a       1", "long  100"]
