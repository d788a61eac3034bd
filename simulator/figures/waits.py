"""Distributions of waits and of job sizes."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from simulator.display import count_text, duration_text, share_text, short_text
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
from simulator.units import H_PER_D, MS_PER_H, MS_PER_S, S_PER_H

if TYPE_CHECKING:
    from simulator.results import Results

HEADING: Final = "Waits and job sizes"
ORDER: Final = 3

MOST_LINES: Final = 4
"""Most workloads that get a line of their own."""
MOST_STEPS: Final = 600
"""Most steps of a line; more jobs are counted in as many logarithmic bins."""
NAME_LETTERS: Final = 22

FEWEST_WAITS: Final = 20
"""Waits that a line needs to say more than words do."""
SHORTEST_SHOWN: Final = 0.01
"""Share of the waits that may lie left of the axis: a few short ones would take half of it."""
LABEL_WIDTH: Final = 0.15
"""Part of the axis of waits that the label of a tick takes."""

WAIT_TICKS_H: Final = tuple(
    (count * size, f"{count} {unit}")
    for counts in ((1, 10, 100, 1000), (2, 5, 20, 50, 200, 500))
    for size, unit, most in (
        (1 / MS_PER_H, "ms", 1000),
        (1 / S_PER_H, "s", 60),
        (1 / 60, "min", 60),
        (1.0, "h", H_PER_D),
        (float(H_PER_D), "d", math.inf),
    )
    for count in counts
    if count < most
)
"""Ticks of the axis of waits in hours, those first that go before where there is little room."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one line shows: the started jobs of one workload, or of all.

    Attributes
    ----------
    name : str
    colour : str
    wait_h : float64[jobs that waited]
        Waits above zero. [h]
    started : int
        Jobs that started, whether or not they waited.
    size_gpu_days : float64[jobs finished]
        Accelerators held times run time. [GPU-days]
    asked : tuple of (float, float)
        Percentiles of the sizes of all jobs submitted, and the shares of jobs at or below them.
        [GPU-days, 1]
    """

    name: str
    colour: str
    wait_h: Values
    started: int
    size_gpu_days: Values
    asked: tuple[tuple[float, float], ...]


def describe(results: "Results") -> str:
    """Return how many jobs waited, and how long."""
    summary = results.summary
    queued = summary["jobs_queued"]
    still = f"; {count_text(queued)} still wait" if queued else ""
    started = count_text(summary["jobs_started"])
    if not summary["jobs_started"]:
        return f"No job started{still}"
    if not summary["waited_share"]:
        return f"No job waited of the {started} that started{still}"
    return (
        f"{share_text(summary['waited_share'])} of the {started} jobs that started waited; "
        f"wait p50 {duration_text(summary['wait_p50_h'])}, "
        f"p99 {duration_text(summary['wait_p99_h'])}{still}"
    )


@styled
def draw(results: "Results") -> Figure:
    """Draw the cumulative distributions of waits and of job sizes."""
    samples = _samples(results)
    caption = (
        "Share of jobs at or below the value. Waits: of the jobs that started, those that waited. "
        "Sizes: jobs that finished, so a short run lacks the longest."
    )
    figure = figure_of(describe(results), caption)
    left, right = figure.subplots(1, 2)
    waited = sum(sample.wait_h.size for sample in samples)
    waits: tuple[list[Line2D], list[str]] = [], []
    if waited < FEWEST_WAITS:
        say(left, _few(samples, waited))
    else:
        waits = _panel(left, samples, [sample.wait_h for sample in samples], "", SHORTEST_SHOWN)
        _wait_axis(left)
        left.set_ylabel("share of jobs that waited")
    sizes = [sample.size_gpu_days for sample in samples]
    some = any(size.size for size in sizes)
    lines = _panel(right, samples, sizes, "No job took any time." if some else "No job finished.")
    # One legend for both panels: of the one that shows more of the workloads.
    drawn = max(waits, lines, key=lambda shown: len(shown[0]))
    legend_above(left if left.axison else right, *drawn)
    if right.axison:
        right.set_xlabel("job size [GPU-days], log scale")
        _mark_asked(right, samples)
    return figure


def _panel(
    axes: Axes, samples: list[Sample], values: list[Values], words: str, share: float = 0.0
) -> tuple[list[Line2D], list[str]]:
    """Draw one line for each sample that holds anything; else say what there is none of.

    A share of the smallest values may lie left of the axis.
    """
    shown = [(sample, x) for sample, x in zip(samples, values, strict=True) if x.size]
    positive = [float(np.quantile(x[x > 0], share)) for _, x in shown if (x > 0).any()]
    if not positive:
        say(axes, words)
        return [], []
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


def _few(samples: list[Sample], waited: int) -> str:
    """Say in words how long a few jobs waited."""
    if not sum(sample.started for sample in samples):
        return "No job started."
    if not waited:
        return "No job waited."
    longest_h = max(float(sample.wait_h.max()) for sample in samples if sample.wait_h.size)
    jobs = "job" if waited == 1 else "jobs"
    longest = "for" if waited == 1 else "the longest"
    return f"{waited} {jobs} waited, {longest} {duration_text(longest_h)}."


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
    waited = started & (table["wait_s"].to_numpy() > 0.0)
    finished = covered & np.isfinite(end_s)
    wait_h = table["wait_s"].to_numpy() / S_PER_H
    size = table["gpus"].to_numpy() * (end_s - start_s) / (S_PER_H * H_PER_D)
    code, names = codes(results, "jobs", "workload")
    if not 1 < len(names) <= MOST_LINES:
        asked = _asked(results, names[0]) if len(names) == 1 else ()
        name = names[0] if len(names) == 1 else "all jobs"
        count = int(started.sum())
        return [Sample(_short(name), BLUE, wait_h[waited], count, size[finished], asked)]
    return [
        Sample(
            _short(name),
            SERIES[index],
            wait_h[waited & (code == index)],
            int((started & (code == index)).sum()),
            size[finished & (code == index)],
            _asked(results, name),
        )
        for index, name in enumerate(names)
    ]


def _short(name: str) -> str:
    return short_text(name, NAME_LETTERS)


def _asked(results: "Results", workload: str) -> tuple[tuple[float, float], ...]:
    """Return median and 99th percentile of the sizes that a workload submitted, if recorded.

    The run itself recorded them, of every job and whatever the law: a mixture, a file.
    """
    said = {
        quantity: value
        for subject, quantity, value, *_ in results.assumptions
        if subject == workload
    }
    marks = (("GPU-days p50", 0.5), ("GPU-days p99", 0.99))
    found = ((float(said[quantity]), share) for quantity, share in marks if quantity in said)
    return tuple((size, share) for size, share in found if 0.0 < size < np.inf)


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
        if (above := axes.get_legend()) is not None:
            axes.add_artist(above)  # or the next legend would take its place
        axes.legend([sign], [" all submitted: p50, p99"], loc="lower right", handletextpad=0.3)


def _wait_axis(axes: Axes) -> None:
    low, high = axes.get_xlim()
    gap = LABEL_WIDTH * math.log(high / low)
    ticks: list[tuple[float, str]] = []
    for tick in WAIT_TICKS_H:
        apart = all(abs(math.log(tick[0] / other)) >= gap for other, _ in ticks)
        if low <= tick[0] <= high and apart:
            ticks.append(tick)
    axes.set_xticks([hours for hours, _ in ticks], [words for _, words in ticks], minor=False)
    axes.set_xlabel("wait, log scale")
