"""Provisioning policies on a scripted cluster, with SimPy's own clock."""

import datetime as dt
import math
from collections.abc import Callable

import pytest

from simulator.policies import Descent
from simulator.policies.always_on import always_on
from simulator.policies.consolidation import consolidation
from simulator.policies.forecast import forecast
from simulator.policies.headroom import headroom
from simulator.policies.ladder import ladder
from simulator.policies.peak import peak
from simulator.policies.reactive import reactive
from simulator.policies.scheduled import scheduled
from simulator.policies.sizing import whole_nodes
from simulator.policies.timeout import timeout
from simulator.registry import ParameterError
from simulator.scenario.laws import Constant, Exponential
from simulator.scenario.nodes import IdleState
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN
from tests.unit.scripted_cluster import ScriptedCluster, cluster_of, driven

NAP = IdleState(name="nap", after_ms=60_000, power_w=500.0, enter_power_w=1e3, wake_power_w=1e3)
OFF = IdleState(name="off", after_ms=900_000, power_w=15.0, enter_power_w=1e3, wake_power_w=1e3)
STATES = (NAP, OFF)


# -- ladders ------------------------------------------------------------------------------------


def test_always_on_has_no_ladder_and_ladder_has_the_nodes_own() -> None:
    assert always_on(STATES) == Descent(())
    assert ladder(STATES) == Descent(STATES)
    assert ladder(()) == Descent(())


def test_timeout_enters_one_state_after_a_time_of_its_own() -> None:
    after = Constant(value=120_000.0)
    deepest, named = timeout(STATES, after=after), timeout(STATES, after=after, state="nap")
    assert deepest == Descent((OFF.model_copy(update={"after_ms": 120_000}),))
    assert named == Descent((NAP.model_copy(update={"after_ms": 120_000}),))
    assert timeout((), after=after) == Descent(())


def test_a_random_timer_is_given_on_as_its_law() -> None:
    law = Exponential(mean=120_000.0)
    assert timeout(STATES, after=law) == Descent((OFF,), timer=law)


def test_timeout_names_the_state_it_can_not_find() -> None:
    with pytest.raises(ParameterError, match='called "napp"; did you mean "nap"') as refused:
        timeout(STATES, after=Constant(value=0.0), state="napp")
    assert refused.value.key == "state"


# -- sizing -------------------------------------------------------------------------------------


def test_rounding_of_floats_adds_no_node() -> None:
    assert 0.07 * 100 > 7
    assert whole_nodes(0.07 * 100) == 7
    assert whole_nodes(3.001) == 4
    assert whole_nodes(0.0) == 0


# -- headroom -----------------------------------------------------------------------------------


def test_a_fixed_headroom_is_said_once() -> None:
    cluster = driven(cluster_of(8, 0, 0), headroom, MS_PER_D, nodes=2)
    assert cluster.commands == [(0, "keep_free", 2)]


def test_no_headroom_commands_nothing() -> None:
    assert driven(cluster_of(8, 0, 0), headroom, MS_PER_D).commands == []


def test_headroom_follows_the_nodes_in_use_and_is_silent_while_they_stay() -> None:
    script = {
        MS_PER_H: {"held": [8] * 11 + [0] * 9},
        3 * MS_PER_H: {"held": [1] + [0] * 19},
    }
    cluster = cluster_of(*[8] * 5, *[0] * 15)
    driven(cluster, headroom, 6 * MS_PER_H, script, nodes=1, share=0.2, every_ms=25 * MS_PER_MIN)
    # ceil(0.2 x 5) = 1, ceil(0.2 x 11) = 3, then at least 1; seen at the next look.
    assert cluster.commands == [
        (0, "keep_free", 1),
        (75 * MS_PER_MIN, "keep_free", 3),
        (200 * MS_PER_MIN, "keep_free", 1),
    ]


# -- reactive -----------------------------------------------------------------------------------


