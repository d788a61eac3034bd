"""What is known of every row of a sweep, as columns; from there to the table of results."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.sweeps.rows import DONE, FAILED, KNOWN, VALUES, Row

OPEN: Final = 0
IS_DONE: Final = 1
IS_FAILED: Final = 2
_STATUS: Final = {DONE: IS_DONE, FAILED: IS_FAILED}
_KEY_DIGITS: Final = 64


class Ledger:
    """Rows of a sweep in the order of their numbers.

    Parameters
    ----------
    count : int
        Rows of the sweep.

    Attributes
    ----------
    state : array of uint8 (rows)
        `OPEN`, `IS_DONE` or `IS_FAILED`.
    """

    def __init__(self, count: int) -> None:
        self.state = np.zeros(count, dtype=np.uint8)
        self._values = np.full((count, len(VALUES)), np.nan)
        self._keys = np.zeros(count, dtype=f"S{_KEY_DIGITS}")
        self._errors: dict[int, str] = {}
        self._elsewhere: dict[str, tuple[float | int | None, ...]] = {}

    def __len__(self) -> int:
        return len(self.state)

    @property
    def done(self) -> int:
        """Runs that are finished."""
        return int((self.state == IS_DONE).sum())

    @property
    def failed(self) -> int:
        """Runs that failed."""
        return int((self.state == IS_FAILED).sum())

    @property
    def open_rows(self) -> NDArray[np.int64]:
        """Numbers of the rows nothing is known of."""
        return np.flatnonzero(self.state == OPEN)

    @property
    def elsewhere(self) -> Iterator[str]:
        """Keys of runs that other sweeps of the folder have finished."""
        return iter(self._elsewhere)

    @property
    def unasked(self) -> int:
        """Finished runs of other sweeps that this one does not ask for."""
        if not self._elsewhere:
            return 0
        asked = {key.decode() for key in self._keys.tolist()}
        return sum(key not in asked for key in self._elsewhere)

    def put(self, row: Row) -> bool:
        """Note a row; return False for one that stands elsewhere, where nothing is to be found."""
        if row.status == KNOWN:
            values = self._elsewhere.get(row.key or "")
            if values is None:
                return False
            row = Row(row.at, DONE, row.key, values)
        if self.state[row.at] == IS_DONE:
            return True  # a failure that was tried again
        self.state[row.at] = _STATUS[row.status]
        self._keys[row.at] = (row.key or "").encode()
        if row.values:
            self._values[row.at] = [np.nan if value is None else value for value in row.values]
        if row.error is None:
            self._errors.pop(row.at, None)
        else:
            self._errors[row.at] = row.error
        return True

    def put_elsewhere(self, row: Row) -> None:
        """Note a finished run of another sweep."""
        if row.status == DONE and row.key is not None:
            self._elsewhere[row.key] = row.values

    def reopen(self, rows: NDArray[np.int64]) -> None:
        """Forget what is known of some rows."""
        self.state[rows] = OPEN
        for at in rows.tolist():
            self._errors.pop(at, None)

    def retry_failed(self) -> None:
        """Open the failed rows again."""
        self.state[self.state == IS_FAILED] = OPEN
        self._errors.clear()

    def key(self, at: int) -> str:
        """Return the address of a row's run."""
        return bytes(self._keys[at]).decode()

    @property
    def failures(self) -> dict[int, str]:
        """Why rows failed, by their numbers, in order."""
        return dict(sorted(self._errors.items()))

    def summary(self, at: int) -> dict[str, float | int | None]:
        """Return the quantities of a finished row by name."""
        found: dict[str, float | int | None] = {}
        for column, value in zip(VALUES, self._values[at].tolist(), strict=True):
            number = int(value) if column.type == "int64" and value == value else value
            found[column.name] = number if number == number else None
        return found

    def value(self, name: str) -> NDArray[np.float64]:
        """Return one quantity of every row; NaN where it is absent."""
        names = [column.name for column in VALUES]
        return np.array(self._values[:, names.index(name)])

    def columns(self) -> dict[str, pa.Array]:
        """Return status, error, key and every quantity of all rows."""
        done = self.state == IS_DONE
        texts = np.array(["open", DONE, FAILED])
        count = len(self)
        errors = [self._errors.get(at) for at in range(count)] if self._errors else None
        keys = pa.array(self._keys.astype(f"U{_KEY_DIGITS}"), mask=self._keys == b"")
        found: dict[str, Any] = {
            "status": pa.array(texts[self.state]),
            "error": pa.array(errors, pa.string()) if errors else pa.nulls(count, pa.string()),
            "key": keys,
        }
        for at, column in enumerate(VALUES):
            values = self._values[:, at]
            absent = np.isnan(values) | ~done
            kind = pa.int64() if column.type == "int64" else pa.float64()
            array = np.where(absent, 0, values)
            array = array.astype(np.int64) if column.type == "int64" else array
            found[column.name] = pa.array(array, kind, mask=absent)
        return found
