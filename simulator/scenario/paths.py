"""Dotted paths: how a value inside a scenario is named to the user, and by the user."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

Part = str | int

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BARE_PATH = re.compile(rf"{_BARE.pattern}(\.{_BARE.pattern})*")
_INDEX = re.compile(r"\[(\d+)\]")


def dotted(parts: Iterable[Part]) -> str:
    """Return a path as text, e.g. ``nodes.hgx-a100.idle_states[0].after``."""
    text = ""
    for part in parts:
        text = below(text, part)
    return text


def below(path: str, part: Part) -> str:
    """Return the path of a part of what stands at a path; the empty path is the whole."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    return f"{path}.{quoted(part)}" if path else quoted(part)


def quoted(key: str) -> str:
    """Return a key as TOML writes it: bare where it may be, quoted elsewhere."""
    if (key.isascii() and key.isidentifier()) or _BARE.fullmatch(key):
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
    if _BARE_PATH.fullmatch(path):
        return tuple(path.split("."))
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


def leaves(table: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of everything in a table at a path that is not a table itself."""
    for key, value in table.items():
        here = below(path, key)
        if isinstance(value, dict) and value:
            yield from leaves(value, here)
        else:
            yield here, value
