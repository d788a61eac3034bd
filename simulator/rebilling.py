"""The bill of a finished run under other terms, from its tables alone: nothing is simulated.

IT energy by interval and cluster, and what each job drew from start to end, do not depend on who
pays for it. Where no edge of a signal lies within a reporting interval, and every job that is
billed by a signal that varies drew the same power from start to end, the tables tell as much as the
events do. Where they don't, that is said, and nothing is billed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.accounting.bins import Period
from simulator.accounting.carbon import carbon_figures, embodied_kg, kinds_kg, ratios
from simulator.accounting.drawn import Drawn, drawn_of
from simulator.accounting.facility import facility_kwh, site_means
from simulator.accounting.intervals import intervals_of
from simulator.accounting.job_bills import JobBills, JobSignals, job_bills, job_signals
from simulator.accounting.ledger import costs, peaks
from simulator.accounting.signals import Signals, means_of, signals_of
from simulator.assumptions import Assumption, assumptions_of_sites, basis_of, rows_of_jobs
from simulator.errors import InputError, Issue
from simulator.fleet import Fleet, fleet_of
from simulator.power.facility import Facility, facility_of
from simulator.results import Results
from simulator.scenario.model import Scenario, Site
from simulator.scenario.prices import currency_of
from simulator.scenario.spreading import spreading_of
from simulator.tables import Tables, numbers_of, summary_of, table_of
from simulator.terms import Terms
from simulator.traces.grid import GridTrace
from simulator.traces.sites import all_traces, edges_of, open_grids, open_weathers
from simulator.traces.trace import Trace
from simulator.units import G_PER_KG, MS_PER_S, exact_quantity

CUT_SHORT: Final = {
    "restarts": "was cut short by a failed node",
    "preemptions": "was preempted",
    "shared_share": "shared its accelerator",
}
"""Columns of what may change a job's power while it runs, and what it means."""


class TablesDoNotTellError(ValueError):
    """The tables of a run don't hold what a bill takes; says what, in words."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A scenario under other terms, with its traces."""

    scenario: Scenario
    average: tuple[GridTrace, ...]
    marginal: tuple[GridTrace | None, ...]
    weather: tuple[Trace | None, ...]

    @property
    def traces(self) -> tuple[Trace, ...]:
        return all_traces(self.average, self.marginal, self.weather)


@dataclass(frozen=True, slots=True)
class _Billed:
    """What a run costs under other terms, by bin and cluster, and by job."""

    drawn: Drawn
    fleet: Fleet
    signals: Signals
    facility: Facility
    facility_kwh: NDArray[np.float64]
    operational_kg: NDArray[np.float64]
    marginal_kg: NDArray[np.float64]
    jobs: JobBills


def rebilled(results: Results, terms: Terms) -> Results:
    """Return the results of a run under other terms, from its tables.

    Parameters
    ----------
    results : Results
        Of a run that says what its key is made of.
    terms : Terms

    Raises
    ------
    InputError
        If the terms are refused, or a file of the run has changed that is still billed by.
    TablesDoNotTellError
        If the tables don't hold what this bill takes.
    """
    scenario = terms.of(results.scenario, check_files=False)
    _check_rules(scenario)
    opened = _opened(results, scenario)
    fleet = fleet_of(opened.scenario)
    _check_edges(opened)
    try:
        drawn = drawn_of(results, fleet)
    except ValueError as error:
        raise TablesDoNotTellError(str(error)) from error
    _check_runs(results.tables["jobs"], drawn)
    billed = _billed(opened, fleet, drawn)
    return _results(results, opened, billed)


def _opened(results: Results, scenario: Scenario) -> _Opened:
    """Open the grids and the weather of a scenario; files that the run read must be the same."""
    issues: list[Issue] = []
    average, marginal = open_grids(scenario, issues)
    weather = open_weathers(scenario, issues)
    if issues:
        raise InputError("bill", issues)
    opened = _Opened(scenario, tuple(average), tuple(marginal), weather)
    known = {sha256 for _, sha256 in results.inputs}
    kept = set(_sources(results.scenario)) & set(_sources(scenario))
    changed = [
        Issue(trace.path, f"{trace.file} is not what the run read; name its grid anew")
        for trace in opened.traces
        if trace.path in {path for path, _ in kept}
        and trace.file_sha256 is not None
        and trace.file_sha256 not in known
    ]
    if changed:
        raise InputError("bill", changed)
    return opened


