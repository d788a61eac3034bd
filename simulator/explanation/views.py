"""One total of carbon under several headings: phases, stages, scopes, components, a rate.

Every view holds the lines that add up to ``total_kgco2e`` of the run, and says what its standard
leaves out, or would count in another way.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.explanation.making import built_of, nodes_kg, written_off_kg
from simulator.figures.series import codes
from simulator.results import Results
from simulator.scenario.embodied import parts_of
from simulator.scenario.spreading import BY_USE, WRITTEN_OFF
from simulator.scenario.workloads import PHASES
from simulator.units import G_PER_KG

if TYPE_CHECKING:
    import pandas as pd

VIEWS: Final = ("phase", "life-cycle", "ghg-protocol", "component", "sci")

UNITS: Final = {"gpu-hour": "gpu_hours_delivered", "job": "jobs_finished"}
"""Functional units, and the keys of the summary that count them."""

TOLERANCE: Final = 1e-9
"""Largest relative difference between the sum of a view and the total of its run."""

NOT_STATED: Final = "not stated"
NO_JOB: Final = "no job"

_USE: Final = ("dynamic", "idle", "sleep", "transition", "overhead")
_NOT_HERE: Final = "not in the scenario"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a view.

    Attributes
    ----------
    group, item : str
        Its heading, and what it is of.
    kgco2e : float or None
        None where it is not known.
    counted : bool
        Whether it is part of the total; others stand beside it.
    note : str
    """

    group: str
    item: str
    kgco2e: float | None
    counted: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One total under one kind of headings.

    Attributes
    ----------
    name : str
        One of `VIEWS`.
    lines : tuple of Line
        Those that are counted add up to the total.
    total_kgco2e : float
    left_out : tuple of str
        What the standard behind the view leaves out, or counts in another way.
    rate : dict
        Of ``sci``: its factors, the functional unit and the rate.
    beside : dict of str to float
        Water, cost and marginal carbon of the run, where they are known.
    """

    name: str
    lines: tuple[Line, ...]
    total_kgco2e: float
    left_out: tuple[str, ...] = ()
    rate: dict[str, Any] = field(default_factory=dict)
    beside: dict[str, float] = field(default_factory=dict)

    def table(self) -> "pd.DataFrame":
        """Return one row for each line; ``attrs`` hold the rest."""
        import pandas as pd

        table = pd.DataFrame([asdict(line) for line in self.lines])
        table = table.astype({"kgco2e": "float64"})
        table.attrs |= {
            "total_kgco2e": self.total_kgco2e,
            "left_out": list(self.left_out),
            "rate": dict(self.rate),
            "beside": dict(self.beside),
        }
        return table


def view_of(results: Results, name: str, per: str | None = None) -> View:
    """Return a view of the total of a run.

    Parameters
    ----------
    results : Results
    name : str
        One of `VIEWS`.
    per : str, optional
        The functional unit of ``sci``, one of `UNITS`; ``gpu-hour`` unless given.

    Raises
    ------
    InputError
        If there is no such view, or no such functional unit of it.
    ArithmeticError
        If its lines do not add up to the total: a fault of this program, never of the input.
    """
    issues = list(_refusals(name, per))
    if issues:
        raise InputError(results.scenario.name, issues)
    lines, left_out = _MAKERS[name](results)
    total_kg = float(results.summary["total_kgco2e"])
    sum_kg = sum(line.kgco2e or 0.0 for line in lines if line.counted)
    if abs(sum_kg - total_kg) > TOLERANCE * max(abs(total_kg), abs(sum_kg)):
        raise ArithmeticError(f"the view {name!r} adds up to {sum_kg!r} kg, not {total_kg!r}")
    rate = _rate(results, per or "gpu-hour") if name == "sci" else {}
    return View(name, tuple(lines), total_kg, tuple(left_out), rate, _beside(results))


def _refusals(name: str, per: str | None) -> Iterator[Issue]:
    if name not in VIEWS:
        near = nearest(name, VIEWS)
        meant = f'did you mean "{near}"? ' if near else ""
        yield Issue("view", f"{shown(name)} is not a view; {meant}known are {listing(VIEWS)}")
    elif per is not None and name != "sci":
        yield Issue("per", f'is of the view "sci", not of {shown(name)}; leave it out')
    if per is not None and per not in UNITS:
        yield Issue("per", f"{shown(per)} is not a functional unit; write one of {listing(UNITS)}")


def _phase(results: Results) -> tuple[list[Line], list[str]]:
    """By the phase that each workload says it belongs to; what no job bears is of none."""
    jobs, summary = results.tables["jobs"], results.summary
    code, known = codes(results, "jobs", "workload")
    sums = {}
    for kind in ("operational", "embodied"):
        kg = jobs[f"{kind}_kgco2e"].to_numpy()
        sums[kind] = dict(zip(known, np.bincount(code, kg, len(known)).tolist(), strict=False))
    workloads = results.scenario.workloads
    lines = []
    for phase in (*PHASES, None):
        names = [name for name, each in workloads.items() if each.phase == phase]
        if not names:
            continue
        note = "" if phase else listing(names)
        for kind, by_name in sums.items():
            kg = sum(by_name.get(name, 0.0) for name in names)
            lines.append(Line(phase or NOT_STATED, kind, kg, note=note))
    all_kg = {
        "operational": summary["scope2_location_kgco2e"],
        "embodied": _made_kg(results),
    }
    for kind, by_name in sums.items():
        rest_kg = all_kg[kind] - sum(by_name.values())
        lines.append(Line(NO_JOB, kind, rest_kg, note="what no job held"))
    return lines, []


def _life_cycle(results: Results) -> tuple[list[Line], list[str]]:
    """By stages: making, building, use; transport and end of life are in no figure."""
    made = [Line("making", f"nodes of {name}", kg) for name, kg in nodes_kg(results).items()]
    left = [
        Line("making", f"nodes of {name}, written off", kg)
        for name, kg in written_off_kg(results).items()
        if kg
    ]
    use = [
        Line("use", kind, float(results.summary[f"{kind}_kgco2e"]), note="location-based")
        for kind in _USE
    ]
    beyond = [
        Line("transport", "to the site", None, False, _NOT_HERE),
        Line("end of life", "disposal and recycling", None, False, _NOT_HERE),
    ]
    rule = "transport and end of life: embodied figures are cradle to gate"
    return [
        *made,
        *left,
        *_buildings(results, "building"),
        *_supply(results, "building"),
        *use,
        *beyond,
    ], [rule]


def _ghg_protocol(results: Results) -> tuple[list[Line], list[str]]:
    """By the scopes of the GHG Protocol, as an operator that owns nodes and buildings."""
    summary = results.summary
    factors = results.basis.get("average_factors", "")
    upstream = _NOT_HERE
    if "life-cycle" in factors:
        upstream = "within scope 2 here: its factors are life-cycle ones"
    capital = "scope 3, category 2"
    lines = [
        Line("scope 1", "fuel burnt on site", None, False, _NOT_HERE),
        Line("scope 2", "electricity, location-based", summary["scope2_location_kgco2e"]),
        Line(
            "scope 2",
            "electricity, market-based",
            summary["scope2_market_kgco2e"],
            False,
            "beside the location-based figure, never added to it",
        ),
        *(Line(capital, f"nodes of {name}", kg) for name, kg in nodes_kg(results).items()),
        *(
            Line(capital, f"nodes of {name}, written off", kg)
            for name, kg in written_off_kg(results).items()
            if kg
        ),
        *_buildings(results, capital),
        *_supply(results, capital),
        Line("scope 3, category 3", "fuel and energy upstream", None, False, upstream),
    ]
    in_full = (
        "category 2 is spread over lifetimes here; the standard counts capital goods in full in "
        "the year they are bought"
    )
    rules = [in_full, "market-based scope 2 stands beside the total, which is location-based"]
    if "life-cycle" in factors:
        rules.append("scope 2 of the standard takes direct factors, and upstream into category 3")
    return lines, rules


def _component(results: Results) -> tuple[list[Line], list[str]]:
    """By component: parts of nodes where they are said, nodes as a whole, buildings, electricity.

    What is written off is with the parts that it is of.
    """
    scenario = results.scenario
    left_kg = written_off_kg(results)
    by_part: dict[tuple[str, str], float] = {}
    for name, used_kg in nodes_kg(results).items():
        node_type = scenario.clusters[name].node
        node_kg = scenario.nodes[node_type].embodied_kg
        kg = used_kg + left_kg.get(name, 0.0)
        parts = parts_of(node_kg)
        shares = {("making of nodes", each.part): 0.0 for each in parts}
        for each in parts:
            shares["making of nodes", each.part] += each.total_kg / node_kg if node_kg else 0.0
        if not parts:
            shares = {("making of nodes", f"{node_type}, as a whole"): 1.0}
        for key, share in shares.items():
            by_part[key] = by_part.get(key, 0.0) + share * kg
    lines = [Line(group, item, kg) for (group, item), kg in by_part.items()]
    lines += _buildings(results, "building of sites")
    lines += _supply(results, "building of sites")
    it_kg = sum(float(results.summary[f"{kind}_kgco2e"]) for kind in _USE[:-1])
    lines.append(Line("use", "electricity of nodes", it_kg, note="location-based"))
    overhead_kg = float(results.summary["overhead_kgco2e"])
    lines.append(Line("use", "electricity of buildings", overhead_kg, note="location-based"))
    return lines, ["transport and end of life: embodied figures are cradle to gate"]


def _sci(results: Results) -> tuple[list[Line], list[str]]:
    """By the terms of ISO/IEC 21031: operational E x I and embodied M."""
    summary = results.summary
    basis = results.basis.get("average", "average intensity")
    lines = [
        Line("E x I", "operational", summary["scope2_location_kgco2e"], note=basis),
        Line("M", "embodied", _made_kg(results)),
    ]
    rules = ["market-based measures and offsets, by the rule of the standard"]
    accounting = results.scenario.accounting
    if accounting.embodied == BY_USE:
        rules.append("M is spread by use here; the standard goes by the expected lifespan")
    if accounting.retirement == WRITTEN_OFF:
        rules.append("M holds what was written off at retirement; the standard has no such term")
    return lines, rules


def _rate(results: Results, per: str) -> dict[str, Any]:
    """Return the terms of SCI = (E x I + M) per R."""
    summary = results.summary
    energy_kwh = summary["energy_facility_kwh"]
    operational_kg = summary["scope2_location_kgco2e"]
    count = summary[UNITS[per]]
    total_g = float(summary["total_kgco2e"]) * G_PER_KG
    return {
        "energy_kwh": energy_kwh,
        "intensity_g_per_kwh": operational_kg * G_PER_KG / energy_kwh if energy_kwh else None,
        "embodied_gco2e": _made_kg(results) * G_PER_KG,
        "functional_unit": per,
        "functional_units": count,
        "sci_gco2e": total_g / count if count else None,
    }


def _buildings(results: Results, group: str) -> list[Line]:
    return [
        Line(group, f"{built.kind.replace('_', ' ')} of {built.site}", built.kgco2e)
        for built in built_of(results)
    ]


def _supply(results: Results, group: str) -> list[Line]:
    """Return what plants and storage of the sites took to make, where there are any."""
    made_kg = results.summary["scope3_supply_kgco2e"]
    return [] if made_kg is None else [Line(group, "generation and storage", float(made_kg))]


def _made_kg(results: Results) -> float:
    """Return all embodied carbon: of nodes, buildings, plants and storage. [kgCO2e]"""
    summary = results.summary
    return float(summary["scope3_embodied_kgco2e"]) + float(summary["scope3_supply_kgco2e"] or 0.0)


def _beside(results: Results) -> dict[str, float]:
    known = ("marginal_kgco2e", "water_l", "cost_electricity")
    summary = results.summary
    return {key: float(summary[key]) for key in known if summary.get(key) is not None}


_MAKERS: Final = {
    "phase": _phase,
    "life-cycle": _life_cycle,
    "ghg-protocol": _ghg_protocol,
    "component": _component,
    "sci": _sci,
}
