"""The Python face of many runs: sweep a design, compare sides, search for the best points."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.api import Run, load, open_run

if TYPE_CHECKING:
    from simulator.comparison.comparison import Comparison
    from simulator.optimisation.outcome import Optimisation
    from simulator.progress import SweepProgress
    from simulator.scenario import Scenario
    from simulator.sweeps.study import Study


def sweep(
    scenario: "Scenario | str | Path",
    axes: Mapping[str, Any] | None = None,
    *,
    seeds: int | Sequence[int] | None = None,
    folder: str | Path | None = None,
    jobs: int | None = None,
    backend: str = "auto",
    address: str | None = None,
    retry_failed: bool = False,
    point_timeout_s: float | None = None,
    progress: "bool | SweepProgress | None" = False,
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
    jobs : int, optional
        Processes of this machine; 1 runs in this very process.
    backend, address : str, optional
        ``"dask"`` or ``"ray"``, and where their cluster is.
    retry_failed : bool
        Whether runs that failed before are tried again.
    point_timeout_s : float, optional
        Limit for one run; needs processes of their own. [s]
    progress : bool or callable
        True shows a bar on stderr; a callable is told how many runs are finished.
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
    from simulator.errors import InputError, Issue
    from simulator.plans.plan import plan_of
    from simulator.scenario import Draft, Scenario, read_study
    from simulator.sweeps.carrying import sweep as carry
    from simulator.sweeps.session import Options
    from simulator.sweeps.study import Study

    table: dict[str, Any] = {}
    base: Scenario | Draft | object = scenario
    if isinstance(scenario, str | Path):
        path = bundled.file_or_name(Path(scenario), of_sweep=axes is None)
        if axes is None:
            base, table = read_study(path, "sweep", yes=yes)
        else:
            base = load(path, yes=yes)
    if not isinstance(base, Scenario | Draft):
        raise InputError("sweep", [Issue("", f"a {type(scenario).__name__} is no scenario")])
    said = {} if seeds is None else {"seeds": seeds}
    plan = plan_of(base, {**table, **(axes or {}), **options, **said}, yes=yes)
    chosen = Options(
        jobs=1 if jobs is None else jobs,
        jobs_said=jobs is not None,
        backend=backend,
        address=address,
        retry_failed=retry_failed,
        point_timeout_s=point_timeout_s,
    )
    target = None if folder is None else Path(folder)
    with _shown(progress, plan.base.name) as show:
        carried = carry(plan, target, chosen, show=show, tell=_say)
    assert carried.table is not None  # no shard was asked for
    return Study(plan, carried.table, target, carried.standing.cached)


def compare(
    sides: "Mapping[str, Scenario | Run | str | Path]",
    *,
    seeds: int | Sequence[int] | None = None,
    force: bool = False,
    jobs: int | None = 1,
    progress: "bool | SweepProgress | None" = False,
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
    jobs : int, optional
        Processes of this machine; 1 runs in this very process, None takes all cores.
    progress : bool or callable
        True shows a bar on stderr; a callable is told how many runs are finished.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    from simulator.comparison import comparison
    from simulator.errors import InputError, Issue
    from simulator.sweeps.session import Options

    comparison.check_sides(sides)
    opened = {name: _opened(name, side) for name, side in sides.items()}
    done = {name: side.results for name, side in opened.items() if isinstance(side, Run)}
    if not done:
        chosen = comparison.SEEDS if seeds is None else seeds
        scenarios = {name: side for name, side in opened.items() if not isinstance(side, Run)}
        with _shown(progress, "compare") as show:
            return comparison.compare(
                scenarios, seeds=chosen, force=force, options=Options(jobs=jobs), show=show
            )
    rule = "is a scenario, and the others are finished runs; name only runs, or only scenarios"
    issues = [Issue(name, rule) for name in opened if name not in done]
    if seeds is not None:
        issues.append(Issue("seeds", "finished runs have their seed; leave it out"))
    if issues:
        raise InputError("compare", issues)
    return comparison.compare_results(done, force=force)


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
    folder: str | Path | None = None,
    jobs: int = 1,
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
    folder : path, optional
        Where runs are kept; called again, the search goes on where it stopped. Nothing is written
        without one.
    jobs : int
        Processes of this machine; 1 runs in this very process.
    progress : callable, optional
        Told of trials done and trials in all.

    Raises
    ------
    InputError
        With every problem of what was asked; if Optuna is not installed.
    """
    from simulator.optimisation.evaluation import Evaluation
    from simulator.optimisation.optimise import optimise
    from simulator.optimisation.search import search_of
    from simulator.sweeps.session import Options

    if isinstance(scenario, str | Path):
        scenario = load(scenario)
    table = {
        **axes,
        "objectives": objectives,
        "constraints": constraints if isinstance(constraints, str) else list(constraints),
        "where": where if isinstance(where, str) else list(where),
        "trials": trials,
        "seeds": seeds,
        "sampler": sampler,
        "batch": batch,
    }
    search = search_of(scenario, table)
    target = None if folder is None else Path(folder)
    with Evaluation(search, target, Options(jobs=jobs), tell=_say) as evaluate:
        return optimise(search, evaluate, progress)


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


def _shown(
    progress: "bool | SweepProgress | None", title: str
) -> AbstractContextManager["SweepProgress | None"]:
    if progress is True:
        from simulator.progress import sweep_bar

        return sweep_bar(title)
    return nullcontext(progress if callable(progress) else None)


def _say(line: str) -> None:
    """Tell what is not as expected."""
    warnings.warn(line, stacklevel=3)
