"""Cells of JSON objects as columns: numbers and times, with every fault told by its place."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import shown
from simulator.traces.findings import Findings, row_list
from simulator.traces.timestamps import epoch_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray


def json_numbers(
    entries: Sequence[dict[str, Any]], key: str, rows: "NDArray[np.int64]", findings: Findings
) -> "NDArray[np.float64]":
    """Return the numbers under a key, NaN where null; texts and truth values are refused."""
    said = [entry[key] for entry in entries]
    good = np.array([_is_number(value) for value in said], bool)
    if not good.all():
        first = said[int(np.argmin(good))]
        findings.refuse(f"{key} is no finite number in {row_list(rows[~good])}: {shown(first)}")
    return np.array(
        [
            value if ok and value is not None else np.nan
            for value, ok in zip(said, good, strict=True)
        ],
        np.float64,
    )


def json_times(
    entries: Sequence[dict[str, Any]], key: str, rows: "NDArray[np.int64]", findings: Findings
) -> "NDArray[np.int64]":
    """Return the instants under a key, since the Unix epoch. [ms].

    Raises
    ------
    InputError
        If they are no times with a zone; it carries every problem found until then.
    """
    import pyarrow as pa

    said = [entry[key] if isinstance(entry[key], str) else None for entry in entries]
    times = epoch_ms(pa.chunked_array([pa.array(said, pa.string())]), key, rows, None, findings)
    if times is None:
        findings.check()
        raise AssertionError
    return times


def _is_number(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
