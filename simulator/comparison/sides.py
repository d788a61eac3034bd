"""The sides of a comparison, run: every scenario with every seed, one row for each run."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from simulator.columns import SUMMARY, Column
from simulator.errors import InputError, Issue, PolicyError
from simulator.plans.digest import files_of
from simulator.scenario import Scenario
from simulator.sweeps.driver import Progress
from simulator.sweeps.ledger import Ledger
from simulator.sweeps.session import Options, Session
from simulator.sweeps.work import Point, runs_by_point
from simulator.units import format_quantity

VALUES: Final[tuple[Column, ...]] = tuple(
    column for column in SUMMARY if column.name not in {"name", "seed", "key"}
)
"""Keys of the summary that are columns of a table of runs under their own names."""

_OF_POLICY: Final = f"{PolicyError.__name__}: "


def runs(
    scenarios: Mapping[str, Scenario],
    seeds: Sequence[int],
    options: Options | None = None,
    show: Progress | None = None,
) -> pd.DataFrame:
    """Run every scenario with every seed, and return one row for each run.

    Parameters
    ----------
    scenarios : mapping of str to Scenario
        By name.
    seeds : sequence of int
    options : Options, optional
        How many processes; one, this very one, unless given.
    show : callable, optional
        Told how many runs are finished.

    Returns
    -------
    DataFrame
        As `table_of`.

    Raises
    ------
    InputError, PolicyError
        If a run is refused or fails.
    """
    names = tuple(scenarios)
    count = len(names) * len(seeds)
    ledger = Ledger(count)

    def points_of(rows: Sequence[int]) -> tuple[Point, ...]:
        found = runs_by_point(rows, seeds)
        return tuple(Point({}, pairs, side) for side, pairs in found.items())

    bases = tuple(scenarios.values())
    files = {path: content for base in bases for path, content in files_of(base).items()}
    with Session(bases, ledger, options or Options(jobs=1), files=files) as session:
        session.run(points_of, np.arange(count), show=show)
    _raise_failures(ledger, names, seeds)
    ordered = [(name, seed) for name in names for seed in seeds]
    rows = [(*pair, ledger.key(at), ledger.summary(at)) for at, pair in enumerate(ordered)]
    return table_of(rows, names)


def _raise_failures(ledger: Ledger, names: Sequence[str], seeds: Sequence[int]) -> None:
    """Raise the first failure of each side: half a comparison would mislead."""
    first: dict[str, str] = {}
    for at, error in ledger.failures.items():
        side, seed = divmod(at, len(seeds))
        if error.startswith(_OF_POLICY):
            words = error.removeprefix(_OF_POLICY)
            raise PolicyError(f"{names[side]}, seed {seeds[seed]}: {words}")
        first.setdefault(names[side], f"failed with seed {seeds[seed]}: {error}")
    if first:
        raise InputError("compare", [Issue(name, text) for name, text in first.items()])


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
        whole = column.type == "int64" and None not in values
        table[column.name] = np.array(values, np.int64 if whole else np.float64)
    return table


def other_peaks(scenarios: Mapping[str, Scenario]) -> list[str]:
    """Warn of peaks that are means over intervals of several lengths: shorter ones find higher."""
    lengths = sorted({each.accounting.interval_ms for each in scenarios.values()})
    if len(lengths) == 1:
        return []
    said = " or ".join(format_quantity(length, "time") for length in lengths)
    return [f"peaks over an accounting.interval of {said} are unlike"]