def test_reactive_steps_up_at_once_and_down_slowly() -> None:
    script = {
        90_000: {"queued_jobs": 3, "oldest_wait_ms": 10_000},
        150_000: {"queued_jobs": 0, "oldest_wait_ms": 0},
    }
    cluster = cluster_of(*[0] * 10, sleeping=set(range(2, 10)))
    driven(cluster, reactive, 20 * MS_PER_MIN, script, jobs=2, up=4, down=3, least=1,
           cool_down_ms=5 * MS_PER_MIN, every_ms=MS_PER_MIN)  # fmt: skip
    # 2 awake + 4 at the look after the jobs came; then 3 fewer every 5 minutes, to the least.
    assert cluster.said("keep_awake") == [
        (0, 1),
        (2 * MS_PER_MIN, 6),
        (7 * MS_PER_MIN, 3),
        (12 * MS_PER_MIN, 1),
    ]


def test_reactive_counts_an_old_job_as_it_counts_many() -> None:
    script = {
        30_000: {"queued_jobs": 1, "oldest_wait_ms": 0},
        MS_PER_MIN + 1: {"oldest_wait_ms": 90_000},
    }
    cluster = cluster_of(*[0] * 4, sleeping={1, 2, 3})
    driven(cluster, reactive, 3 * MS_PER_MIN, script, jobs=5, wait_ms=MS_PER_MIN, up=1)
    assert cluster.said("keep_awake") == [(0, 0), (2 * MS_PER_MIN, 2)]


def test_reactive_takes_no_step_for_jobs_that_came_at_this_instant() -> None:
    cluster = cluster_of(*[0] * 4, sleeping={1, 2, 3}, queued_jobs=9, oldest_wait_ms=0)
    driven(cluster, reactive, MS_PER_H)
    assert cluster.said("keep_awake") == [(0, 0)]


def test_reactive_goes_no_higher_than_the_cluster() -> None:
    cluster = cluster_of(8, 8, 8, queued_jobs=9, oldest_wait_ms=1)
    driven(cluster, reactive, MS_PER_H, up=2)
    assert cluster.said("keep_awake") == [(0, 0), (MS_PER_MIN, 3)]


# -- peak ---------------------------------------------------------------------------------------


def test_peak_keeps_its_nodes_awake_for_ever() -> None:
    cluster = driven(cluster_of(*[0] * 38), peak, MS_PER_D, nodes=14)
    assert cluster.commands == [(0, "keep_awake", 14)]


# -- scheduled ----------------------------------------------------------------------------------


def epoch_ms(*moment: int) -> int:
    return int(dt.datetime(*moment, tzinfo=dt.UTC).timestamp() * 1e3)


def test_a_timetable_of_a_day_is_followed_hour_by_hour() -> None:
    nodes = tuple([2] * 8 + [9] * 12 + [4] * 4)
    cluster = cluster_of(*[0] * 10, start_epoch_ms=epoch_ms(2022, 1, 1, 6, 15, 0))
    driven(cluster, scheduled, MS_PER_D, nodes=nodes)
    # Begun at 06:15: hours change at 45 min past the start.
    assert cluster.commands == [
        (0, "keep_awake", 2),
        (105 * MS_PER_MIN, "keep_awake", 9),
        (105 * MS_PER_MIN + 12 * MS_PER_H, "keep_awake", 4),
        (105 * MS_PER_MIN + 16 * MS_PER_H, "keep_awake", 2),
    ]


def test_a_timetable_of_a_week_begins_on_monday() -> None:
    week = [1.0] * 120 + [0.25] * 48
    saturday = epoch_ms(2022, 1, 1)
    cluster = cluster_of(*[0] * 10, start_epoch_ms=saturday)
    driven(cluster, scheduled, 8 * MS_PER_D, shares=tuple(week))
    assert cluster.commands == [
        (0, "keep_awake", 3),  # ceil(0.25 x 10)
        (2 * MS_PER_D, "keep_awake", 10),
        (7 * MS_PER_D, "keep_awake", 3),
    ]


def test_hours_are_those_of_the_time_zone_through_the_change_of_its_clocks() -> None:
    nodes = tuple(5 if hour in range(8, 18) else 0 for hour in range(24))
    midnight_before = epoch_ms(2022, 3, 13, 8)  # in Los Angeles; at 02:00 clocks go to 03:00
    cluster = cluster_of(0, start_epoch_ms=midnight_before)
    driven(cluster, scheduled, MS_PER_D, nodes=nodes, time_zone="America/Los_Angeles")
    assert cluster.commands == [
        (7 * MS_PER_H, "keep_awake", 5),
        (17 * MS_PER_H, "keep_awake", 0),
    ]


