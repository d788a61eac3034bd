"""The summary of a run on a terminal: at most 18 lines of 80 columns, no digit cut."""

import textwrap
from collections.abc import Sequence
from os import PathLike
from typing import Any, Final

from simulator.display import (
    POWER,
    count_text,
    duration_text,
    energy_text,
    money_text,
    number_text,
    quantity_text,
    share_text,
    short_text,
    water_text,
)
from simulator.errors import printable
from simulator.report.headline import (
    GRAMS,
    Line,
    awake_share,
    carbon,
    pue_text,
    sci_text,
    state_shares,
    unallocated_text,
    waited_of,
)
from simulator.report.period import period_title
from simulator.results import Results

WIDTH: Final = 80
MOST_LINES: Final = 18
INDENT: Final = 8
BRIEFEST: Final = 2
"""How brief lines may get to fit: 0 for all that is to be said, 1 for less, 2 for a line each."""
TIED: Final = "\N{NO-BREAK SPACE}"
"""Stands between a number and its per cent sign until lines are broken."""
NEXT_STEP: Final = "fleetsim init my.toml   then edit it and: fleetsim run my.toml"


def summary_table(
    results: Results,
    report: str | PathLike[str] | None = None,
    *,
    notes: Sequence[tuple[str, str]] = (),
    next_step: str = NEXT_STEP,
) -> str:
    """Return the summary of a run as text.

    Parameters
    ----------
    results : Results
    report : path, optional
        Where the report lies.
    notes : sequence of (str, str)
        Further lines, a word of at most 7 letters and a text, e.g. the implied mean size of each
        workload; as many as there is room for.
    next_step : str
        What to type next.

    Returns
    -------
    str
        At most 18 lines within 80 columns. Words may be cut, digits never are.
    """
    summary = results.summary
    rows = carbon(results)
    for brief in range(BRIEFEST + 1):
        head = [_title(results), *_energy(results, brief), *_supply(summary, brief)]
        tail = [
            *_fleet(results, brief),
            *_cost(results, brief),
            *_where(report, next_step),
        ]
        room = MOST_LINES - len(head) - len(rows) - len(tail)
        if room >= (min(1, len(notes)) if not brief else 0):
            break
    told = _carbon(summary, rows, room)  # whole bases before what is good to know besides
    room -= len(told) - len(rows)
    shown = [line for word, text in notes for line in _block(word, text)][: max(0, room)]
    return "\n".join((*head, *told, *shown, *tail))


def _title(results: Results) -> str:
    rest = f"  {period_title(results)}  seed {results.seed}  key {results.key[:8]}"
    name = printable(results.summary["name"]).replace("\n", " ")
    return short_text(name, WIDTH - len(rest)) + rest


def _energy(results: Results, brief: int) -> list[str]:
    summary = results.summary
    facility, it = summary["energy_facility_kwh"], summary["energy_it_kwh"]
    whole = f"{energy_text(facility)} facility = {energy_text(it)} IT"
    if not it:
        return _block("energy", f"{whole}; nothing was drawn")
    shares = [f"{state} {share}" for state, kwh, share in state_shares(results) if kwh]
    if brief:
        shares = [share.partition(" (")[0].replace("below ", "<") for share in shares]
    split = ", ".join(shares)
    water = "" if summary["water_l"] is None else f"; {water_text(summary['water_l'])} of water"
    peak = f"; peak {quantity_text(summary['peak_facility_kw'], POWER)}"
    return [
        *_block("energy", f"{whole} x PUE {pue_text(summary)}{water}{peak}", brief),
        *_block("", f"IT: {split}"),
    ]


def _supply(summary: dict[str, Any], brief: int) -> list[str]:
    """Return how much was carbon-free and what came from the grid, where sites have supply."""
    if summary["grid_kwh"] is None:
        return []
    scores = [summary[f"cfe_score_{kind}"] for kind in ("hourly", "annual")]
    hourly, annual = (share_text(score) for score in scores)
    grid, curtailed = (energy_text(summary[f"{name}_kwh"]) for name in ("grid", "curtailed"))
    free = f"{hourly} carbon-free by the hour, {annual} by volume"
    return _block("supply", f"{free}; {grid} of grid, {curtailed} curtailed", brief)


def _carbon(summary: dict[str, Any], rows: Sequence[Line], room: int) -> list[str]:
    """Return one line for each carbon figure; bases that are too long take the room there is."""
    labels = max(len(row.label) for row in rows)
    values = max(len(row.value) for row in rows)
    lines: list[str] = []
    for row in rows:
        name = "carbon" if not lines else ""
        start = f"{name:<{INDENT}}{row.label:<{labels}}  {row.value:>{values}}  "
        basis = row.basis.removeprefix(f"{row.label}, ")
        if row.label == "total" and summary["total_kgco2e"]:
            basis += f", {unallocated_text(summary)} unallocated"
        words = _wrapped(basis, WIDTH - len(start), 1 + max(0, room))
        room -= len(words) - 1
        lines += [start + words[0], *(" " * len(start) + line for line in words[1:])]
    return lines


