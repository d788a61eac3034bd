"""Seats on a cluster, without one: who is blamed for a death, and what is handed out again."""

from pathlib import Path

import pytest

from simulator.sweeps import shards
from simulator.sweeps.backends import seats as seats_module
from simulator.sweeps.backends.processes import MOST_STILLBORN
from simulator.sweeps.backends.remote import Answer, Greeting, Invitation, Remote, UnlikeError
from simulator.sweeps.backends.seats import Seat, Seats
from simulator.sweeps.rows import DONE, KNOWN, VALUES, Row
from simulator.sweeps.work import Chunk, Point, StoreError, Work, WorkerError
from tests.unit.sweep_samples import base, plan

SWEEP = "5" * 64
VALUES_OF_A_ROW = (1.0,) * len(VALUES)


def chunk(*rows: int, fresh: bool = False) -> Chunk:
    return Chunk((Point({}, tuple((at, 1) for at in rows)),), fresh=fresh)


def row(at: int, status: str = DONE) -> Row:
    return Row(at, status, "a" * 64, VALUES_OF_A_ROW if status == DONE else ())


def work(folder: Path | None = None, limit_s: float | None = None) -> Work:
    return Work((base(),), SWEEP, folder, point_timeout_s=limit_s)


def seated(seats: Seats, *, writes: bool = True, at_once: int = 2) -> Seat:
    """Take a seat in this process, whose shards are its own."""
    seat = Seat("here", at_once)
    seats.taken.append(seat)
    pid = int(shards.owner().rpartition("-")[2])
    seats.greeted(seat, Greeting(pid, shards.owner(), frozenset(), writes))
    return seat


def given(seats: Seats, *chunks: Chunk) -> list[Seat]:
    for one in chunks:
        seats.queue(one)
    return [seat for seat, _ in seats.due()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / shards.FOLDER).mkdir()
    return tmp_path


def test_whoever_has_the_least_to_do_is_given_the_next_chunk() -> None:
    seats = Seats(work())
    one, two = seated(seats), seated(seats, at_once=1)
    seats.taken.append(Seat("nobody there yet"))
    assert seats.workers == 2
    assert given(seats, *(chunk(at) for at in range(5))) == [one, two, one]
    assert given(seats) == []
    seats.answered(one, chunk(0), Answer((row(0),)))
    assert given(seats) == [one]


def test_a_death_is_that_of_the_first_chunk_and_the_next_one_had_not_begun(folder: Path) -> None:
    seats = Seats(work(folder))
    seat = seated(seats)
    given(seats, chunk(0, 1, 2), chunk(3, 4), chunk(5))
    shard = shards.Shard(folder, SWEEP)
    shard.append(row(0))
    shard.close()
    [ended] = seats.died(seat, "killed")
    assert (ended.chunk, ended.death, ended.over) == (chunk(0, 1, 2), "killed", True)
    assert [found.at for found in ended.rows] == [0]
    assert ended.in_order
    other = seated(seats)
    assert [one for _, one in seats.due()] == [chunk(3, 4), chunk(5)]
    assert list(other.chunks) == [chunk(3, 4), chunk(5)]


def test_a_chunk_whose_end_was_lost_on_the_way_is_not_blamed(folder: Path) -> None:
    seats = Seats(work(folder))
    seat = seated(seats)
    given(seats, chunk(0), chunk(1, 2))
    shard = shards.Shard(folder, SWEEP)
    shard.append(row(0))
    shard.append(row(1))
    shard.close()
    first, second = seats.died(seat, "killed")
    assert (first.chunk, first.death) == (chunk(0), None)
    assert (second.chunk, second.death) == (chunk(1, 2), "killed")
    assert [found.at for found in second.rows] == [1]


