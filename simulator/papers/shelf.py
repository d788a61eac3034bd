"""Which papers and figures there are."""

import pkgutil
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from simulator import bundled
from simulator.errors import InputError, Issue, listing, nearest
from simulator.papers.expected import Expected, read_expected

PREFIX = "figure_"
EXPECTED = "expected.toml"


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper: its folder of scenarios, its published numbers, its figures.

    Attributes
    ----------
    name : str
    folder : Path
    expected : Expected
    """

    name: str
    folder: Path
    expected: Expected

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of its figures, in order."""
        return tuple(self.expected.figures)

    def module(self, figure: str) -> ModuleType:
        """Return the module that measures and draws a figure."""
        return import_module(f"{_package(self.name)}.{PREFIX}{figure}")

    def scenario(self, name: str) -> Path:
        """Return the file of one of its scenarios."""
        return self.folder / f"{name}.toml"

    def chosen(self, figures: Sequence[str]) -> tuple[str, ...]:
        """Return the figures that were asked for; all unless any was.

        Raises
        ------
        InputError
            With every name that is no figure of the paper.
        """
        said = [each.strip() for figure in figures for each in figure.split(",") if each.strip()]
        wanted = [re.sub(r"^fig(ure)?", "", each.lower()).strip(" .-_") for each in said]
        issues = [
            Issue(f"--figure {each}", self._refusal(name))
            for each, name in zip(said, wanted, strict=True)
            if name not in self.figures
        ]
        if issues:
            raise InputError(self.name, issues)
        return tuple(name for name in self.figures if name in wanted or not wanted)

    def _refusal(self, name: str) -> str:
        for figure in self.expected.unmade:
            if figure.name == name:
                return f"is not made: {figure.why}"
        return _rule("figure", name, self.figures)


def papers() -> tuple[Paper, ...]:
    """Return every paper that ships.

    Raises
    ------
    InputError
        With the problems of an ``expected.toml``.
    """
    return tuple(_opened(name, folder) for name, folder in bundled.papers().items())


def paper_of(name: str) -> Paper:
    """Return a paper by its name.

    Raises
    ------
    InputError
        If there is none of this name, or its ``expected.toml`` has problems.
    """
    found = bundled.papers()
    plain = name.strip().lower().replace("_", "-").replace(" ", "-")
    folder = found.get(plain)
    if folder is None:
        raise InputError("paper", [Issue(name, _rule("paper", _meant(plain), tuple(found)))])
    return _opened(plain, folder)


def _meant(said: str) -> str:
    """Return the name of the paper that part of a name, or its number on arXiv, stands for."""
    number = said.removeprefix("arxiv").strip(" :.-")
    for paper in papers():
        if len(number) > 2 and (number in paper.name or number in paper.expected.source):
            return paper.name
    return said


def _opened(name: str, folder: Path) -> Paper:
    file = folder / EXPECTED
    expected = read_expected(file)
    drawn = _drawn(name)
    issues = [
        Issue(f"figures.{figure}", f"nothing draws it; there are {listing(drawn)}")
        for figure in expected.figures
        if figure not in drawn
    ]
    if issues:
        raise InputError(str(file), issues)
    return Paper(name, folder, expected)


@cache
def _drawn(name: str) -> tuple[str, ...]:
    """Return the figures that the package of a paper has a module for."""
    package = import_module(_package(name))
    return tuple(
        sorted(
            entry.name.removeprefix(PREFIX)
            for entry in pkgutil.iter_modules(package.__path__)
            if entry.name.startswith(PREFIX)
        )
    )


def _package(name: str) -> str:
    return f"simulator.papers.{name.replace('-', '_')}"


def _rule(what: str, name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    meant = f'did you mean "{near}"? ' if near else ""
    return f"no {what} of this name; {meant}there are {', '.join(known)}"
