"""A paper from its scenarios to pictures, numbers and verdicts, in one folder."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.errors import InputError, Issue
from simulator.papers.check_table import check_document, table_csv, table_lines
from simulator.papers.expected import Remark
from simulator.papers.findings import (
    FAILS,
    HOLDS,
    MISSED,
    UNCHECKED,
    Check,
    all_hold,
    checks_of,
    counted,
)
from simulator.papers.pictures import keep_pictures
from simulator.papers.runs import MissingError, Show, Source
from simulator.papers.shelf import Paper
from simulator.sweeps.partial import write_text
from simulator.version import MODEL_VERSION

MARK: Final = "paper.json"
RUNS: Final = "runs"
FIGURES: Final = "figures"
NUMBERS: Final = "numbers"
TABLE: Final = "table.csv"
INSTEAD: Final = (
    "hourly files are not there (docs/data.md): drawn from the catalog's means by month and hour"
)


@dataclass(frozen=True, slots=True)
class Reproduced:
    """One figure, made again.

    Attributes
    ----------
    name, title : str
    checks : tuple of Check
    lacks : str or None
        What it needs and is not there; then nothing was drawn.
    note : str or None
        What took the place of something that is not there.
    """

    name: str
    title: str
    checks: tuple[Check, ...] = ()
    lacks: str | None = None
    note: str | None = None

    @property
    def holds(self) -> bool:
        """Whether it was made, and no checked number fails."""
        return self.lacks is None and all_hold(self.checks)

    @property
    def verdict(self) -> bool | None:
        """The same; None where no number is checked."""
        is_checked = self.lacks is not None or any(each.number.is_checked for each in self.checks)
        return self.holds if is_checked else None

    def files(self, folder: Path) -> dict[str, str]:
        """Return where its picture and its numbers lie."""
        stem = f"figure_{self.name}"
        return {
            "png": str(folder / FIGURES / f"{stem}.png"),
            "svg": str(folder / FIGURES / f"{stem}.svg"),
            "csv": str(folder / NUMBERS / f"{stem}.csv"),
        }


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A paper, made again.

    Attributes
    ----------
    paper : Paper
    folder : Path
    figures : tuple of Reproduced
    """

    paper: Paper
    folder: Path
    figures: tuple[Reproduced, ...]

    @property
    def holds(self) -> bool:
        """Whether every figure was made, and no checked number fails."""
        return all(figure.holds for figure in self.figures)

    def lines(self) -> list[str]:
        """Return the table of all numbers, what was fitted, and where the paper disagrees."""
        expected = self.paper.expected
        found = [expected.title, expected.source, "", *table_lines(self.figures), ""]
        for title, remarks in (
            ("fitted", expected.calibrated),
            ("the paper disagrees with itself", expected.contradictions),
        ):
            told = self._told(remarks)
            if told:
                found.append(f"{title}:")
                found += _wrapped(
                    f"{each.name} (figure {each.figure}): {each.words}" for each in told
                )
        if len(self.figures) == len(expected.figures) and expected.unmade:
            names = ", ".join(each.name for each in expected.unmade)
            found.append(f"not made: {names}; name one with --figure to hear why")
        return [*found, "", *self._counts(), f"written to {self.folder}"]

    @property
    def failing(self) -> tuple[Check, ...]:
        """Checked numbers that fail."""
        checks = [check for figure in self.figures for check in figure.checks]
        return tuple(check for check in checks if check.verdict == FAILS)

    def _told(self, remarks: Sequence[Remark]) -> list[Remark]:
        """Return remarks on the figures that were made, in their order."""
        names = [figure.name for figure in self.figures]
        told = [remark for remark in remarks if remark.figure in names]
        return sorted(told, key=lambda remark: names.index(remark.figure))

    def _counts(self) -> list[str]:
        found = counted([check for figure in self.figures for check in figure.checks])
        held, kinds = found["verdicts"][HOLDS], found["holds"]
        which = ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number)
        line = f"{held} number{'s hold' if held != 1 else ' holds'}"
        line += f" ({which}), {found['verdicts'][FAILS]} fail"
        if found["verdicts"][MISSED]:
            line += f", {found['verdicts'][MISSED]} not reached"
        line += f", {found['verdicts'][UNCHECKED]} unchecked"
        lacking = sum(figure.lacks is not None for figure in self.figures)
        return [
            line,
            *([f"{lacking} of {len(self.figures)} figures lack what they need"] if lacking else []),
        ]

    def document(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        expected = self.paper.expected
        return {
            "paper": self.paper.name,
            "title": self.paper.expected.title,
            "source": self.paper.expected.source,
            "folder": str(self.folder),
            "holds": self.holds,
            "figures": [
                {
                    "figure": figure.name,
                    "title": figure.title,
                    "holds": figure.verdict,
                    "missing": figure.lacks,
                    "note": figure.note,
                    **({} if figure.lacks else figure.files(self.folder)),
                    "checks": [check_document(check) for check in figure.checks],
                }
                for figure in self.figures
            ],
            "numbers": counted([check for figure in self.figures for check in figure.checks]),
            "fitted": [
                {"figure": each.figure, "parameter": each.name, "target": each.words}
                for each in self._told(expected.calibrated)
            ],
            "contradictions": [
                {"figure": each.figure, "id": each.name, "words": each.words}
                for each in self._told(expected.contradictions)
            ],
            "unmade": [each.document() for each in expected.unmade],
        }


def check_paper_folder(folder: Path, paper: Paper) -> None:
    """Refuse a folder that holds anything but this paper.

    Raises
    ------
    InputError
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir():
        raise InputError(str(folder), [Issue("", "is a file; name a folder")])
    try:
        kept = json.loads((folder / MARK).read_text(encoding="utf-8"))["paper"]
    except (OSError, ValueError, KeyError, TypeError):
        rule = "holds something else; name a new folder with -o"
        raise InputError(str(folder), [Issue("", rule)]) from None
    if kept != paper.name:
        rule = f"holds the paper {kept}; name another folder with -o"
        raise InputError(str(folder), [Issue("", rule)])


def reproduce(
    paper: Paper,
    figures: Sequence[str],
    folder: Path,
    *,
    jobs: int | None = None,
    show: Show | None = None,
    tell: Any = lambda _: None,
) -> Reproduction:
    """Make figures of a paper, and set their numbers against the published ones.

    Parameters
    ----------
    paper : Paper
    figures : sequence of str
        As `Paper.chosen` returns them.
    folder : Path
        Gets pictures, numbers, the table, and what was run.
    jobs : int, optional
        Processes; as many as there are cores unless given.
    show, tell : callable, optional
        See `Source`.

    Raises
    ------
    InputError
        If the folder holds something else or can't be written to, or a number that the file of
        published ones has is none that a figure knows.
    """
    check_paper_folder(folder, paper)
    try:
        for name in (FIGURES, NUMBERS, RUNS):
            (folder / name).mkdir(parents=True, exist_ok=True)
        mark = {"paper": paper.name, "model_version": MODEL_VERSION}
        write_text(folder / MARK, json.dumps(mark, indent=2) + "\n")
    except OSError as error:
        rule = f"can't be written to ({error.strerror or error}); name another folder with -o"
        raise InputError(str(folder), [Issue("", rule)]) from error
    source = Source(paper, folder / RUNS, jobs, show, tell)
    made = tuple(_reproduced(paper, name, source, folder) for name in figures)
    write_text(folder / TABLE, table_csv(made))
    return Reproduction(paper, folder, made)


def _reproduced(paper: Paper, name: str, source: Source, folder: Path) -> Reproduced:
    module, title = paper.module(name), paper.expected.figures[name]
    try:
        material = source.material(module)
    except MissingError as lacking:
        return Reproduced(name, title, lacks=str(lacking))
    measured = module.measure(material)
    checks = checks_of(paper.expected, name, measured)
    made = Reproduced(name, title, checks, note=INSTEAD if material.instead else None)
    files = made.files(folder)
    try:
        keep_pictures(module, measured, made.checks, files, folder / FIGURES)
    except KeyError as error:
        numbers = {check.number.key for check in checks}
        if error.args[0] not in measured.findings or error.args[0] in numbers:
            raise
        rule = f"figure {name} is drawn from it; write it too"
        issue = Issue(f"numbers.{error.args[0]}", rule)
        raise InputError(paper.expected.title, [issue]) from error
    write_text(Path(files["csv"]), measured.numbers.to_csv(index=False, lineterminator="\n"))
    return made


def _wrapped(sentences: Any) -> list[str]:
    import textwrap

    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(
            sentence, 78, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
        )
    ]
