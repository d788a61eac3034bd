"""The Python face: load a scenario, run it, look at what came out.

>>> import simulator as fs
>>> run = fs.run("my.toml", seed=7)  # doctest: +SKIP
>>> run.summary["total_kgco2e"]  # doctest: +SKIP
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    from simulator.sweeps.comparison import Comparison
    from simulator.sweeps.optimisation import Optimisation
    from simulator.sweeps.optimise import Evaluate
    from simulator.sweeps.study import Study
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


def sweep(
    scenario: "Scenario | str | Path",
    axes: "Mapping[str, Any] | None" = None,
    *,
    seeds: "int | Sequence[int] | None" = None,
    folder: str | Path | None = None,
    jobs: int = 1,
    backend: str = "auto",
    address: str | None = None,
    retry_failed: bool = False,
    point_timeout_s: float | None = None,
    progress: bool = False,
    yes: bool = False,
    **options: Any,
) -> "Study":
    """Run a scenario at every point of a design, each with the same seeds.

    Parameters
    ----------
    scenario : Scenario or path
        A path may also be that of a sweep file, whose axes then need not be said again.
    axes : mapping, optional
        Values to try by dotted path: ``{"clusters.train.count": [96, 112, 128]}``.
    seeds : int or sequence of int, optional
        How many replications, the first with the scenario's own seed, or which. Default 1.
    folder : path, optional
        Where the sweep is kept; called again, it goes on where it stopped. Nothing is written
        without one.
    jobs : int
        Processes of this machine; 1 runs in this very process.
    backend, address : str, optional
        ``"dask"`` or ``"ray"``, and where their cluster is.
    retry_failed : bool
        Whether runs that failed before are tried again.
    point_timeout_s : float, optional
        Limit for one run; needs processes of their own. [s]
    progress : bool
        Whether to show a bar on stderr.
    yes : bool
        Whether more than a million runs are meant.
    **options
        What else a file says in its table ``[sweep]``: ``design``, ``samples``, ``constraints``,
        ``keep``, ``sample_seed``.

    Returns
    -------
    Study
        Its runs and points as pandas. Runs that failed are rows too.

    Raises
    ------
    InputError
        With every problem of the scenario, the axes and the folder.
    """
    from simulator import bundled
    from simulator.progress import sweep_bar
    from simulator.scenario.load import load_study
    from simulator.sweeps.carrying import sweep as carry
    from simulator.sweeps.plan import plan_of
    from simulator.sweeps.session import Options
    from simulator.sweeps.study import Study

    table: dict[str, Any] = {}
    if isinstance(scenario, str | Path):
        path = bundled.file_or_name(Path(scenario), of_sweep=axes is None)
        scenario, table = load_study(path, "sweep") if axes is None else (load(path), {})
    said = {} if seeds is None else {"seeds": seeds if isinstance(seeds, int) else list(seeds)}
    plan = plan_of(scenario, {**table, **(axes or {}), **options, **said}, yes=yes)
    chosen = Options(
        jobs=jobs,
        backend=backend,
        address=address,
        retry_failed=retry_failed,
        point_timeout_s=point_timeout_s,
    )
    target = None if folder is None else Path(folder)
    with sweep_bar(scenario.name) if progress else nullcontext() as show:
        carried = carry(plan, target, chosen, show=show, tell=_say)
    assert carried.table is not None  # no shard was asked for
    return Study(plan, carried.table, target)


def compare(
    sides: "Mapping[str, Scenario | Run | str | Path]",
    *,
    seeds: int | Sequence[int] | None = None,
    force: bool = False,
    progress: "bool | Progress | None" = False,
) -> "Comparison":
    """Set scenarios, or finished runs, against the first of them, paired by seed.

    Parameters
    ----------
    sides : mapping of str to Scenario, path or Run
        By name; the first is the base. Scenarios are run with the same seeds on every side.
        Finished runs are compared as they are, without an interval, as their seed is one.
    seeds : int or sequence of int, optional
        So many from the first scenario's seed on, or the seeds themselves; 20 unless given.
    force : bool
        Compare also what is unlike: spans of time, kinds of signals, rules of accounting.
    progress : bool or callable
        As in `run`; the days are those of all runs together.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    from simulator.errors import InputError, Issue
    from simulator.sweeps import comparison

    comparison.check_sides(sides)
    opened = {name: _opened(name, side) for name, side in sides.items()}
    done = {name: side.results for name, side in opened.items() if isinstance(side, Run)}
    if not done:
        chosen = comparison.SEEDS if seeds is None else seeds
        with _shown(progress, "compare") as show:
            scenarios = {name: side for name, side in opened.items() if not isinstance(side, Run)}
            return comparison.compare(scenarios, seeds=chosen, force=force, progress=show)
    rule = "is a scenario, and the others are finished runs; name only runs, or only scenarios"
    issues = [Issue(name, rule) for name in opened if name not in done]
    if seeds is not None:
        issues.append(Issue("seeds", "finished runs have their seed; leave it out"))
    if issues:
        raise InputError("compare", issues)
    return comparison.compare_results(done, force=force)


