"""The Python face: load a scenario, run it, look at what came out.

>>> import simulator as fs
>>> run = fs.run("my.toml", seed=7)  # doctest: +SKIP
>>> run.summary["total_kgco2e"]  # doctest: +SKIP
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from simulator.figures import Plots
    from simulator.progress import Progress
    from simulator.results import Results
    from simulator.scenario import Scenario
    from simulator.simulation import Simulated
    from simulator.workload.table import WorkloadSize


def load(
    path: str | Path,
    *,
    sets: Iterable[str] = (),
    seed: int | None = None,
    yes: bool = False,
    untrusted: bool = False,
) -> "Scenario":
    """Load a scenario file.

    Parameters
    ----------
    path : path
        A TOML file, or the name of a scenario that ships, e.g. ``"hello"``.
    sets : iterable of str
        Replacements such as ``"clusters.train.count=256"``.
    seed : int, optional
        Replaces the file's seed.
    yes : bool
        Whether sizes that are refused as too large are meant.
    untrusted : bool
        Whether to refuse files outside the scenario's folder.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    from simulator import bundled, scenario

    file = bundled.file_or_name(Path(path))
    return scenario.load(file, sets=tuple(sets), seed=seed, yes=yes, untrusted=untrusted)


def run(
    scenario: "Scenario | str | Path",
    *,
    seed: int | None = None,
    progress: "bool | Progress | None" = False,
    command: str | None = None,
) -> "Run":
    """Simulate a scenario.

    Parameters
    ----------
    scenario : Scenario or path
    seed : int, optional
        Replaces the scenario's seed.
    progress : bool or callable
        True shows a bar on stderr; a callable is told of simulated days done, simulated days in
        all, and jobs started.
    command : str, optional
        Written into the manifest as the command line.

    Raises
    ------
    InputError
        If the scenario or a file it reads is refused.
    """
    from simulator import simulation

    if isinstance(scenario, str | Path):
        scenario = load(scenario)
    with _shown(progress, scenario.name) as show:
        simulated = simulation.run(scenario, seed=seed, progress=show, command=command)
    return Run(simulated.results, simulated)


def open_run(folder: str | Path) -> "Run":
    """Return the run whose results lie in a folder.

    Raises
    ------
    InputError
        If the folder holds no results, or those of another version.
    """
    from simulator.results import load_results

    return Run(load_results(folder), folder=folder)


