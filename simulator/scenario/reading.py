"""What the validators know about the document being read."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo


def _data_folder() -> Path | None:
    """Return the folder that ``FLEETSIM_DATA`` names, or None where it is not set."""
    named = os.environ.get("FLEETSIM_DATA")
    return Path(named).absolute() if named else None


@dataclass(frozen=True, slots=True)
class Reading:
    """How a document is read.

    Given to pydantic as its context. Without one a model is being built from Python, and its
    numbers are already in house units.

    Attributes
    ----------
    folder : Path
        Folder that relative paths of the document are relative to.
    data_folder : Path or None
        Folder that ``data:`` paths are looked for under; by default what ``FLEETSIM_DATA`` names.
    check_files : bool
        Whether files that the document names must be there.
    confirmed : bool
        Whether sizes beyond the usual were confirmed, with ``--yes``.
    untrusted : bool
        Whether files outside the scenario's folder are refused.
    domain : str or None
        Within a distribution, what its numbers are: a key of
        `simulator.scenario.law_numbers.DOMAINS`.
    unread : frozenset of str or None
        Where a table with problems is read for what else it tells: attributes whose values stand
        in for what could not be read. Its keys need not agree then.
    """

    folder: Path = Path()
    data_folder: Path | None = field(default_factory=_data_folder)
    check_files: bool = True
    confirmed: bool = False
    untrusted: bool = False
    domain: str | None = None
    unread: frozenset[str] | None = None

    def within(self, domain: str) -> "Reading":
        """Return the same reading inside a distribution of the given domain."""
        return replace(self, domain=domain)


def reading_of(info: ValidationInfo) -> Reading | None:
    """Return how the document is read, or None when a model is built from Python."""
    context: Any = info.context
    return context if isinstance(context, Reading) else None


def unread_of(info: ValidationInfo) -> frozenset[str] | None:
    """Return what could not be read of a table with problems, None where it is read in full."""
    reading = reading_of(info)
    return None if reading is None else reading.unread
