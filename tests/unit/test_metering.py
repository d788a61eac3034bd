"""The meter against brute force: every flow, interval by interval, split at every edge."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.accounting.energy import DYNAMIC, energy_of
from simulator.accounting.metering import Grid, Meter
from simulator.fleet import Fleet
from simulator.kernels import meter as flows
from simulator.kernels.tables import Log
from simulator.units import W_MS_PER_KWH
from tests.builders import awake

IDLE_W, BUSY_W, WHOLE = 300.0, 3_000.0, 4


def fleet_of_nodes(*counts: int) -> Fleet:
    clusters = len(counts)
    return Fleet(
        cluster_names=tuple(f"c{index}" for index in range(clusters)),
        node_types=("n",) * clusters,
        accelerator_names=(None,) * clusters,
        site_names=("s",),
        site=np.zeros(clusters, np.int64),
        first_node=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        accelerators=np.full(clusters, WHOLE, np.int64),
        idle_w=np.full(clusters, IDLE_W),
        busy_w=np.full(clusters, BUSY_W),
        floor_w=np.full(clusters, IDLE_W),
        relative_speed=np.ones(clusters),
        own_speed=np.ones(clusters),
        level_names=(("full",),) * clusters,
        level_count=np.ones(clusters, np.int64),
        level_speed=np.ones((clusters, 1)),
        level_draw=np.ones((clusters, 1)),
        power_budget_w=np.full(clusters, np.inf),
        site_power_budget_w=np.full(1, np.inf),
        embodied_g=np.zeros(clusters),
        lifetime_ms=np.ones(clusters),
        placement=np.zeros(clusters, np.int64),
        pue=np.ones(1),
    )


def random_log(nodes: int, rows: int, end_ms: int, seed: int) -> Log:
    draw = np.random.Generator(np.random.PCG64(seed))
    held = draw.integers(0, WHOLE + 1, rows).astype(np.int32)
    busy = held * draw.random(rows)
    return Log(
        time_ms=np.sort(draw.integers(0, end_ms, rows)),
        node=draw.integers(0, nodes, rows).astype(np.int32),
        state=np.zeros(rows, np.int8),
        held=held,
        busy=busy,
        drawn=busy / 2,
    )


def by_brute_force(log: Log, nodes: int, grid: Grid, end_ms: int) -> SimpleNamespace:
    """Integrate node after node with plain loops."""
    bins = np.zeros((grid.count(end_ms), 2))  # busy and held, times ms
    busy_ms, occupied_ms = np.zeros(nodes), np.zeros(nodes)
    for node in range(nodes):
        changes = [(0, 0, 0.0)]
        for time, which, held, busy in zip(
            log.time_ms.tolist(), log.node.tolist(), log.held.tolist(), log.busy, strict=True
        ):
            if which == node:
                changes.append((time, held, busy))
        changes.append((end_ms, 0, 0.0))
        for (since, held, busy), (until, _, _) in pairwise(changes):
            at = max(since, grid.begin_ms)
            while at < until:
                index = (at + grid.offset_ms) // grid.bin_ms
                edge = min(until, (index + 1) * grid.bin_ms - grid.offset_ms)
                bins[index] += (busy * (edge - at), held * (edge - at))
                busy_ms[node] += busy * (edge - at)
                occupied_ms[node] += (edge - at) if held else 0
                at = edge
    return SimpleNamespace(bins=bins, busy_ms=busy_ms, occupied_ms=occupied_ms)


@pytest.mark.parametrize(
    ("seed", "begin_ms", "start_epoch_ms", "bin_ms"),
    [(0, 0, 0, 1_000), (1, 2_345, 0, 1_000), (2, 0, 777, 500), (3, 9_001, 123_456_789, 700)],
)
def test_the_meter_agrees_with_brute_force_on_random_logs(
    seed: int, begin_ms: int, start_epoch_ms: int, bin_ms: int
) -> None:
    nodes, end_ms = 5, 20_011
    grid = Grid(start_epoch_ms, begin_ms, bin_ms)
    log = random_log(nodes, 400, end_ms, seed)
    fleet = fleet_of_nodes(nodes)
    meter = Meter(fleet, awake(fleet), grid, expected_end_ms=end_ms // 3)
    for first in range(0, 400, 150):  # handed over in pieces, past the end that was expected
        part = Log(*(column[first : first + 150].copy() for column in log))
        meter.read(part, len(part.time_ms))
    metered = meter.close(end_ms)
    expected = by_brute_force(log, nodes, grid, end_ms)
    found = metered.bins[:, 0]
    assert found[:, flows.BUSY] == pytest.approx(expected.bins[:, 0], rel=1e-12, abs=1e-9)
    assert found[:, flows.HELD] == pytest.approx(expected.bins[:, 1], rel=0, abs=0)
    assert metered.busy_ms == pytest.approx(expected.busy_ms, rel=1e-12)
    assert metered.occupied_ms == pytest.approx(expected.occupied_ms, rel=0, abs=0)
    assert found[:, flows.DRAWN] == pytest.approx(expected.bins[:, 0] / 2, rel=1e-12, abs=1e-9)
    assert metered.drawn_ms == pytest.approx(expected.busy_ms / 2, rel=1e-12)


def test_the_width_of_the_bins_changes_no_total() -> None:
    log = random_log(7, 300, 50_000, seed=9)
    totals = []
    for bin_ms in (1, 10, 1_000, 60_000):
        fleet = fleet_of_nodes(3, 4)
        meter = Meter(fleet, awake(fleet), Grid(0, 0, bin_ms), 50_000)
        meter.read(log, 300)
        totals.append(meter.close(50_000).bins.sum(axis=(0, 1)))
    for total in totals[1:]:
        assert total == pytest.approx(totals[0], rel=1e-12)


def test_an_empty_cluster_draws_exactly_its_idle_power_after_any_history() -> None:
    log = random_log(3, 200, 5_000, seed=4)
    empty = Log(
        time_ms=np.full(3, 5_000),
        node=np.arange(3, dtype=np.int32),
        state=np.zeros(3, np.int8),
        held=np.zeros(3, np.int32),
        busy=np.zeros(3),
        drawn=np.zeros(3),
    )
    fleet = fleet_of_nodes(3)
    meter = Meter(fleet, awake(fleet), Grid(0, 0, 1_000), 20_000)
    meter.read(log, 200)
    meter.read(empty, 3)
    energy = energy_of(fleet, awake(fleet), meter.close(20_000))
    assert not energy.by_kind_kwh[5:, 0, DYNAMIC].any()
    idle_kwh = 3 * IDLE_W * 1_000 / W_MS_PER_KWH
    assert np.array_equal(energy.it_kwh[5:, 0], np.full(15, idle_kwh))
