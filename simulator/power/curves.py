"""Load curves of a scenario as the table that kernels read."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.curves import Curves
from simulator.scenario.load_curves import ExponentCurve, LoadCurve, Point, PointsCurve
from simulator.scenario.model import Scenario
from simulator.scenario.nodes import NodeType


@dataclass(frozen=True, slots=True)
class Bend:
    """One curve as `simulator.kernels.curves` has it.

    Attributes
    ----------
    knots : tuple of (float, float)
        Load u and p(u), from load 0 to load 1.
    terms : tuple of (float, float)
        Weight and exponent of what is subtracted from p(u); none and two knots for a line.
    """

    knots: tuple[Point, ...] = ((0.0, 0.0), (1.0, 1.0))
    terms: tuple[Point, ...] = ()


LINE = Bend()


def curves_of(scenario: Scenario) -> Curves:
    """Return the load curves of a scenario's clusters, at the power level each runs at."""
    clusters = scenario.clusters.values()
    nodes = [scenario.nodes[cluster.node] for cluster in clusters]
    return table_of(
        [bend_of(node, cluster.power_level) for node, cluster in zip(nodes, clusters, strict=True)],
        [node.accelerators for node in nodes],
    )


def table_of(bends: Sequence[Bend], accelerators: Sequence[int]) -> Curves:
    """Return curves, and the accelerators of one node of each, as the table of kernels."""
    knots = [bend.knots for bend in bends]
    terms = [bend.terms for bend in bends]
    return Curves(
        bent=np.array([bend != LINE for bend in bends]),
        accelerators=np.array(accelerators, np.int64),
        knots=np.array([len(row) for row in knots], np.int64),
        load=_column(knots, 0),
        share=_column(knots, 1),
        terms=np.array([len(row) for row in terms], np.int64),
        weights=_column(terms, 0),
        exponents=_column(terms, 1),
    )


def bend_of(node: NodeType, level: str) -> Bend:
    """Return the curve of a node type at one of its power levels.

    The curve of components is f(u) = sum of s_i f_i(u), where s_i is the component's share of
    the span from the node's idle to its busy power.
    """
    own = node.level(level).load_curve or node.load_curve
    if own is not None:
        return _sum({own: 1.0})
    spans_w: dict[LoadCurve, float] = {}
    for part in node.components:
        span_w = part.count * (part.busy_power_w - part.idle_power_w)
        spans_w[part.load_curve] = spans_w.get(part.load_curve, 0.0) + span_w
    total_w = math.fsum(spans_w.values())
    if total_w == 0.0:
        return LINE
    return _sum({curve: span_w / total_w for curve, span_w in spans_w.items() if span_w > 0.0})


def _sum(parts: dict[LoadCurve, float]) -> Bend:
    """Return a weighted sum of different curves; the weights sum to 1."""
    if set(parts) == {"linear"}:
        return LINE
    loads = {0.0, 1.0}
    for curve in parts:
        if isinstance(curve, PointsCurve):
            loads.update(load for load, _ in curve.points)
    knots = tuple(
        (load, math.fsum(weight * _straight(curve, load) for curve, weight in parts.items()))
        for load in sorted(loads)
    )
    terms = tuple(
        (weight, curve.exponent)
        for curve, weight in parts.items()
        if isinstance(curve, ExponentCurve)
    )
    return Bend(knots, terms)


def _straight(curve: LoadCurve, load: float) -> float:
    """Return what a curve adds to p(u) at a load."""
    if isinstance(curve, ExponentCurve):
        return 2.0 * load
    if curve == "linear":
        return load
    points = curve.points
    right = min(bisect_right(points, load, key=lambda point: point[0]), len(points) - 1)
    (before, low), (after, high) = points[right - 1], points[right]
    return high if load == after else low + (high - low) * ((load - before) / (after - before))


def _column(rows: Sequence[tuple[Point, ...]], column: int) -> NDArray[np.float64]:
    """Return one column of rows of different lengths, filled up with zeros."""
    table = np.zeros((len(rows), max([1, *(len(row) for row in rows)])))
    for at, row in enumerate(rows):
        table[at, : len(row)] = [entry[column] for entry in row]
    return table
