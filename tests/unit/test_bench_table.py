"""The benchmark's table: whole numbers, and nothing said that is not so."""

from dataclasses import replace

import pytest

from simulator.bench.comparison import Cell, Comparison
from simulator.bench.idle import IdleCost
from simulator.bench.sizes import QUICK
from simulator.bench.table import table_text

CELL = Cell(
    jobs=10_000, nodes=1_000, load=1.05, waited_share=0.31, starts=10_000, completions=10_000,
    log_rows=20_000, engine_s=0.03, path_s=0.1, bare_s=0.002, engine_jobs_per_s=306_200.0,
    path_jobs_per_s=99_960.0, bare_jobs_per_s=5.0e6, yardstick_jobs=10_000,
    container_jobs_per_s=101_000.0, model_jobs_per_s=44_444.0, node_hours_per_s=6.1e7,
)  # fmt: skip
IDLE = IdleCost(
    nodes=10_000, jobs=1_000_000, load=0.8, awake_s=0.5, ladder_s=0.8, wake_ups=330_537,
    year_jobs=911_933, year_ladder_s=1.1, year_hourly_s=1.45,
)  # fmt: skip


def text(*cells: Cell) -> str:
    return table_text(Comparison(QUICK, cells, (IDLE,), (), 1.0))


def test_numbers_have_three_digits_and_no_stray_point() -> None:
    table = text(CELL)
    for number in ("306 k", "100 k", "101 k", "44.4 k", "5.00 M", "61.0 M"):
        assert f" {number}" in table
    assert ". k" not in table
    assert max(len(line) for line in table.splitlines()) <= 80


@pytest.mark.parametrize(
    ("load", "waited_share", "said"),
    [(1.05, 0.0, True), (1.05, 0.31, False), (0.8, 0.0, False)],
)
def test_too_few_jobs_are_named_only_where_they_are_too_few(
    load: float, waited_share: float, said: bool
) -> None:
    table = text(CELL, replace(CELL, load=load, waited_share=waited_share))
    assert ("the jobs are too few" in table) is said


def test_idle_states_are_told_as_ratios_within_the_run() -> None:
    table = text(CELL)
    assert "A ladder of three idle states: 1.25 M jobs/s, 0.62 times always-on" in table
    assert "(1 M jobs, 10 k nodes at load 0.8; 330,537 wake-ups)" in table
    assert "Five hourly controllers over a year: +0.35 s on 1.10 s" in table
