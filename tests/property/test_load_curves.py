"""Load curves of every shape: they begin at 0, end at 1, never fall, and add up."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.kernels.curves import draw
from simulator.power.curves import bend_of, table_of
from simulator.scenario.model import Component, NodeType
from tests.property.workloads import EXACTLY

LOADS = np.linspace(0.0, 1.0, 41)
ROUNDING = 1e-15

inner = st.lists(st.tuples(st.floats(0.001, 0.999), st.floats(0, 1)), max_size=8)
exponents = st.floats(1, 2).map(lambda r: {"exponent": r})
points = inner.map(
    lambda pairs: {
        "points": [
            (0.0, 0.0),
            *zip(
                sorted({load for load, _ in pairs}),
                sorted(share for _, share in pairs),
                strict=False,
            ),
            (1.0, 1.0),
        ]
    }
)
curves = st.one_of(st.just("linear"), exponents, points)
components = st.lists(
    st.tuples(st.integers(1, 8), st.floats(0, 500), st.floats(0, 900), curves),
    min_size=1,
    max_size=5,
)


def node(**power: Any) -> NodeType:
    return NodeType(accelerators=8, embodied_kg=0.0, lifetime_ms=1, **power)


def shares_of(kind: NodeType) -> Any:
    """Return f(u) at each of the loads."""
    table = table_of([bend_of(kind, "full")], [kind.accelerators])
    return np.array([draw(table, 0, 8 * u) for u in LOADS]) / 8


def component(name: int, count: int, idle_w: float, span_w: float, curve: Any) -> Component:
    return Component(
        name=str(name),
        count=count,
        idle_power_w=idle_w,
        busy_power_w=idle_w + span_w,
        load_curve=curve,
    )


@EXACTLY
@given(curves)
def test_a_curve_runs_from_0_to_1_and_never_falls(curve: Any) -> None:
    shares = shares_of(node(idle_power_w=100.0, busy_power_w=900.0, load_curve=curve))
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert (np.diff(shares) >= -ROUNDING).all()


@EXACTLY
@given(exponents)
def test_a_curve_by_exponent_lies_above_the_straight_line(curve: Any) -> None:
    shares = shares_of(node(idle_power_w=100.0, busy_power_w=900.0, load_curve=curve))
    assert (shares >= LOADS - ROUNDING).all()


@EXACTLY
@given(st.sets(st.floats(0.001, 0.999), min_size=1, max_size=9))
def test_points_on_the_straight_line_make_the_straight_line(loads: set[float]) -> None:
    # One point is off the line by a rounding, so that the curve is not read as a line at once.
    on_line = [(load, load) for load in sorted(loads)]
    on_line[0] = (on_line[0][0], np.nextafter(on_line[0][0], 0.0))
    curve = {"points": [(0.0, 0.0), *on_line, (1.0, 1.0)]}
    kind = node(idle_power_w=100.0, busy_power_w=900.0, load_curve=curve)
    assert bend_of(kind, "full").knots != ((0.0, 0.0), (1.0, 1.0))
    np.testing.assert_allclose(shares_of(kind), LOADS, rtol=0, atol=ROUNDING)


@EXACTLY
@given(components)
def test_the_power_of_components_adds_up_at_every_load(parts: list[Any]) -> None:
    pieces = [component(name, *part) for name, part in enumerate(parts)]
    whole = node(components=tuple(pieces))
    span_w = whole.busy_power_w - whole.idle_power_w
    summed_w = np.zeros(len(LOADS))
    for piece in pieces:
        alone = node(idle_power_w=0.0, busy_power_w=1.0, load_curve=piece.load_curve)
        width_w = piece.busy_power_w - piece.idle_power_w
        summed_w += piece.count * (piece.idle_power_w + width_w * shares_of(alone))
    drawn_w = whole.idle_power_w + span_w * shares_of(whole)
    np.testing.assert_allclose(drawn_w, summed_w, rtol=1e-13, atol=1e-12)


@EXACTLY
@given(components)
def test_straight_components_are_a_straight_node(parts: list[Any]) -> None:
    straight = [(count, idle_w, span_w, "linear") for count, idle_w, span_w, _ in parts]
    whole = node(components=tuple(component(k, *part) for k, part in enumerate(straight)))
    plain = node(idle_power_w=whole.idle_power_w, busy_power_w=whole.busy_power_w)
    assert bend_of(whole, "full") == bend_of(plain, "full")
    assert (shares_of(whole) * 8 == LOADS * 8).all()