class Run:
    """What a run returned: its summary, its tables as pandas, its figures and its report.

    Parameters
    ----------
    results : Results
        Tables and summary; nothing in them is computed again.
    simulated : Simulated, optional
        What happened, for billing it again; absent for a run read from a folder.
    folder : path, optional
        Where it was read from.
    """

    __slots__ = ("_folder", "_simulated", "results")

    def __init__(
        self,
        results: "Results",
        simulated: "Simulated | None" = None,
        folder: str | Path | None = None,
    ) -> None:
        self.results = results
        self._simulated = simulated
        self._folder = folder

    def __repr__(self) -> str:
        name = self.results.scenario.name
        return f"<Run {name!r} seed {self.results.seed} key {self.results.key[:8]}>"

    @property
    def scenario(self) -> "Scenario":
        """The scenario that was run."""
        return self.results.scenario

    @property
    def summary(self) -> dict[str, Any]:
        """Totals and means by name, units in the names; None where a quantity is absent."""
        return dict(self.results.summary)

    @property
    def jobs(self) -> "pd.DataFrame":
        """One row per job, as a copy of your own."""
        return self.results.jobs

    @property
    def hourly(self) -> "pd.DataFrame":
        """One row per interval and cluster, as a copy of your own."""
        return self.results.hourly

    @property
    def supply(self) -> "pd.DataFrame | None":
        """One row per interval and site with supply, as a copy; None where no site has any."""
        return self.results.supply

    @property
    def nodes(self) -> "pd.DataFrame":
        """One row per node, as a copy of your own."""
        return self.results.nodes

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the run warned of."""
        return self.results.warnings

    @property
    def basis(self) -> dict[str, str]:
        """What each carbon figure stands on."""
        return dict(self.results.basis)

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of every file that was read, by name."""
        return dict(self.results.inputs)

    @property
    def sizes(self) -> "tuple[WorkloadSize, ...]":
        """What each workload asked for; empty for a run read from a folder."""
        return self._simulated.inputs.jobs.sizes if self._simulated is not None else ()

    @property
    def plot(self) -> "Plots":
        """Figures of the run, each a matplotlib figure of your own: ``run.plot.power()``."""
        from simulator.figures import Plots

        return Plots(self.results)

    def report(self, path: str | Path) -> Path:
        """Write the report, one HTML file that needs nothing else, and return its path."""
        from simulator.figures import figure_files
        from simulator.report import report_html

        target = Path(path)
        html = report_html(self.results, figure_files(self.results))
        try:
            target.write_text(html, encoding="utf-8")
        except OSError as error:
            raise _unwritable(target, error) from error
        return target

    def save(self, folder: str | Path | None = None, *, overwrite: bool = False) -> Path:
        """Write every file of the run into a folder, whole or not at all, and return it.

        Parameters
        ----------
        folder : path, optional
            Default ``runs/<name>-<key>``, which is named by what was run.
        overwrite : bool
            Replace the results of an earlier run.

        Raises
        ------
        InputError
            If the folder holds something already, or can't be written to.
        """
        from simulator.figures import figure_files
        from simulator.report import report_html
        from simulator.results import check_folder, run_folder, save

        results = self.results
        target = (
            Path(folder) if folder is not None else run_folder(results.scenario.name, results.key)
        )
        check_folder(target, overwrite=overwrite)  # before anything is drawn
        files = figure_files(results)
        files["report.html"] = report_html(results, files).encode()
        save(results, target, extra_files=files, overwrite=overwrite)
        return target

    def bill(
        self,
        *,
        grid: str | dict[str, Any] | None = None,
        marginal: str | dict[str, Any] | None = None,
        pue: float | dict[str, Any] | None = None,
        supply: dict[str, Any] | None = None,
        electricity_price: str | None = None,
        embodied: str | Mapping[str, str] | None = None,
        lifetime: str | Mapping[str, str] | None = None,
    ) -> "Run":
        """Return the same events under other terms; nothing is simulated again.

        A run read from a folder is billed from its tables; where they don't tell enough, its
        scenario is run again.

        Parameters
        ----------
        grid, marginal : str or dict, optional
            Average and marginal intensity of every site, as a scenario file says them: a name of
            the catalog, ``{"constant": "380 g/kWh"}`` or ``{"file": ..., "time": ...}``. Another
            grid without another marginal leaves the marginal figures absent.
        pue : float or dict, optional
            Facility energy over IT energy of every site, or a model as a scenario file says it,
            e.g. ``{"model": "load", "fixed": "120 kW", "proportional": 0.05}``.
        supply : dict, optional
            Generation, storage and contracts of every site, as a scenario file says them; an
            empty one takes away what there is.
        electricity_price : str, optional
            Of every site, e.g. ``"0.09 USD/kWh"``.
        embodied, lifetime : str or mapping of str to str, optional
            Of every node type in use, e.g. ``"1500 kg"`` and ``"6 y"``, or by node type:
            ``{"hgx-a100": "2500 kg"}``.

        Raises
        ------
        InputError
            If a value is refused, or the folder of the run is not what it wrote.
        """
        from simulator.terms import Terms

        terms = Terms(grid, marginal, pue, supply, electricity_price, embodied, lifetime)
        if self._simulated is not None:
            billed = self._simulated.billed(terms)
            return Run(billed.results, billed)
        if self._folder is None:
            from simulator.errors import InputError, Issue

            rule = "these results have neither events nor a folder; run their scenario again"
            raise InputError(self.results.scenario.name, [Issue("", rule)])
        from simulator.bills import bill_folder

        bill = bill_folder(self._folder, terms)
        return Run(bill.results, bill.simulated)

    def view(self, name: str, *, per: str | None = None) -> "pd.DataFrame":
        """Return the total of the run under other headings.

        Parameters
        ----------
        name : str
            ``phase``, ``life-cycle``, ``ghg-protocol``, ``component`` or ``sci``.
        per : str, optional
            Functional unit of ``sci``: ``gpu-hour``, which it is unless given, or ``job``.

        Returns
        -------
        DataFrame
            One row for each line: ``group``, ``item``, ``kgco2e``, whether it is ``counted``, and
            a ``note``. Those counted add up to ``total_kgco2e``. Its ``attrs`` hold that total,
            what is ``left_out``, the ``rate`` of ``sci``, and what is known ``beside`` carbon.

        Raises
        ------
        InputError
            If there is no such view, or no such functional unit.
        """
        from simulator.explanation.views import view_of

        return view_of(self.results, name, per).table()

    def mttf_by_gang(self) -> "pd.DataFrame":
        """Return the mean time to failure of jobs by their size: run time over interruptions.

        Returns
        -------
        DataFrame
            A row for each number of accelerators: nodes that it takes, jobs that ran, hours that
            they ran together, how often a failed node cut one short, and ``mttf_h``.

        Raises
        ------
        InputError
            If no node of the run can fail.
        """
        from simulator.analysis.reliability import mttf_by_gang

        return mttf_by_gang(self.results)

    def against(self, base: "Run", *, force: bool = False) -> "pd.DataFrame":
        """Return what makes the difference of this run's total carbon from that of another.

        Parameters
        ----------
        base : Run
        force : bool
            Compare also runs that stand on different bases.

        Returns
        -------
        DataFrame
            One row for each step, ``dynamic``, ``idle``, ``sleep``, ``transition``, ``overhead``
            and ``embodied``, with its carbon and energy in both runs. The column
            ``difference_kgco2e`` adds up to the difference of the two totals.

        Raises
        ------
        InputError
            With every reason not to compare the two, e.g. that they cover different time.
        """
        import pandas as pd

        from simulator.explanation.difference import steps_between

        if not force:
            _alike(base.results, self.results)
        steps = steps_between(base.results.summary, self.results.summary)
        table = pd.DataFrame([asdict(step) for step in steps])
        energies = [name for name in table.columns if name.endswith("_kwh")]
        return table.astype(dict.fromkeys(energies, "float64")).set_index("step")


def _alike(base: "Results", other: "Results") -> None:
    """Refuse two runs whose totals stand on different bases."""
    from simulator.errors import InputError, Issue
    from simulator.likeness import unlike

    if reasons := unlike(base, other, on=("average",)):
        source = f"{other.scenario.name} against {base.scenario.name}"
        raise InputError(source, [Issue("", f"{text}, or force=True") for text in reasons])


def _shown(
    progress: "bool | Progress | None", title: str
) -> "AbstractContextManager[Progress | None]":
    if progress is True:
        from simulator.progress import bar

        return bar(title)
    return nullcontext(progress if callable(progress) else None)


def _unwritable(path: Path, error: OSError) -> Exception:
    from simulator.errors import InputError, Issue

    words = (error.strerror or str(error)).lower()
    return InputError(str(path), [Issue("", f"can't be written ({words}); name another file")])
