"""Tables for what a run does not use: racks, fair share, failures, preemption, dispatch.

A run that uses any of them is given all, so that the compiled engine of one such run is that of
all. In these tables nobody has racks, shares, fails, is preempted, or gets a cluster on arrival.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.engine.faults import pieces
from simulator.kernels import locality
from simulator.kernels import tables as kernels
from simulator.kernels.dispatch import Dispatch
from simulator.kernels.preemption import NOBODY_BELOW, Preemption

if TYPE_CHECKING:
    from simulator.engine.state import State


def with_blanks(state: "State") -> "State":
    """Return a state with blanks for the tables that it lacks, but for those of queue rules."""
    tables, queueing = state.tables, state.queueing
    assert queueing is not None  # plain rules are rules too
    clusters, nodes, slots = len(tables.clusters), len(tables.nodes), len(tables.slots)
    jobs = len(state.jobs.submit_ms)
    return replace(
        state,
        tables=tables._replace(loads=tables.loads or _loads()),
        queueing=queueing._replace(
            shares=queueing.shares or _shares(len(tables.routes)),
            racks=queueing.racks or _racks(clusters),
        ),
        faults=state.faults or _faults(nodes, slots),
        preemption=state.preemption or _preemption(clusters, jobs, slots),
        pieces=state.pieces or pieces(2 * slots),
        dispatch=state.dispatch or _dispatch(),
    )


def _integers(*shape: int) -> NDArray[np.int64]:
    return np.zeros(shape, np.int64)


def _none(count: int, dtype: Any = np.int64) -> NDArray[Any]:
    return np.full(count, kernels.NONE, dtype)


def _loads() -> kernels.Loads:
    """Return sums that are kept for no cluster."""
    return kernels.Loads(
        jobs=_integers(0),
        asked_ms=np.zeros(0),
        ends_ms=np.zeros(0),
        held=_integers(0),
        slot_end_ms=_integers(0),
        wake_ms=_integers(0),
    )


def _shares(routes: int) -> kernels.Shares:
    """Return no books, and routes without one."""
    of_routes = _integers(routes, kernels.FAIR_SIZE)
    of_routes[:, kernels.BOOK] = kernels.NONE
    return kernels.Shares(
        books=_integers(0, kernels.BOOK_SIZE),
        account=np.zeros((0, 0), np.int32),
        accounts=_integers(0, kernels.ACCOUNT_SIZE),
        routes=of_routes,
        turns=_integers(0, kernels.TURN_SIZE),
    )


def _racks(clusters: int) -> kernels.Racks:
    """Return clusters without racks."""
    return kernels.Racks(
        nodes=_integers(clusters),
        speed=np.ones(clusters),
        first=_integers(clusters + 1),
        table=_integers(0, locality.BY_FREE),
        counted=_none(clusters),
        with_empty=_integers(0),
        spanned=np.zeros(0, np.int32),
    )


def _faults(nodes: int, slots: int) -> kernels.Faults:
    """Return nodes that never fail; two rounds of failures are what an instant asks for."""
    forever_ms = np.full((2, nodes), kernels.FOREVER_MS)
    return kernels.Faults(
        lives_ms=forever_ms,
        repairs_ms=_integers(2, nodes),
        failures=np.zeros(nodes, np.int32),
        left_ms=forever_ms[0].copy(),
        due_ms=forever_ms[0].copy(),
        heap=np.zeros(nodes, np.int32),
        place=_none(nodes, np.int32),
        failed_ms=_none(nodes),
        struck=np.zeros(nodes, np.int32),
        cut=_integers(slots),
    )


def _preemption(clusters: int, jobs: int, slots: int) -> Preemption:
    """Return clusters on which nobody is preempted."""
    return Preemption(
        way=np.full(clusters, kernels.NOBODY, np.int64),
        after_ms=_integers(clusters),
        suspend_ms=_integers(clusters),
        resume_ms=np.zeros(clusters),
        priority=np.zeros(jobs, np.int32),
        preemptible=np.zeros(0, np.int8),
        least=NOBODY_BELOW,
        look_ms=np.full(1, kernels.FOREVER_MS, np.int64),
        stopped_ms=_none(slots),
        with_free=_integers(clusters, 0),
        more=np.zeros(0, np.int32),
        candidates=np.zeros(0, np.int32),
        victims=np.zeros(0, np.int32),
    )


def _dispatch() -> Dispatch:
    """Return jobs that all have their route from the first."""
    return Dispatch(
        way=np.zeros(0, np.int32),
        outside=np.zeros(0, np.int8),
        first=_integers(1),
        cluster=_integers(0),
        route=_integers(0),
        rule=_integers(0),
        level=np.zeros((0, 0), np.int32),
        line=np.zeros((0, 0), np.int32),
    )
