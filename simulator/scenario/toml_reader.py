"""Reading a TOML file, with every way it can fail said in one line."""

import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from simulator.errors import InputError, Issue, nearest, shown

MOST_BYTES: Final = 10_000_000
"""Size of the largest file that is read."""

DEEPEST: Final = 32
"""Tables and lists within one another that a file may have."""

OTHER_FORMATS: Final = (
    ".yaml", ".yml", ".json", ".pkl", ".pickle", ".csv", ".parquet", ".gz", ".ini", ".xml", ".py",
)  # fmt: skip
"""Endings of files that are no TOML; saying so at once beats a syntax error."""

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])\s*(?:[\w-]+\s*\.\s*){{{DEEPEST}}}", re.MULTILINE)
"""A key of so many parts; the parser's time and memory grow with the square of their number."""

_TWICE = re.compile(r"Cannot (?:declare|mutate|overwrite|define)|already defined|Duplicate")


_HINTS: Final = (
    ("Expected '=' after a key", "expected key = value"),
    ("Illegal character", "a quote is missing, or a character that texts can't hold"),
    ("Invalid value", 'no value; write a number, true, false, a time, or a text in quotes: "..."'),
    ("Expected ']'", "brackets alone in a line name a table, e.g. [clusters.train]"),
)
"""What the parser says and what it means for someone who has not read its source."""


def read_toml(path: Path, source: str) -> dict[str, Any]:
    """Return the document of a TOML file.

    Parameters
    ----------
    path : Path
    source : str
        The file as the user named it.

    Raises
    ------
    InputError
        If the file is missing, no TOML, too large or nested too deeply.
    """
    text = _text(_bytes(path, source), source)
    if _LONG_KEY.search(text):
        raise _too_deep(source)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(source, [_syntax(str(error), text)]) from None
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError as error:
        # Numbers of thousands of digits, dates such as 2022-02-31.
        raise _refused(source, f"not TOML: {str(error).split(';')[0]}") from None
    if not is_shallow(document):
        raise _too_deep(source)
    if not document:
        raise _refused(source, "empty; write a scenario, e.g. with fleetsim init my.toml")
    return document


def is_shallow(document: dict[str, Any]) -> bool:
    """Return whether tables and lists are nested no deeper than `DEEPEST`."""
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [inner for entry in level for inner in _inside(entry)]
        if not level:
            return True
    return False


def _inside(value: Any) -> list[Any]:
    entries = value.values() if isinstance(value, dict) else value
    return [entry for entry in entries if isinstance(entry, dict | list)]


def _bytes(path: Path, source: str) -> bytes:
    if path.suffix.casefold() in OTHER_FORMATS:
        raise _refused(source, f"a {path.suffix} file; scenarios are TOML files, NAME.toml")
    try:
        status = path.stat()
    except (OSError, ValueError):
        raise _refused(source, f"no such file{_near(path)}") from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise _refused(source, f"{kind}; name a scenario file, NAME.toml")
    if status.st_size > MOST_BYTES:
        size = f"{status.st_size / 1e6:.0f} MB"
        limit = f"{MOST_BYTES / 1e6:.0f} MB"
        raise _refused(source, f"{size} is too large for a scenario, at most {limit}; jobs and "
                       "intensities go into files of their own")  # fmt: skip
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise _refused(source, f"can't be read: {reason}") from None


def _text(content: bytes, source: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refused(source, "is UTF-16, wrong from byte 0 on; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start
        line = content[:offset].count(b"\n") + 1
        raise _refused(
            source,
            f"not UTF-8: byte {offset} (line {line}) is 0x{content[offset]:02x}; save it as UTF-8",
        ) from None


def _syntax(message: str, text: str) -> Issue:
    """Return the problem that the parser met, with its line and column."""
    place = _PLACE.search(message)
    said = _PLACE.sub("", message)
    if place is None or place[1] is None:
        return Issue("end of file", "not TOML: a text, list or table is left open; close it")
    line, column = int(place[1]), int(place[2])
    written = text.splitlines()[line - 1 : line]
    if _TWICE.search(said):
        return Issue(f"line {line}", _given_twice(line, text))
    shown_line = f" in {shown(written[0].strip())}" if written and written[0].strip() else ""
    problem = next((hint for start, hint in _HINTS if said.startswith(start)), _lowered(said))
    return Issue(f"line {line}, column {column}", f"not TOML: {problem}{shown_line}")


def _given_twice(line: int, text: str) -> str:
    lines = [entry.strip() for entry in text.splitlines()]
    written = lines[line - 1]
    first = None
    if written.startswith("["):
        name = written.split("#")[0].strip()
        what = f"{name} stands twice"
        first = next((n for n, entry in enumerate(lines[: line - 1], 1)
                      if entry.split("#")[0].strip() == name), None)  # fmt: skip
    else:
        key = written.split("=")[0].strip()
        what = f"{key} is given twice"
        for number in range(line - 1, 0, -1):
            if lines[number - 1].startswith("["):
                break
            if lines[number - 1].split("=")[0].strip() == key:
                first = number
    where = f", first in line {first}" if first else " in this table"
    return f"{what}{where}; take one of the two out"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _near(path: Path) -> str:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix == ".toml")
    except OSError:
        return "; its folder does not exist either"
    near = nearest(path.name, names)
    return f"; did you mean {path.parent / near}?" if near else ""


def _refused(source: str, message: str) -> InputError:
    return InputError(source, [Issue("", message)])


def _too_deep(source: str) -> InputError:
    return _refused(source, f"nested more than {DEEPEST} deep; a scenario needs no more than 8")
