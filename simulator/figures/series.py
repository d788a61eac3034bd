"""The hourly table as arrays over time, and their means over steps that a page can show."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.display import interval_text
from simulator.results import Results
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN, MS_PER_S

MOST_POINTS: Final = 800
"""Most steps that a figure shows; more are averaged over longer steps."""

ROUNDING: Final = 1e-9
"""Relative difference of two sums of energy below which they are the same."""

STEPS: Final = (
    (15 * MS_PER_MIN, "means over 15 min"),
    (MS_PER_H, "hourly means"),
    (MS_PER_D, "daily means"),
    (7 * MS_PER_D, "weekly means"),
    (28 * MS_PER_D, "means over 28 d"),
)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The intervals of a run, grouped into the steps of a figure.

    Attributes
    ----------
    time_ms : int64[intervals]
        Start of each interval, since 1970. [ms]
    hours : float64[intervals]
        Length of each interval; the first and the last may be cut. [h]
    first : int64[steps]
        Index of each step's first interval.
    edges : datetime64[steps + 1]
        Where steps begin, and where the last one ends.
    words : str
        What a step shows, e.g. ``"daily means"``.
    row : int64[rows]
        Interval of each row of the hourly table.
    """

    time_ms: NDArray[np.int64]
    hours: NDArray[np.float64]
    first: NDArray[np.int64]
    edges: NDArray[np.datetime64]
    words: str
    row: NDArray[np.int64]

    @property
    def shown(self) -> str:
        """What is shown, in words, e.g. ``"daily means; shaded: range of 1 h means"``."""
        if not self.grouped:
            return self.words
        length = interval_text(round(float(self.hours.max()), 6))
        return f"{self.words}; shaded: range of the means over {length}"

    @property
    def grouped(self) -> bool:
        """Whether a step holds several intervals."""
        return len(self.first) < len(self.time_ms)

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum over clusters of a column of the hourly table, float64[intervals]."""
        return np.bincount(self.row, values, minlength=len(self.time_ms)).astype(np.float64)

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the time-weighted mean of each step, float64[steps]."""
        weight = np.add.reduceat(self.hours, self.first)
        return np.add.reduceat(values * self.hours, self.first) / weight

    def low(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the smallest interval of each step, float64[steps]."""
        lowest: NDArray[np.float64] = np.minimum.reduceat(values, self.first)
        return lowest

    def high(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest interval of each step, float64[steps]."""
        highest: NDArray[np.float64] = np.maximum.reduceat(values, self.first)
        return highest


def timeline(results: Results) -> Timeline | None:
    """Return the intervals of a run; None if it has none."""
    table = results.tables["hourly"]
    if not len(table):
        return None
    rows = table["time"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    time_ms, row = np.unique(rows, return_inverse=True)
    last_ms = _last_end(results, int(time_ms[-1]))
    hours = np.diff(time_ms, append=last_ms) / MS_PER_H
    first, words = _steps(time_ms, results.scenario.accounting.interval_ms)
    edges = np.append(time_ms[first], last_ms).astype("datetime64[ms]")
    return Timeline(time_ms, hours, first, edges, words, row)


def column(results: Results, name: str) -> NDArray[np.float64]:
    """Return a column of the hourly table, NaN where absent, float64[rows]."""
    values: NDArray[np.float64] = results.tables["hourly"][name].to_numpy()
    return values


def accelerators(results: Results) -> dict[str, int]:
    """Return how many accelerators each cluster owns."""
    scenario = results.scenario
    return {
        name: cluster.count * scenario.nodes[cluster.node].accelerators
        for name, cluster in scenario.clusters.items()
    }


def counted_h(results: Results) -> float:
    """Return the length of the period that figures cover: after the warm-up, to the end. [h]

    It is what any node did with its time, all together; how many there are may change.
    """
    nodes = results.tables["nodes"]
    spent = [name for name in nodes.column_names if name.startswith("residency_")]
    total_s = sum(float(nodes[name][0].as_py() or 0.0) for name in spent)
    return round(total_s * MS_PER_S) / MS_PER_H


def unheld_idle_kwh(results: Results) -> float:
    """Return the part of the idle energy that no job is billed for: of what no job held. [kWh]"""
    held_kwh = float(results.tables["jobs"]["energy_idle_share_kwh"].to_numpy().sum())
    idle_kwh = float(results.summary["energy_idle_kwh"])
    unheld_kwh = idle_kwh - held_kwh
    # A difference of two sums: what rounding leaves of a fleet that is full is nothing.
    return unheld_kwh if unheld_kwh > ROUNDING * idle_kwh else 0.0


def interval_words(results: Results) -> str:
    """Return what a mean over one reporting interval is called, e.g. ``"hourly mean"``."""
    return _means(results.scenario.accounting.interval_ms).replace("means", "mean")


def codes(results: Results, table: str, name: str) -> tuple[NDArray[np.int16], list[str]]:
    """Return a category as one code for each row, and the names that the codes stand for."""
    array = results.tables[table][name].unify_dictionaries().combine_chunks()
    return array.indices.to_numpy(), array.dictionary.to_pylist()


def stairs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values with the last one twice, to be drawn as steps between edges."""
    return np.append(values, values[-1])


def _last_end(results: Results, time_ms: int) -> int:
    """Return where the last interval ends; intervals lie on multiples of their length."""
    scenario = results.scenario
    interval_ms = scenario.accounting.interval_ms
    end_ms = (time_ms // interval_ms + 1) * interval_ms
    ran_ms = scenario.horizon_ms
    if scenario.drain:
        ran_ms = scenario.warm_up_ms + round(counted_h(results) * MS_PER_H)
    last_ms = round(scenario.start.timestamp() * MS_PER_S) + ran_ms
    return max(time_ms + 1, min(end_ms, last_ms))


def _means(interval_ms: int) -> str:
    return dict(STEPS).get(interval_ms, f"means over {interval_text(interval_ms / MS_PER_H)}")


def _steps(time_ms: NDArray[np.int64], interval_ms: int) -> tuple[NDArray[np.int64], str]:
    """Return the first interval of each of the shortest steps that are few enough, in words."""
    if len(time_ms) <= MOST_POINTS:
        return np.arange(len(time_ms)), _means(interval_ms)
    span_ms = int(time_ms[-1] - time_ms[0]) + interval_ms
    days = -(-span_ms // (MOST_POINTS * MS_PER_D))
    fitting = [
        (step_ms, words)
        for step_ms, words in STEPS
        if step_ms >= interval_ms and span_ms / step_ms <= MOST_POINTS
    ]
    step_ms, words = fitting[0] if fitting else (days * MS_PER_D, f"means over {days} d")
    # Steps begin at midnight UTC, so that a day is a day.
    step = (time_ms - time_ms[0] // MS_PER_D * MS_PER_D) // step_ms
    return np.flatnonzero(np.diff(step, prepend=-1)), words
