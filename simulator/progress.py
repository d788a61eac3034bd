"""How far a run or a sweep has come: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from simulator.display import number_text

Progress = Callable[[float, float, int], None]
"""Told of simulated days done, simulated days in all, and jobs started."""

STEPS: Final = 10
"""Plain lines of a run, unless it is very quick or very slow."""
REST_S: Final = 1.0
"""Shortest time between two plain lines: quick runs print none. [s]"""
PATIENCE_S: Final = 30.0
"""Longest time without a plain line. [s]"""


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """Show a bar on stderr that vanishes when the run is over."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:.0f}/{task.total:.0f} d  {task.fields[jobs]:,} jobs"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task(title, total=1.0, jobs=0)

        def show(days_done: float, days_total: float, jobs_started: int) -> None:
            display.update(task, completed=days_done, total=days_total, jobs=jobs_started)

        yield show


@contextmanager
def lines(title: str) -> Iterator[Progress]:
    """Print a plain line on stderr every tenth of the run, or every 30 s where that is longer."""
    last_step = 0
    last_s: float | None = None  # the first call comes after what had to be compiled

    def show(days_done: float, days_total: float, jobs_started: int) -> None:
        nonlocal last_step, last_s
        now_s = time.monotonic()
        last_s = now_s if last_s is None else last_s
        step = int(STEPS * days_done / days_total)
        rested_s = now_s - last_s
        if (step > last_step and rested_s >= REST_S) or rested_s >= PATIENCE_S:
            last_step, last_s = step, now_s
            text = f"{title}  {days_done:.0f}/{days_total:.0f} d  {jobs_started:,} jobs started"
            print(text, file=sys.stderr, flush=True)

    yield show


class Counts(Protocol):
    """How far a sweep has come, in runs."""

    total: int
    done: int
    failed: int
    cached: int
    elapsed_s: float


SweepProgress = Callable[[Counts], None]


@contextmanager
def sweep_bar(title: str) -> Iterator[SweepProgress]:
    """Show a bar of runs on stderr that vanishes when the sweep is over."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[words]}", markup=False),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task(title, total=1.0, words="")

        def show(counts: Counts) -> None:
            finished = counts.done + counts.failed
            display.update(task, completed=finished, total=counts.total, words=told(counts))

        yield show


@contextmanager
def sweep_lines(title: str) -> Iterator[SweepProgress]:
    """Print a plain line on stderr every tenth of the sweep, or every 30 s."""
    last_step, last_s = 0, 0.0

    def show(counts: Counts) -> None:
        nonlocal last_step, last_s
        step = STEPS * (counts.done + counts.failed) // max(counts.total, 1)
        rested_s = counts.elapsed_s - last_s
        if (step > last_step and rested_s >= REST_S) or rested_s >= PATIENCE_S:
            last_step, last_s = step, counts.elapsed_s
            print(f"{title}  {told(counts)}", file=sys.stderr, flush=True)

    yield show


def told(counts: Counts) -> str:
    """Return how far a sweep has come, in words of one line."""
    finished = counts.done + counts.failed
    words = [f"{finished:,}/{counts.total:,} runs"]
    if counts.cached:
        words.append(f"{counts.cached:,} known")
    if counts.failed:
        words.append(f"{counts.failed:,} failed")
    run_now = finished - counts.cached
    if run_now and counts.elapsed_s > 0.0:
        per_s = run_now / counts.elapsed_s
        left_s = (counts.total - finished) / per_s
        words += [f"{number_text(per_s, 3)} runs/s", f"{clock(left_s)} left"]
    return ", ".join(words)


def clock(length_s: float) -> str:
    """Return a length of time as a clock shows it, e.g. ``"1:02:05"``."""
    minutes, seconds = divmod(round(length_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
