"""Formats of trace files: readers by name, whatever kind of trace they read.

What ships is imported when a name is first looked up; packages of others name their modules in the
entry points group of the kind.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any, Generic, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The beginning of a file, by which a format is told.

    Attributes
    ----------
    head : bytes
        Its first bytes, unpacked.
    columns : tuple of str
        Names in the first line of a CSV file, or of a Parquet file.
    """

    head: bytes
    columns: tuple[str, ...]


class _Format(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def read(self) -> Callable[..., Any]: ...


Format = TypeVar("Format", bound=_Format)


class Formats(Generic[Format]):
    """The formats of one kind of trace.

    Parameters
    ----------
    meaning : str
        What one is called where it is refused: ``"job format"``.
    package : str
        Package whose modules each register a format that bears the module's name.
    entry_points : str
        Group of entry points.
    """

    def __init__(self, meaning: str, package: str, entry_points: str) -> None:
        self._meaning = meaning
        self._package = package
        self._entry_points = entry_points
        self._formats: dict[str, Format] = {}
        self._is_found = False

    def add(self, form: Format) -> None:
        """Register a format; a module that is read again registers its own again.

        Raises
        ------
        ValueError
            If another module has the name.
        """
        taken = self._formats.get(form.name)
        if taken is not None and taken.read.__module__ != form.read.__module__:
            raise ValueError(
                f'the {self._meaning} "{form.name}" is registered already; use another name'
            )
        self._formats[form.name] = form

    def all(self) -> dict[str, Format]:
        """Return every format by name, in the order of the alphabet."""
        if not self._is_found:
            self._find()
            self._is_found = True
        return dict(sorted(self._formats.items()))

    def names(self) -> tuple[str, ...]:
        """Return the names of all, without importing any: modules are called as they are."""
        own = {each.replace("_", "-") for each in self._modules()}
        others = {each.name for each in metadata.entry_points(group=self._entry_points)}
        return tuple(sorted(own | others))

    def _modules(self) -> list[str]:
        return [each.name for each in pkgutil.iter_modules(import_module(self._package).__path__)]

    def _find(self) -> None:
        """Import every module that registers a format."""
        for module in self._modules():
            import_module(f"{self._package}.{module}")
        for entry in metadata.entry_points(group=self._entry_points):
            try:
                entry.load()
            except Exception as error:  # whatever goes wrong in the code of others
                said = f"{type(error).__name__}: {error}"
                raise ValueError(
                    f"the {self._meaning} {entry.value} can't be loaded: {said}"
                ) from error
