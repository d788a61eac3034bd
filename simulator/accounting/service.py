"""How long nodes were in service, and in use, when they left it, from the change log."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.tables import ABSENT, Log


class Retirements(NamedTuple):
    """Nodes that left the service, in the order in which the log tells of them.

    Attributes
    ----------
    node : int64[retirements]
    time_ms : int64[retirements]
        When it left. [ms since the start]
    served_ms : int64[retirements]
        How long it had been in service by then, since the start at most. [ms]
    held_gpu_ms : int64[retirements]
        Its accelerators that jobs held in that time, times how long. [ms]
    first : bool[retirements]
        Whether it was there at the start, and may have an age from before.
    """

    node: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    served_ms: NDArray[np.int64]
    held_gpu_ms: NDArray[np.int64]
    first: NDArray[np.bool_]


class Service:
    """Who is in service, since when, and what jobs held of it.

    Parameters
    ----------
    absent : bool[nodes]
        Nodes that are not there at the start.
    """

    def __init__(self, absent: NDArray[np.bool_]) -> None:
        nodes = len(absent)
        self._absent = absent.copy()
        self._since_ms = np.zeros(nodes, np.int64)
        self._before_gpu_ms = np.zeros(nodes, np.int64)  # held by earlier nodes of the same place
        self._first = ~absent
        self._told_ms = np.zeros(nodes, np.int64)
        self._held = np.zeros(nodes, np.int64)
        self._held_gpu_ms = np.zeros(nodes, np.int64)
        self._left: list[tuple[int, int, int, int, bool]] = []

    def read(self, log: Log, rows: int) -> None:
        """Take in the first `rows` rows of the change log."""
        if not rows:
            return
        order = np.argsort(log.node[:rows], kind="stable")
        node, time_ms = log.node[:rows][order].astype(np.int64), log.time_ms[:rows][order]
        held, gone = log.held[:rows][order].astype(np.int64), log.state[:rows][order] == ABSENT
        begins = np.append(True, node[1:] != node[:-1])
        own = node[begins]
        gpu_ms = self._so_far(node, time_ms, held, begins)
        before = np.append(False, gone[:-1])
        before[begins] = self._absent[own]
        for row in np.flatnonzero(before != gone):
            self._turn(int(node[row]), int(time_ms[row]), int(gpu_ms[row]), bool(gone[row]))
        ends = np.append(begins[1:], True)
        self._absent[own], self._held[own] = gone[ends], held[ends]
        self._told_ms[own], self._held_gpu_ms[own] = time_ms[ends], gpu_ms[ends]

    def _so_far(
        self,
        node: NDArray[np.int64],
        time_ms: NDArray[np.int64],
        held: NDArray[np.int64],
        begins: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Return what jobs had held of each node by each row, node after node. [GPU x ms]"""
        since_ms, holding = np.append(0, time_ms[:-1]), np.append(0, held[:-1])
        since_ms[begins], holding[begins] = self._told_ms[node[begins]], self._held[node[begins]]
        sums = np.cumsum(holding * (time_ms - since_ms))
        first = np.flatnonzero(begins)
        earlier = np.append(0, sums)[first]
        each = np.diff(np.append(first, len(node)))
        total: NDArray[np.int64] = sums - np.repeat(earlier - self._held_gpu_ms[node[first]], each)
        return total

    def _turn(self, node: int, time_ms: int, gpu_ms: int, gone: bool) -> None:
        """Let a node leave, or come into, service."""
        if gone:
            served_ms = time_ms - int(self._since_ms[node])
            held_gpu_ms = gpu_ms - int(self._before_gpu_ms[node])
            self._left.append((node, time_ms, served_ms, held_gpu_ms, bool(self._first[node])))
        else:
            self._since_ms[node], self._first[node] = time_ms, False
            self._before_gpu_ms[node] = gpu_ms

    def retirements(self) -> Retirements:
        """Return who has left by now."""
        columns = zip(*self._left, strict=True) if self._left else ((), (), (), (), ())
        node, time_ms, served_ms, held_gpu_ms, first = columns
        return Retirements(
            np.array(node, np.int64),
            np.array(time_ms, np.int64),
            np.array(served_ms, np.int64),
            np.array(held_gpu_ms, np.int64),
            np.array(first, bool),
        )
