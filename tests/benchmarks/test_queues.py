"""The benchmark of queues: what it runs, not how fast."""

import pytest

from simulator.bench.queues import LOADS, QUEUES, QueueSpeed, QueueSpeeds, queue_speeds

JOBS = 100


@pytest.mark.verify  # compiles what backfill and plug-ins need
def test_every_queue_is_timed_beside_the_reference() -> None:
    said: list[str] = []
    found = queue_speeds(JOBS, say=said.append)
    assert [(each.load, each.policy) for each in found.speeds] == [
        (load, policy) for load in LOADS for policy in QUEUES
    ]
    assert len(said) == len(found.speeds)
    for each in found.speeds:
        assert (each.jobs, each.reference_jobs) == (JOBS, JOBS)
        assert min(each.jobs_per_s, each.reference_jobs_per_s) > 0.0


def test_the_table_says_what_was_compared() -> None:
    speeds = QueueSpeeds((QueueSpeed("easy-backfill", 0.95, 0.25, 1000, 5000.0, 200, 50.0),))
    lines = speeds.text().splitlines()
    assert lines[1].split() == ["easy-backfill", "0.95", "25%", "5,000", "50.00", "100"]
    assert max(map(len, lines)) <= 80
    assert speeds.document()["queues"][0]["jobs_per_s"] == 5000.0
