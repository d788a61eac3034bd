"""What the driver makes of chunks that end, die or take too long, on a scripted backend."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from simulator.sweeps import rows
from simulator.sweeps.driver import MOST_DEATHS, MOST_IN_CHUNK, Standing, carry_out
from simulator.sweeps.ledger import Ledger
from simulator.sweeps.rows import VALUES, Row
from simulator.sweeps.work import Chunk, Ended, Point, Work


def done(at: int) -> Row:
    return Row(at, rows.DONE, f"{at:064x}", (float(at),) * len(VALUES))


def points_of(found: Sequence[int]) -> tuple[Point, ...]:
    return tuple(Point({}, ((at, 0),)) for at in found)


@dataclass
class Scripted:
    """A backend that runs chunks in order and dies at certain rows.

    `kills(row, times)` says whether a row takes its process with it, having been begun so often.
    """

    workers: int = 2
    kills: Callable[[int, int], bool] = lambda row, times: False
    in_order: bool = True
    hopeless: bool = False
    outcome: Callable[[int], Row] = done
    begun: Counter[int] = field(default_factory=Counter)
    chunks: deque[Chunk] = field(default_factory=deque)
    sizes: list[int] = field(default_factory=list)
    most_waiting: int = 0

    def start(self, work: Work) -> None: ...

    def submit(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        self.sizes.append(len(chunk.rows))
        self.most_waiting = max(self.most_waiting, len(self.chunks))

    def wait(self, timeout_s: float) -> list[Ended]:
        chunk = self.chunks.popleft()
        found = []
        for at in chunk.rows:
            self.begun[at] += 1
            if self.kills(at, self.begun[at]):
                known = tuple(found) if self.in_order else ()
                death = "its process was killed"
                return [
                    Ended(chunk, known, over=True, death=death, in_order=self.in_order,
                          hopeless=self.hopeless)
                ]  # fmt: skip
            found.append(self.outcome(at))
        return [Ended(chunk, tuple(found), over=True)]

    def stop(self, grace_s: float) -> list[Ended]:
        return []

    def close(self) -> None: ...


def carried(
    backend: Scripted, count: int, written: list[Row] | None = None
) -> tuple[Ledger, Standing]:
    ledger, standing = Ledger(count), Standing(count)
    kept = [] if written is None else written
    carry_out(points_of, ledger, backend, np.arange(count), standing, record=kept.append)
    return ledger, standing


def test_every_row_is_run_once_and_the_first_alone() -> None:
    backend = Scripted()
    ledger, standing = carried(backend, 500)
    assert ledger.done == standing.done == 500
    assert set(backend.begun.values()) == {1}
    assert backend.sizes[0] == 1
    assert max(backend.sizes) <= MOST_IN_CHUNK
    assert backend.most_waiting <= 2 * backend.workers


def test_a_death_costs_no_row_but_its_own() -> None:
    backend = Scripted(kills=lambda row, times: row == 40 and times == 1)
    ledger, standing = carried(backend, 200)
    assert ledger.done == 200
    assert standing.failed == 0
    assert backend.begun.pop(40) == 2
    assert set(backend.begun.values()) == {1}


@pytest.mark.parametrize("in_order", [True, False])
def test_a_row_that_always_kills_is_given_up_and_named(in_order: bool) -> None:
    backend = Scripted(kills=lambda row, times: row == 40, in_order=in_order)
    written: list[Row] = []
    ledger, standing = carried(backend, 200, written)
    assert (standing.done, standing.failed) == (199, 1)
    assert [row.at for row in written] == [40]
    assert written[0].error == f"its process was killed ({MOST_DEATHS} times)"
    assert ledger.columns()["error"].to_pylist()[40] == written[0].error
    if in_order:
        assert backend.begun[40] == MOST_DEATHS


def test_several_rows_that_kill_are_all_found_where_nobody_knows_which() -> None:
    bad = {3, 40, 41, 77, 199}
    backend = Scripted(kills=lambda row, times: row in bad, in_order=False)
    ledger, _ = carried(backend, 200)
    assert set(np.flatnonzero(ledger.state == 2).tolist()) == bad
    assert ledger.done == 195


def test_what_took_too_long_is_not_tried_again() -> None:
    backend = Scripted(kills=lambda row, times: row == 9, hopeless=True)
    ledger, _ = carried(backend, 30)
    assert ledger.failed == 1
    assert backend.begun[9] == 1


def test_rows_that_no_worker_wrote_are_written() -> None:
    class Remote(Scripted):
        def wait(self, timeout_s: float) -> list[Ended]:
            (ended,) = super().wait(timeout_s)
            return [Ended(ended.chunk, ended.rows, over=True, written=False)]

    written: list[Row] = []
    carried(Remote(), 50, written)
    assert sorted(row.at for row in written) == list(range(50))


def test_a_run_said_to_be_known_that_is_nowhere_is_run() -> None:
    class Forgetful(Scripted):
        def wait(self, timeout_s: float) -> list[Ended]:
            chunk = self.chunks[0]
            if chunk.fresh:
                return super().wait(timeout_s)
            self.chunks.popleft()
            known = tuple(Row(at, rows.KNOWN, "f" * 64) for at in chunk.rows)
            return [Ended(chunk, known, over=True)]

    ledger, _ = carried(Forgetful(), 20)
    assert ledger.done == 20


def test_an_interruption_keeps_what_still_comes_in() -> None:
    class Interrupted(Scripted):
        def wait(self, timeout_s: float) -> list[Ended]:
            if self.begun.total() >= 5:
                raise KeyboardInterrupt
            return super().wait(timeout_s)

        def stop(self, grace_s: float) -> list[Ended]:
            chunk = self.chunks[0]
            return [Ended(chunk, (done(chunk.rows[0]),))]

    backend = Interrupted()
    ledger, standing = Ledger(100), Standing(100)
    with pytest.raises(KeyboardInterrupt):
        carry_out(points_of, ledger, backend, np.arange(100), standing, record=lambda _: None)
    assert ledger.done == standing.done == backend.begun.total() + 1


def test_progress_is_told_and_reaches_the_end() -> None:
    told: list[tuple[int, int]] = []
    standing = Standing(60)
    carry_out(
        points_of, Ledger(60), Scripted(), np.arange(60), standing,
        record=lambda _: None, show=lambda counts: told.append((counts.done, counts.total)),
    )  # fmt: skip
    assert told == sorted(told)
    assert told[-1] == (60, 60)
