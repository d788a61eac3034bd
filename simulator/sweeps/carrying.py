"""A sweep from its plan to its table: what is known, what is left, who runs it, what is kept."""

import json
import platform
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.errors import InputError
from simulator.plans.plan import Plan
from simulator.results import library_versions
from simulator.sweeps.driver import Progress, Standing
from simulator.sweeps.keeping import keep_chosen, kept_as_it_comes
from simulator.sweeps.ledger import Ledger
from simulator.sweeps.partial import write_text
from simulator.sweeps.session import Options, Session
from simulator.sweeps.store import Store
from simulator.sweeps.table import results_table
from simulator.sweeps.unchanged import Unchanged
from simulator.sweeps.work import Point, StoreError, runs_by_point
from simulator.version import MODEL_VERSION, SCHEMA_VERSION


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
        If the disk refuses a row, or a file was changed that runs read.
    """
    options = options or Options()
    if folder is None:
        ledger = Ledger(len(plan))
        standing = _run(plan, ledger, None, options, show, tell)
        table = results_table(plan, ledger)
        _doubt(plan, table, tell)
        return Carried(standing, table)
    store = Store(folder.absolute(), plan)
    try:
        return _stored(plan, store, options, show, tell)
    except BrokenPipeError:
        raise  # whoever read what is told has left
    except OSError as error:
        raise StoreError.of(error, store.folder) from error


def _stored(
    plan: Plan,
    store: Store,
    options: Options,
    show: Progress | None,
    tell: Callable[[str], None],
) -> Carried:
    shard = None if options.shard is None else "{}/{}".format(*options.shard)
    told: list[str] = []

    def say(line: str) -> None:
        told.append(line)
        tell(line)

    with store.opened(shard):
        found = store.scan()
        for name in found.damaged:
            say(f"{name} is damaged (checksum); what it lacks is run again")
        if options.retry_failed:
            found.ledger.retry_failed()
        store.list_known(found.ledger)
        standing = _run(plan, found.ledger, store, options, show, say)
        if found.other_table and (unasked := found.ledger.unasked):
            say(
                f"{unasked:,} finished runs of an earlier sweep in this folder are not asked for "
                "by this one; its table is replaced, they are kept until sweep gc"
            )
        if shard is None:
            return Carried(standing, _compacted(plan, store, found.ledger, options, told, say))
    return _joined(plan, store, standing, options, told, say)


def _joined(
    plan: Plan,
    store: Store,
    standing: Standing,
    options: Options,
    told: Sequence[str],
    say: Callable[[str], None],
) -> Carried:
    """Put the shards together if this one was the last; whoever else is at work goes first."""
    left = len(store.scan().ledger.open_rows)
    if left:  # without the lock, which would turn away a shard that begins just now
        return Carried(standing, None, left=left)
    with suppress(InputError), store.opened():
        return Carried(standing, _compacted(plan, store, store.scan().ledger, options, told, say))
    return Carried(standing, None)  # another part is at it


def _compacted(
    plan: Plan,
    store: Store,
    ledger: Ledger,
    options: Options,
    told: Sequence[str],
    say: Callable[[str], None],
) -> pa.Table:
    """Keep what only the whole tells, make the table of all rows, and account for it.

    What is told by `say` is among `told`.
    """
    Unchanged(store.files).check(store.files)
    if plan.keep:
        session = Session([plan.base], ledger, options, store, said=plan.table)
        keep_chosen(plan, ledger, session.work(here=True), partial(points_of, plan))
    table = results_table(plan, ledger)
    store.compact(table)
    _doubt(plan, table, say)
    manifest = {
        "program": "fleetsim",
        "schema_version": SCHEMA_VERSION,
        "model_version": MODEL_VERSION,
        "name": plan.base.name,
        "command": options.command,
        "sweep": store.digest,
        "points": len(plan.points),
        "seeds": plan.seeds,
        "done": ledger.done,
        "failed": ledger.failed,
        "warnings": [*plan.base.warnings, *plan.warnings, *told],
        "python": platform.python_version(),
        "libraries": library_versions(),
    }
    write_text(store.folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    return table


def _doubt(plan: Plan, table: pa.Table, say: Callable[[str], None]) -> None:
    """Say what is too uncertain in the results to go by."""
    from simulator.sweeps.outcome import vague_indices
    from simulator.sweeps.study import Study

    if plan.design == "saltelli" and (line := vague_indices(Study(plan, table))) is not None:
        say(line)


def _run(
    plan: Plan,
    ledger: Ledger,
    store: Store | None,
    options: Options,
    show: Progress | None,
    tell: Callable[[str], None],
) -> Standing:
    points = partial(points_of, plan)
    files = plan.fingerprint.files if store is None else store.files
    with Session(
        [plan.base], ledger, options, store, said=plan.table, tell=tell, files=files
    ) as session:
        rows = _part(plan, options)
        if store is None:
            return session.run(points, rows, show=show)
        return session.run(points, rows, kept=kept_as_it_comes(plan), show=show)


def _part(plan: Plan, options: Options) -> NDArray[np.int64]:
    """Return the rows of a shard: every n-th point, with all its seeds."""
    rows = np.arange(len(plan), dtype=np.int64)
    index, count = options.shard or (1, 1)
    chosen: NDArray[np.int64] = rows[(rows // len(plan.seeds)) % count == index - 1]
    return chosen


def points_of(plan: Plan, rows: Sequence[int]) -> tuple[Point, ...]:
    """Return the points that some rows belong to; neighbours of one point share it."""
    found = runs_by_point(rows, plan.seeds)
    return tuple(Point(plan.points.at(point), runs) for point, runs in found.items())