def _fleet(results: Results, brief: int) -> list[str]:
    summary = results.summary
    jobs = ", ".join(
        f"{count_text(summary[f'jobs_{state}'])} {state}"
        for state in ("finished", "running", "queued", "unschedulable")
        if summary[f"jobs_{state}"] or state != "unschedulable"
    )
    budgets = ", ".join(
        f"{count_text(summary[f'jobs_{key}'])} {words}"
        for key, words in (("delayed_by_power", "delayed"), ("capped", "capped"))
        if summary[f"jobs_{key}"]
    )
    if budgets:
        jobs += f"; power budgets: {budgets}"
    return [
        *_block("waits", _waits(summary, brief), brief),
        *_block("jobs", f"{count_text(summary['jobs_submitted'])} submitted: {jobs}", brief),
        *_block("fleet", _use(summary)),
        *(_block("work", _work(summary), brief) if _work(summary) else ()),
        *_awake(results),
    ]


def _cost(results: Results, brief: int) -> list[str]:
    """Return what electricity and machines cost, where the scenario has prices."""
    currency = results.basis.get("currency")
    if currency is None:
        return []
    total, electricity, machines = (
        results.summary[f"cost_{part}"] for part in ("total", "electricity", "machines")
    )
    whole = "no total" if total is None else money_text(total, currency)
    parts = f"electricity {money_text(electricity, currency)}"
    return _block("cost", f"{whole}: {parts}, machines {money_text(machines, currency)}", brief)


def _awake(results: Results) -> list[str]:
    awake = awake_share(results)
    if awake is None:
        return []
    wake_ups, each = results.summary["wake_ups"], results.summary["wake_ups_per_node_day"]
    text = f"{share_text(awake)} of GPU-time; {count_text(wake_ups)} wake-ups"
    return _block("awake", f"{text}, {number_text(each, 3)} per node-day")


def _use(summary: dict[str, Any]) -> str:
    if not summary["gpu_hours_delivered"]:
        return "no accelerator was allocated"
    return (
        f"{share_text(summary['allocation'])} allocated, "
        f"{share_text(summary['utilisation'])} utilised; "
        f"{sci_text(summary)} total CO2e per GPU-hour"
    )


def _work(summary: dict[str, Any]) -> str:
    """Return what failures and preemptions cost, and what sharing did; nothing without either."""
    said = []
    if summary["goodput"] is not None and (summary["failures"] or summary["preemptions"]):
        useful = quantity_text(summary["useful_gco2e_per_gpu_hour"], GRAMS)
        said.append(f"goodput {share_text(summary['goodput'])}, {useful} per useful GPU-hour")
    if summary["failures"]:
        lost = count_text(summary["gpu_hours_lost"])
        said.append(f"{lost} GPU-h lost to {count_text(summary['failures'])} failures")
    if summary["preemptions"]:
        cost = count_text(summary["gpu_hours_preempted"])
        said.append(f"{count_text(summary['preemptions'])} preemptions cost {cost} GPU-h")
    if summary["gpu_hours_shared"]:
        slowdown = number_text(summary["slowdown_interference_mean"] or 1.0, 4)
        shared = count_text(summary["gpu_hours_shared"])
        said.append(f"{shared} GPU-h shared, run times {slowdown} times those alone")
    return "; ".join(said)


def _waits(summary: dict[str, Any], brief: int) -> str:
    if not summary["jobs_started"]:
        return "no job started"
    if not summary["waited_share"]:
        still = f"; {count_text(summary['jobs_queued'])} still wait"
        started = " for its first start" if summary["preemptions"] else ""
        return f"no job waited{started}{still if summary['jobs_queued'] else ''}"
    waits = ", ".join(
        f"{kind} {duration_text(summary[f'wait_{kind}_h'])}"
        for kind in ("mean", "p50", "p95", "p99")
    )
    of = f" {waited_of(summary)}" if summary["jobs_queued"] and not brief else ""
    return f"{waits}; {share_text(summary['waited_share'])} waited{of}"


def _where(report: str | PathLike[str] | None, next_step: str) -> list[str]:
    lines = _block("next", next_step)
    if report is None:
        return lines
    path = printable(str(report)).replace("\n", "\\n")
    if len(path) <= WIDTH - INDENT:
        return [f"{'report':<{INDENT}}{path}", *lines]
    # A path is of use only whole: broken over lines, as the terminal itself would.
    broken = [path[at : at + WIDTH] for at in range(0, len(path), WIDTH)]
    return ["report", *broken, *lines]


def _block(name: str, text: str, brief: int = 0) -> list[str]:
    """Return a text as at most two lines; as one where it has to be at its briefest."""
    lines = _wrapped(text, WIDTH - INDENT, 1 if brief == BRIEFEST else 2)
    return [f"{name if at == 0 else '':<{INDENT}}{line}" for at, line in enumerate(lines)]


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """Return a text as lines; what does not fit is left out word by word."""
    lines = textwrap.wrap(
        printable(text).replace(" %", f"{TIED}%"),
        width,
        max_lines=most,
        placeholder=" …",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(TIED, " ") for line in lines] or [""]
