"""One column of a result table, or one key of the summary: its name, unit and meaning."""

from dataclasses import dataclass
from typing import Literal

TypeName = Literal["text", "category", "int32", "int64", "float64", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, or one key of the summary.

    Attributes
    ----------
    name : str
        Snake case, the unit as its suffix.
    type : str
        ``text``, ``category`` (text of few distinct values), ``int32``, ``int64``, ``float64``
        or ``time`` (UTC timestamp in milliseconds).
    unit : str
        ``1`` for shares and counts, ``-`` for text.
    meaning : str
    nullable : bool
        Whether the quantity may be absent; absent is null, never 0.
    """

    name: str
    type: TypeName
    unit: str
    meaning: str
    nullable: bool = False


def text(name: str, meaning: str) -> Column:
    """Return a column of text."""
    return Column(name, "text", "-", meaning)


def category(name: str, meaning: str) -> Column:
    """Return a column of text of few distinct values."""
    return Column(name, "category", "-", meaning)


def count(name: str, meaning: str) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "int64", "1", meaning)


def number(name: str, unit: str, meaning: str, *, nullable: bool = False) -> Column:
    """Return a column of numbers."""
    return Column(name, "float64", unit, meaning, nullable)


def absent(name: str, unit: str, meaning: str) -> Column:
    """Return a column of numbers that may be absent."""
    return number(name, unit, meaning, nullable=True)
