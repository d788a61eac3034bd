"""Which format a file looks like, by its beginning."""

import csv
import zlib
from pathlib import Path
from typing import Final

from simulator.formats import Glimpse
from simulator.grid_formats import PLAIN, grid_formats
from simulator.job_formats import job_formats

HEAD_BYTES: Final = 1 << 16
"""Bytes that a format is told by."""

_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"


def format_of(path: Path) -> str | None:
    """Return the name of the job format that a file looks like, or None.

    Of several the one that its ending speaks for, else the first in the order of the alphabet.
    """
    glimpse = glimpse_of(path)
    if glimpse is None:
        return None
    found = [each for each in job_formats().values() if each.recognises(glimpse)]
    found.sort(key=lambda each: not path.name.casefold().endswith(each.endings or ("\0",)))
    return found[0].name if found else None


def grid_format_of(path: Path) -> str | None:
    """Return the name of the grid format that a file looks like, or None.

    One of a provider before the plain one, which is known by the names of its columns alone.
    """
    glimpse = glimpse_of(path)
    if glimpse is None:
        return None
    found = [each.name for each in grid_formats().values() if each.recognises(glimpse)]
    found.sort(key=lambda name: name == PLAIN)
    return found[0] if found else None


def glimpse_of(path: Path) -> Glimpse | None:
    """Return the beginning of a file, or None where it can't be read."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    if head.startswith(_PARQUET):
        return Glimpse(head, _parquet_names(path))
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
        except zlib.error:
            return None
    first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace")
    try:
        names = tuple(name.strip() for name in next(csv.reader([first])))
    except (StopIteration, csv.Error):
        names = ()
    return Glimpse(head, names)


def _parquet_names(path: Path) -> tuple[str, ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError):
        return ()