# -- forecast -----------------------------------------------------------------------------------


def sinusoid(peak_gpus: int, trough: float) -> Callable[[int], int]:
    """Return a demand over the day, between its peak and a share of it."""
    mean, swing = peak_gpus * (1 + trough) / 2, peak_gpus * (1 - trough) / 2

    def demand(at_ms: int) -> int:
        return round(mean + swing * math.sin(2 * math.pi * at_ms / MS_PER_D))

    return demand


def test_a_daily_demand_is_forecast_exactly_after_its_first_day() -> None:
    cluster = cluster_of(*[0] * 200, demand=sinusoid(800, 0.5))
    driven(cluster, forecast, 5 * MS_PER_D, season_ms=MS_PER_D, margin=0.0)
    assert cluster.notes["forecast_mae"] == (0.0, "GPUs")
    assert cluster.notes["forecast_bias"] == (0.0, "GPUs")
    assert cluster.notes["forecast_mape"] == (0.0, "1")
    assert cluster.notes["forecast_count"] == (4 * 24, "1")
    demand = cluster.demand
    assert demand is not None
    for at_ms, nodes in cluster.said("keep_awake"):
        expected = at_ms + MS_PER_H if at_ms >= MS_PER_D - MS_PER_H else at_ms
        assert nodes == math.ceil(demand(expected) / 8)


def test_the_margin_comes_on_top_and_the_cluster_is_the_limit() -> None:
    cluster = driven(cluster_of(*[0] * 20, demand=lambda _: 80), forecast, MS_PER_H, margin=0.25)
    assert cluster.commands == [(0, "keep_awake", 13)]  # ceil(80 x 1.25 / 8)
    cluster = driven(cluster_of(*[0] * 12, demand=lambda _: 80), forecast, MS_PER_H, margin=0.25)
    assert cluster.commands == [(0, "keep_awake", 12)]
    cluster = driven(cluster_of(*[0] * 12, demand=lambda _: 0), forecast, MS_PER_H, least=3)
    assert cluster.commands == [(0, "keep_awake", 3)]


