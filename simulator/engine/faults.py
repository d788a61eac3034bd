"""The tables of failures as the kernels need them, and of the pieces of jobs cut short."""

import numpy as np

from simulator.kernels import tables as kernels
from simulator.power.failures import Failures

FIRST_ROUNDS = 4
"""Failures of each node that are drawn beforehand."""

PIECE_ROWS = 1 << 12
"""Rows of pieces beyond two for each slot, which any single instant can need."""


def fault_tables(failures: Failures | None, tables: kernels.Tables) -> kernels.Faults | None:
    """Return the tables of failures, in which the clock of every node in service runs."""
    if failures is None:
        return None
    nodes = len(tables.nodes)
    empty = np.zeros((0, nodes), np.int64)
    faults = kernels.Faults(
        lives_ms=empty,
        repairs_ms=empty,
        failures=np.zeros(nodes, np.int32),
        left_ms=np.zeros(nodes, np.int64),
        due_ms=np.zeros(nodes, np.int64),
        heap=np.zeros(nodes, np.int32),
        place=np.full(nodes, kernels.NONE, np.int32),
        failed_ms=np.full(nodes, kernels.NONE, np.int64),
        struck=np.zeros(nodes, np.int32),
        cut=np.zeros(len(tables.slots), np.int64),
    )
    faults = with_rounds(faults, failures, FIRST_ROUNDS)
    faults.left_ms[:] = faults.lives_ms[0]
    faults.due_ms[:] = faults.left_ms
    awake = tables.nodes[:, kernels.NODE_STATE] == kernels.AWAKE
    mortal = np.flatnonzero(awake & (faults.left_ms < kernels.FOREVER_MS))
    order = mortal[::-1][np.argsort(faults.due_ms[mortal[::-1]], kind="stable")]
    faults.heap[: len(order)] = order  # a sorted list is a heap
    faults.place[order] = np.arange(len(order))
    tables.clock[kernels.IN_SERVICE] = len(order)
    return faults


def with_rounds(faults: kernels.Faults, failures: Failures, count: int) -> kernels.Faults:
    """Return the tables with so many failures of each node drawn."""
    known = len(faults.lives_ms)
    rounds = [failures.draw(number) for number in range(known, count)]
    return faults._replace(
        lives_ms=np.concatenate([faults.lives_ms, [lives for lives, _ in rounds]]),
        repairs_ms=np.concatenate([faults.repairs_ms, [repairs for _, repairs in rounds]]),
    )


def pieces(rows: int) -> kernels.Pieces:
    """Return room for so many pieces of jobs that are cut short."""
    return kernels.Pieces(
        job=np.zeros(rows, np.int32),
        cluster=np.zeros(rows, np.int16),
        first_node=np.zeros(rows, np.int32),
        part_node=np.zeros(rows, np.int32),
        power_level=np.zeros(rows, np.int8),
        start_ms=np.zeros(rows, np.int64),
        end_ms=np.zeros(rows, np.int64),
        kept_ms=np.zeros(rows),
        lost_ms=np.zeros(rows),
        resume_ms=np.zeros(rows),
        cause=np.zeros(rows, np.int8),
        racks=np.zeros(rows, np.int32),
    )


def piece_table(needed: bool, tables: kernels.Tables) -> kernels.Pieces | None:
    """Return room for the pieces of jobs that are cut short; none where nothing does that."""
    if not needed:
        return None
    return pieces(PIECE_ROWS + 2 * len(tables.slots))
