"""Distributions of waits and of job sizes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from simulator.display import DURATION, duration_text, share_text, short_text
from simulator.figures.series import codes
from simulator.figures.style import (
    BLUE,
    INK,
    PAPER,
    SERIES,
    figure_of,
    legend_above,
    log_axis,
    say,
    styled,
)
from simulator.scenario.laws import Lognormal
from simulator.units import H_PER_D, MS_PER_S, S_PER_H

if TYPE_CHECKING:
    from simulator.results import Results

HEADING: Final = "Waits and job sizes"
ORDER: Final = 3

MOST_LINES: Final = 4
"""Most workloads that get a line of their own."""
MOST_STEPS: Final = 600
"""Most steps of a line; more jobs are counted in as many logarithmic bins."""
NAME_LETTERS: Final = 22

WAIT_TICKS_H: Final = tuple(
    (count * size, f"{count} {unit}")
    for size, unit in DURATION
    for count in ((1, 10, 100, 1000) if unit == "d" else (1, 10))
)

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one line shows: the started jobs of one workload, or of all.

    Attributes
    ----------
    name : str
    colour : str
    wait_h : float64[jobs started]
        Waits. [h]
    size_gpu_days : float64[jobs finished]
        Accelerators held times run time. [GPU-days]
    asked : tuple of (float, float)
        Sizes asked for and the shares of jobs that are to be at most as large. [GPU-days, 1]
    """

    name: str
    colour: str
    wait_h: Values
    size_gpu_days: Values
    asked: tuple[tuple[float, float], ...]


def describe(results: "Results") -> str:
    """Return how many jobs waited, and how long."""
    summary = results.summary
    if not summary["jobs_started"]:
        return "No job started"
    return (
        f"{share_text(summary['waited_share'])} of started jobs waited; "
        f"wait p50 {duration_text(summary['wait_p50_h'])}, "
        f"p99 {duration_text(summary['wait_p99_h'])}"
    )


@styled
def draw(results: "Results") -> Figure:
    """Draw the cumulative distributions of waits and of job sizes."""
    samples = _samples(results)
    caption = (
        "Share of jobs at or below the value. Waits: jobs that started. Sizes: jobs that finished, "
        "so a short run lacks the longest."
    )
    figure = figure_of(describe(results), caption)
    left, right = figure.subplots(1, 2)
    waits = _panel(
        left, samples, [sample.wait_h for sample in samples], ("No job started.", "No job waited.")
    )
    sizes = [sample.size_gpu_days for sample in samples]
    _panel(right, samples, sizes, ("No job finished.", "No job took any time."))
    if waits:
        _wait_axis(left)
        legend_above(left, *waits)
    if right.axison:
        right.set_xlabel("job size [GPU-days], log scale")
        _mark_asked(right, samples)
    return figure


def _panel(
    axes: Axes, samples: list[Sample], values: list[Values], words: tuple[str, str]
) -> tuple[list[Line2D], list[str]] | None:
    """Draw one line for each sample that holds anything; else say what there is none of."""
    shown = [(sample, x) for sample, x in zip(samples, values, strict=True) if x.size]
    positive = [float(x[x > 0].min()) for _, x in shown if (x > 0).any()]
    if not positive:
        say(axes, words[1] if shown else words[0])
        return None
    left = min(positive) / 1.5
    right = max(max(float(x.max()) for _, x in shown) * 1.5, left * 10)
    log_axis(axes, left, right)
    axes.set_ylim(0.0, 1.02)
    axes.set_ylabel("share of jobs")
    lines = []
    for sample, x in shown:
        step_x, step_y = ecdf(x)
        step_x = np.concatenate(([left], np.maximum(step_x, left), [right]))
        step_y = np.concatenate(([float((x <= 0).mean())], step_y, [1.0]))
        lines += axes.step(step_x, step_y, where="post", color=sample.colour)
    return lines, [sample.name for sample, _ in shown]


def ecdf(x: Values) -> tuple[Values, Values]:
    """Return where the share of jobs at or below rises, and to what."""
    if x.size <= MOST_STEPS:
        value, count = np.unique(x, return_counts=True)
        return value, np.cumsum(count) / x.size
    positive = x[x > 0]
    if not positive.size:
        return np.zeros(1), np.ones(1)
    log = np.log(positive)
    low, high = float(log.min()), float(log.max())
    width = (high - low) / MOST_STEPS or 1.0
    count = np.bincount(
        np.minimum(((log - low) / width).astype(np.int64), MOST_STEPS - 1), minlength=MOST_STEPS
    )
    edge = np.exp(low + width * np.arange(1, MOST_STEPS + 1))
    return edge, (x.size - positive.size + np.cumsum(count)) / x.size


def _samples(results: "Results") -> list[Sample]:
    table = results.tables["jobs"]
    submit_s = table["submit_s"].to_numpy()
    start_s, end_s = table["start_s"].to_numpy(), table["end_s"].to_numpy()
    covered = submit_s >= results.scenario.warm_up_ms / MS_PER_S
    started = covered & np.isfinite(start_s)
    finished = covered & np.isfinite(end_s)
    wait_h = table["wait_s"].to_numpy() / S_PER_H
    size = table["gpus"].to_numpy() * (end_s - start_s) / (S_PER_H * H_PER_D)
    code, names = codes(results, "jobs", "workload")
    if not 1 < len(names) <= MOST_LINES:
        asked = _asked(results, names[0]) if len(names) == 1 else ()
        name = names[0] if len(names) == 1 else "all jobs"
        return [Sample(_short(name), BLUE, wait_h[started], size[finished], asked)]
    return [
        Sample(
            _short(name),
            SERIES[index],
            wait_h[started & (code == index)],
            size[finished & (code == index)],
            _asked(results, name),
        )
        for index, name in enumerate(names)
    ]


def _short(name: str) -> str:
    return short_text(name, NAME_LETTERS)


def _asked(results: "Results", workload: str) -> tuple[tuple[float, float], ...]:
    """Return the median and 99th percentile that the scenario gives for a workload, if any."""
    law = results.scenario.workloads[workload].gpu_days
    return ((law.p50, 0.5), (law.p99, 0.99)) if isinstance(law, Lognormal) else ()


def _mark_asked(axes: Axes, samples: list[Sample]) -> None:
    marked = None
    for sample in samples:
        if sample.asked:
            x, y = zip(*sample.asked, strict=True)
            (marked,) = axes.plot(
                x, y, "o", color=sample.colour, markerfacecolor=PAPER, markersize=5.5
            )
    if marked is not None:
        low, high = axes.get_xlim()
        asked = [x for sample in samples for x, _ in sample.asked]
        axes.set_xlim(min(low, *asked) / 1.2, max(high, *asked) * 1.2)
        sign = Line2D([], [], color=INK, marker="o", linestyle="", markerfacecolor=PAPER)
        axes.legend([sign], [" asked for: p50, p99"], loc="lower right", handletextpad=0.3)


def _wait_axis(axes: Axes) -> None:
    low, high = axes.get_xlim()
    ticks = [(hours, words) for hours, words in WAIT_TICKS_H if low <= hours <= high]
    axes.set_xticks([hours for hours, _ in ticks], [words for _, words in ticks], minor=False)
    axes.set_xlabel("wait, log scale")
