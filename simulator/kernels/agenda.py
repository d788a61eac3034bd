"""The agenda: a binary heap of coming completions, each one integer.

A key is ``time_ms << bits | slot``: one comparison orders by time and then by slot, and one
array holds the whole heap.
"""

from simulator.kernels.compile import kernel


@kernel(inline="llvm")
def push(keys, size, key):
    """Add `key` to a heap of `size` keys; the heap holds size + 1 afterwards."""
    rise(keys, size, key)


@kernel(inline="always")
def pop(keys, size):
    """Remove the smallest key of a heap of `size` >= 1 keys; the heap holds size - 1 afterwards.

    The hole sinks to the bottom along the smaller children and the last key then rises into it:
    fewer comparisons than sinking the last key, which nearly always belongs to the bottom.
    """
    last = size - 1
    hole = 0
    child = 1
    while child < last:
        if child + 1 < last and keys[child + 1] < keys[child]:
            child += 1
        keys[hole] = keys[child]
        hole = child
        child = 2 * hole + 1
    rise(keys, hole, keys[last])


@kernel
def remove(keys, size, at):
    """Remove the key at `at` from a heap of `size` keys; the heap holds size - 1 afterwards."""
    last = size - 1
    if at == last:
        return
    key = keys[last]
    child = 2 * at + 1
    while child < last:
        if child + 1 < last and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at] = keys[child]
        at = child
        child = 2 * at + 1
    rise(keys, at, key)


@kernel(inline="llvm")
def rise(keys, at, key):
    """Put `key` into the hole at `at`, or above it where a parent is larger."""
    while at > 0:
        parent = (at - 1) >> 1
        if keys[parent] <= key:
            break
        keys[at] = keys[parent]
        at = parent
    keys[at] = key
