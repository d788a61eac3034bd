"""Load curves against closed forms worked by hand, from the words of a file to the kernel."""

from typing import Any

import numpy as np
import pytest

from simulator.fleet import fleet_of
from simulator.kernels.curves import Curves, draw
from simulator.power.curves import curves_of
from simulator.scenario import Scenario, from_document, schema
from simulator.scenario.model import ExponentCurve, PointsCurve
from tests.builders import scenario_document
from tests.unit.scenario_documents import problems

PLAIN = getattr(draw, "py_func", draw)
"""The kernel as Python runs it, uncompiled."""

HOST = {"name": "host", "idle_power": "200 W", "busy_power": "800 W"}
CARDS = {"name": "a100", "count": 8, "idle_power": "50 W", "busy_power": "350 W"}


def scenario_of(accelerators: int = 8, **node: Any) -> Scenario:
    """Return a scenario of one node; a key that is None is left out."""
    document = scenario_document(nodes={"accelerators": accelerators, **node})
    entries = document["nodes"]["n"]
    document["nodes"]["n"] = {key: value for key, value in entries.items() if value is not None}
    return from_document(document)


def node_w(scenario: Scenario, busy: float) -> float:
    """Return the power of a node with so many accelerators at work. [W]"""
    fleet = fleet_of(scenario)
    span_w = (fleet.busy_w[0] - fleet.idle_w[0]) / fleet.accelerators[0]
    return float(fleet.idle_w[0] + span_w * draw(curves_of(scenario), 0, busy))


@pytest.mark.parametrize("busy", [0.0, 0.1 + 0.2, 1 / 3, 2.0, 7.999999999999999, 8.000000000000002])
def test_a_straight_line_draws_what_is_busy_bit_for_bit(busy: float) -> None:
    assert draw(curves_of(scenario_of()), 0, busy) == busy


@pytest.mark.parametrize("exponent", [1.000001, 1.4, 2.0])
def test_an_exponent_draws_2u_less_u_to_the_r(exponent: float) -> None:
    curves = curves_of(scenario_of(load_curve={"exponent": exponent}))
    for busy in np.linspace(0.0, 8.0, 33):
        u = busy / 8
        assert draw(curves, 0, busy) == pytest.approx(8 * (2 * u - u**exponent), rel=1e-14)


def test_half_load_of_the_manuals_exponent_is_worked_by_hand() -> None:
    """2 x 0.5 - 0.5^1.4 = 1 - 0.3789291416 = 0.6210708584 of 400 W above 100 W."""
    scenario = scenario_of(load_curve={"exponent": 1.4})
    assert node_w(scenario, 4.0) == pytest.approx(348.42834336, rel=1e-10)


def test_points_are_joined_by_straight_lines() -> None:
    curves = curves_of(scenario_of(load_curve={"points": [[0, 0], [0.5, 0.7], [1, 1]]}))
    halves = {0.0: 0.0, 2.0: 0.35, 4.0: 0.7, 6.0: 0.85, 8.0: 1.0}
    for busy, share in halves.items():
        assert draw(curves, 0, busy) == pytest.approx(8 * share, rel=1e-15)


def test_flat_stretches_and_steep_steps_are_allowed() -> None:
    curve = {"points": [[0, 0], [0.25, 0], [0.2500001, 0.9], [0.75, 0.9], [1, 1]]}
    curves = curves_of(scenario_of(load_curve=curve))
    assert [draw(curves, 0, busy) / 8 for busy in (1.0, 2.0, 4.0, 6.0)] == [0.0, 0.0, 0.9, 0.9]


@pytest.mark.parametrize(
    "curve",
    [{"exponent": 1.9}, {"points": [[0, 0], [1 / 3, 0.9], [0.9, 0.91], [1, 1]]}],
)
def test_the_ends_are_exact_and_roundings_past_them_are_cut(curve: Any) -> None:
    curves = curves_of(scenario_of(load_curve=curve))
    for busy, drawn in [(0.0, 0.0), (-1e-17, 0.0), (8.0, 8.0), (8.000000000000002, 8.0)]:
        assert draw(curves, 0, busy) == drawn


def test_a_measured_web_server_is_a_curve_of_powers() -> None:
    """60 W idle, 130 W at light load, 150 W at medium load and above."""
    table = [[0.0, "60 W"], [0.1, "130 W"], [0.5, "150 W"], [1.0, "0.15 kW"]]
    server = {"idle_power": "60 W", "busy_power": "150 W", "load_curve": {"points": table}}
    scenario = scenario_of(accelerators=10, **server)
    powers_w = [node_w(scenario, busy) for busy in (0.0, 0.5, 1.0, 3.0, 5.0, 8.0, 10.0)]
    assert powers_w == pytest.approx([60, 95, 130, 140, 150, 150, 150], rel=1e-14)


