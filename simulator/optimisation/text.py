"""What a search found, in words: how many trials, and the best of them as a table."""

from typing import TYPE_CHECKING, Final

from simulator.display import aligned, count_text, number_text, short_text
from simulator.figures.quantities import axis_names, unit_of, value_words, words_of
from simulator.optimisation.files import plain
from simulator.scenario.prices import currency_of

if TYPE_CHECKING:
    from simulator.optimisation.outcome import Optimisation

MOST_ROWS: Final = 12
"""Trials of the front that are printed; the file has all."""
CELL_LETTERS: Final = 26


def search_text(found: "Optimisation") -> str:
    """Return the outcome of a search as a table of its front, or of its best trial."""
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
    names = axis_names([axis.path for axis in search.axes])
    header = ["trial", *(names[axis.path] for axis in search.axes)]
    columns: list[list[str]] = [[f"#{number}" for number in shown["trial"]]]
    for axis in search.axes:
        words = [value_words(plain(value)) for value in shown[axis.path]]
        columns.append([short_text(word, CELL_LETTERS) for word in words])
    currency = currency_of(search.base)
    base: list[str] = ["base", *("" for _ in search.axes)]
    for quantity in search.quantities:
        size, unit = unit_of(quantity, [abs(value) for value in shown[quantity]], currency)
        header.append(f"{words_of(quantity)} [{unit}]" if unit else words_of(quantity))
        columns.append([number_text(value / size) for value in shown[quantity]])
        at_base = (found.base_summary or {}).get(quantity)
        base.append("" if at_base is None else number_text(at_base / size))
    rows = [header, *([*row] for row in zip(*columns, strict=True))]
    if found.base_summary is not None:
        rows.append(base)
    lines += ["", *aligned(rows)]
    if len(front) > len(shown) and len(search.objectives) > 1:
        lines.append(f"and {len(front) - len(shown)} more on the front")
    return "\n".join(lines)


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
