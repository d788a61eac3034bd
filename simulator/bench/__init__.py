"""How fast this machine runs, beside plain SimPy loops and a bare compiled loop in the same run.

>>> from simulator import bench
>>> print(bench.run(bench.QUICK).text())  # doctest: +SKIP
"""

from typing import TYPE_CHECKING

from simulator.bench.sizes import DEFAULT, FULL, QUICK, Sizes

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.bench.comparison import Comparison

__all__ = ["DEFAULT", "FULL", "QUICK", "Sizes", "run"]


def run(sizes: Sizes = DEFAULT, *, say: "Callable[[str], None] | None" = None) -> "Comparison":
    """Time the engine and its yardsticks, and check that they did the same.

    Parameters
    ----------
    sizes : Sizes
        `QUICK`, `DEFAULT`, `FULL` or your own.
    say : callable, optional
        Told in one line what is timed next.

    Returns
    -------
    Comparison
        Its ``text()`` is a table for a terminal of 80 columns, its ``document()`` plain data.

    Raises
    ------
    AssertionError
        If the engine and a yardstick settle different events: the figures would mean nothing.
    """
    from simulator.bench.comparison import compare

    return compare(sizes, say=say or (lambda _: None))