def test_a_table_of_powers_is_the_curve_of_its_shares() -> None:
    shares = {"points": [[0, 0], [0.5, 0.75], [1, 1]]}
    powers = {"points": [[0, "100 W"], [0.5, "400 W"], [1, "500 W"]]}
    assert scenario_of(load_curve=powers).nodes["n"].load_curve == PointsCurve(
        points=((0.0, 0.0), (0.5, 0.75), (1.0, 1.0))
    )
    one, other = scenario_of(load_curve=shares), scenario_of(load_curve=powers)
    assert one.canonical() == other.canonical()


@pytest.mark.parametrize(
    "curve",
    [
        {"exponent": 1},
        {"points": [[0, 0], [1, 1]]},
        {"points": [[0, 0], [0.3, 0.3], [1, 1]]},
        {"points": [[0, "100 W"], [1, "500 W"]]},
    ],
)
def test_straight_lines_in_other_words_are_the_straight_line(curve: Any) -> None:
    assert scenario_of(load_curve=curve).canonical() == scenario_of().canonical()
    assert not curves_of(scenario_of(load_curve=curve)).bent.any()


def test_components_sum_to_the_node() -> None:
    """Host 200 to 800 W straight, eight cards of 50 to 350 W by 2u - u^1.5."""
    bent = {**CARDS, "load_curve": {"exponent": 1.5}}
    scenario = scenario_of(components=[HOST, bent], idle_power=None, busy_power=None)
    node = scenario.nodes["n"]
    assert (node.idle_power_w, node.busy_power_w, node.load_curve) == (600.0, 3600.0, None)
    for busy in (0.0, 1.0, 2.0, 4.0, 8.0):
        u = busy / 8
        host_w, card_w = 200 + 600 * u, 50 + 300 * (2 * u - u**1.5)
        assert node_w(scenario, busy) == pytest.approx(host_w + 8 * card_w, rel=1e-14)


def test_components_of_several_curves_keep_each_ones_points_and_exponent() -> None:
    parts = [
        {**HOST, "load_curve": {"points": [[0, 0], [0.1, 0.6], [1, 1]]}},
        {**CARDS, "load_curve": {"exponent": 1.5}},
        {"name": "nic", "idle_power": "20 W", "busy_power": "40 W", "load_curve": {"exponent": 2}},
        {"name": "fan", "idle_power": "50 W", "busy_power": "50 W"},
    ]
    scenario = scenario_of(components=parts, idle_power="670 W", busy_power="3.69 kW")
    assert scenario.nodes["n"].busy_power_w == 800 + 8 * 350 + 40 + 50
    curves = curves_of(scenario)
    assert (curves.knots[0], curves.terms[0]) == (3, 2)
    for u in (0.05, 0.1, 0.55, 0.99):
        points = 0.6 * u / 0.1 if u <= 0.1 else 0.6 + 0.4 * (u - 0.1) / 0.9
        expected_w = 600 * points + 2400 * (2 * u - u**1.5) + 20 * (2 * u - u**2)
        assert node_w(scenario, 8 * u) == pytest.approx(270 + 400 + expected_w, rel=1e-13)


def test_straight_components_are_a_straight_node() -> None:
    scenario = scenario_of(components=[HOST, CARDS], idle_power=None, busy_power=None)
    assert not curves_of(scenario).bent[0]
    assert draw(curves_of(scenario), 0, 0.1 + 0.2) == 0.1 + 0.2


def test_components_that_never_change_are_a_straight_node() -> None:
    fan = {"name": "fan", "idle_power": "500 W", "busy_power": "500 W"}
    scenario = scenario_of(components=[{**fan, "load_curve": {"exponent": 2}}], idle_power=None,
                           busy_power=None)  # fmt: skip
    assert not curves_of(scenario).bent[0]


def test_a_resolved_scenario_of_components_is_read_again_as_the_same() -> None:
    bent = {**CARDS, "load_curve": {"points": [[0, "50 W"], [0.5, "250 W"], [1, "350 W"]]}}
    scenario = scenario_of(components=[HOST, bent], idle_power=None, busy_power=None)
    again = from_document(scenario.document)
    assert again.canonical() == scenario.canonical()
    assert "load_curve" not in scenario.document["nodes"]["n"]
    assert scenario_of().document["nodes"]["n"]["load_curve"] == "linear"


