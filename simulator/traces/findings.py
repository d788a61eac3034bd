"""What a reader finds wrong in a file, gathered so that all of it is said at once."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NoReturn

import numpy as np

from simulator.errors import InputError, Issue
from simulator.units import MS_PER_H, MS_PER_MIN, MS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS_SHOWN: Final = 3
"""Rows that a message names before it counts the others."""


@dataclass(slots=True)
class Findings:
    """Problems and warnings of one file.

    Parameters
    ----------
    text : str
        The file as the user named it.
    path : str
        Dotted path of the file in the scenario, e.g. ``"sites.oregon.grid.average"``; empty for
        a file that no scenario names.
    """

    text: str
    path: str
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse(self, problem: str) -> None:
        """Keep a problem; reading goes on to find the others."""
        self.problems.append(problem)

    def warn(self, warning: str) -> None:
        """Keep a warning, one line, with the path it belongs to."""
        self.warnings.append(f"{self.path}: {self.text}: {warning}" if self.path else warning)

    def check(self) -> None:
        """Raise one `InputError` with every problem kept so far, if there is any."""
        if self.problems:
            file = f"{self.text}: " if self.path else ""
            raise InputError(self.text, [Issue(self.path, file + said) for said in self.problems])

    def stop(self, problem: str) -> NoReturn:
        """Refuse the file: what is wrong leaves nothing more to be read."""
        self.refuse(problem)
        self.check()
        raise AssertionError


def row_list(rows: "NDArray[np.int64]") -> str:
    """Return rows for a message, e.g. ``"rows 5, 9, 17 and 40 more"``."""
    shown = [str(row) for row in rows[:ROWS_SHOWN]]
    if len(rows) == 1:
        return f"row {shown[0]}"
    if len(rows) > ROWS_SHOWN:
        return f"rows {', '.join(shown)} and {len(rows) - ROWS_SHOWN} more"
    return f"rows {', '.join(shown[:-1])} and {shown[-1]}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun, e.g. ``"1 row"`` or ``"8,760 rows"``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def instant(epoch_ms: int) -> str:
    """Return an instant as it is written in a scenario, e.g. ``"2022-01-01T00:00Z"``."""
    whole = epoch_ms % MS_PER_MIN == 0, epoch_ms % MS_PER_S == 0
    unit: Literal["m", "s", "ms"] = "m" if whole[0] else "s" if whole[1] else "ms"
    return f"{np.datetime_as_string(np.datetime64(int(epoch_ms), 'ms'), unit=unit)}Z"


def length(ms: int) -> str:
    """Return a length of time in the largest unit that leaves a whole number, up to hours."""
    for size, unit in ((MS_PER_H, "h"), (MS_PER_MIN, "min"), (MS_PER_S, "s")):
        if ms % size == 0:
            return f"{ms // size:,} {unit}"
    return f"{ms:,} ms"
