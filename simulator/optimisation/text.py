"""What a search found, in words: how many trials, and the best of them as a table."""

import textwrap
from typing import TYPE_CHECKING, Any, Final

from simulator.assumptions import declared_basis
from simulator.display import count_text, number_text, short_text
from simulator.figures.quantities import amount_words, axis_names, unit_of, words_of
from simulator.optimisation.files import plain
from simulator.optimisation.space import SearchAxis
from simulator.plans.axes import value_at
from simulator.scenario.paths import parts_of
from simulator.scenario.prices import currency_of
from simulator.text_table import GAP, WIDTH, aligned, breadth, shared, shortened, span

if TYPE_CHECKING:
    import pandas as pd

    from simulator.optimisation.outcome import Optimisation

MOST_ROWS: Final = 12
"""Trials of the front that are printed; the file has all."""
CELL_LETTERS: Final = 26
AXIS_LETTERS: Final = 14
"""Letters that an axis keeps in any case; axes for which there are none left are not shown."""

Column = list[str]


def search_text(found: "Optimisation") -> str:
    """Return the outcome of a search as a table of its front, or of its best trial.

    The table keeps to 80 columns; axes that have no room are named below it.
    """
    search, counts = found.search, found.counts
    lines = [f"{search.base.name}: {_counted(found)}"]
    if found.ending:
        lines.append(f"ended before {count_text(search.trials)} trials: {found.ending}")
    if not counts["on_front"]:
        lines.append("no trial keeps the limits; loosen one, or widen the axes")
        return "\n".join(lines)
    # Trials that differ only in what changes no result are one to a reader.
    front = found.front.drop_duplicates([each.quantity for each in search.objectives])
    shown = front.head(1 if len(search.objectives) == 1 else MOST_ROWS)
    trial = ["trial", "", *(f"#{number}" for number in shown["trial"])]
    if found.base_summary is not None:
        trial.append("base")
    results = [_results(found, quantity, shown) for quantity in search.quantities]
    room = WIDTH + GAP - span([trial, *results])
    told = _axis_columns(found, shown, room)
    some = search.axes[: len(told)]
    lines += ["", *aligned([trial, *told, *results])]
    if len(front) > len(shown) and len(search.objectives) > 1:
        lines.append(f"and {len(front) - len(shown)} more on the front, in front.csv")
    rest = [axis.path for axis in search.axes if axis not in some]
    if rest:
        words = f"not shown, but in front.csv: {', '.join(rest)}"
        lines += textwrap.wrap(words, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    if len(search.seeds) > 1:
        lines.append(f"means over {len(search.seeds)} seeds")
    words = f"carbon of the base: {declared_basis(search.base)['average']}"
    lines += textwrap.wrap(words, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines)


def _results(found: "Optimisation", quantity: str, shown: "pd.DataFrame") -> Column:
    """Return a quantity of the trials shown, and of the base, under its name and its unit."""
    size, unit = unit_of(
        quantity, [abs(value) for value in shown[quantity]], currency_of(found.search.base)
    )
    numbers = [number_text(value / size) for value in shown[quantity]]
    if found.base_summary is not None:
        at_base = found.base_summary.get(quantity)
        numbers.append("" if at_base is None else number_text(at_base / size))
    return [words_of(quantity), unit, *numbers]


def _axis_columns(found: "Optimisation", shown: "pd.DataFrame", room: int) -> list[Column]:
    """Return what the trials shown, and the base, say of the axes: the first ones if not all."""
    axes = found.search.axes
    cells = [_cells(found, axis, shown) for axis in axes]
    for least in (2, 1):
        names = axis_names([axis.path for axis in axes], least=least)
        columns = [[names[axis.path], "", *each] for axis, each in zip(axes, cells, strict=True)]
        if span(columns) <= room:
            return columns
    some = columns[:1]
    for column in columns[1:]:
        if sum(min(breadth(each), AXIS_LETTERS) + GAP for each in [*some, column]) > room:
            break
        some.append(column)
    widths = shared([breadth(column) + GAP for column in some], room)
    return [shortened(each, width - GAP) for each, width in zip(some, widths, strict=True)]


def _cells(found: "Optimisation", axis: SearchAxis, shown: "pd.DataFrame") -> Column:
    words = [amount_words(plain(value)) for value in shown[axis.path]]
    if found.base_summary is not None:
        words.append(_of_base(found.search.base.document, axis.path))
    return [short_text(word, CELL_LETTERS) for word in words]


def _of_base(document: dict[str, Any], path: str) -> str:
    value = value_at(document, parts_of(path))
    return "" if value is None else amount_words(value)


def _counted(found: "Optimisation") -> str:
    counts = found.counts
    words = [f"{count_text(counts['trials'])} trials"]
    broken = counts["trials"] - counts["feasible"] - counts["failed"]
    if broken:
        words.append(f"{count_text(broken)} break a limit")
    if counts["failed"]:
        words.append(f"{count_text(counts['failed'])} failed")
    if len(found.search.objectives) > 1:
        words.append(f"{count_text(counts['on_front'])} on the front")
    return ", ".join(words)
