"""A scenario with problems, kept so that what stands beside it is looked at all the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.errors import Issue
from simulator.scenario.document import Layered
from simulator.scenario.layers import Place
from simulator.scenario.model import SEED
from simulator.scenario.paths import dotted, parts_of
from simulator.scenario.reading import Reading


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that is no scenario yet: what it says, and what is wrong with it.

    Attributes
    ----------
    place : Place
        Where it comes from.
    layered : Layered
        The merged document.
    issues : tuple of Issue
        Every problem of it.
    """

    place: Place
    layered: Layered
    issues: tuple[Issue, ...]

    @property
    def source(self) -> str:
        """The file as the user named it."""
        return self.place.source

    @property
    def reading(self) -> Reading:
        """How more of the document is read."""
        return self.place.reading

    @property
    def document(self) -> dict[str, Any]:
        """What was written, merged."""
        return self.layered.document

    @property
    def seed(self) -> int:
        """The seed; 0 where it can't be read."""
        try:
            return SEED.plain(self.document.get("seed", 0))
        except ValueError:
            return 0

    def is_doubtful(self, path: str) -> bool:
        """Return whether a problem lies at a path or below it."""
        return any(
            issue.path == path or issue.path.startswith((f"{path}.", f"{path}["))
            for issue in self.issues
        )

    def refused(self, changes: Mapping[str, Any]) -> tuple[Issue, ...]:
        """Return the problems that new values by dotted path add to those there are.

        None where a path leads through what is itself a problem: of that nothing can be said.
        """
        from simulator.scenario.load import problems_of

        if any(map(self._is_barred, changes)):
            return ()
        return tuple(issue for issue in problems_of(self, changes) if issue not in self.issues)

    def _is_barred(self, path: str) -> bool:
        """Return whether a table on the way to a path is a problem, being none or empty."""
        try:
            parts = parts_of(path)
        except ValueError:
            return False
        told = {issue.path for issue in self.issues}
        table: Any = self.document
        for depth, part in enumerate(parts[:-1], 1):
            if isinstance(table, list) and part.isdigit() and int(part) < len(table):
                table = table[int(part)]
            else:
                table = table.get(part) if isinstance(table, dict) else None
            if dotted(parts[:depth]) in told and not (isinstance(table, dict | list) and table):
                return True
        return False
