"""The seeds of a comparison: so many from the first on, or a list; all sides meet the same."""

from collections.abc import Sequence
from typing import Any, Final, SupportsInt, TypeGuard

import numpy as np

from simulator.display import count_text
from simulator.errors import InputError, Issue, shown

MOST_RUNS: Final = 10_000
"""Runs of a comparison; more is a sweep."""
MOST_SEED: Final = 2**63 - 1


def seeds_of(seeds: int | Sequence[int], first: int, sides: int) -> tuple[int, ...]:
    """Return the seeds of a comparison.

    Parameters
    ----------
    seeds : int or sequence of int
        So many, or the seeds themselves.
    first : int
        Where to begin to count.
    sides : int
        How many sides are run with each.

    Raises
    ------
    InputError
        If they are no whole numbers, repeat themselves or make too many runs.
    """
    if _is_whole(seeds):
        count = int(seeds)
        problems = [f"{count} is too few; write at least 1"] if count < 1 else []
    elif isinstance(seeds, Sequence | np.ndarray) and not isinstance(seeds, str | bytes):
        count = len(seeds)
        problems = list(_wrong(seeds))
    else:
        count = 0
        rule = "is not a number of seeds; write a whole number such as 20, or a list of seeds"
        problems = [f"{shown(seeds)} {rule}"]
    if count * sides > MOST_RUNS:
        total = f"{count_text(count)} seeds for {sides} sides are {count_text(count * sides)} runs"
        problems.append(f"{total}, more than {count_text(MOST_RUNS)}; write fewer, or run a sweep")
    elif _is_whole(seeds) and first + count - 1 > MOST_SEED:
        problems.append(f"{count} from {first} on go beyond {MOST_SEED}; set a smaller seed")
    if problems:
        raise InputError("compare", [Issue("seeds", problem) for problem in problems])
    if _is_whole(seeds):
        return tuple(range(first, first + count))
    return tuple(int(seed) for seed in seeds)  # type: ignore[union-attr]


def _wrong(seeds: Sequence[Any]) -> list[str]:
    """Return what is wrong with a list of seeds."""
    if not len(seeds):
        return ["the list is empty; write at least one seed"]
    rule = f"is no seed; write whole numbers from 0 to {MOST_SEED}"
    odd = [seed for seed in seeds if not _is_whole(seed) or not 0 <= int(seed) <= MOST_SEED]
    if odd:
        return [f"{shown(seed)} {rule}" for seed in odd]
    numbers = [int(seed) for seed in seeds]
    twice = dict.fromkeys(seed for seed in numbers if numbers.count(seed) > 1)
    return [f"{seed} is there twice and gives the same run twice; take it out" for seed in twice]


def _is_whole(value: object) -> TypeGuard[SupportsInt]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
