"""How far a sweep has come, in words."""

from dataclasses import dataclass

import pytest

from simulator.progress import clock, sweep_lines, told


@dataclass
class Standing:
    total: int
    done: int = 0
    failed: int = 0
    cached: int = 0
    elapsed_s: float = 0.0


def test_a_line_says_what_is_done_known_failed_and_left() -> None:
    assert told(Standing(1640)) == "0/1,640 runs"
    begun = Standing(1640, done=140, failed=2, cached=40, elapsed_s=51.0)
    assert told(begun) == "142/1,640 runs, 40 known, 2 failed, 2.00 runs/s, 12:29 left"


def test_fast_sweeps_are_counted_in_plain_numbers() -> None:
    assert told(Standing(10**6, done=12_345, elapsed_s=10.0)).split(", ")[1] == "1,234 runs/s"


def test_lines_off_a_terminal_come_at_tenths_and_never_without_a_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with sweep_lines("grid") as show:
        for done in range(1, 101):
            show(Standing(100, done=done, elapsed_s=0.5 * done))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" runs")[0] for line in lines] == [
        f"grid  {done}/100" for done in range(10, 101, 10)
    ]
    assert lines[4] == "grid  50/100 runs, 2.00 runs/s, 0:25 left"


def test_clocks() -> None:
    assert [clock(length_s) for length_s in (0.4, 61.0, 3725.0)] == ["0:00", "1:01", "1:02:05"]
