"""Sorting in place, without memory of its own."""

from simulator.kernels.compile import kernel
from simulator.kernels.tables import FIRST


@kernel
def sort(values, count):
    """Sort the first `count` of some numbers (heap sort)."""
    for begin in range(count // 2 - 1, -1, -1):
        sink(values, begin, count)
    for end in range(count - 1, 0, -1):
        values[0], values[end] = values[end], values[0]
        sink(values, FIRST, end)


@kernel(inline="llvm")
def sink(values, at, count):
    """Let a number sink below the larger ones of a heap whose largest is on top."""
    value = values[at]
    child = 2 * at + 1
    while child < count:
        if child + 1 < count and values[child + 1] > values[child]:
            child += 1
        if values[child] <= value:
            break
        values[at] = values[child]
        at = child
        child = 2 * at + 1
    values[at] = value
