"""The figures that answer the question, in print: value, unit and what it stands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.display import (
    ABSENT,
    count_text,
    duration_text,
    energy_text,
    mass_text,
    number_text,
    quantity_text,
    share_text,
)
from simulator.units import G_PER_KG

GRAMS: Final = ((1.0, "g"), (G_PER_KG, "kg"))
STATES: Final = ("dynamic", "idle", "sleep", "transition")


@dataclass(frozen=True, slots=True)
class Line:
    """One printed figure.

    Attributes
    ----------
    group : str
        ``energy``, ``carbon``, ``fleet``, ``jobs`` or ``waits``.
    label : str
    value : str
        Number and unit.
    basis : str
        What the figure stands on; never empty for carbon.
    """

    group: str
    label: str
    value: str
    basis: str = ""


def headline(summary: Mapping[str, Any], basis: Mapping[str, str]) -> tuple[Line, ...]:
    """Return the figures of a run as they are printed, group by group."""
    return (
        *_energy(summary),
        *carbon(summary, basis),
        *_fleet(summary),
        *_jobs(summary),
        *_waits(summary),
    )


def carbon(summary: Mapping[str, Any], basis: Mapping[str, str]) -> tuple[Line, ...]:
    """Return the carbon figures, each with its basis."""
    average = basis.get("average", "average intensity of the grid")
    market = summary["scope2_market_kgco2e"]
    marginal = summary["marginal_kgco2e"]
    rows = (
        ("location-based", summary["scope2_location_kgco2e"], average),
        ("market-based", market, "" if market is None else basis.get("market", "contracts")),
        ("marginal", marginal, "" if marginal is None else basis.get("marginal", "marginal")),
        (
            "embodied",
            summary["scope3_embodied_kgco2e"],
            "straight-line over calendar lifetime",
        ),
        ("total", summary["total_kgco2e"], "location-based + embodied"),
    )
    return tuple(
        Line("carbon", label, mass_text(kg), words or "no source in the scenario")
        for label, kg, words in rows
    )


def sci_text(summary: Mapping[str, Any]) -> str:
    """Return the carbon of one accelerator-hour delivered, e.g. ``"123.4 g"``."""
    return quantity_text(summary["sci_gco2e_per_gpu_hour"], GRAMS)


def unallocated_text(summary: Mapping[str, Any]) -> str:
    """Return the share of the total carbon that no job is billed for."""
    total = summary["total_kgco2e"]
    return share_text(summary["unallocated_kgco2e"] / total) if total else ABSENT


def state_shares(summary: Mapping[str, Any]) -> tuple[tuple[str, float, str], ...]:
    """Return each state with its energy and its share of the IT energy. [kWh]."""
    total = summary["energy_it_kwh"]
    rows = [(state, float(summary[f"energy_{state}_kwh"])) for state in STATES]
    return tuple((state, kwh, share_text(kwh / total) if total else ABSENT) for state, kwh in rows)


def pue_text(summary: Mapping[str, Any]) -> str:
    """Return the ratio of facility to IT energy, e.g. ``"1.100"``."""
    return ABSENT if summary["pue"] is None else number_text(summary["pue"])


def _energy(summary: Mapping[str, Any]) -> list[Line]:
    facility, it = summary["energy_facility_kwh"], summary["energy_it_kwh"]
    whole = [
        Line("energy", "facility", energy_text(facility), f"IT x PUE {pue_text(summary)}"),
        Line("energy", "IT", energy_text(it), " + ".join(STATES)),
    ]
    states = [
        Line("energy", state, energy_text(kwh), f"{share} of IT energy")
        for state, kwh, share in state_shares(summary)
    ]
    return whole + states


def _fleet(summary: Mapping[str, Any]) -> list[Line]:
    hours = [summary[f"gpu_hours_{kind}"] for kind in ("capacity", "delivered")]
    return [
        Line("fleet", "capacity", f"{count_text(hours[0])} GPU-h"),
        Line("fleet", "delivered", f"{count_text(hours[1])} GPU-h", "held by jobs"),
        Line("fleet", "allocation", share_text(summary["allocation"]), "held over capacity"),
        Line(
            "fleet",
            "utilisation",
            share_text(summary["utilisation"]),
            "held times busy share, over capacity",
        ),
        Line(
            "fleet",
            "carbon per GPU-hour",
            sci_text(summary),
            "location-based + embodied, per GPU-hour delivered (SCI)",
        ),
        Line(
            "fleet", "unallocated", unallocated_text(summary), "of total carbon, billed to no job"
        ),
    ]


def _jobs(summary: Mapping[str, Any]) -> list[Line]:
    states = ("submitted", "started", "finished", "running", "queued", "unschedulable")
    notes = {"running": "cut off by the horizon", "queued": "still waiting at the horizon"}
    return [
        Line("jobs", state, count_text(summary[f"jobs_{state}"]), notes.get(state, ""))
        for state in states
    ]


def _waits(summary: Mapping[str, Any]) -> list[Line]:
    rows = [
        Line("waits", kind, duration_text(summary[f"wait_{kind}_h"]), "of jobs that started")
        for kind in ("mean", "p50", "p95", "p99")
    ]
    slowdown = summary["slowdown_mean"]
    text = ABSENT if slowdown is None else number_text(slowdown)
    return [
        *rows,
        Line("waits", "waited", share_text(summary["waited_share"]), "of jobs that started"),
        Line("waits", "slowdown, mean", text, "(wait + run time) over run time"),
    ]
