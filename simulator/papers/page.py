"""The page of all papers: every figure with its picture, its numbers and their verdicts."""

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from simulator.errors import InputError, Issue
from simulator.papers.check_table import check_cells
from simulator.papers.expected import Remark
from simulator.papers.reproduction import Reproduced, Reproduction
from simulator.sweeps.partial import write_text

MARK: Final = "<!-- Below this line: fleetsim paper --page -->"
IMAGES: Final = "img/papers"
HEAD: Final = (
    "| quantity | published | where | ours | differs | within | verdict | kind |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


def check_page(file: Path) -> None:
    """Refuse a file whose end was not made by this program.

    Raises
    ------
    InputError
    """
    _parts_of(file)


def write_page(made: Sequence[Reproduction], file: Path) -> None:
    """Write the figures of papers below the mark of a page, and their pictures beside it.

    Papers that were not made stay on the page as they are.

    Raises
    ------
    InputError
        If the file has no mark.
    """
    head, below = _parts_of(file)
    parts = {text.partition("\n")[0]: text for text in re.split(r"(?m)^(?=## )", below)[1:]}
    parts |= {_title(each): f"{paper_text(each)}\n" for each in made}
    images = file.parent / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for reproduction in made:
        for figure in reproduction.figures:
            if figure.lacks is None:
                source = figure.files(reproduction.folder)["png"]
                shutil.copyfile(source, images / _image(reproduction, figure))
    write_text(file, f"{head}{MARK}\n\n{''.join(parts.values())}".rstrip("\n") + "\n")


def paper_text(made: Reproduction) -> str:
    """Return the part of a page that tells of one paper."""
    expected = made.paper.expected
    head = f"{_title(made)}\n\n{expected.source}: `fleetsim paper {made.paper.name}`\n"
    parts = [head, *(figure_text(made, figure) for figure in made.figures)]
    if expected.unmade:
        lines = [f"- Figure {each.name}, {each.title}: {each.why}." for each in expected.unmade]
        parts.append("\n".join(["### Not made", "", *lines, ""]))
    return "\n".join(parts)


def figure_text(made: Reproduction, figure: Reproduced) -> str:
    """Return the part of a page that tells of one figure."""
    expected = made.paper.expected
    lines = [f"### {_heading(figure)}", ""]
    if figure.lacks is not None:
        return "\n".join([*lines, f"Missing: {figure.lacks}", ""])
    lines += [f"![{figure.title}]({IMAGES}/{_image(made, figure)})", "", *HEAD]
    for check in figure.checks:
        number = check.number
        published, *rest = check_cells(check)
        cells = (f"{number.quantity} [{number.unit}]", published, number.at, *rest)
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    if figure.note is not None:
        lines += ["", f"{figure.note[0].upper()}{figure.note[1:]}."]
    ways: dict[str, list[str]] = {}
    for check in figure.checks:
        ways.setdefault(check.number.how, []).append(check.number.quantity)
    lines += ["", "How:", ""]
    lines += [f"- {'; '.join(quantities)}: {how}." for how, quantities in ways.items()]
    lines += _remarks("Fitted", expected.calibrated, figure)
    lines += _remarks("Contradictions of the paper", expected.contradictions, figure)
    return "\n".join([*lines, ""])


def _title(made: Reproduction) -> str:
    return f"## {made.paper.expected.title}"


def _remarks(title: str, remarks: Iterable[Remark], figure: Reproduced) -> list[str]:
    told = [f"- {each.name}: {each.words}" for each in remarks if each.figure == figure.name]
    return ["", f"{title}:", "", *told] if told else []


def _heading(figure: Reproduced) -> str:
    return f"Figure {figure.name}: {figure.title}"


def _image(made: Reproduction, figure: Reproduced) -> str:
    return f"{made.paper.name}_{figure.name}.png"


def _cell(text: str) -> str:
    return re.sub(r"([|<>])", r"\\\1", text)


def _parts_of(file: Path) -> tuple[str, str]:
    """Return what stands before the mark of a page, and what stands after it."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        rule = f"can't be read ({error.strerror}); name a page that has the line {MARK}"
        raise InputError(str(file), [Issue("--page", rule)]) from error
    head, mark, below = text.partition(MARK)
    if not mark:
        rule = f"has no line {MARK}; write it where the figures shall begin"
        raise InputError(str(file), [Issue("--page", rule)])
    return head, below
