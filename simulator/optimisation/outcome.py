"""What a search returns: its trials, the front of the best of them, and how to keep both."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from simulator.errors import InputError, Issue
from simulator.optimisation.files import rows_of, save
from simulator.optimisation.front import unbeaten
from simulator.optimisation.search import Search

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulator.scenario import Scenario

AFTER: Final = ("feasible", "on_front", "failed")
"""Columns of the trials that say what became of each."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One point that was run.

    Attributes
    ----------
    changes : dict
        The new values by dotted path.
    values : dict
        The quantities that decide, means over the seeds; None where one is absent.
    excess : tuple of float
        By how much each limit is missed, relative to it; 0 if it is kept.
    failed : str or None
        Why the point has no result.
    """

    changes: dict[str, Any]
    values: dict[str, float | None]
    excess: tuple[float, ...]
    failed: str | None

    @property
    def is_feasible(self) -> bool:
        """Whether it has results and they keep every limit."""
        return self.failed is None and not any(self.excess)

    def number(self, quantity: str) -> float:
        """Return a result, NaN if it is absent."""
        value = self.values.get(quantity)
        return float("nan") if value is None else float(value)


@dataclass(frozen=True, repr=False)
class Optimisation:
    """What a search found.

    Attributes
    ----------
    search : Search
    ran : tuple of Trial
        In the order of the proposals.
    base_summary : dict or None
        Mean summary of the base itself, None if it failed.
    ending : str
        Why there are fewer trials than were asked for; empty if there are not.
    """

    search: Search
    ran: tuple[Trial, ...]
    base_summary: dict[str, float | None] | None = None
    ending: str = ""

    def __str__(self) -> str:
        from simulator.optimisation.text import search_text

        return search_text(self)

    __repr__ = __str__

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row for each trial, in order.

        Its columns are ``trial``, the axes, the quantities that decide, ``feasible``,
        ``on_front`` and ``failed``, the words of a failure.
        """
        search = self.search
        columns: dict[str, Any] = {"trial": np.arange(len(self.ran))}
        for axis in search.axes:
            column = pd.Series([trial.changes[axis.path] for trial in self.ran], dtype=object)
            columns[axis.path] = column.infer_objects()
        for quantity in search.quantities:
            columns[quantity] = np.array([trial.number(quantity) for trial in self.ran], float)
        columns["feasible"] = np.array([trial.is_feasible for trial in self.ran], bool)
        columns["on_front"] = self._on_front
        columns["failed"] = pd.Series([trial.failed for trial in self.ran], dtype=object)
        return pd.DataFrame(columns)

    @property
    def front(self) -> pd.DataFrame:
        """The trials that keep every limit and that no other such trial beats.

        None is at least as good in every objective and better in one. Sorted by the first
        objective, the best first.
        """
        first = self.search.objectives[0]
        rows = self.trials[self.trials["on_front"]]
        return rows.sort_values(
            first.quantity, ascending=not first.maximise, kind="stable", ignore_index=True
        )

    @property
    def best(self) -> dict[str, Any] | None:
        """The row of the best trial as a dict, None if no trial keeps the limits.

        Raises
        ------
        InputError
            If there are several objectives, of which none comes before another.
        """
        if len(self.search.objectives) > 1:
            names = ", ".join(each.quantity for each in self.search.objectives)
            rule = f"no trial is best in all of {names}; take .front"
            raise InputError(self.search.base.source, [Issue("objectives", rule)])
        front = self.front
        if front.empty:
            return None
        return rows_of(front.drop(columns=list(AFTER)).head(1))[0]

    @property
    def counts(self) -> dict[str, int]:
        """How many trials there are, keep the limits, are on the front and failed."""
        return {
            "trials": len(self.ran),
            "feasible": sum(trial.is_feasible for trial in self.ran),
            "on_front": int(self._on_front.sum()),
            "failed": sum(trial.failed is not None for trial in self.ran),
        }

    def scenario(self, trial: int) -> "Scenario":
        """Return the scenario of a trial, to be run or written.

        Parameters
        ----------
        trial : int
            Number of the trial.
        """
        return self.search.base.replace(self.ran[trial].changes)

    def plot(self, title: str | None = None) -> "Figure":
        """Draw the trials, and the best of them.

        One objective is drawn as the best so far, two against one another with the front, more
        of them in pairs.
        """
        from simulator.figures.trials import draw_trials

        return draw_trials(
            self.trials,
            [(each.quantity, each.maximise) for each in self.search.objectives],
            base=self.base_summary,
            title=title,
        )

    def save(
        self,
        folder: str | Path,
        *,
        overwrite: bool = False,
        command: str | None = None,
        wall_s: float | None = None,
    ) -> None:
        """Write trials, front, figure, manifest and the file that repeats the search.

        Parameters
        ----------
        folder : path
            Appears whole or not at all.
        overwrite : bool
            Replace the results of an earlier search.
        command : str, optional
            The command line, for the manifest.
        wall_s : float, optional
            Time the search took, for the manifest. [s]

        Raises
        ------
        InputError
            If the folder can't be written to, or holds anything else.
        """
        save(self, folder, overwrite=overwrite, command=command, wall_s=wall_s)

    @cached_property
    def _on_front(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        found = np.zeros(len(self.ran), bool)
        feasible = [at for at, trial in enumerate(self.ran) if trial.is_feasible]
        if feasible:
            losses = [
                [each.loss(self.ran[at].number(each.quantity)) for each in self.search.objectives]
                for at in feasible
            ]
            found[np.array(feasible)[unbeaten(np.array(losses))]] = True
        return found
