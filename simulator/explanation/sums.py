"""The carbon of a run and of a job as sums that can be checked by hand, line by line."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from simulator.display import number_text
from simulator.explanation.factors import Factors
from simulator.explanation.job import JobBill
from simulator.explanation.page import wrapped

LABEL: Final = 23
VALUE: Final = 13
DIGITS: Final = 7
"""Digits of a factor, so that a product agrees in the sixth."""
ABSENT: Final = "-"


def factor_lines(
    factors: Sequence[Factors],
    summary: dict[str, Any],
    basis: str,
    not_by_cluster_kg: float,
    besides: Sequence[tuple[str, float]] = (),
) -> Iterator[str]:
    """Yield what the total of a run is the product and the sum of, cluster by cluster.

    Parameters
    ----------
    factors : sequence of Factors
    summary : dict
    basis : str
    not_by_cluster_kg : float
        Embodied carbon of nodes that came or went.
    besides : sequence of (str, float)
        Embodied carbon of other kinds: its name, and how much. [kgCO2e]
    """
    for each in factors:
        title = f"{each.cluster} at {each.site}: {each.node_count:,} x {each.node_type}"
        yield from wrapped(title, 0)
        kinds = " + ".join(f"{kind} {number(kwh)}" for kind, kwh in each.kinds_kwh.items() if kwh)
        yield from _row("IT energy", each.energy_it_kwh, "kWh", f"= {kinds}" if kinds else "")
        yield from _row("x PUE", each.pue, "", f"= {number(each.energy_facility_kwh)} kWh")
        yield from _row("x intensity", each.intensity_g_per_kwh, "g/kWh", "mean, by energy")
        yield from _row("/ 1000 = operational", each.operational_kgco2e, "kg", "location-based")
        made = (
            f"= {each.node_count:,} x {number(each.embodied_each_kg)} kg x "
            f"{number(each.counted_h)} h / {number(each.lifetime_h)} h"
        )
        yield from _row("+ embodied", each.embodied_kgco2e, "kg", made)
        yield from _row("= total", each.total_kgco2e, "kg")
        yield ""
    yield "fleet"
    operational_kg = summary["scope2_location_kgco2e"]
    yield from _row("operational, clusters", operational_kg, "kg", basis)
    all_of = "+ embodied, all" if besides else "+ embodied, clusters"
    yield from _row(all_of, summary["scope3_embodied_kgco2e"], "kg")
    if not_by_cluster_kg:
        note = "is of nodes added or retired in the run"
        yield from _row("  of which", not_by_cluster_kg, "kg", note)
    for what, kg in besides:
        yield from _row("  of which", kg, "kg", f"is of {what}")
    if summary["scope3_supply_kgco2e"] is not None:
        made = "of generation and storage on the sites"
        yield from _row("+ embodied, supply", summary["scope3_supply_kgco2e"], "kg", made)
    yield from _row("= total_kgco2e", summary["total_kgco2e"], "kg")
    yield from _row("  of which billed to jobs", summary["allocated_kgco2e"], "kg")
    yield from _row("  and to none", summary["unallocated_kgco2e"], "kg", "unallocated")


def job_lines(job: JobBill) -> Iterator[str]:
    """Yield what the bill of a job is the product and the sum of."""
    yield from wrapped(f"{job.job_id}: {job.state}, of {job.workload}, on {job.cluster}", 0)
    if not job.held_h:
        yield "  it held nothing in the counted period, and is billed nothing"
        return
    held_h = job.gpus * job.held_h * job.share_held
    held = f"= {number(held_h)} GPU-h, within the counted period"
    shares = job.share_held < 1.0
    yield from _row(f"{job.gpus:,} accelerators x", job.held_h, "h", "" if shares else held)
    own = ""
    if shares:
        yield from _row("x share held", job.share_held, "", f"{held}: it had others beside it")
        own = f"{number(job.share_held)} x "
    if job.utilisation is not None:
        yield from _row("utilisation", job.utilisation, "", "of them, by the energy they drew")
    yield from _row("dynamic power", job.dynamic_w, "W", "above idle, mean")
    share = f"{own}{job.gpus:,} of {job.accelerators:,} accelerators a node"
    yield from _row("+ share of idle power", job.idle_share_w, "W", share)
    power_w = (job.dynamic_w or 0.0) + (job.idle_share_w or 0.0)
    it_kwh = job.energy_dynamic_kwh + job.energy_idle_share_kwh
    split = f"= {number(job.energy_dynamic_kwh)} dynamic + {number(job.energy_idle_share_kwh)} idle"
    yield from _row("= power", power_w, "W")
    yield from _row("x h / 1000 = IT energy", it_kwh, "kWh", split)
    facility = f"= {number(job.energy_facility_kwh)} kWh, mean of its run, by energy"
    yield from _row("x PUE", job.pue, "", facility)
    yield from _row("x intensity", job.intensity_g_per_kwh, "g/kWh", "mean of its run, by energy")
    yield from _row("/ 1000 = operational", job.operational_kgco2e, "kg", "location-based")
    made = (
        f"= {own}{job.gpus:,} / {job.accelerators:,} x {number(job.embodied_each_kg)} kg x "
        f"{number(job.held_h)} h / {number(job.lifetime_h)} h"
    )
    yield from _row("+ embodied share", job.embodied_kgco2e - job.built_kgco2e, "kg", made)
    if job.built_kgco2e:
        note = "building and power gear, by the power of what it held"
        yield from _row("+ share of building", job.built_kgco2e, "kg", note)
    yield from _row("= total", job.total_kgco2e, "kg")
    if job.marginal_kgco2e is not None:
        note = "operational at marginal intensity; no part of the total"
        yield from _row("beside it, marginal", job.marginal_kgco2e, "kg", note)


def number(value: float) -> str:
    """Return a factor with as many digits as a product needs."""
    text = number_text(value, DIGITS)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _row(label: str, value: float | None, unit: str, note: str = "") -> Iterator[str]:
    text = ABSENT if value is None else number(value)
    start = f"  {label:<{LABEL}}{text:>{VALUE}} {unit:<6}"
    if not note:
        yield start.rstrip()
        return
    first, *more = wrapped(note, len(start))
    yield start + first[len(start) :]
    yield from more
