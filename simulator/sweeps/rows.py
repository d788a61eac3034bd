"""What became of one run of a sweep, and its line in a shard: checked, or not read at all."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.columns import SUMMARY
from simulator.errors import printable

DONE: Final = "done"
FAILED: Final = "failed"
KNOWN: Final = "known"
"""The same run stands in the store already, under the name of another sweep."""

VALUES: Final = tuple(column for column in SUMMARY if column.name not in {"name", "seed", "key"})
"""The columns of the summary that a row keeps, in their order."""

ERROR_LENGTH: Final = 500
"""Characters of the reason of a failure that a row keeps."""

_CHECK: Final = 16
"""Hexadecimal digits of SHA-256 in front of every line."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one run.

    Attributes
    ----------
    at : int
        Number of the row in its sweep.
    status : str
        ``done``, ``failed`` or ``known``.
    key : str or None
        Address of the run, 64 hexadecimal digits; None where its inputs could not be opened.
    values : tuple
        The summary in the order of `VALUES`; empty unless done.
    error : str or None
        Why it failed, in one line.
    """

    at: int
    status: str
    key: str | None = None
    values: tuple[float | int | None, ...] = ()
    error: str | None = None


def done(at: int, summary: Mapping[str, Any]) -> Row:
    """Return the row of a finished run.

    Raises
    ------
    ValueError
        If a quantity is no number that can be written.
    """
    values = tuple(summary[column.name] for column in VALUES)
    for column, value in zip(VALUES, values, strict=True):
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{column.name} is {value}")
    return Row(at, DONE, summary["key"], values)


def failed(at: int, error: str, key: str | None = None) -> Row:
    """Return the row of a run that failed, its reason on one line that any file can hold."""
    text = printable(" ".join(error[: 2 * ERROR_LENGTH].split()))
    cut = text if len(text) <= ERROR_LENGTH else f"{text[: ERROR_LENGTH - 4]} ..."
    return Row(at, FAILED, key, error=cut)


def line_of(row: Row, sweep: str) -> bytes:
    """Return the line of a row in a shard: a checksum, the sweep's digest and the row."""
    document = [sweep, row.at, row.status, row.key, row.values, row.error]
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    return b"%s %s\n" % (_check(text), text)


def row_of(line: bytes) -> tuple[str, Row] | None:
    """Return the sweep's digest and the row of a line; None where the line is torn or damaged."""
    check, space, text = line.removesuffix(b"\n").partition(b" ")
    if not (space and line.endswith(b"\n")) or check != _check(text):
        return None
    sweep, at, status, key, values, error = json.loads(text)
    return sweep, Row(at, status, key, tuple(values), error)


def _check(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_CHECK].encode()