def test_errors_of_a_forecast_are_those_of_the_hand() -> None:
    """Season of two hours, so each sample is forecast by the one before the last."""
    seen = [10, 20, 14, 16, 0]
    cluster = cluster_of(*[0] * 4, demand=lambda at_ms: seen[at_ms // MS_PER_H])
    driven(cluster, forecast, 5 * MS_PER_H, season_ms=2 * MS_PER_H)
    errors = [10 - 14, 20 - 16, 14 - 0]
    assert cluster.notes["forecast_mae"][0] == pytest.approx(sum(map(abs, errors)) / 3)
    assert cluster.notes["forecast_bias"][0] == pytest.approx(sum(errors) / 3)
    assert cluster.notes["forecast_mape"][0] == pytest.approx((4 / 14 + 4 / 16) / 2)


def test_smoothing_forecasts_a_constant_exactly_from_the_second_sample_on() -> None:
    cluster = cluster_of(*[0] * 20, demand=lambda _: 80)
    driven(cluster, forecast, 3 * MS_PER_D, method="exponential-smoothing", margin=0.0)
    assert cluster.notes["forecast_mae"] == (0.0, "GPUs")
    assert cluster.notes["forecast_count"] == (71, "1")
    assert cluster.commands == [(0, "keep_awake", 10)]


# -- consolidation ------------------------------------------------------------------------------


def test_the_most_lightly_used_nodes_are_closed_while_the_others_can_do_without() -> None:
    # 24 of 56 held, 32 free, of which 0.6 x 24 = 14.4 must stay. Lightest first: node 5 takes 7
    # free ones along, node 4 6 more; the 5 of node 1 would be more than the 17.6 to spare.
    cluster = cluster_of(8, 3, 4, 0, 2, 1, 6)
    driven(cluster, consolidation, 1, spare=0.6)
    assert cluster.commands == [(0, "close", [4, 5])]


def test_nodes_used_half_and_empty_ones_stay_open() -> None:
    cluster = driven(cluster_of(4, 4, 0, 0, 8), consolidation, MS_PER_H)
    assert cluster.commands == []


def test_among_equals_the_highest_number_is_closed() -> None:
    cluster = cluster_of(1, 1, 1)  # 21 free, 0 needed: each costs the others 7
    driven(cluster, consolidation, 1, spare=1.0, below=1.0)
    # 3 must stay free: 18 can be spared, two nodes of three.
    assert cluster.commands == [(0, "close", [1, 2])]


def test_all_are_opened_when_jobs_wait() -> None:
    script = {MS_PER_MIN: {"oldest_wait_ms": 1}, 15 * MS_PER_MIN: {"oldest_wait_ms": 0}}
    cluster = cluster_of(8, 2, 2)
    driven(cluster, consolidation, 21 * MS_PER_MIN, script, spare=0.0)
    assert cluster.commands == [
        (0, "close", [1, 2]),
        (10 * MS_PER_MIN, "open", [1, 2]),
        (20 * MS_PER_MIN, "close", [1, 2]),
    ]


def test_all_are_opened_when_accelerators_run_short() -> None:
    script = {MS_PER_MIN: {"held": [8, 8, 1]}}
    cluster = cluster_of(6, 4, 1)
    driven(cluster, consolidation, 11 * MS_PER_MIN, script, spare=0.25)
    # 11 held, 6 free on the open nodes; then 17 held and none free where 4.25 must be.
    assert cluster.commands == [(0, "close", [2]), (10 * MS_PER_MIN, "open", [2])]


def test_a_closed_node_is_opened_once_it_has_fallen_asleep() -> None:
    script = {
        MS_PER_MIN: {"held": [7, 0]},
        11 * MS_PER_MIN: {"sleeping": {1}},
    }
    cluster = cluster_of(7, 1)
    driven(cluster, consolidation, 45 * MS_PER_MIN, script)
    assert cluster.commands == [(0, "close", [1]), (20 * MS_PER_MIN, "open", [1])]


# -- published figures --------------------------------------------------------------------------


def saved_by_concentrating(freed: float, freed_power_w: float) -> float:
    """Return the power saved where a share of web servers of 60 / 130 / 150 W is freed.

    All at light load draw 130 W each; concentrated, the others carry a medium load at 150 W.
    (Facebook, Autoscale, 2014.)
    """
    return 1 - (150 * (1 - freed) + freed_power_w * freed) / 130


def nodes_freed(cluster: ScriptedCluster, from_ms: int, until_ms: int) -> list[float]:
    """Return the share of nodes not kept awake, hour by hour."""
    said = cluster.said("keep_awake")
    return [
        1 - [nodes for at_ms, nodes in said if at_ms <= hour_ms][-1] / cluster.node_count
        for hour_ms in range(from_ms, until_ms, MS_PER_H)
    ]


def test_a_tier_with_a_trough_of_three_quarters_frees_an_eighth_on_average() -> None:
    """A sinusoid between 0.75 and 1 of the peak: up to 25 % freed, 12.5 % on average."""
    cluster = cluster_of(*[0] * 1000, demand=sinusoid(8000, 0.75))
    driven(cluster, forecast, 3 * MS_PER_D, season_ms=MS_PER_D, margin=0.0)
    freed = nodes_freed(cluster, MS_PER_D, 3 * MS_PER_D)
    assert max(freed) == pytest.approx(0.25, abs=1e-3)
    assert sum(freed) / len(freed) == pytest.approx(0.125, abs=1e-3)


def test_capacity_freed_and_power_saved_are_two_figures() -> None:
    """A quarter freed saves 1.9 % where it idles, 13.5 % off; 27 % idling needs 0.61 freed."""
    cluster = cluster_of(*[0] * 1000, demand=sinusoid(8000, 0.75))
    driven(cluster, forecast, 3 * MS_PER_D, season_ms=MS_PER_D, margin=0.0)
    freed = max(nodes_freed(cluster, MS_PER_D, 3 * MS_PER_D))
    assert saved_by_concentrating(freed, 60.0) == pytest.approx(0.019, abs=1e-3)
    assert saved_by_concentrating(freed, 0.0) == pytest.approx(0.135, abs=1e-3)
    assert saved_by_concentrating(0.61, 60.0) == pytest.approx(0.27, abs=2e-3)
