"""The runs of a search: each point with all its seeds, kept in a folder and found there again."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError
from simulator.inputs import open_inputs
from simulator.optimisation.files import RUNS, proposer_version, study_toml
from simulator.optimisation.optimise import Outcome, mean_summary
from simulator.optimisation.search import Search
from simulator.plans.digest import Fingerprint, files_of
from simulator.scenario.model import Scenario
from simulator.sweeps.ledger import IS_FAILED, Ledger
from simulator.sweeps.session import Options, Session
from simulator.sweeps.store import Store
from simulator.sweeps.work import Point, StoreError, runs_by_point


@dataclass(frozen=True, slots=True)
class _Stored:
    """A search as the folder of its runs knows it: the base and every trial, with all seeds."""

    search: Search

    @property
    def base(self) -> Scenario:
        """The scenario that every point changes."""
        return self.search.base

    @property
    def fingerprint(self) -> Fingerprint:
        """What decides which runs these are, whoever proposes them included."""
        found = self.search.fingerprint
        text = f"{found.digest} {proposer_version()}"
        return Fingerprint(hashlib.sha256(text.encode()).hexdigest(), found.files)

    def __len__(self) -> int:
        return (1 + self.search.trials) * len(self.search.seeds)

    def to_toml(self) -> str:
        """Return the file that repeats the search."""
        return study_toml(self.search)


class Evaluation:
    """Runs points and returns their outcomes; those of the same search are found in its folder.

    A search proposes the same points in the same order whenever it is repeated, so the n-th point
    has the rows of the n-th; that they are of the same runs is checked by a key of each.

    Parameters
    ----------
    search : Search
    folder : Path, optional
        Of the search; nothing is written without one.
    options : Options, optional
    tell : callable
        Told in one line of anything that is not as expected.
    """

    def __init__(
        self,
        search: Search,
        folder: Path | None = None,
        options: Options | None = None,
        *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._search = search
        self._folder = folder
        self._options = options or Options(jobs=1)
        self._tell = tell
        self._points: list[dict[str, Any]] = []
        self._held = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._begin()
        except OSError as error:
            raise StoreError.of(error, self._folder) from error
        return self

    def _begin(self) -> None:
        ledger, store = Ledger(len(_Stored(self._search))), None
        if self._folder is not None:
            store = Store(self._folder.absolute() / RUNS, _Stored(self._search))
            self._held.enter_context(store.opened())
            found = store.scan()
            for name in found.damaged:
                self._tell(f"{name} is damaged (checksum); what it lacks is run again")
            store.list_known(found.ledger)
            ledger = found.ledger
        self._ledger = ledger
        session = Session(
            [self._search.base], ledger, self._options, store, said=self._search.table,
            most=self._search.batch * len(self._search.seeds), tell=self._tell,
            files=files_of(self._search.base) if store is None else store.files,
        )  # fmt: skip
        self._session = self._held.enter_context(session)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held.__exit__(kind, error, traceback)

    def __call__(self, points: Sequence[dict[str, Any]]) -> list[Outcome]:
        """Run points with every seed, and return the mean summary or the failure of each."""
        seeds = self._search.seeds
        first = len(self._points)
        self._points += points
        rows = np.arange(first * len(seeds), len(self._points) * len(seeds), dtype=np.int64)
        self._check(rows)
        self._session.run(self._points_of, rows)
        return [self._outcome(first + at) for at in range(len(points))]

    def _points_of(self, rows: Sequence[int]) -> tuple[Point, ...]:
        found = runs_by_point(rows, self._search.seeds)
        return tuple(Point(self._points[point], runs) for point, runs in found.items())

    def _check(self, rows: NDArray[np.int64]) -> None:
        """Forget what the folder knows of rows that were of other points."""
        seeds = self._search.seeds
        for at in rows[:: len(seeds)].tolist():
            known = self._ledger.key(at)
            if known and known != self._key(at // len(seeds)):
                self._ledger.reopen(rows)
                return

    def _key(self, point: int) -> str:
        try:
            scenario = self._search.base.replace(self._points[point])
            return open_inputs(scenario.with_seed(self._search.seeds[0])).key
        except InputError:
            return ""

    def _outcome(self, point: int) -> Outcome:
        seeds = self._search.seeds
        rows = range(point * len(seeds), (point + 1) * len(seeds))
        failures = [at for at in rows if self._ledger.state[at] == IS_FAILED]
        if failures:
            return self._ledger.failures[failures[0]]
        return mean_summary(self._ledger.summary(at) for at in rows)
