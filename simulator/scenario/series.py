"""Files of a value through time, as a scenario names them: columns, rows and stamps."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from simulator.errors import shown
from simulator.scenario.fields import Marker, Text, TimeZone, Word, absent
from simulator.scenario.files import FileSpec
from simulator.scenario.spec import Problems

AfterEnd: TypeAlias = Annotated[Literal["error", "wrap", "hold"], Word(["error", "wrap", "hold"])]
"""What follows the end of a file: a refusal, its beginning again, or its last value."""

Gaps: TypeAlias = Annotated[
    Literal["error", "linear", "previous-week"], Word(["error", "linear", "previous-week"])
]
"""What fills a gap of a file: nothing (a refusal), a straight line, or the same hours a week
before."""


class Where(Marker):
    """The rows of a file to use: columns and the value each must have."""

    def plain(self, value: Any) -> dict[str, str]:
        """Return the values as text, as a file has them."""
        if not isinstance(value, dict):
            raise ValueError(f'{shown(value)} is not a table; write e.g. {{ region = "CISO" }}')
        problems = Problems()
        for column, wanted in value.items():
            if not isinstance(wanted, str | int | float):
                text = f"{shown(wanted)} can't be compared with a cell; write a text or a number"
                problems.add((column,), text)
        problems.check()
        return {column: _cell(wanted) for column, wanted in value.items()}

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of columns and values."""
        return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}


def _cell(value: str | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class SeriesFile(FileSpec):
    """A value by the hour, or another even step, from a CSV or Parquet file."""

    time: Annotated[str, Text("a column's name")] = Field(examples=['"timestamp_utc"'])
    """Column of the timestamps."""
    value: Annotated[str, Text("a column's name")] = Field(examples=['"value"'])
    """Column of the value."""
    unit: str
    """Unit of the value."""
    where: Annotated[dict[str, str], Where()] = Field(default={})
    """Only rows whose columns have these values."""
    stamp: Annotated[Literal["start", "end"], Word(["start", "end"])] = "start"
    """Whether a timestamp is the start or the end of its step."""
    time_zone: Annotated[str | None, TimeZone()] = absent()
    """Time zone of timestamps that don't say theirs."""
    label: Annotated[str | None, Text("a short name")] = absent()
    """What to call it beside figures, e.g. "CISO 2022"; the file's name unless given."""

    @property
    def shown(self) -> str:
        """The label, or file and rows, e.g. ``"x.csv (region CISO)"``."""
        if self.label:
            return self.label
        chosen = ", ".join(f"{name} {value}" for name, value in self.where.items())
        name = self.text.rpartition("/")[2]
        return f"{name} ({chosen})" if chosen else name