def test_components_stand_in_place_of_a_parents_power() -> None:
    parts = [HOST, CARDS]
    scenario = scenario_of().replace({"nodes.n.components": parts})
    assert scenario.nodes["n"].idle_power_w == 600.0
    assert "idle_power" not in scenario.document["nodes"]["n"]


def test_one_form_of_curve_replaces_another_as_a_whole() -> None:
    bent = scenario_of(load_curve={"points": [[0, 0], [0.5, 0.7], [1, 1]]})
    other = bent.replace({"nodes.n.load_curve": {"exponent": 1.4}})
    assert other.nodes["n"].load_curve == ExponentCurve(exponent=1.4)


def test_clusters_keep_their_own_rows() -> None:
    document = scenario_document(nodes={"load_curve": {"exponent": 1.5}})
    document["nodes"]["m"] = {**document["nodes"]["n"], "accelerators": 2}
    document["nodes"]["m"]["load_curve"] = {"points": [[0, 0], [0.2, 0.5], [0.4, 0.9], [1, 1]]}
    document["nodes"]["k"] = {**document["nodes"]["n"], "load_curve": "linear"}
    for name in ("m", "k"):
        document["clusters"][name] = {**document["clusters"]["c"], "node": name}
    curves = curves_of(from_document(document))
    assert curves.bent.tolist() == [True, True, False]
    assert curves.load.shape == (3, 4)
    drawn = [draw(curves, cluster, 1.0) for cluster in range(3)]
    half = 2 * (0.9 + 0.1 * (0.5 - 0.4) / 0.6)
    assert drawn == pytest.approx([8 * (2 / 8 - (1 / 8) ** 1.5), half, 1.0], rel=1e-15)


def test_compiled_and_plain_draw_the_same() -> None:
    parts = [
        {**HOST, "load_curve": {"points": [[0, 0], [0.3, 0.55], [0.7, 0.6], [1, 1]]}},
        {**CARDS, "load_curve": {"exponent": 1.37}},
    ]
    curves = curves_of(scenario_of(components=parts, idle_power=None, busy_power=None))
    assert isinstance(curves, Curves)
    for busy in np.linspace(-0.01, 8.01, 777):
        assert draw(curves, 0, busy) == PLAIN(curves, 0, busy)


def test_what_other_values_are_refused_with() -> None:
    document = scenario_document(nodes={"load_curve": {"exponnt": 1.4}})
    assert problems(document) == {
        "nodes.n.load_curve.exponnt": "unknown key; did you mean 'exponent'?"
    }
    document = scenario_document(nodes={"load_curve": {"points": [[0, 0, 0], [1, 1]]}})
    assert "is not a point" in problems(document)["nodes.n.load_curve.points[0]"]
    document = scenario_document(nodes={"load_curve": {"points": [[0, 0]] * 1001}})
    assert "1,001 points are too many" in problems(document)["nodes.n.load_curve.points"]
    document = scenario_document(nodes={"idle_powr": "1 kW"})
    del document["nodes"]["n"]["idle_power"]
    assert problems(document) == {"nodes.n.idle_powr": "unknown key; did you mean 'idle_power'?"}


def test_the_schema_knows_every_form_of_power() -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema())
    bent = {**CARDS, "load_curve": {"exponent": 1.5}}
    level = {"name": "cap", "speed": 0.9, "busy_power": "400 W"}
    good = [
        {"load_curve": {"exponent": 1.4}},
        {"load_curve": {"points": [[0.0, 0.0], [0.5, 0.7], [1.0, 1.0]]}},
        {"load_curve": {"points": [[0.0, "100 W"], [1.0, "500 W"]]}},
        {"components": [HOST, bent], "idle_power": None, "busy_power": None},
        {"power_levels": [level]},
    ]
    bad = [
        {"load_curve": {"exponent": 2.1}},
        {"load_curve": {"points": [[0.0, 0.0], [1.0, 100]]}},
        {"load_curve": "cubic"},
        {"idle_power": None},
        {"components": [{"name": "host"}]},
        {"power_levels": [{"name": "cap", "busy_power": "400 W"}]},
    ]
    for node, valid in [(node, True) for node in good] + [(node, False) for node in bad]:
        document = scenario_document(nodes=node, clusters__c__power_budget="1 kW")
        entries = document["nodes"]["n"]
        document["nodes"]["n"] = {key: said for key, said in entries.items() if said is not None}
        assert validator.is_valid(document) is valid, node
