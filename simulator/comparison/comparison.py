"""Comparisons: sides that meet the same seeds, run, and set against the first of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from simulator.analysis.differences import differences
from simulator.analysis.statistics import numbers_of, quantities_of
from simulator.assumptions import basis_of
from simulator.comparison.alike import unlike
from simulator.comparison.seeds import seeds_of
from simulator.comparison.sides import other_peaks, runs, table_of
from simulator.display import text_html
from simulator.errors import InputError, Issue, shown
from simulator.results import Results
from simulator.scenario import Scenario
from simulator.scenario.prices import currency_of
from simulator.sweeps.driver import Progress
from simulator.sweeps.session import Options
from simulator.traces.sites import open_grids

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS: Final = 20
"""Seeds of a comparison unless told."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """Two or more sides that met the same seeds, each set against the first.

    Attributes
    ----------
    names : tuple of str
        The sides; the first is the base.
    seeds : tuple of int
        Each side was run with each of them.
    table : DataFrame
        One row for each other side and quantity, as `simulator.analysis.differences.differences`.
    runs : DataFrame
        One row for each run: ``row``, ``point``, ``name``, ``seed``, ``status``, ``error``,
        ``key`` and the summary.
    scenarios : dict of str to Scenario
    basis : dict of str to dict
        What the carbon of each side stands on, by ``average`` and ``marginal``.
    warnings : tuple of str
    forced : bool
        Whether the sides are unlike and are compared all the same.
    """

    names: tuple[str, ...]
    seeds: tuple[int, ...]
    table: pd.DataFrame
    runs: pd.DataFrame
    scenarios: dict[str, Scenario]
    basis: dict[str, dict[str, str]]
    warnings: tuple[str, ...] = ()
    forced: bool = False

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return text_html(self.text())

    @property
    def absent(self) -> dict[str, tuple[str, ...]]:
        """The quantities that can't be compared, by the name of the other side."""
        missing = self.table[self.table["difference"].isna()]
        found = {name: missing[missing["other"] == name] for name in self.names[1:]}
        return {name: tuple(rows["quantity"]) for name, rows in found.items()}

    def text(self, *, warnings: bool = True) -> str:
        """Return the headlines as a table of 80 columns."""
        from simulator.report.comparison import comparison_text

        said = self.warnings if warnings else ()
        return comparison_text(self.table, self.names, self.seeds, self.basis, said)

    def plot(self, quantities: Sequence[str] | None = None) -> "Figure":
        """Draw the differences with their intervals, in per cent of the base.

        Parameters
        ----------
        quantities : sequence of str, optional
            Keys of the summary; the headlines unless given.
        """
        from simulator.figures.comparison import draw_comparison

        return draw_comparison(
            self.table,
            self.names[0],
            quantities=quantities,
            seeds=len(self.seeds),
            bases=[said for each in self.basis.values() if (said := each.get("average"))],
        )

    def waterfall(self, other: str | None = None) -> "Figure":
        """Draw the steps from the base's mean total carbon to another's, by default the first.

        Raises
        ------
        InputError
            If there is no such side, or a step is absent.
        """
        from simulator.comparison.steps import draw_steps

        return draw_steps(self, other)

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Return the table as CSV, or write it to a file.

        Numbers have as many digits as tell them apart; what is absent is empty.
        """
        from simulator.comparison.folder import csv_text

        text = csv_text(self.table)
        if path is None:
            return text
        Path(path).write_text(text, encoding="utf-8")
        return None

    def document(self) -> dict[str, Any]:
        """Return the comparison as plain data, as ``comparison.json`` has it."""
        from simulator.comparison.folder import document_of

        return document_of(self)

    def save(
        self, folder: str | Path, *, overwrite: bool = False, command: str | None = None
    ) -> Path:
        """Write every file of the comparison into a folder, whole or not at all.

        Raises
        ------
        InputError
            If the folder holds something already, or can't be written to.
        """
        from simulator.comparison.folder import save

        save(self, Path(folder), overwrite=overwrite, command=command)
        return Path(folder)


def compare(
    scenarios: Mapping[str, Scenario],
    *,
    seeds: int | Sequence[int] = SEEDS,
    force: bool = False,
    options: Options | None = None,
    show: Progress | None = None,
) -> Comparison:
    """Run scenarios with the same seeds and set each against the first.

    Parameters
    ----------
    scenarios : mapping of str to Scenario
        By name; the first is the base.
    seeds : int or sequence of int
        So many from the first scenario's seed on, or the seeds themselves.
    force : bool
        Compare sides that are unlike; what is unlike becomes a warning.
    options : Options, optional
        How many processes; one, this very one, unless given.
    show : callable, optional
        Told how many runs are finished.

    Raises
    ------
    InputError
        With all that is wrong: sides that are unlike, seeds, grids that can't be opened.
    """
    check_sides(scenarios)
    chosen = seeds_of(seeds, next(iter(scenarios.values())).seed, len(scenarios))
    basis, said = _opened(scenarios)
    odd = _odd(scenarios, force=force)
    table = runs(scenarios, chosen, options, show)
    return _set_against(scenarios, table, chosen, basis, said, odd)


def compare_results(results: Mapping[str, Results], *, force: bool = False) -> Comparison:
    """Set finished runs of one seed against the first of them; no interval can be given.

    Parameters
    ----------
    results : mapping of str to Results
        By name; the first is the base.
    force : bool
        Compare sides that are unlike; what is unlike becomes a warning.

    Raises
    ------
    InputError
        With all that is wrong: runs of several seeds, or sides that are unlike.
    """
    check_sides(results)
    first, base = next(iter(results.items()))
    scenarios = {name: each.scenario for name, each in results.items()}
    seeds = {
        name: f"its seed is {each.seed}, of {first} {base.seed}; only runs of one seed met the "
        "same jobs, so run it again with that seed"
        for name, each in results.items()
        if each.seed != base.seed
    }
    if seeds:
        raise InputError("compare", [Issue(name, reason) for name, reason in seeds.items()])
    models = {
        name: f"its model version is {each.model_version}, of the base {base.model_version}"
        for name, each in results.items()
        if each.model_version != base.model_version
    }
    odd = _odd(scenarios, models, force=force)
    basis = {name: dict(each.basis) for name, each in results.items()}
    said = _merged({name: each.warnings for name, each in results.items()})
    rows = [(name, each.seed, each.key, each.summary) for name, each in results.items()]
    table = table_of(rows, tuple(results))
    return _set_against(scenarios, table, (base.seed,), basis, said, odd)


def check_sides(sides: object) -> None:
    """Refuse what is no set of sides.

    Raises
    ------
    InputError
        If they have no names, or there are fewer than two.
    """
    if not isinstance(sides, Mapping):
        rule = 'write the sides by name, e.g. {"today": scenario, "greener": greener}'
        given = f"a value of type {type(sides).__name__} has no names"
        raise InputError("compare", [Issue("", f"{given}; {rule}")])
    if len(sides) < 2:
        found = f"there is only {shown(next(iter(sides)))}" if sides else "there is nothing"
        raise InputError("compare", [Issue("", f"{found} to compare; name two sides or more")])
    odd = [name for name in sides if not isinstance(name, str) or not name.strip()]
    if odd:
        rule = "is no name of a side; write a text"
        raise InputError("compare", [Issue("", f"{shown(name)} {rule}") for name in odd])


def _odd(
    scenarios: Mapping[str, Scenario], models: Mapping[str, str] | None = None, *, force: bool
) -> list[str]:
    """Refuse sides that are unlike the base; if forced, return what is unlike as warnings."""
    base, *others = scenarios
    found = [
        (name, reason) for name in others for reason in unlike(scenarios[base], scenarios[name])
    ]
    found += (models or {}).items()
    if found and not force:
        rule = "write the same in both, or force it (--force, force=True)"
        issues = [Issue(name, f"{reason}; {rule}") for name, reason in found]
        raise InputError(f"{base} and what it is compared with are unlike", issues)
    return [f"{name} is unlike {base}: {reason}" for name, reason in found]


def _opened(
    scenarios: Mapping[str, Scenario],
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Open the grids of every side before anything is run; return their basis, and warnings."""
    issues: list[Issue] = []
    basis, said = dict[str, dict[str, str]](), dict[str, Sequence[str]]()
    for name, scenario in scenarios.items():
        found: list[Issue] = []
        average, marginal = open_grids(scenario, found)
        issues += [Issue(f"{name}: {issue.path}", issue.message) for issue in found]
        if not found:
            basis[name] = basis_of(average, marginal, currency_of(scenario))
            traces = [trace for trace in (*average, *marginal) if trace is not None]
            said[name] = (*scenario.warnings, *(text for at in traces for text in at.warnings))
    if issues:
        raise InputError("compare", issues)
    return basis, _merged(said)


