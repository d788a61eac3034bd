"""A sweep from its plan to its table: what is known, what is left, who runs it, what is kept."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.errors import InputError, Issue
from simulator.registry import provisioning
from simulator.sweeps.backends.choice import backend_of, default_workers
from simulator.sweeps.backends.inline import Inline
from simulator.sweeps.driver import Progress, Standing, carry_out
from simulator.sweeps.ledger import IS_DONE, IS_FAILED, OPEN, Ledger
from simulator.sweeps.plan import Plan
from simulator.sweeps.rows import Row
from simulator.sweeps.store import Store
from simulator.sweeps.table import results_table
from simulator.sweeps.work import StoreError, Work


@dataclass(frozen=True, slots=True)
class Options:
    """How a sweep is carried out; nothing here changes a result.

    Attributes
    ----------
    jobs : int or None
        Local processes; None for one on each core.
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
    """

    jobs: int | None = None
    backend: str = "auto"
    address: str | None = None
    shard: tuple[int, int] | None = None
    retry_failed: bool = False
    point_timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of it.

    Attributes
    ----------
    standing : Standing
        Counts, of all rows that were wanted.
    table : pyarrow.Table or None
        Every row; None where other shards have rows left.
    left : int
        Rows that others have still to run.
    """

    standing: Standing
    table: pa.Table | None
    left: int = 0


def sweep(
    plan: Plan,
    folder: Path | None = None,
    options: Options | None = None,
    *,
    show: Progress | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Carried:
    """Carry a sweep out, going on from what its folder knows.

    Parameters
    ----------
    plan : Plan
    folder : Path, optional
        Where it is kept; nothing is written without one.
    options : Options, optional
    show : callable, optional
        Told how far it has come.
    tell : callable
        Told one line of anything that is not as expected.

    Raises
    ------
    InputError
        If the folder can't be used.
    StoreError
        If the disk refuses a row.
    """
    options = options or Options()
    if folder is None:
        ledger = Ledger(len(plan))
        standing = _carry(plan, ledger, None, options, show, tell)
        return Carried(standing, results_table(plan, ledger))
    store = Store(folder.absolute(), plan)
    try:
        return _stored(store, options, show, tell)
    except OSError as error:
        raise StoreError.of(error) from error


def _stored(
    store: Store, options: Options, show: Progress | None, tell: Callable[[str], None]
) -> Carried:
    shard = None if options.shard is None else "{}/{}".format(*options.shard)
    with store.opened(shard):
        found = store.scan()
        for name in found.damaged:
            tell(f"{name} is damaged (checksum); what it lacks is run again")
        if options.retry_failed:
            found.ledger.retry_failed()
        store.list_known(found.ledger)
        standing = _carry(store.plan, found.ledger, store, options, show, tell)
        if shard is None:
            return Carried(standing, store.compact(found.ledger))
    return _joined(store, standing)


def _joined(store: Store, standing: Standing) -> Carried:
    """Put the shards together if this one was the last; whoever else is at work goes first."""
    with suppress(InputError), store.opened():
        ledger = store.scan().ledger
        if not len(ledger.open_rows):
            return Carried(standing, store.compact(ledger))
    return Carried(standing, None, left=len(store.scan().ledger.open_rows))


def _carry(
    plan: Plan,
    ledger: Ledger,
    store: Store | None,
    options: Options,
    show: Progress | None,
    tell: Callable[[str], None],
) -> Standing:
    """Run what is open."""
    rows = _rows_of(plan, options.shard)
    wanted = rows[ledger.state[rows] == OPEN]
    standing = Standing(
        total=len(rows),
        done=int((ledger.state[rows] == IS_DONE).sum()),
        failed=int((ledger.state[rows] == IS_FAILED).sum()),
    )
    standing.cached = standing.done + standing.failed
    if not len(wanted):
        return standing
    workers = options.jobs if options.jobs is not None else default_workers()
    backend = backend_of(
        options.backend,
        min(workers, len(wanted)),
        address=options.address,
        isolated=options.point_timeout_s is not None,
        tell=tell,
    )
    record = store.record if store is not None else _nowhere
    try:
        backend.start(_work(plan, store, options, here=isinstance(backend, Inline)))
        carry_out(plan, ledger, backend, wanted, standing, record=record, show=show)
    finally:
        backend.close()
    return standing


def _rows_of(plan: Plan, shard: tuple[int, int] | None) -> NDArray[np.int64]:
    """Return the rows of a shard: every n-th point, with all its seeds."""
    rows = np.arange(len(plan), dtype=np.int64)
    index, count = shard or (1, 1)
    chosen: NDArray[np.int64] = rows[(rows // len(plan.seeds)) % count == index - 1]
    return chosen


def _work(plan: Plan, store: Store | None, options: Options, *, here: bool) -> Work:
    return Work(
        base=plan.base,
        sweep=store.digest if store is not None else "",
        folder=store.folder if store is not None else None,
        token=store.token if store is not None else "",
        point_timeout_s=options.point_timeout_s,
        plugins=() if here else _plugins(plan),
    )


def _plugins(plan: Plan) -> tuple[str, ...]:
    """Return the modules that workers import because policies of the sweep are in them.

    Raises
    ------
    InputError
        If a policy is defined where no other process can import it.
    """
    said = json.dumps([plan.base.document, plan.table], default=str)
    used = {
        name: module
        for name, module in provisioning.registered_elsewhere().items()
        if json.dumps(name) in said
    }
    lost = [name for name, module in used.items() if module == "__main__"]
    if lost:
        rule = (
            "defined in the script or notebook itself, which other processes can't import; "
            "put the function into a module of its own, or use one job"
        )
        raise InputError(plan.base.source, [Issue(f'policy "{name}"', rule) for name in lost])
    return tuple(sorted(set(used.values())))


def _nowhere(row: Row) -> None:
    """Keep a row in memory alone."""
