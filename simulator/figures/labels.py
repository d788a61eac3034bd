"""Labels beside points, placed so that they cover neither points, lines nor one another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray

from simulator.figures.style import MUTED

REACHES_PT: Final = (7.0, 13.0, 20.0, 30.0, 42.0, 56.0, 72.0)
"""Distances between a point and its label, nearest first. [pt]"""
LEADER_PT: Final = 10.0
"""Distance from which on a thin line leads from the point to its label. [pt]"""
ANGLES_DEG: Final = (0, 180, 90, 270, 45, 315, 135, 225, 20, 340, 160, 200, 65, 115, 245, 295)
"""Directions in which a label may stand, the best first."""
POINT_PT: Final = 5.0
"""Half the side of the square that a point needs for itself. [pt]"""
MARGIN_PT: Final = 1.5
"""What stays free around a label. [pt]"""
PASSES: Final = 4
"""How often each label is placed again, now that the others have their places."""

LINE_COST: Final = 400.0
CROSSING_COST: Final = 2_500.0
POINT_COST: Final = 4_000.0
LABEL_COST: Final = 6_000.0
OUTSIDE_COST: Final = 20_000.0
"""What a place costs that lies on a line, meets another's leader, lies on a point, on another
label or outside, in points of way."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top. [px]"""
Segment = tuple[float, float, float, float]
"""From x, y to x, y. [px]"""
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Label:
    """What stands beside a point.

    Attributes
    ----------
    x, y : float
        The point, in data coordinates.
    text : str
    colour : str
    weight : str
        As matplotlib calls it.
    """

    x: float
    y: float
    text: str
    colour: str
    weight: str = "normal"


@dataclass(frozen=True, slots=True)
class _Place:
    box: Box
    leader: Segment | None
    cost: float


def place_labels(
    axes: Axes,
    labels: Sequence[Label],
    line: tuple[Values, Values] | None = None,
    dots: tuple[Values, Values] | None = None,
) -> None:
    """Write labels beside their points; the limits of the axes must stand.

    Parameters
    ----------
    axes : Axes
    labels : sequence of Label
    line : pair of float64[corners], optional
        A line to keep clear of, in data coordinates.
    dots : pair of float64[dots], optional
        Further points to keep clear of, which have no label.
    """
    if not labels:
        return
    points = axes.transData.transform([(label.x, label.y) for label in labels])
    corners = axes.transData.transform(np.column_stack(line)) if line else np.empty((0, 2))
    further = axes.transData.transform(np.column_stack(dots)) if dots else np.empty((0, 2))
    page = _Page(axes, np.vstack([points, further]), corners)
    sizes_px = [page.size_px(label) for label in labels]
    # Those in a crowd choose first.
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    order = np.argsort(np.sort(apart, axis=1)[:, 1:4].sum(axis=1), kind="stable")
    places: dict[int, _Place] = {}
    for _ in range(PASSES):
        for at in order:
            others = [place for other, place in places.items() if other != at]
            places[int(at)] = page.best(points[at], sizes_px[at], others)
    for at, place in places.items():
        _write(axes, labels[at], place)