def _sources(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every source of a trace."""
    for name, site in scenario.sites.items():
        for key, source in _of_site(site):
            yield f"sites.{name}.{key}", str(source)


def _of_site(site: Site) -> Iterator[tuple[str, Any]]:
    yield "grid.average", site.grid.average
    yield "grid.marginal", site.grid.marginal
    yield "weather", site.weather


def _check_rules(scenario: Scenario) -> None:
    """Refuse what depends on more than energy by interval and jobs by their run."""
    for name, site in scenario.sites.items():
        if site.supply is not None:
            raise TablesDoNotTellError(f"sites.{name}.supply is set against the load by the hour")
    if spreading_of(scenario) is not None:
        raise TablesDoNotTellError("embodied carbon is more than that of nodes in a straight line")


def _check_edges(opened: _Opened) -> None:
    """Refuse signals with edges within a reporting interval, whose energy is then not known."""
    interval_ms = opened.scenario.accounting.interval_ms
    for path, grain_ms in edges_of(opened.scenario, opened.traces):
        if grain_ms % interval_ms:
            interval = exact_quantity(interval_ms, "time")
            raise TablesDoNotTellError(f"{path} changes within a reporting interval of {interval}")


def _check_runs(table: pa.Table, drawn: Drawn) -> None:
    """Refuse jobs that did not run in one piece."""
    for name, what in CUT_SHORT.items():
        if name in table.column_names:
            hit = np.nan_to_num(numbers_of(table[name])) > 0.0
            if hit.any():
                raise TablesDoNotTellError(f"job {_first(table, hit)} {what}")
    if "run_s" in table.column_names:
        run_ms = np.rint(numbers_of(table["run_s"]) * MS_PER_S)
        gap = run_ms != drawn.jobs.last_ms - drawn.jobs.first_ms
        if gap.any():
            raise TablesDoNotTellError(f"job {_first(table, gap)} did not run in one piece")


def _first(table: pa.Table, hit: NDArray[np.bool_]) -> str:
    return str(table["job_id"][int(np.argmax(hit))].as_py())


def _check_curves(scenario: Scenario, drawn: Drawn, fleet: Fleet, signals: JobSignals) -> None:
    """Refuse jobs that share a node whose load curve bends, where their signal varies."""
    bent = np.array([_bends(scenario, name) for name in fleet.cluster_names])
    varies = bent & signals.vary(drawn.period)[fleet.site]
    jobs = drawn.jobs
    parted = (jobs.gpus % fleet.accelerators[jobs.cluster]) > 0
    if (jobs.ran & parted & varies[jobs.cluster]).any():
        name = fleet.cluster_names[int(np.argmax(varies))]
        raise TablesDoNotTellError(f"jobs share nodes whose load curve bends, on {name}")


def _bends(scenario: Scenario, name: str) -> bool:
    cluster = scenario.clusters[name]
    node = scenario.nodes[cluster.node]
    return (node.level(cluster.power_level).load_curve or node.load_curve) != "linear"


def _billed(opened: _Opened, fleet: Fleet, drawn: Drawn) -> _Billed:
    period, grid = drawn.period, drawn.period.grid
    signals = signals_of(opened.average, opened.marginal, period)
    facility = facility_of(
        list(opened.scenario.sites.values()),
        opened.weather,
        first_ms=grid.first_epoch_ms,
        bin_ms=grid.bin_ms,
        count=grid.count(period.end_ms),
    )
    by_job = job_signals(drawn, fleet, signals, facility)
    _check_curves(opened.scenario, drawn, fleet, by_job)
    drawn_kwh = facility_kwh(fleet, period, drawn.it_kwh, facility)
    return _Billed(
        drawn=drawn,
        fleet=fleet,
        signals=signals,
        facility=facility,
        facility_kwh=drawn_kwh,
        operational_kg=drawn_kwh * signals.average[fleet.site].T / G_PER_KG,
        marginal_kg=drawn_kwh * signals.marginal[fleet.site].T / G_PER_KG,
        jobs=job_bills(drawn, fleet, by_job),
    )


def _results(results: Results, opened: _Opened, billed: _Billed) -> Results:
    scenario, traces = opened.scenario, opened.traces
    assert results.origin is not None
    key = results.origin.key(scenario, (trace.sha256 for trace in traces))
    return Results(
        scenario=scenario,
        seed=results.seed,
        key=key,
        summary=summary_of(results.summary | {"key": key} | _summary(results, opened, billed)),
        tables=Tables(
            {
                "jobs": partial(_jobs, results, billed.jobs),
                "hourly": partial(_hourly, results, billed),
                "nodes": partial(results.tables.__getitem__, "nodes"),
            }
        ),
        basis=basis_of(opened.average, opened.marginal, currency_of(scenario)),
        assumptions=_assumptions(results, opened, billed),
        warnings=_warnings(results, opened),
        inputs=_inputs(results, traces),
        origin=results.origin,
        billed_from=results.billed_from or results.key,
    )


def _summary(results: Results, opened: _Opened, billed: _Billed) -> dict[str, Any]:
    """Return the figures that depend on the terms."""
    drawn, fleet, jobs = billed.drawn, billed.fleet, billed.jobs
    operational_kg = float(billed.operational_kg.sum())
    made_kg = float(embodied_kg(fleet, drawn.owned_ms).sum())
    drawn_kwh = float(billed.facility_kwh.sum())
    by_kind_kg = kinds_kg(
        drawn.by_kind_kwh,
        billed.facility_kwh - drawn.it_kwh,
        billed.signals.average[fleet.site].T / G_PER_KG,
    )
    scenario = opened.scenario
    return {
        "energy_facility_kwh": drawn_kwh,
        **carbon_figures(
            operational_kg,
            float(billed.marginal_kg.sum()),
            made_kg,
            float(jobs.operational_kg.sum() + jobs.embodied_kg.sum()),
            by_kind_kg,
        ),
        **ratios(
            results.summary["energy_it_kwh"],
            drawn_kwh,
            operational_kg + made_kg,
            results.summary,
            results.summary["goodput"],
        ),
        **peaks(drawn.period, drawn.period.grid.bin_ms, billed.facility_kwh, drawn.it_kwh),
        **costs(scenario, fleet, billed.facility_kwh.sum(axis=0), drawn.owned_ms),
    }


def _jobs(results: Results, bills: JobBills) -> pa.Table:
    table = results.tables["jobs"]
    columns = dict(zip(table.column_names, table.columns, strict=True))
    columns |= {
        "operational_kgco2e": bills.operational_kg,
        "marginal_kgco2e": bills.marginal_kg,
        "embodied_kgco2e": bills.embodied_kg,
        "energy_facility_kwh": bills.facility_kwh,
    }
    return table_of("jobs", columns)


def _hourly(results: Results, billed: _Billed) -> pa.Table:
    table = results.tables["hourly"]
    period, site = billed.drawn.period, billed.fleet.site
    columns = dict(zip(table.column_names, table.columns, strict=True))
    columns |= {
        "energy_facility_kwh": _rows(billed.facility_kwh, period),
        "operational_kgco2e": _rows(billed.operational_kg, period),
        "marginal_kgco2e": _rows(billed.marginal_kg, period),
        "intensity_average_g_per_kwh": _rows(billed.signals.average[site].T, period),
        "intensity_marginal_g_per_kwh": _rows(billed.signals.marginal[site].T, period),
    }
    return table_of("hourly", columns)


def _rows(by_bin: NDArray[np.float64], period: Period) -> NDArray[np.float64]:
    """Return values by bin and cluster as rows of the hourly table."""
    rows: NDArray[np.float64] = by_bin[intervals_of(period, period.grid.bin_ms).used].ravel()
    return rows


def _assumptions(results: Results, opened: _Opened, billed: _Billed) -> tuple[Assumption, ...]:
    drawn, period = billed.drawn, billed.drawn.period
    means = site_means(billed.fleet, period, drawn.it_kwh, billed.facility_kwh, billed.facility)
    own = assumptions_of_sites(
        opened.scenario,
        means_of(opened.average, opened.marginal, period, billed.signals),
        zip(opened.weather, means, strict=True),
    )
    told = (row for row in results.assumptions if row[4].startswith("policy "))
    return (*told, *own, *rows_of_jobs(results.assumptions))


def _warnings(results: Results, opened: _Opened) -> tuple[str, ...]:
    """Return what was warned of, of traces and the scenario under these terms."""
    sites = tuple(f"{path}: " for path, _ in _sources(results.scenario))
    former = set(results.scenario.warnings)
    kept = [said for said in results.warnings if said not in former and not said.startswith(sites)]
    of_traces = [said for trace in opened.traces for said in trace.warnings]
    return tuple(dict.fromkeys([*opened.scenario.warnings, *kept, *of_traces]))


def _inputs(results: Results, traces: Sequence[Trace]) -> tuple[tuple[str, str], ...]:
    """Return the files behind the bill: those of the run but its traces, and the new traces."""
    former = {
        PurePath(text).name
        for site in results.scenario.sites.values()
        for _, source in _of_site(site)
        if (text := getattr(source, "text", None)) is not None
    }
    kept = [row for row in results.inputs if PurePath(row[0]).name not in former]
    own = [(trace.file, trace.file_sha256) for trace in traces if trace.file and trace.file_sha256]
    return tuple(dict.fromkeys([*kept, *own]))