def test_rows_of_other_sweeps_sessions_and_workers_are_not_taken_for_finished(
    folder: Path,
) -> None:
    for sweep in ("6" * 64, SWEEP):
        shard = shards.Shard(folder, sweep)
        shard.append(row(0))
        shard.close()
    before = frozenset(path.name for path in shards.shard_files(folder))
    seats = Seats(work(folder))
    for greeting in (
        Greeting(1, "elsewhere-1", frozenset(), True),
        Greeting(1, shards.owner(), before, True),
        Greeting(1, shards.owner(), frozenset(), False),
    ):
        seat = seated(seats)
        seat.greeting = greeting
        given(seats, chunk(0))
        [ended] = seats.died(seat, "killed")
        assert ended.rows == ()
        assert ended.in_order is greeting.writes


def test_a_row_said_to_be_known_is_not_finished_where_it_must_be_run(folder: Path) -> None:
    shard = shards.Shard(folder, SWEEP)
    shard.append(row(0, KNOWN))
    shard.close()
    for fresh in (True, False):
        seats = Seats(work(folder))
        seat = seated(seats)
        given(seats, chunk(0, fresh=fresh))
        [ended] = seats.died(seat, "killed")
        assert (ended.death is not None) is fresh


@pytest.mark.parametrize(
    ("rows", "spent_s", "status_says", "hopeless"),
    [
        ((0,), 3.0, None, True),
        ((0,), 1.0, None, False),
        ((0, 1), 3.0, None, False),
        ((0, 1), 3.0, True, True),
        ((0,), 0.5, True, False),
        ((0,), 3.0, False, False),
    ],
)
def test_a_run_took_too_long_where_its_status_or_its_time_says_so(
    rows: tuple[int, ...], spent_s: float, status_says: bool | None, hopeless: bool
) -> None:
    seats = Seats(work(limit_s=2.0))
    seat = seated(seats)
    given(seats, chunk(*rows))
    seat.since_s -= spent_s
    [ended] = seats.died(seat, "killed", overdue=status_says)
    assert ended.hopeless is hopeless
    assert ended.death == ("took longer than the limit of 2 s" if hopeless else "killed")


def test_a_refusal_of_the_disk_ends_the_sweep() -> None:
    seats = Seats(work())
    seat = seated(seats)
    given(seats, chunk(0))
    with pytest.raises(StoreError, match="No space left on device: shard"):
        seats.answered(seat, chunk(0), Answer((), OSError(28, "No space", "shard")))


def test_workers_that_die_before_they_say_who_they_are_are_given_up() -> None:
    seats = Seats(work())
    for _ in range(MOST_STILLBORN):
        seats.taken.append(Seat("nowhere"))
        assert seats.died(seats.taken[0], "killed") == []
    seats.taken.append(Seat("nowhere"))
    with pytest.raises(WorkerError, match="can't start: killed"):
        seats.died(seats.taken[0], "killed")


def test_a_cluster_without_workers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats_module, "ALONE_S", -1.0)
    seats = Seats(work())
    seats.taken.append(Seat("nobody there yet"))
    with pytest.raises(WorkerError, match="no worker of the cluster has come"):
        seats.check()
    seated(seats)
    seats.check()


def test_what_is_left_in_the_end_is_what_was_written(folder: Path) -> None:
    seats = Seats(work(folder))
    seated(seats)
    given(seats, chunk(0, 1), chunk(2))
    seats.close()
    seats.queue(chunk(3))
    assert given(seats) == []
    shard = shards.Shard(folder, SWEEP)
    shard.append(row(1))
    shard.close()
    [ended] = seats.left()
    assert (ended.chunk, [found.at for found in ended.rows]) == (chunk(0, 1), [1])


def test_a_worker_of_another_version_does_not_begin() -> None:
    invitation = Invitation.of(work())
    with pytest.raises(UnlikeError, match="and the driver has fleetsim 9"):
        Remote(Invitation("fleetsim 9", invitation.work))


def test_a_worker_answers_with_its_rows_and_begins_none_after_a_stop() -> None:
    sweep = plan()
    remote = Remote(Invitation.of(Work((sweep.base,), "")))
    assert not remote.greet().writes
    one = Chunk((Point(sweep.points.at(0), ((0, 7), (1, 8))),))
    answer = remote.run(one)
    assert [found.status for found in answer.rows] == [DONE, DONE]
    assert answer.refusal is None
    remote.stop()
    assert remote.run(one).rows == ()