class _Page:
    """The axes in pixels, and what stands on them already."""

    def __init__(self, axes: Axes, points: Values, corners: Values) -> None:
        self._renderer = FigureCanvasAgg(axes.figure).get_renderer()  # type: ignore[no-untyped-call,arg-type]
        self._axes = axes
        self._px = axes.figure.dpi / 72
        frame = axes.get_window_extent()
        self._frame: Box = (frame.x0, frame.y0, frame.x1, frame.y1)
        side = POINT_PT * self._px
        self._points = [(x - side, y - side, x + side, y + side) for x, y in points]
        self._lines = [_hull(*pair) for pair in pairwise(corners)]

    def size_px(self, label: Label) -> tuple[float, float]:
        """Return width and height of a label with its margin. [px]"""
        text = self._axes.text(0, 0, label.text, weight=label.weight, size=8)
        box = text.get_window_extent(self._renderer)
        text.remove()
        around = 2 * MARGIN_PT * self._px
        return box.width + around, box.height + around

    def best(self, point: Values, size_px: tuple[float, float], others: list[_Place]) -> _Place:
        """Return the cheapest place for the label of a point."""
        places = [
            self._place(point, size_px, reach, angle, rank, others)
            for reach in REACHES_PT
            for rank, angle in enumerate(ANGLES_DEG)
        ]
        return min(places, key=lambda place: place.cost)

    def _place(
        self,
        point: Values,
        size_px: tuple[float, float],
        reach_pt: float,
        angle_deg: int,
        rank: int,
        others: list[_Place],
    ) -> _Place:
        along, up = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        width, height = size_px
        x = float(point[0]) + reach_pt * self._px * along + width * (along - 1) / 2
        y = float(point[1]) + reach_pt * self._px * up + height * (up - 1) / 2
        box = (x, y, x + width, y + height)
        leader = _leader(point, box) if reach_pt >= LEADER_PT else None
        cost = reach_pt + 0.3 * rank
        covered = [_share(box, other.box) for other in others]
        cost += LABEL_COST * sum(1.0 + share for share in covered if share)
        cost += CROSSING_COST * sum(_crossed(leader, box, other) for other in others)
        cost += POINT_COST * sum(_share(box, other) for other in self._points)
        cost += LINE_COST * sum(_touch(box, line) for line in self._lines)
        cost += OUTSIDE_COST * (1.0 - _share(box, self._frame))
        return _Place(box, leader, cost)


def _write(axes: Axes, label: Label, place: _Place) -> None:
    """Write a label at its place, with a line to its point if that is far."""
    left, bottom, right, top = place.box
    to_data = axes.transData.inverted()
    x, y = to_data.transform(((left + right) / 2, (bottom + top) / 2))
    axes.text(
        x, y, label.text, color=label.colour, weight=label.weight, size=8,
        ha="center", va="center", zorder=5,
    )  # fmt: skip
    if place.leader is not None:
        ends = to_data.transform(np.reshape(place.leader, (2, 2)))
        axes.plot(ends[:, 0], ends[:, 1], color=MUTED, linewidth=0.5, zorder=2)


def _leader(point: Values, box: Box) -> Segment:
    """Return the shortest way from a point to a label."""
    x, y = float(point[0]), float(point[1])
    return x, y, min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])


def _crossed(leader: Segment | None, box: Box, other: _Place) -> int:
    """Return how often a label and its leader meet the leader of another, or run through it."""
    count = int(leader is not None and _meets(leader, other.box))
    if other.leader is not None:
        count += _meets(other.leader, box)
        count += leader is not None and _cross(leader, other.leader)
    return count


def _meets(segment: Segment, box: Box) -> bool:
    """Return whether a segment runs through a box."""
    x, y, to_x, to_y = segment
    enter, leave = 0.0, 1.0
    for start, way, low, high in ((x, to_x - x, box[0], box[2]), (y, to_y - y, box[1], box[3])):
        if way == 0.0:
            if not low <= start <= high:
                return False
            continue
        first, second = sorted(((low - start) / way, (high - start) / way))
        enter, leave = max(enter, first), min(leave, second)
    return enter <= leave


def _cross(one: Segment, other: Segment) -> bool:
    """Return whether two segments cross."""

    def side(line: Segment, x: float, y: float) -> float:
        return (line[2] - line[0]) * (y - line[1]) - (line[3] - line[1]) * (x - line[0])

    apart = side(one, other[0], other[1]) * side(one, other[2], other[3])
    return apart < 0 and side(other, one[0], one[1]) * side(other, one[2], one[3]) < 0


def _hull(one: Values, other: Values) -> Box:
    left, right = sorted((float(one[0]), float(other[0])))
    bottom, top = sorted((float(one[1]), float(other[1])))
    return left, bottom, right, top


def _share(box: Box, other: Box) -> float:
    """Return the share of a box that lies in another."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / ((box[2] - box[0]) * (box[3] - box[1]))


def _touch(box: Box, line: Box) -> bool:
    """Return whether a horizontal or vertical line runs through a box."""
    crosses = box[0] < line[2] and line[0] < box[2]
    return crosses and box[1] < line[3] and line[1] < box[3]
