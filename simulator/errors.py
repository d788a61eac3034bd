"""What is said when input is refused: every problem at once, each with its path."""

import datetime as dt
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

PATH_WIDTH: Final = 25
"""Columns that paths are padded to in a list of problems; longer ones stand out."""

MOST_LISTED: Final = 20
"""Problems that a message lists before it counts the others."""

SHOWN_LENGTH: Final = 80
"""Characters of a refused value that a message shows."""


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One problem of an input.

    Parameters
    ----------
    path : str
        Dotted path of the value, e.g. ``"clusters.train.count"``; empty for the file as a whole.
    message : str
        The value, the rule it breaks and the remedy, on one line.
    """

    path: str
    message: str


class InputError(ValueError):
    """An input was refused; carries every problem found in it.

    Parameters
    ----------
    source : str
        What was read, as the user named it: a file, or ``"scenario"``.
    issues : iterable of Issue
        At least one problem.
    """

    def __init__(self, source: str, issues: Iterable[Issue]) -> None:
        self.source = source
        self.issues = tuple(issues)
        super().__init__(source, self.issues)

    def __str__(self) -> str:
        count = len(self.issues)
        listed = self.issues[:MOST_LISTED]
        width = min(max((len(issue.path) for issue in listed), default=0), PATH_WIDTH)
        lines = [f"{self.source}: {count} problem{'s' if count != 1 else ''}"]
        for issue in listed:
            path = f"{issue.path:<{width}}  " if width else ""
            lines.append(f"  {path}{issue.message}")
        if count > len(listed):
            lines.append(f"  and {count - len(listed):,} more; --json lists all")
        return "\n".join(printable(line).replace("\n", "\\n") for line in lines)


class PolicyError(RuntimeError):
    """A policy failed; says which, on which cluster, when and how, on one line.

    What the policy raised is its ``__cause__``.
    """


def printable(text: str) -> str:
    """Return `text` with control, escape and direction characters written as escapes."""
    return "".join(
        char if char == "\n" or char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )


def shown(value: object) -> str:
    """Return a refused value as a message shows it: as TOML writes it, long ones cut."""
    text = _as_toml(value, 0)
    return text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH - 4]} ..."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was probably meant to be, or None."""
    words = list(known)
    folded = {entry.casefold(): entry for entry in reversed(words)}
    if word.casefold() in folded:
        return folded[word.casefold()]
    matches = difflib.get_close_matches(word[:SHOWN_LENGTH], words, n=1, cutoff=0.6)
    return matches[0] if matches else None


def listing(known: Iterable[str]) -> str:
    """Return known words for a message, at most twelve of them."""
    words = list(known)
    rest = f" and {len(words) - 12} more" if len(words) > 12 else ""
    return (", ".join(words[:12]) or "none") + rest


def _as_toml(value: object, depth: int) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value[: SHOWN_LENGTH + 1]}"'
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case dict() | list() | tuple() if depth > 2:
            return "..."
        case dict():
            pairs = [f"{key} = {_as_toml(value[key], depth + 1)}" for key in _first(value)]
            return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
        case list() | tuple():
            return f"[{', '.join(_as_toml(item, depth + 1) for item in _first(value))}]"
        case int() if value.bit_length() > 256:
            return f"a whole number of {value.bit_length()} bits"
    return str(value)


def _first(items: Iterable[Any]) -> list[Any]:
    return [item for item, _ in zip(items, range(8), strict=False)]
