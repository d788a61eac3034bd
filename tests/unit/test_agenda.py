"""The agenda gives keys back in order."""

import heapq

import numpy as np
import pytest

from simulator.kernels import agenda


@pytest.mark.parametrize("seed", range(5))
def test_keys_come_back_in_the_order_of_a_reference_heap(seed: int) -> None:
    draw = np.random.Generator(np.random.PCG64(seed))
    keys = np.zeros(600, np.int64)
    reference: list[int] = []
    size = 0
    for _ in range(3_000):
        if size and (size == len(keys) or draw.random() < 0.5):
            assert keys[0] == heapq.heappop(reference)
            agenda.pop(keys, size)
            size -= 1
        else:
            key = int(draw.integers(0, 400))
            agenda.push(keys, size, key)
            heapq.heappush(reference, key)
            size += 1
    assert sorted(keys[:size].tolist()) == sorted(reference)


def test_equal_times_are_ordered_by_slot() -> None:
    keys = np.zeros(3, np.int64)
    for size, slot in enumerate((2, 0, 1)):
        agenda.push(keys, size, (50 << 4) | slot)
    order = []
    for size in (3, 2, 1):
        order.append(int(keys[0] & 15))
        agenda.pop(keys, size)
    assert order == [0, 1, 2]
