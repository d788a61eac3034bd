"""Break-even gaps: closed forms, the lower envelope, what a timeout can cost, what is warned of."""

import itertools
import math
from typing import Any

import pytest

from simulator.power.break_even import RestingLadder, break_even_gap_s, ladder_of
from simulator.scenario import Scenario, from_document
from simulator.scenario.law_moments import mean
from simulator.scenario.nodes import NodeType
from simulator.scenario.rests import rests_of, whole_time
from simulator.units import MS_PER_S
from tests.builders import scenario_document


def state(name: str, after: str, power: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "after": after, "power": power, **keys}


def scenario(*states: dict[str, Any], idle_power: str = "200 W") -> Scenario:
    return from_document(
        scenario_document(nodes={"idle_power": idle_power, "idle_states": list(states)})
    )


def node_ladder(node: NodeType) -> RestingLadder:
    return ladder_of(node, [mean(state.wake_time) / MS_PER_S for state in node.idle_states])


def ladder(*states: dict[str, Any], idle_power: str = "200 W") -> RestingLadder:
    return node_ladder(scenario(*states, idle_power=idle_power).nodes["n"])


SLEEP = state("sleep", "60 s", "15 W", enter_time="10 s", wake_time="20 s", wake_power="350 W")
"""Entering 10 s at 200 W and waking 20 s at 350 W: 9,000 J."""
SKI = state("off", "45 s", "0 W", wake_time="45 s")
"""Waking costs 9,000 J, resting nothing: the ski rental problem."""
GAPS_S = (5.0, 40.0, 45.0001, 300.0, 44.0, 46.0, 10.0, 1000.0)


def test_the_break_even_gap_is_the_closed_form() -> None:
    assert break_even_gap_s(200.0, 15.0, 9000.0, 10.0, 20.0) == pytest.approx(
        46.2162162162, rel=1e-11
    )
    (sleep,) = ladder(SLEEP).states
    assert sleep.break_even_s == pytest.approx((9000 - 15 * 30) / (200 - 15), rel=1e-12)
    assert sleep.best_from_s == sleep.break_even_s == sleep.pays_from_s
    assert sleep.saves_w == 185.0


def test_energies_of_a_gap_spent_awake_and_asleep() -> None:
    awake, sleep = rests_of(scenario(SLEEP).nodes["n"], [20.0])
    assert (awake.energy_j(100.0), sleep.energy_j(100.0)) == (20_000.0, 10_050.0)
    assert (awake.energy_j(30.0), sleep.energy_j(30.0)) == (6_000.0, 9_000.0)
    assert sleep.energy_j(sleep.shortest_s) == 9_000.0


def test_no_gap_shorter_than_entering_and_waking_pays() -> None:
    free = state("free", "1 min", "15 W", enter_time="10 s", enter_power="0 W", wake_time="20 s")
    (found,) = ladder(free | {"wake_power": "0 W"}).states
    assert found.break_even_s == found.best_from_s == 30.0
    # 800 J of waking: the lines cross long before there is time to wake, and that is the timeout.
    assert ladder(free | {"wake_power": "40 W"}).states[0].enter_at_s == pytest.approx(350 / 185)


def test_transitions_at_idle_power_break_even_when_they_fit() -> None:
    (found,) = ladder(state("s", "1 h", "15 W", enter_time="10 s", wake_time="20 s")).states
    assert found.break_even_s == pytest.approx(30.0, rel=1e-12)


def test_a_state_without_latency_pays_at_once() -> None:
    (found,) = ladder(state("c", "0 s", "150 W")).states
    assert (found.break_even_s, found.best_from_s) == (0.0, 0.0)
    assert ladder(state("c", "0 s", "150 W")).worst()[0] == 1.0


def test_a_state_that_saves_nothing_never_pays() -> None:
    (found,) = ladder(state("doze", "1 min", "200 W", wake_time="1 s")).states
    assert math.isinf(found.break_even_s)
    assert found.best_from_s is None
    assert found.saves_w == 0.0


def test_ski_rental_is_at_most_twice_the_offline_optimum() -> None:
    found = ladder(SKI)
    online_j = math.fsum(found.spent_j(gap_s) for gap_s in GAPS_S)
    # Waking takes time, but the ski rental problem asks for energy alone.
    offline_j = math.fsum(min(200.0 * gap_s, 9000.0) for gap_s in GAPS_S)
    assert online_j == pytest.approx(91_800.0, rel=1e-12)
    assert offline_j == pytest.approx(55_800.0, rel=1e-12)
    assert online_j / offline_j == pytest.approx(1.64516129032, rel=1e-11)
    (off,) = found.states
    assert off.best_from_s == 45.0
    ratio, gap_s = found.worst()
    assert ratio == pytest.approx(2.0, rel=1e-12)
    assert gap_s == 45.0  # or longer by next to nothing


def test_at_once_and_never_bound_the_ski_rental() -> None:
    at_once = ladder(SKI | {"after": "0 s"})
    assert math.fsum(at_once.spent_j(gap_s) for gap_s in GAPS_S) == pytest.approx(72_000.0)
    assert at_once.worst() == (math.inf, 0.0)
    never = ladder()
    assert math.fsum(never.spent_j(gap_s) for gap_s in GAPS_S) == pytest.approx(298_000.02)
    assert never.worst() == (1.0, 0.0)


