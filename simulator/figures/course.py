"""What a picture of a sweep draws: the points with the mean of a quantity, and its words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.columns import SUMMARY
from simulator.display import count_text, number_text
from simulator.errors import InputError, Issue
from simulator.figures.quantities import (
    SAID,
    amount_words,
    axis_names,
    no_quantity,
    unit_of,
    value_words,
    words_of,
)

if TYPE_CHECKING:
    import pandas as pd

MIDDLE: Final = (5.0, 95.0)
"""Percentiles that the takeaway of clouds gives, with nine of ten points between them."""
MOST_SAID: Final = 4
"""Axes that a takeaway names."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """What is drawn: the points of a sweep with the mean of one quantity.

    Attributes
    ----------
    axes : tuple of str
        Paths of the axes that take more than one value; the first, if none does.
    values : dict of str to list
        Values of each axis, one for each point.
    mean, low, high : float64[points]
        In the unit shown; the last two NaN where there is no interval.
    words : str
        What the quantity is called, with its unit.
    unit : str
    along : dict of str to str
        Axes that are not drawn since they change only with another, and that other.
    """

    axes: tuple[str, ...]
    values: dict[str, list[Any]]
    mean: Values
    low: Values
    high: Values
    words: str
    unit: str
    along: dict[str, str] = field(default_factory=dict)

    def name(self, path: str) -> str:
        """Return what people call an axis."""
        return axis_names([*self.axes, *self.along], least=2)[path]

    def varies(self, path: str) -> bool:
        """Return whether an axis takes more than one value."""
        return len(set(map(value_words, self.values[path]))) > 1

    def labels(self, paths: Sequence[str]) -> list[str]:
        """Return the values of some axes as one text for each point."""
        rows = zip(*(self.values[path] for path in paths), strict=True)
        return [", ".join(map(value_words, row)) for row in rows]

    def heading(self, paths: Sequence[str]) -> str:
        """Return what people call some axes, as it stands above their labels."""
        return ", ".join(map(self.name, paths))


def course_of(points: "pd.DataFrame", axes: Sequence[str], quantity: str) -> Course:
    """Return what is to be drawn."""
    issues = list(_problems(points, axes, quantity))
    if issues:
        raise InputError("plot", issues)
    known = points[points["mean"].notna()]
    values = {path: known[path].tolist() for path in axes}
    varied = [path for path in axes if len(set(map(value_words, values[path]))) > 1]
    along = _going_along(values, varied)
    shown_axes = tuple([path for path in varied if path not in along] or axes[:1])
    size, unit = unit_of(quantity, known["mean"])
    mean, low, high = (known[name].to_numpy(np.float64) / size for name in ("mean", "low", "high"))
    if _cut_at_0(quantity):
        low = np.where(mean >= 0.0, np.maximum(low, 0.0), low)
    words = f"{words_of(quantity)} [{unit}]" if unit else words_of(quantity)
    return Course(shown_axes, values, mean, low, high, words, unit, along)


def _going_along(values: dict[str, list[Any]], varied: Sequence[str]) -> dict[str, str]:
    """Return the axes of which each value goes with one value of an earlier axis and no other.

    Two at least of the points must share a value, or there is nothing to go by: samples drawn
    at random have each value once.
    """
    words = {path: list(map(value_words, values[path])) for path in varied}
    found: dict[str, str] = {}
    for at, path in enumerate(varied):
        for earlier in varied[:at]:
            pairs = set(zip(words[earlier], words[path], strict=True))
            counts = {len(pairs), len(set(words[earlier])), len(set(words[path]))}
            if earlier not in found and len(counts) == 1 and len(pairs) < len(words[path]):
                found[path] = earlier
                break
    return found


def said_along(course: Course) -> str:
    """Say which axes go with others and are not drawn."""
    said = [f"{course.name(path)} goes with {course.name(of)}" for path, of in course.along.items()]
    return f" {', '.join(said)}." if said else ""


def _problems(points: "pd.DataFrame", axes: Sequence[str], quantity: str) -> Iterator[Issue]:
    known = [column.name for column in SUMMARY if column.type != "text" and column.name != "seed"]
    if quantity not in known:
        yield Issue("quantity", no_quantity(quantity, known))
    if not axes:
        yield Issue("axes", "there are none; name at least one")
    for path in axes:
        if path not in points.columns:
            yield Issue("axes", f"{path} is no axis of these points")
    if not points["mean"].notna().any():
        yield Issue("quantity", f"{quantity} is absent at every point; draw another")


def _cut_at_0(quantity: str) -> bool:
    """Return whether intervals end at 0: a wait can't be less, whatever a mean's interval says."""
    return quantity.startswith("wait")


def lowest(course: Course, quantity: str) -> str:
    """Return where the quantity is lowest."""
    at = int(np.argmin(course.mean))
    place = ", ".join(
        f"{course.name(path)} {amount_words(course.values[path][at])}"
        for path in course.axes[:MOST_SAID]
    )
    if len(course.axes) > MOST_SAID:
        place += ", …"
    amount = f"{number_text(float(course.mean[at]), 4)} {course.unit}".rstrip()
    more = int((course.mean == course.mean[at]).sum()) - 1
    if len(course.mean) > 1 and more == len(course.mean) - 1:
        words = words_of(quantity)
        return f"{words[0].upper()}{words[1:]} is {amount} at every point"
    others = f" and {count_text(more)} more" if more else ""
    return f"Lowest {words_of(quantity)}: {amount} at {place}{others}"


def between(course: Course, quantity: str) -> str:
    """Return between which values the quantity lies at nine of ten points."""
    low, high = (number_text(float(each), 3) for each in np.percentile(course.mean, MIDDLE))
    words = words_of(quantity)
    return (
        f"{words[0].upper()}{words[1:]} lies between {low} and {high} {course.unit}".rstrip()
        + f" at nine of ten of {count_text(len(course.mean))} points"
    )


def caption_of(
    points: "pd.DataFrame", quantity: str, *, interval: bool = True, paired: bool = False
) -> str:
    """Say what the dots are means of, and what is missing."""
    known = points[points["mean"].notna()]
    runs = sorted(set(known["n"]))
    if runs == [1]:
        words = "One run at each point" + (", so there is no interval" if interval else "")
    else:
        count = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
        words = f"Mean of {count} runs at each point" + (
            ", with its 95 % interval" if interval else ""
        )
        below = bool((known["low"] < 0.0).any()) and _cut_at_0(quantity)
        words += ", cut at 0" if interval and below else ""
        if paired and interval and len(known) > 1:
            words += ". All meet the same seeds, so differences are to be taken in pairs"
    missing = len(points) - len(known)
    if missing:
        words += f". Absent at {missing} of {len(points)} points"
    if quantity in SAID:
        words += (
            f". {words_of(quantity).capitalize()}:{SAID[quantity].replace('(', '').rstrip(')')}"
        )
    return f"{words}."
