"""The table of a paper: every published number beside ours."""

import csv
import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from simulator.display import mean_text, number_text
from simulator.papers.findings import Check
from simulator.text_table import WIDTH, aligned

if TYPE_CHECKING:
    from simulator.papers.reproduction import Reproduced

HEAD: Final = ("published", "ours", "differs", "within", "verdict", "kind")
INDENT: Final = "    "
COLUMNS: Final = (
    "figure", "key", "quantity", "unit", "published", "exactness", "at", "ours", "ours_low",
    "ours_high", "difference", "difference_is_relative", "tolerance", "least", "most", "verdict",
    "kind", "how",
)  # fmt: skip
ROUNDING: Final = 1e-7
"""Differences of so little of a number are told as none."""


def table_lines(figures: Sequence["Reproduced"]) -> list[str]:
    """Return the table of all figures, at most 80 columns wide."""
    rows = [_cells(check) for figure in figures for check in figure.checks]
    lines = iter(aligned(list(zip(HEAD, *rows, strict=True)), texts=range(len(HEAD))))
    found = [f"{INDENT}{next(lines)}"]
    for figure in figures:
        found += ["", _short(f"Figure {figure.name}: {figure.title}")]
        if figure.lacks is not None:
            found.append(f"  missing: {figure.lacks}")
        if figure.note is not None:
            found += textwrap.wrap(
                figure.note, WIDTH - 4, initial_indent="  ", subsequent_indent="    "
            )
        for check in figure.checks:
            number = check.number
            found += [_short(f"  {number.quantity} [{number.unit}]"), f"{INDENT}{next(lines)}"]
    return found


def table_csv(figures: Sequence["Reproduced"]) -> str:
    """Return the same table as CSV, with where each number stands and how ours is made."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for figure in figures:
        writer.writerows(check_document(check) for check in figure.checks)
    return out.getvalue()


def check_document(check: Check) -> dict[str, Any]:
    """Return a published number and ours as plain values."""
    number, ours = check.number, check.finding
    reach = ours.half_width
    return {
        "figure": number.figure,
        "key": number.key,
        "quantity": number.quantity,
        "unit": number.unit,
        "published": number.value,
        "exactness": None if number.value is None else number.exactness,
        "at": number.at,
        "ours": ours.value,
        "ours_low": None if reach is None else ours.value - reach,
        "ours_high": None if reach is None else ours.value + reach,
        "difference": check.difference,
        "difference_is_relative": number.is_relative,
        "tolerance": number.tolerance,
        "least": number.least,
        "most": number.most,
        "verdict": check.verdict,
        "kind": number.kind,
        "how": number.how,
    }


def check_cells(check: Check) -> tuple[str, ...]:
    """Return the cells of a check: published, ours, difference, tolerance, verdict, kind."""
    return _cells(check)


def _cells(check: Check) -> tuple[str, ...]:
    number, ours = check.number, check.finding
    published = "-" if number.value is None else f"{number.value:g} ({number.exactness})"
    if ours.half_width is None:
        found = number_text(ours.value)
    else:
        found = mean_text(ours.value, ours.half_width)
    return published, found, _difference(check), _within(check), check.verdict, number.kind


def _difference(check: Check) -> str:
    apart = check.difference
    if apart is None:
        return "-"
    if check.number.is_relative:
        return f"{100 * apart:+.1f} %".replace("-0.0", "0.0").replace("+0.0", "0.0")
    assert check.number.value is not None
    if abs(apart) <= ROUNDING * abs(check.number.value):
        return "0"
    return f"{'-' if apart < 0.0 else '+'}{number_text(abs(apart), 2)}"


def _within(check: Check) -> str:
    number = check.number
    if number.tolerance is not None:
        return f"{100 * number.tolerance:g} %" if number.is_relative else f"{number.tolerance:g}"
    if number.least is not None and number.most is not None:
        return f"{number.least:g} to {number.most:g}"
    if number.least is not None:
        return f"from {number.least:g}"
    return "-" if number.most is None else f"to {number.most:g}"


def _short(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
