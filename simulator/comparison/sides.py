"""The sides of a comparison, run: every scenario with every seed, one row for each run."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from simulator import simulation
from simulator.columns import SUMMARY, Column
from simulator.errors import PolicyError
from simulator.scenario import Scenario
from simulator.simulation import Progress
from simulator.units import MS_PER_D

VALUES: Final[tuple[Column, ...]] = tuple(
    column for column in SUMMARY if column.name not in {"name", "seed", "key"}
)
"""Keys of the summary that are columns of a table of runs under their own names."""


def runs(
    scenarios: Mapping[str, Scenario], seeds: Sequence[int], progress: Progress | None = None
) -> pd.DataFrame:
    """Run every scenario with every seed, and return one row for each run.

    Parameters
    ----------
    scenarios : mapping of str to Scenario
        By name.
    seeds : sequence of int
    progress : callable, optional
        Told of simulated days done and in all, over all runs, and of jobs started in the present
        one.

    Returns
    -------
    DataFrame
        As `table_of`.
    """
    rows: list[tuple[str, int, str, Mapping[str, Any]]] = []
    days = _Days(progress, sum(each.horizon_ms for each in scenarios.values()) * len(seeds))
    for name, scenario in scenarios.items():
        for seed in seeds:
            try:
                results = simulation.run(scenario, seed=seed, progress=days.show).results
            except PolicyError as error:
                raise PolicyError(f"{name}, seed {seed}: {error}") from error
            rows.append((name, seed, results.key, results.summary))
            days.done_ms += scenario.horizon_ms
    return table_of(rows, tuple(scenarios))


def table_of(
    rows: Sequence[tuple[str, int, str, Mapping[str, Any]]], names: Sequence[str]
) -> pd.DataFrame:
    """Return a table of finished runs.

    Parameters
    ----------
    rows : sequence of (name, seed, key, summary)
    names : sequence of str
        The sides; a side's number is its ``point``.

    Returns
    -------
    DataFrame
        Columns ``row``, ``point``, ``name``, ``seed``, ``status``, ``error``, ``key`` and those
        of the summary; NaN where absent.
    """
    table = pd.DataFrame(
        {
            "row": np.arange(len(rows)),
            "point": [list(names).index(name) for name, *_ in rows],
            "name": [name for name, *_ in rows],
            "seed": [seed for _, seed, *_ in rows],
            "status": "done",
            "error": pd.Series([None] * len(rows), dtype=object),
            "key": [key for *_, key, _ in rows],
        }
    )
    for column in VALUES:
        values = [summary[column.name] for *_, summary in rows]
        table[column.name] = np.array(values, np.int64 if column.type == "int64" else np.float64)
    return table


class _Days:
    """How far many runs have come, in the simulated days of all of them."""

    def __init__(self, progress: Progress | None, all_ms: int) -> None:
        self._told = progress
        self._all_ms = all_ms
        self.done_ms = 0

    @property
    def show(self) -> Progress | None:
        """What the present run is to tell of itself."""
        told = self._told
        if told is None:
            return None

        def show(days_done: float, days_total: float, jobs_started: int) -> None:
            del days_total
            told(self.done_ms / MS_PER_D + days_done, self._all_ms / MS_PER_D, jobs_started)

        return show
