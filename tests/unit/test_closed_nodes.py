"""Nodes that a policy closes: they take no job, asleep or awake, until they are opened."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.kernels.tables import ABSENT, ASLEEP, AWAKE, WAKING
from simulator.registry import provisioning
from simulator.results import Results
from simulator.scenario import from_document
from tests.policy_runs import happened, policy_document, run_policy, told

SLEEP = {"name": "sleep", "after": "5 min", "power": "10 W", "wake_time": "1 min"}
Act = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioning.names()  # those that ship are registered once
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))


def at_times(*acts: tuple[int, Act], name: str = "mine", **roles: str) -> None:
    """Register a policy that does each of these after so many seconds."""

    @fs.provisioning(name, **roles)
    def mine(env: Any, cluster: Any, *, most: int = 4) -> Iterator[Any]:
        del most
        for at_s, act in acts:
            yield env.timeout(1000 * at_s - env.now)
            act(cluster)


def closing(*nodes: int) -> Act:
    return lambda cluster: cluster.close(list(nodes))


def opening(*nodes: int) -> Act:
    return lambda cluster: cluster.open(list(nodes))


def ran(folder: Path, rows: Any = (), idle: Any = "mine", **keys: Any) -> Results:
    keys = {"states": [SLEEP], "clusters__c__count": 2, "horizon": "2 h", **keys}
    return run_policy(folder, idle, rows, **keys).results


@pytest.mark.parametrize("submit_s", [60, 1000])
def test_a_job_is_woken_for_at_the_instant_at_which_a_sleeper_is_opened(
    tmp_path: Path, submit_s: int
) -> None:
    """It came while the node was closed, awake or asleep; nothing else ever happens."""
    at_times((0, closing(0)), (2000, opening(0)))
    results = ran(tmp_path, [(submit_s, 600, 8, 1.0)], clusters__c__count=1)
    assert list(results.jobs["start_s"]) == [2060.0]
    assert list(results.nodes["wake_ups"]) == [1]


def test_a_job_starts_at_the_instant_at_which_an_awake_node_is_opened(tmp_path: Path) -> None:
    at_times((0, closing(0)), (200, opening(0)))
    results = ran(tmp_path, [(60, 600, 8, 1.0)], clusters__c__count=1)
    assert list(results.jobs["start_s"]) == [200.0]


@pytest.mark.parametrize("close_s", [0, 1000])
def test_a_closed_sleeper_is_not_woken(tmp_path: Path, close_s: int) -> None:
    """Closed awake or asleep: the node that lies on top of the stack is left alone."""
    at_times((close_s, closing(0)))
    results = ran(tmp_path, [(1200, 600, 8, 1.0), (1200, 600, 8, 1.0)])
    assert list(results.jobs["start_s"]) == [1260.0, 1860.0]
    assert list(results.nodes["wake_ups"]) == [0, 1]
    assert results.nodes["residency_sleep_s"][0] == 2 * 3600 - 300


def test_a_node_that_is_closed_while_it_wakes_falls_back(tmp_path: Path) -> None:
    """Node 0 wakes for the job; another is woken in its place, at that instant."""
    at_times((1230, closing(0)))
    rows = [(1200, 600, 8, 1.0)]
    results = ran(tmp_path, rows)
    assert list(results.jobs["start_s"]) == [1290.0]
    assert list(results.nodes["wake_ups"]) == [1, 1]
    assert list(results.nodes["wake_ups_cancelled"]) == [1, 0]
    document = policy_document(tmp_path, "mine", rows, states=[SLEEP], clusters__c__count=2)
    seen = happened(from_document(document)).of_node(0)
    assert [(at // 1000, state) for at, state, _ in seen] == [
        (300, ASLEEP),
        (1200, WAKING),
        (1230, ASLEEP),
    ]


def test_closed_sleepers_count_as_asleep_and_as_none_that_is_kept(tmp_path: Path) -> None:
    """One of three is kept awake; the two others are closed, awake and asleep."""

    def tell(cluster: Any) -> None:
        for name in ("awake", "asleep", "waking", "idle", "occupied"):
            cluster.note(f"{name} at {cluster.now_ms // 1000}", getattr(cluster, name), "nodes")

    at_times(
        (0, lambda cluster: cluster.keep_awake(1)),
        (100, closing(1)),
        (200, tell),
        (1000, closing(0, 2)),
        (1001, tell),
        (1100, opening(0, 1, 2)),
        (1101, tell),
    )
    notes = {
        name: float(value) for name, (value, _) in told(ran(tmp_path, clusters__c__count=3)).items()
    }
    names = ("awake", "asleep", "waking", "idle", "occupied")
    assert [notes[f"{name} at 200"] for name in names] == [3, 0, 0, 3, 0]
    # Node 0 was the one kept; once it is closed there is none left to wake for it.
    assert [notes[f"{name} at 1001"] for name in names] == [0, 3, 0, 0, 0]
    assert [notes[f"{name} at 1101"] for name in names] == [0, 2, 1, 0, 0]


def test_opened_sleepers_lie_where_they_would_have_lain(tmp_path: Path) -> None:
    """All three sleep; the one that came to rest last is woken first, closed meanwhile or not."""
    rows = [(0, 600, 8, 1.0), (0, 300, 8, 1.0), (0, 900, 8, 1.0), (5000, 60, 8, 1.0)]
    rows += [(5500, 60, 16, 1.0), (6000, 60, 24, 1.0)]
    at_times((2000, closing(0, 1, 2)), (3000, opening(1, 2, 0)), name="shaken")
    keys = {"clusters__c__count": 3, "horizon": "3 h"}
    plain, shaken = (ran(tmp_path, rows, idle, **keys) for idle in ("ladder", "shaken"))
    assert plain.tables["nodes"].equals(shaken.tables["nodes"])
    assert list(shaken.jobs["start_s"]) == [0.0, 0.0, 0.0, 5060.0, 5560.0, 6060.0]
    assert list(shaken.nodes["wake_ups"]) == [2, 1, 3]


def test_a_closed_sleeper_can_be_retired_and_come_back(tmp_path: Path) -> None:
    at_times(
        (0, closing(1)),
        (1000, lambda cluster: cluster.retire([1])),
        (2000, lambda cluster: cluster.add(1)),
        node_limit="most",
    )
    document = policy_document(
        tmp_path, {"policy": "mine", "most": 2}, states=[SLEEP], clusters__c__count=2
    )
    seen = happened(from_document(document)).of_node(1)
    assert [(at // 1000, state) for at, state, _ in seen] == [
        (300, ASLEEP),
        (1000, ABSENT),
        (2000, AWAKE),
        (2300, ASLEEP),
    ]


def test_an_idle_node_that_is_closed_and_opened_keeps_its_idle_clock(tmp_path: Path) -> None:
    at_times((100, closing(0, 1)), (200, opening(0)))
    assert list(ran(tmp_path).nodes["residency_sleep_s"]) == [2 * 3600 - 300] * 2


def test_closed_nodes_go_down_each_at_its_own_time(tmp_path: Path) -> None:
    """Beside nodes that are kept, while a job comes every minute."""

    @fs.provisioning("mine")
    def mine(env: Any, cluster: Any) -> Iterator[Any]:
        cluster.keep_free(2000)
        for first in range(0, 1000, 100):
            yield env.timeout(600_000)
            cluster.close(np.arange(first, first + 100))

    results = ran(tmp_path, [(60 * k, 30, 1, 1.0) for k in range(120)], clusters__c__count=2000)
    asleep_s = results.nodes["residency_sleep_s"]
    expected_s = 7200.0 - 600.0 * (1 + np.arange(1000) // 100)
    expected_s[::100] -= 270.0  # the lowest open node had done a job until 30 s before
    np.testing.assert_array_equal(asleep_s[:1000], expected_s)
    assert not asleep_s[1000:].any()


CONSOLIDATED: dict[str, tuple[dict[str, Any], list[tuple[int, int, int, float]], list[float]]] = {
    # At 10 min the node of one GPU is closed; it sleeps from 16 min on; the look at 20 min opens.
    "beside a full node": (
        {"clusters__c__count": 2},
        [(0, 10_800, 8, 1.0), (0, 660, 2, 1.0), (720, 600, 8, 1.0)],
        [0.0, 0.0, 1260.0],
    ),
    "alone": (
        {"clusters__c__count": 1},
        [(0, 660, 2, 1.0), (720, 600, 8, 1.0)],
        [0.0, 1260.0],
    ),
    "draining": (
        {"clusters__c__count": 1, "horizon": "17 min", "drain": True},
        [(0, 660, 2, 1.0), (720, 600, 8, 1.0)],
        [0.0, 1080.0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONSOLIDATED)
def test_consolidation_opens_the_sleeper_that_a_job_waits_for(tmp_path: Path, case: str) -> None:
    keys, rows, starts_s = CONSOLIDATED[case]
    idle = {"policy": "consolidation", "below": 0.6, "spare": 0.0}
    assert list(ran(tmp_path, rows, idle, **keys).jobs["start_s"]) == starts_s
