"""Writing documents as TOML, which the standard library only reads."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from simulator.scenario.paths import quoted


def toml_text(document: dict[str, Any], header: Sequence[str] = ()) -> str:
    """Return a document as TOML.

    Plain values come first, then a table for each entry of the document, and one for each entry
    of a table of tables; what lies deeper is written inline.
    """
    lines = [f"# {line}" for line in header]
    if lines:
        lines.append("")
    lines += _pairs({key: value for key, value in document.items() if not isinstance(value, dict)})
    for key, value in document.items():
        if isinstance(value, dict):
            lines += _table(quoted(key), value)
    return "\n".join(lines) + "\n"


def _table(name: str, table: dict[str, Any]) -> Iterator[str]:
    if table and all(isinstance(value, dict) for value in table.values()):
        for key, value in table.items():
            yield from ("", f"[{name}.{quoted(key)}]", *_pairs(value))
        return
    yield from ("", f"[{name}]", *_pairs(table))


def _pairs(table: dict[str, Any]) -> list[str]:
    return [f"{quoted(key)} = {inline(value)}" for key, value in table.items()]


def inline(value: Any) -> str:
    """Return one value as TOML, on one line.

    Raises
    ------
    TypeError
        If TOML has no such value.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return text(value)
        case int() | float():
            return repr(value)
        case dt.datetime():
            written = value.isoformat()
            return f"{written.removesuffix('+00:00')}Z" if written.endswith("+00:00") else written
        case dt.date() | dt.time():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(inline(entry) for entry in value)}]"
        case dict():
            pairs = ", ".join(_pairs(value))
            return f"{{ {pairs} }}" if pairs else "{}"
    raise TypeError(f"TOML has no {type(value).__name__}")


def text(value: str) -> str:
    """Return a text as a TOML string; what can't be seen is written as an escape."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(map(_visible, escaped))}"'


def _visible(char: str) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    if short is not None:
        return short
    return char if char.isprintable() else f"\\U{ord(char):08x}"