def test_a_gap_that_ends_at_the_timeout_has_not_entered() -> None:
    found = ladder(SKI)
    assert found.spent_j(45.0) == 9_000.0
    assert found.spent_j(math.nextafter(45.0, 46.0)) == pytest.approx(18_000.0)


THREE = (
    state("nap", "10 s", "100 W", wake_time="2 s"),
    state("sleep", "2 min", "40 W", enter_time="5 s", wake_time="30 s"),
    state("off", "1 h", "5 W", enter_time="20 s", wake_time="260 s", wake_power="300 W"),
)


def test_entering_a_deep_state_includes_entering_those_above_it() -> None:
    awake, nap, sleep, off = rests_of(scenario(*THREE).nodes["n"], [2.0, 30.0, 260.0])
    assert (nap.enter_s, sleep.enter_s, off.enter_s) == (0.0, 5.0, 25.0)
    assert (sleep.enter_j, off.enter_j) == (1_000.0, 5_000.0)
    assert off.wake_j == 78_000.0
    assert awake.shortest_s == 0.0


def test_each_state_takes_over_where_the_lines_cross() -> None:
    found = ladder(*THREE)
    lines = (found.awake, *(each.rest for each in found.states))
    best = [each.best_from_s for each in found.states]
    for (above, below), from_s in zip(itertools.pairwise(lines), best, strict=True):
        assert from_s is not None
        assert below.energy_j(from_s) == pytest.approx(above.energy_j(from_s), rel=1e-12)
        assert from_s >= below.shortest_s
    assert best == sorted(best)


def test_the_envelope_is_what_trying_every_gap_finds() -> None:
    found = ladder(*THREE)
    for gap_s in (0.5, 1.9, 2.1, 30.0, 50.0, 59.0, 62.0, 400.0, 2000.0, 2600.0, 1e5):
        cheapest = min(
            (rest.energy_j(gap_s), name)
            for name, rest in [
                ("awake", found.awake),
                *((each.name, each.rest) for each in found.states),
            ]
            if rest.shortest_s <= gap_s
        )[1]
        begun = [each for each in found.states if (each.best_from_s or 0.0) <= gap_s]
        assert cheapest == (begun[-1].name if begun else "awake"), gap_s


def test_a_state_that_only_gaps_too_short_for_it_would_suit_is_dominated() -> None:
    slow = state("slow", "1 s", "100 W", wake_time="1 h", wake_power="101 W")
    found, off = ladder(slow, state("off", "2 s", "0 W", wake_time="100 s")).states
    assert found.best_from_s is None
    assert off.best_from_s == 100.0


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 2.5], ids=str)
def test_the_envelope_bounds_ladders_whose_transitions_draw_idle_power(share: float) -> None:
    states = [
        state("a", "1 s", f"{90 * share / 2.5} W", enter_time="3 s", wake_time=f"{share} s"),
        state("b", "2 s", f"{30 * share / 2.5} W", wake_time="80 s", wake_power=f"{200 + share} W"),
    ]
    assert ladder(*states).competitive().worst()[0] <= 2.0 + 1e-9


def test_a_dominated_state_is_named() -> None:
    slow = state("slow", "5 min", "39 W", wake_time="10 min")
    nap, found, off = ladder(THREE[0], slow, THREE[2]).states
    assert found.best_from_s is None
    assert found.break_even_s == pytest.approx(600.0, rel=1e-12)
    assert found.pays_from_s > found.break_even_s
    assert nap.best_from_s is not None
    assert off.best_from_s is not None


def test_the_envelope_as_timeouts_spends_at_most_twice_the_least() -> None:
    found = ladder(*THREE)
    competitive = found.competitive()
    assert [each.after_s for each in competitive.states] == [
        each.best_from_s for each in found.states
    ]
    assert competitive.worst()[0] <= 2.0 + 1e-9
    assert found.worst()[0] > 2.0
    for gap_s in range(1, 20_000, 7):
        assert competitive.spent_j(gap_s) <= (2.0 + 1e-9) * competitive.least_j(gap_s)


@pytest.mark.parametrize("states", [(SLEEP,), (SKI,), THREE], ids=["sleep", "ski", "three"])
def test_no_gap_is_worse_than_the_worst(states: tuple[dict[str, Any], ...]) -> None:
    found = ladder(*states)
    worst, at_s = found.worst()
    tried = max(found.spent_j(gap_s / 4) / found.least_j(gap_s / 4) for gap_s in range(1, 30_000))
    assert tried <= worst * (1 + 1e-12)
    beyond_s = math.nextafter(at_s, math.inf)
    ratios = [found.spent_j(gap_s) / found.least_j(gap_s) for gap_s in (at_s, beyond_s)]
    assert max(ratios) == pytest.approx(worst)


