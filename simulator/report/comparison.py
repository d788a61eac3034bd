"""A comparison on a terminal: the headlines of both sides and their differences, 80 columns."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from simulator.display import difference_text, number_text, short_text
from simulator.errors import printable
from simulator.figures.quantities import HEADLINES, RARE, unit_of, words_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = 80
GROUP: Final = 8
LABEL: Final = 24
SIDE: Final = 9
DIFFERENCE: Final = 18
CHANGE: Final = 10
DIGITS: Final = 3
CLEAR: Final = "*"
MANY_PERCENT: Final = 1000.0
STRAIGHT: Final = "straight-line over calendar lifetime"

Row = Mapping[Any, Any]


def comparison_text(
    table: "pd.DataFrame",
    names: Sequence[str],
    seeds: Sequence[int],
    basis: Mapping[str, Mapping[str, str]],
    warnings: Sequence[str] = (),
) -> str:
    """Return the headlines of a comparison as text.

    Parameters
    ----------
    table : DataFrame
        One row for each other side and quantity, as `simulator.analysis.differences.differences`.
    names : sequence of str
        The sides; the first is the base.
    seeds : sequence of int
    basis : mapping of str to mapping
        What each side stands on: ``average``, ``marginal`` and, where it has prices,
        ``currency``.
    warnings : sequence of str

    Returns
    -------
    str
        Lines of at most 80 columns. No digit is ever cut.
    """
    lines = list(_wrapped(_what(names, seeds)))
    for name in names[1:]:
        rows = table[table["other"] == name].to_dict("records")
        currency = basis[names[0]].get("currency")
        lines += ["", *_side(rows, names[0], name, currency)]
    lines += ["", *_basis(names, basis)]
    for warning in warnings:
        lines += _wrapped(f"warning: {warning}", "  ")
    return "\n".join(lines)


def seeds_text(seeds: Sequence[int]) -> str:
    """Return seeds in words, e.g. ``"20 seeds (7 to 26)"``."""
    if len(seeds) == 1:
        return f"one seed ({seeds[0]})"
    row = all(later == earlier + 1 for earlier, later in pairwise(seeds))
    listed = (
        f"{seeds[0]} to {seeds[-1]}" if row else short_text(", ".join(map(str, seeds)), COLUMNS)
    )
    return f"{len(seeds)} seeds ({listed})"


def _what(names: Sequence[str], seeds: Sequence[int]) -> str:
    """Say what is compared and how to read it."""
    sides = f"{', '.join(map(_name, names[1:]))} against {_name(names[0])}"
    if len(seeds) == 1:
        return (
            f"{sides}: {seeds_text(seeds)} on every side; one seed gives no interval, so what is "
            "chance is not told from what is not"
        )
    return (
        f"{sides}: {seeds_text(seeds)}, the same on every side; differences are paired by seed, "
        f"± half the 95 % interval; {CLEAR} clear: the interval excludes 0"
    )


def _side(rows: Sequence[Row], base: str, other: str, currency: str | None) -> Iterator[str]:
    """Return one other side against the base."""
    known = {row["quantity"]: row for row in rows if not _absent(row["difference"])}
    heads = [_name(base), _name(other)]
    if max(map(len, heads)) >= SIDE:
        yield from _wrapped(f"base: {heads[0]}; other: {heads[1]}")
        heads = ["base", "other"]
    yield (
        f"{'':{GROUP + LABEL}}{heads[0]:>{SIDE}}{heads[1]:>{SIDE}}"
        f"{'difference':>{DIFFERENCE}}{'change':>{CHANGE}}"
    )
    group, nothing = "", []
    for quantity, (of_group, label) in HEADLINES.items():
        row = known.get(quantity)
        if row is None:
            continue
        if not (row["base_mean"] or row["other_mean"] or row["difference"]):
            nothing.append(words_of(quantity))
            continue
        yield _line("" if of_group == group else of_group, label, row, currency)
        group = of_group
    missing = [row["quantity"] for row in rows if _is_missed(row)]
    if nothing:
        yield from _wrapped(f"0 on both sides: {', '.join(nothing)}", "  ")
    if missing:
        listed = ", ".join(words_of(name) for name in missing)
        yield from _wrapped(f"absent on a side, so not compared: {listed}", "  ")


def _is_missed(row: Row) -> bool:
    """Return whether a reader would look for a quantity that is absent.

    What no side has, because neither loses, shares or stores anything, nobody looks for.
    """
    if not _absent(row["difference"]):
        return False
    of_both = _absent(row["base_mean"]) and _absent(row["other_mean"])
    return row["quantity"] in (*HEADLINES, "water_l") and not (of_both and row["quantity"] in RARE)


def _line(group: str, label: str, row: Row, currency: str | None) -> str:
    size, unit = unit_of(row["quantity"], [row["base_mean"], row["other_mean"]], currency)
    named = f"{label} [{unit}]" if unit else label
    means = "".join(
        f"{number_text(row[side] / size, DIGITS + 1):>{SIDE}}"
        for side in ("base_mean", "other_mean")
    )
    clear = CLEAR if row["clear"] is True else ""
    return (
        f"{group:<{GROUP}}{named:<{LABEL}}{means}{_difference(row, size):>{DIFFERENCE}}"
        f"{_change(row):>{CHANGE}} {clear}"
    ).rstrip()


def _difference(row: Row, size: float) -> str:
    known = not _absent(row["low"])
    half = 0.5 * (row["high"] - row["low"]) / size if known else None
    return difference_text(row["difference"] / size, half)


def _change(row: Row) -> str:
    """Return a change in per cent, or as a multiple where that would be thousands of them."""
    percent = row["percent"]
    if _absent(percent):
        return "from 0"
    if percent == 0.0:
        return "0 %"
    if percent >= MANY_PERCENT and row["base_mean"] > 0.0:
        return f"{number_text(row['other_mean'] / row['base_mean'], DIGITS)} x"
    text = f"{percent:+.1f} %"
    return "0.0 %" if text[1:] == "0.0 %" else text


def _basis(names: Sequence[str], basis: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Say what carbon stands on: once where all sides agree, else for each."""
    words = {
        "location-based": [basis[name].get("average", "") for name in names],
        "marginal": [basis[name].get("marginal", "") for name in names],
    }
    rules = dict.fromkeys(basis[name].get("embodied", STRAIGHT) for name in names)
    yield from _wrapped(f"total carbon = location-based + embodied ({'; '.join(rules)})", "  ")
    for label, found in words.items():
        if len(set(found)) == 1:
            if found[0]:
                yield from _wrapped(f"{label}: {found[0].removeprefix(f'{label}, ')}", "  ")
            continue
        for name, text in zip(names, found, strict=True):
            said = text.removeprefix(f"{label}, ") or "none"
            yield from _wrapped(f"{label}, {_name(name)}: {said}", "  ")


def _absent(value: Any) -> bool:
    return value is None or value != value


def _name(name: str) -> str:
    return short_text(printable(name).replace("\n", " "), COLUMNS // 2)


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(printable(text), COLUMNS, subsequent_indent=indent, break_on_hyphens=False)
