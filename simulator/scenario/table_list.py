"""Lists of tables of one kind, as a scenario writes them."""

from typing import Any

from pydantic import ValidationInfo

from simulator.errors import shown
from simulator.scenario.fields import Marker
from simulator.scenario.partly import read_partly
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Problems, Spec, read_as


class TableList(Marker):
    """A list of tables of one kind."""

    def __init__(self, kind: type[Spec]) -> None:
        self.kind = kind

    def read(self, value: Any, info: ValidationInfo) -> tuple[Any, ...]:
        """Return the tables in the order of the list."""
        if not isinstance(value, list | tuple):
            raise ValueError(f"{shown(value)} is not a list of tables; write [{{ ... }}, ...]")
        problems, reading = Problems(), reading_of(info)
        tables = [
            problems.read((index,), read_as, self.kind, entry, reading)
            for index, entry in enumerate(value)
        ]
        if reading is not None and reading.unread is not None:
            # Entries with problems are read for what else they tell, as the table around them.
            tables = [
                read_partly(self.kind, entry, reading)
                if table is None and isinstance(entry, dict)
                else table
                for table, entry in zip(tables, value, strict=True)
            ]
            if all(table is not None for table in tables):
                return tuple(tables)
        problems.check()
        return tuple(tables)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the list."""
        return {"type": "array", "items": self.kind.table_form()}