def _merged(said: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the warnings of all sides, each once: with its sides, unless it is said of all."""
    whose: dict[str, list[str]] = {}
    for name, texts in said.items():
        for text in dict.fromkeys(texts):
            whose.setdefault(text, []).append(name)
    return [
        text if len(names) == len(said) else f"{', '.join(names)}: {text}"
        for text, names in whose.items()
    ]


def _set_against(
    scenarios: Mapping[str, Scenario],
    table: pd.DataFrame,
    seeds: tuple[int, ...],
    basis: dict[str, dict[str, str]],
    warnings: Sequence[str],
    odd: Sequence[str],
) -> Comparison:
    """Return the comparison of a table of runs."""
    names = tuple(scenarios)
    sides = {name: table[table["name"] == name] for name in names}
    parts = [differences(sides[names[0]], sides[name], other_name=name) for name in names[1:]]
    said = [
        *odd,
        *warnings,
        *other_peaks(scenarios),
        *_nothing_changed(names[0], parts),
        *_nothing_random(sides, seeds),
    ]
    return Comparison(
        names=names,
        seeds=seeds,
        table=pd.concat(parts, ignore_index=True),
        runs=table,
        scenarios=dict(scenarios),
        basis=basis,
        warnings=tuple(said),
        forced=bool(odd),
    )


def _nothing_changed(base: str, parts: Sequence[pd.DataFrame]) -> list[str]:
    """Warn of sides that give exactly the figures of the base."""
    return [
        f"{part['other'].iloc[0]} gives exactly the figures of {base}, whatever the seed; the two "
        "seem to say the same"
        for part in parts
        if (part[["difference", "low", "high"]].fillna(0.0) == 0.0).all(axis=None)
    ]


def _nothing_random(sides: Mapping[str, pd.DataFrame], seeds: tuple[int, ...]) -> list[str]:
    """Warn of intervals that are narrow because nothing varies."""
    if len(seeds) == 1:
        return []
    for side in sides.values():
        numbers = numbers_of(side, quantities_of(side))
        if not ((numbers == numbers[0]) | (numbers != numbers)).all():
            return []
    text = (
        "every seed gives the same figures: nothing is random here, so one seed is enough and the "
        "intervals, of width 0, say nothing of how sure the figures are"
    )
    return [text]
