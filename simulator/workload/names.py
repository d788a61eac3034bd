"""Identifiers of jobs: numbered where jobs are drawn, kept where they come from a file."""

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST_DIGITS: Final = 7
LONGEST_STRINGS: Final = 2**31 - 1
"""Bytes that one string array with 32-bit offsets can hold."""
_ZERO: Final = ord("0")


def numbered(
    name: str, count: int, *, first: int = 1, fewest_digits: int = FEWEST_DIGITS
) -> "pa.Array":
    """Return ``NAME-0000001`` to ``NAME-...`` of one width, at least seven digits.

    Returns
    -------
    pyarrow.StringArray or LargeStringArray
        `count` names.
    """
    import pyarrow as pa

    prefix = np.frombuffer(f"{name}-".encode(), np.uint8)
    last = first + count - 1
    width = len(prefix) + max(fewest_digits, len(str(last)))
    cells = np.empty((count, width), np.uint8)
    cells[:, : len(prefix)] = prefix
    rest = np.arange(first, last + 1, dtype=np.uint32)
    for column in range(width - 1, len(prefix) - 1, -1):
        tens = rest // 10
        cells[:, column] = rest - 10 * tens + _ZERO
        rest = tens
    is_large = count * width > LONGEST_STRINGS
    offsets = np.arange(count + 1, dtype=np.int64 if is_large else np.int32) * width
    kind = pa.LargeStringArray if is_large else pa.StringArray
    return kind.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(cells))


def unique_over_workloads(ids: dict[str, "pa.Array"]) -> list["pa.Array"]:
    """Return the identifiers of every workload such that no two jobs share one.

    They stay as they came, unless a job of one workload is called like a job of another: then
    all identifiers of all workloads are preceded by their workload's name, ``NAME:ID``.

    Parameters
    ----------
    ids : dict of str to pyarrow string array
        By workload; those of one workload differ from one another.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    wide = pa.large_string()
    colon = pa.scalar(":", wide)
    seen: list[pa.Array] = []
    for own in ids.values():
        if seen and pc.any(pc.is_in(own.cast(wide), pa.chunked_array(seen))).as_py():
            return [
                pc.binary_join_element_wise(pa.scalar(name, wide), own.cast(wide), colon)
                for name, own in ids.items()
            ]
        seen.append(own.cast(wide))
    return list(ids.values())


def as_one_type(ids: list["pa.Array"]) -> list["pa.Array"]:
    """Return the arrays with 32-bit offsets where all of them together fit, else with 64-bit."""
    import pyarrow as pa

    kind = pa.string() if sum(own.nbytes for own in ids) <= LONGEST_STRINGS else pa.large_string()
    return [own.cast(kind) for own in ids]
