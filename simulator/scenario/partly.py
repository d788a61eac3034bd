"""Tables with problems, read for what else they tell, so that all problems are told at once."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from simulator.errors import PolicyError
from simulator.scenario.reading import Reading
from simulator.scenario.spec import Spec, SpecT, read_as


def read_partly(kind: type[SpecT], table: Mapping[str, Any], reading: Reading) -> SpecT | None:
    """Return a table that has problems, read as far as it can be.

    Keys that can't be read are left out, and their attributes taken off: whoever asks for one
    gets an AttributeError. Keys that can be read need not agree with one another.

    Parameters
    ----------
    kind : type
    table : mapping
    reading : Reading

    Returns
    -------
    Spec or None
        None if nothing can be made of it.
    """
    keys, unread, said = kind.attributes(), set[str](), dict(table)
    for _ in range(2 * len(keys) + 1):
        context = replace(reading, unread=frozenset(unread))
        try:
            spec = read_as(kind, said, context)
        except ValidationError as error:
            refused = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
            if not refused:
                return None
            for key in refused:
                if key not in said and keys.get(key) in unread and _has_example(kind, key):
                    said[key] = _example(kind, key)
                elif key in said and keys.get(key) not in unread:
                    del said[key]
                elif key in said or key not in keys:
                    return None
                unread |= {keys[key]} if key in keys else set()
            continue
        for name in unread:
            spec.__dict__.pop(name, None)
        spec.__dict__["partly"] = True
        return spec
    return None


def _has_example(kind: type[Spec], key: str) -> bool:
    return bool(kind.model_fields[kind.attributes()[key]].examples)


def _example(kind: type[Spec], key: str) -> Any:
    """Return a value in place of one that can't be read and has no default; it is taken off."""
    examples = kind.model_fields[kind.attributes()[key]].examples or [""]
    return tomllib.loads(f"value = {examples[0]}")["value"]


@contextmanager
def as_far_as_read(*tables: Spec | None) -> Iterator[None]:
    """Leave off where the problems of one of these tables are in the way: something is missing.

    A policy may also fail where the idle states of the node are in no order.
    """
    try:
        yield
    except (AttributeError, TypeError, PolicyError):
        if not any(table is None or table.partly for table in tables):
            raise
