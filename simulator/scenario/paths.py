"""Dotted paths: how a value inside a scenario is named to the user, and by the user."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

Part = str | int

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_INDEX = re.compile(r"\[(\d+)\]")


def dotted(parts: Iterable[Part]) -> str:
    """Return a path as text, e.g. ``nodes.hgx-a100.idle_states[0].after``."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{quoted(part)}" if text else quoted(part)
    return text


def quoted(key: str) -> str:
    """Return a key as TOML writes it: bare where it may be, quoted elsewhere."""
    if _BARE.fullmatch(key):
        return key
    escaped = "".join(_escaped(char) for char in key)
    return f'"{escaped}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def parts_of(path: str) -> tuple[str, ...]:
    """Return the parts of a dotted path that a user wrote; an index is a part of digits.

    Raises
    ------
    ValueError
        If it is not a path.
    """
    try:
        table: Any = tomllib.loads(_INDEX.sub(r".\1", path) + " = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        table = {}
    parts = []
    while isinstance(table, dict) and len(table) == 1:
        ((key, table),) = table.items()
        parts.append(key)
    if table != 0 or not parts:
        raise ValueError(f'"{path}" is not a path; write keys with dots between them')
    return tuple(parts)


def leaves(table: dict[str, Any], *prefix: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the path and value of everything in a table that is not a table itself."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, *prefix, key)
        else:
            yield (*prefix, key), value
