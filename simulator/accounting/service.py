"""How long nodes were in service when they left it, from the change log."""

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
    first : bool[retirements]
        Whether it was there at the start, and may have an age from before.
    """

    node: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    served_ms: NDArray[np.int64]
    first: NDArray[np.bool_]


class Service:
    """Who is in service, and since when.

    Parameters
    ----------
    absent : bool[nodes]
        Nodes that are not there at the start.
    """

    def __init__(self, absent: NDArray[np.bool_]) -> None:
        self._absent = absent.copy()
        self._since_ms = np.zeros(len(absent), np.int64)
        self._first = ~absent
        self._left: list[tuple[int, int, int, bool]] = []

    def read(self, log: Log, rows: int) -> None:
        """Take in the first `rows` rows of the change log."""
        node, gone = log.node[:rows], log.state[:rows] == ABSENT
        touched = self._absent.copy()
        touched[node[gone]] = True
        at = np.flatnonzero(touched[node])
        if not len(at):
            return
        at = at[np.argsort(node[at], kind="stable")]
        nodes, after = node[at], gone[at]
        starts = np.append(True, nodes[1:] != nodes[:-1])
        before = np.append(False, after[:-1])
        before[starts] = self._absent[nodes[starts]]
        for row in np.flatnonzero(before != after):
            self._turn(int(nodes[row]), int(log.time_ms[at[row]]), bool(after[row]))
        ends = np.append(starts[1:], True)
        self._absent[nodes[ends]] = after[ends]

    def _turn(self, node: int, time_ms: int, gone: bool) -> None:
        """Let a node leave, or come into, service."""
        if gone:
            served_ms = time_ms - int(self._since_ms[node])
            self._left.append((node, time_ms, served_ms, bool(self._first[node])))
        else:
            self._since_ms[node], self._first[node] = time_ms, False

    def retirements(self) -> Retirements:
        """Return who has left by now."""
        columns = zip(*self._left, strict=True) if self._left else ((), (), (), ())
        node, time_ms, served_ms, first = columns
        return Retirements(
            np.array(node, np.int64),
            np.array(time_ms, np.int64),
            np.array(served_ms, np.int64),
            np.array(first, bool),
        )