def _opened(name: str, side: object) -> "Scenario | Run":
    """Return a side of a comparison: what a path leads to, a scenario or a finished run."""
    from simulator.errors import InputError, Issue
    from simulator.scenario import Scenario

    if isinstance(side, str | Path):
        return open_run(side) if (Path(side) / "manifest.json").is_file() else load(side)
    if not isinstance(side, Scenario | Run):
        rule = "is neither a scenario, a file nor a run; load it with fs.load"
        raise InputError("compare", [Issue(name, f"a value of type {type(side).__name__} {rule}")])
    return side


def optimize(
    scenario: "Scenario | str | Path",
    axes: Mapping[str, Any],
    *,
    objectives: Mapping[str, str],
    constraints: Sequence[str] = (),
    where: Sequence[str] = (),
    trials: int = 100,
    seeds: int | Sequence[int] = 1,
    sampler: str = "tpe",
    batch: int = 8,
    evaluate: "Evaluate | None" = None,
    progress: Callable[[int, int], None] | None = None,
) -> "Optimisation":
    """Search for the points of a scenario that are best.

    The same scenario, axes and settings give the same trials.

    Parameters
    ----------
    scenario : Scenario or path
        What every point starts from.
    axes : mapping
        By dotted path a list to choose from, or a range such as
        ``{"low": 64, "high": 160, "step": 8}`` or ``{"low": "5 min", "high": "2 h", "log": True}``.
    objectives : mapping of str to str
        Keys of the summary, each ``"minimise"`` or ``"maximise"``.
    constraints : sequence of str
        What results must keep: ``"wait_p99_h <= 2"``.
    where : sequence of str
        What axes must fulfil, or a point is not run:
        ``"clusters.a.count + clusters.b.count <= 256"``.
    trials : int
        Points to run, each a different one.
    seeds : int or sequence of int
        Replications of each point, or their seeds; results are means over them.
    sampler : str
        ``tpe``, ``nsga2`` or ``random``.
    batch : int
        Points that are proposed together.
    evaluate : callable, optional
        Runs points; by default one after the other in this process.
    progress : callable, optional
        Told of trials done and trials in all.

    Raises
    ------
    InputError
        With every problem of what was asked; if Optuna is not installed.
    """
    from simulator.sweeps.optimise import optimise
    from simulator.sweeps.search import search_of

    if isinstance(scenario, str | Path):
        scenario = load(scenario)
    table = {
        **axes,
        "objectives": dict(objectives),
        "constraints": constraints if isinstance(constraints, str) else list(constraints),
        "where": where if isinstance(where, str) else list(where),
        "trials": trials,
        "seeds": seeds,
        "sampler": sampler,
        "batch": batch,
    }
    return optimise(search_of(scenario, table), evaluate, progress)


def open_run(folder: str | Path) -> "Run":
    """Return the run whose results lie in a folder.

    Raises
    ------
    InputError
        If the folder holds no results, or those of another version.
    """
    from simulator.results import load_results

    return Run(load_results(folder))


class Run:
    """What a run returned: its summary, its tables as pandas, its figures and its report.

    Parameters
    ----------
    results : Results
        Tables and summary; nothing in them is computed again.
    simulated : Simulated, optional
        What happened, for billing it again; absent for a run read from a folder.
    """

    __slots__ = ("_simulated", "results")

    def __init__(self, results: "Results", simulated: "Simulated | None" = None) -> None:
        self.results = results
        self._simulated = simulated

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
        from simulator.results import run_folder, save

        results = self.results
        target = (
            Path(folder) if folder is not None else run_folder(results.scenario.name, results.key)
        )
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
    ) -> "Run":
        """Return the same events under other accounting; nothing is simulated again.

        Parameters
        ----------
        grid, marginal : str or dict, optional
            Average and marginal intensity of every site, as a scenario file says them: a name of
            the catalog, ``{"constant": "380 g/kWh"}`` or ``{"file": ..., "time": ...}``.
        pue : float or dict, optional
            Facility energy over IT energy of every site, or a model as a scenario file says it,
            e.g. ``{"model": "load", "fixed": "120 kW", "proportional": 0.05}``.

        Raises
        ------
        InputError
            If a value is refused, or the run was read from a folder, where its events are not.
        """
        if self._simulated is None:
            from simulator.errors import InputError, Issue

            rule = (
                "results read from a folder hold no events to bill; run their scenario.toml again"
            )
            raise InputError(self.results.scenario.name, [Issue("", rule)])
        billed = self._simulated.bill(average=grid, marginal=marginal, pue=pue)
        return Run(billed.results, billed)

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


def _say(line: str) -> None:
    import warnings

    warnings.warn(line, stacklevel=3)


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