def test_states_of_one_power_are_told_apart_by_what_they_cost_to_leave() -> None:
    """Both draw 10 W; whichever takes nothing to leave is cheaper by 2,000 J in every gap."""
    slow, free = state("a", "1 min", "10 W", wake_time="20 s"), state("b", "2 min", "10 W")
    dear, cheap = ladder(slow, free).states
    assert (dear.best_from_s, dear.pays_from_s) == (None, 20.0)
    assert (cheap.best_from_s, cheap.pays_from_s) == (0.0, 0.0)
    first, second = ladder(free | {"after": "1 min"}, slow | {"after": "2 min"}).states
    assert (first.best_from_s, first.pays_from_s) == (0.0, 0.0)
    assert (second.best_from_s, second.pays_from_s) == (None, math.inf)
    alike = ladder(slow, slow | {"name": "b", "after": "2 min"}).states
    assert [found.best_from_s for found in alike] == [20.0, None]
    assert alike[1].pays_from_s == math.inf


def test_a_ladder_entered_without_rest_goes_on_when_it_has_entered() -> None:
    deep = state("b", "2 s", "0 W", enter_time="10 s", wake_time="1 s")
    found = ladder(state("a", "1 s", "50 W", enter_time="4 s", wake_time="1 s"), deep)
    assert found.begins_s() == [1.0, 5.0]
    # 1 s awake, 4 s and 10 s of entering at idle power, the rest of the gap at nothing, waking.
    assert found.spent_j(100.0) == pytest.approx(200.0 * (1 + 4 + 10 + 1))
    assert found.spent_j(2.0) == pytest.approx(200.0 * (1 + 4 + 1))


# -- warnings -----------------------------------------------------------------------------------


def warned(*states: dict[str, Any]) -> list[str]:
    return list(scenario(*states).replace({"clusters.c.idle": "ladder"}).warnings)


def test_a_timeout_below_the_break_even_gap_is_warned_of_with_its_price() -> None:
    (text,) = warned(SLEEP | {"after": "30 s"})
    assert text == (
        "nodes.n.idle_states[0].after: 30 s is below the break-even gap of 46.22 s; a gap that "
        'ends as "sleep" is entered costs 2.5 Wh more than one spent awake: write at least "47 s"'
    )


def test_a_deeper_state_is_held_against_the_one_above_it() -> None:
    (text,) = warned(THREE[0], THREE[1], THREE[2] | {"after": "10 min"})
    assert text.startswith("nodes.n.idle_states[2].after: 10 min is below the break-even gap of")
    assert 'more than one spent in "sleep"' in text
    wanted = text.rsplit('"', 2)[1]
    assert not warned(THREE[0], THREE[1], THREE[2] | {"after": wanted})


def test_a_state_that_saves_nothing_is_warned_of() -> None:
    (text,) = warned(state("doze", "1 h", "200 W", wake_time="1 s"))
    assert "never pays" in text
    assert "take the state out" in text


@pytest.mark.parametrize(
    "states",
    [
        (SLEEP,),
        THREE,
        (state("doze", "0 s", "200 W"),),
        (state("doze", "0 s", "200 W"), state("doze2", "1 s", "200 W")),
    ],
    ids=["late enough", "three", "no latency, no saving", "twice"],
)
def test_what_cannot_lose_is_not_warned_of(states: tuple[dict[str, Any], ...]) -> None:
    assert warned(*states) == []


def test_a_ladder_that_no_cluster_takes_is_not_warned_of() -> None:
    assert scenario(SLEEP | {"after": "1 s"}).warnings == ()


def test_a_law_in_a_file_is_not_read_for_a_warning(tmp_path: Any) -> None:
    (tmp_path / "wakes.csv").write_text("wake\n20\n")
    law = {"file": str(tmp_path / "wakes.csv"), "column": "wake"}
    assert warned(SLEEP | {"after": "1 s", "wake_time": law}) == []


def test_a_power_level_of_less_idle_power_breaks_even_later() -> None:
    made = scenario(SLEEP | {"after": "50 s"}).replace({"clusters.c.idle": "ladder"})
    level = {"name": "low", "speed": 0.5, "idle_power": "100 W", "busy_power": "300 W"}
    slow = made.replace({"nodes.n.power_levels": [level], "clusters.c.power_level": "low"})
    (text,) = slow.warnings
    # Entering draws what is said, the node's idle power, whatever the level.
    assert f"gap of {(9000 - 15 * 30) / 85 / 60:.4g} min" in text


def test_the_mean_of_the_law_counts() -> None:
    law = {"p50": "20 s", "p99": "200 s"}
    (text,) = warned(SLEEP | {"after": "30 s", "wake_time": law, "wake_power": "200 W"})
    mean_s = 20 * math.exp((math.log(10) / 2.3263478740408408) ** 2 / 2)
    assert f"gap of {10 + mean_s:.2f} s" in text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.0012, "2 ms"),
        (9.9994, "10000 ms"),
        (46.216, "47 s"),
        (3842.7, "65 min"),
        (86_400.5, "25 h"),
    ],
)
def test_times_are_rounded_up_to_whole_numbers(time_s: float, text: str) -> None:
    assert whole_time(time_s) == text
