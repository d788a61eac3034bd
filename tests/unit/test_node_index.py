"""The candidate index finds the lowest member of a set, whatever was put in and taken out."""

import numpy as np
import pytest

from simulator.kernels import node_index


def tree_of(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    shape, words = node_index.shape(nodes)
    return np.zeros(words, np.int64), np.array([shape], np.int64)


@pytest.mark.parametrize("nodes", [1, 2, 31, 32, 33, 1_000, 1_024, 1_025, 40_000])
def test_a_filled_tree_holds_every_node_and_loses_them_from_the_lowest_on(nodes: int) -> None:
    words, table = tree_of(nodes)
    node_index.fill(words, nodes, nodes)
    found = []
    for _ in range(min(nodes, 70)):
        found.append(node_index.lowest(words, 0, table, 0, 0))
        node_index.remove(words, 0, table, 0, 0, found[-1])
    assert found == list(range(min(nodes, 70)))


@pytest.mark.parametrize("places", [1, 32, 33, 80, 1_025, 40_000])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
def test_a_tree_may_be_filled_in_part(places: int, share: float) -> None:
    nodes = int(places * share)
    words, table = tree_of(places)
    node_index.fill(words, places, nodes)
    inserted = np.zeros_like(words)
    for node in range(nodes):
        node_index.insert(inserted, 0, table, 0, 0, node)
    np.testing.assert_array_equal(words, inserted)


@pytest.mark.parametrize("nodes", [5, 64, 1_500, 33_000])
def test_the_lowest_member_agrees_with_a_set_through_random_changes(nodes: int) -> None:
    words, table = tree_of(nodes)
    members: set[int] = set()
    draws = np.random.Generator(np.random.PCG64(nodes)).integers(0, nodes, 4_000)
    for member in draws.tolist():
        if member in members:
            members.remove(member)
            node_index.remove(words, 0, table, 0, 0, member)
        else:
            members.add(member)
            node_index.insert(words, 0, table, 0, 0, member)
        if members:
            assert node_index.lowest(words, 0, table, 0, 0) == min(members)
    for member in sorted(members):
        node_index.remove(words, 0, table, 0, 0, member)
    assert not words.any()


def test_a_tree_of_a_million_nodes_has_four_levels() -> None:
    shape, words = node_index.shape(1 << 20)
    assert shape[0] == 4 < node_index.LEVELS
    assert words == 32_768 + 1_024 + 32 + 1
