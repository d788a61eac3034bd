"""Workers that stay for as many rounds of rows as there are, and end together."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, Issue
from simulator.registry import dispatch, placement, provisioning, scheduling
from simulator.scenario.model import Scenario
from simulator.sweeps.backends import Backend
from simulator.sweeps.backends.choice import backend_of, default_workers
from simulator.sweeps.backends.inline import Inline
from simulator.sweeps.backends.local import Local
from simulator.sweeps.driver import PointsOf, Progress, Standing, carry_out
from simulator.sweeps.ledger import IS_DONE, IS_FAILED, OPEN, Ledger
from simulator.sweeps.rows import Row
from simulator.sweeps.store import Store
from simulator.sweeps.work import Work


@dataclass(frozen=True, slots=True)
class Options:
    """How a sweep is carried out; nothing here changes a result.

    Attributes
    ----------
    jobs : int or None
        Local processes; None for one on each core.
    jobs_said : bool
        Whether somebody asked for that number, which a cluster that stands does not heed.
    backend : str
        ``auto``, ``local``, ``dask`` or ``ray``.
    address : str or None
        Of a cluster that stands already.
    shard : tuple of int or None
        ``(i, n)``: only the i-th of n parts, counted from 1.
    retry_failed : bool
        Whether runs that failed before are tried again.
    point_timeout_s : float or None
        Limit for one run. [s]
    command : str or None
        The command line, for the manifest.
    """

    jobs: int | None = None
    backend: str = "auto"
    address: str | None = None
    shard: tuple[int, int] | None = None
    retry_failed: bool = False
    point_timeout_s: float | None = None
    command: str | None = None
    jobs_said: bool = False

    def __post_init__(self) -> None:
        """Refuse what can't be.

        Raises
        ------
        InputError
            If there is no process to run anything.
        """
        if self.jobs is not None and self.jobs < 1:
            raise InputError("options", [Issue("jobs", f"{self.jobs} must be at least 1")])

    @property
    def workers(self) -> int:
        """Local processes."""
        return self.jobs if self.jobs is not None else default_workers()


class Session:
    """A ledger, and workers that fill it; none is started before there is something to run.

    Parameters
    ----------
    bases : sequence of Scenario
        What points change.
    ledger : Ledger
    options : Options
    store : Store, optional
        Held by the caller, if anything is to be written.
    said : object
        Values of the points, where they may name a policy.
    most : int, optional
        Runs that there may be at a time; as many as the first round has unless given.
    tell : callable
        Told in one line where another backend is used than was asked for.
    files : mapping of Path to str, optional
        SHA-256 that files must have; those of the store unless given.
    """

    def __init__(
        self,
        bases: Sequence[Scenario],
        ledger: Ledger,
        options: Options,
        store: Store | None = None,
        *,
        said: Any = None,
        most: int | None = None,
        tell: Callable[[str], None] = lambda _: None,
        files: Mapping[Path, str] | None = None,
    ) -> None:
        self.ledger = ledger
        self._bases = tuple(bases)
        self._options = options
        self._store = store
        self._said = said
        self._most = most
        self._tell = tell
        self._files = dict(files or (store.files if store is not None else {}))
        self._backend: Backend | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._backend is not None:
            self._backend.close()

    def run(
        self,
        points_of: PointsOf,
        rows: NDArray[np.int64],
        *,
        kept: Callable[[int], bool] = lambda _: False,
        show: Progress | None = None,
    ) -> Standing:
        """Run those of the rows of which nothing is known, and return how all of them stand.

        Raises
        ------
        InputError
            If a policy can't be had in the workers.
        StoreError
            If the disk refuses a row, or a file that runs read was changed.
        """
        state = self.ledger.state[rows]
        done, failed = int((state == IS_DONE).sum()), int((state == IS_FAILED).sum())
        standing = Standing(len(rows), done=done, failed=failed, cached=done + failed)
        wanted = rows[state == OPEN]
        if len(wanted):
            backend = self._begun(self._most or len(wanted))
            record = self._store.record if self._store is not None else _nowhere
            carry_out(
                points_of,
                self.ledger,
                backend,
                wanted,
                standing,
                record=record,
                kept=kept,
                show=show,
            )
        return standing

    def _begun(self, most: int) -> Backend:
        if self._backend is None:
            options = self._options
            self._backend = backend_of(
                options.backend,
                min(options.workers, most),
                address=options.address,
                # Not even the last run that is left may take this process with it.
                isolated=options.point_timeout_s is not None or options.workers > 1,
                tell=self._tell,
            )
            if (
                options.jobs_said
                and options.address
                and not isinstance(self._backend, Inline | Local)
            ):
                self._tell(
                    f"jobs = {options.jobs} counts for nothing at {options.address}: a cluster "
                    "that stands runs as many as it has workers"
                )
            self._backend.start(self.work(here=isinstance(self._backend, Inline)))
        return self._backend

    def work(self, *, here: bool) -> Work:
        """Return what workers are given: in this process, or in another."""
        store = self._store
        return Work(
            bases=self._bases,
            sweep=store.digest if store is not None else "",
            folder=store.folder if store is not None else None,
            token=store.token if store is not None else "",
            point_timeout_s=self._options.point_timeout_s,
            plugins=() if here else _plugins(self._bases, self._said),
            files=self._files,
        )


def _plugins(bases: Iterable[Scenario], said: Any) -> tuple[str, ...]:
    """Return the modules that workers import because policies of the runs are in them.

    Raises
    ------
    InputError
        If a policy is defined where no other process can import it.
    """
    text = json.dumps([*(base.document for base in bases), said], default=str)
    used = [
        (name, module)
        for kind in (provisioning, scheduling, dispatch, placement)
        for name, module in kind.registered_elsewhere().items()
        if json.dumps(name) in text
    ]
    lost = [name for name, module in used if module == "__main__"]
    if lost:
        rule = (
            "defined in the script or notebook itself, which other processes can't import; "
            "put the function into a module of its own, or use one job"
        )
        raise InputError("policies", [Issue(name, rule) for name in lost])
    return tuple(sorted({module for _, module in used}))


def _nowhere(row: Row) -> None:
    """Keep a row in memory alone."""
