"""A carbon impact statement as Markdown, for the card of a model."""

from collections.abc import Iterator, Sequence
from typing import Final

from simulator.display import energy_text, interval_text, mass_text, number_text, share_text
from simulator.explanation.statement import OverSeeds, Statement
from simulator.explanation.statement_document import (
    MARGINAL,
    assumptions_behind,
    basis_behind,
    difference,
    hardware_text,
    market_note,
    model_card,
    places_text,
    unknown_of,
)
from simulator.figures.series import counted_h
from simulator.results import library_versions
from simulator.units import G_PER_KG

ENDS: Final = {
    "finished": "ended within the run",
    "running": "still ran when the run ended",
    "queued": "waited when the run ended",
    "unschedulable": "fits on no cluster that it may use",
}
"""What became of a job, by its state."""
KINDS: Final = {
    "dynamic": "power above idle",
    "idle": "idle power, its share",
    "overhead": "what the buildings add",
}
ESCAPED: Final = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_[]<>|#"})

STRAIGHT: Final = "straight line over the calendar lifetime of the machines"


def statement_page(statement: Statement) -> str:
    """Return a statement as Markdown."""
    lines = [
        f"# Carbon impact statement: {_plain(statement.name)}",
        "",
        *_summary(statement),
        "",
        "## Environmental impact",
        "",
        *_impact(statement),
        "",
        "## Energy",
        "",
        *_energy(statement),
        "",
        "## Carbon",
        "",
        *_carbon(statement),
        "",
        "## Uncertainty",
        "",
        *_uncertainty(statement),
        "",
        "## Assumptions",
        "",
        *_assumptions(statement),
        "",
        "## For the metadata of a model card",
        "",
        *_metadata(statement),
        "",
        *_origin(statement),
    ]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return " ".join(text.split()).translate(ESCAPED)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> Iterator[str]:
    """Yield a table whose last columns are numbers."""
    yield f"| {' | '.join(head)} |"
    rules = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    yield f"| {' | '.join(rules)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _summary(statement: Statement) -> Iterator[str]:
    operational, embodied = (
        mass_text(statement.of(f"{kind}_kgco2e")) for kind in ("operational", "embodied")
    )
    whole = [each for each in statement.ranges if each.key is None]
    spread = (
        f"; {mass_text(whole[0].low_kg)} to {mass_text(whole[0].high_kg)} over the known ranges"
        if whole
        else ""
    )
    yield (
        f"**{mass_text(statement.total_kg)} CO2e**: {operational} from electricity "
        f"(location-based) and {embodied} embodied in the machines{spread}."
    )
    yield ""
    yield f"Simulated, not measured. {_jobs(statement)}"


def _jobs(statement: Statement) -> str:
    count = sum(statement.states.values())
    states = ", ".join(f"{number:,} {word}" for word, number in statement.states.items())
    if statement.kind == "job":
        said = f"The job {ENDS[next(iter(statement.states))]}."
    else:
        said = f"All {count:,} jobs of the workload: {states} at the end of the run."
    if not statement.held:
        return f"{said} Nothing was held in the counted period, so nothing is stated."
    if statement.cut:
        who = "It" if statement.kind == "job" else f"{statement.cut:,} of them"
        said += f" {who} ran before the counted period too; that part is not in this statement."
    if statement.states.get("running"):
        said += " Of those that run, only what they did until then is."
    return said


def _impact(statement: Statement) -> Iterator[str]:
    """Yield what the section of this name of a model card asks for, in its order."""
    hours = number_text(statement.gpu_hours)
    carbon = mass_text(statement.of("operational_kgco2e"))
    yield f"- **Hardware type:** {_plain(hardware_text(statement)) or 'none'}"
    yield f"- **Hours used:** {hours} GPU-hours"
    yield "- **Cloud provider:** not stated"
    yield f"- **Compute region:** {_plain(places_text(statement)) or 'none'}"
    yield (
        f"- **Carbon emitted:** {carbon} CO2e from electricity, "
        f"{mass_text(statement.total_kg)} CO2e with embodied carbon"
    )


def _energy(statement: Statement) -> Iterator[str]:
    it_kwh, facility_kwh = statement.it_kwh, statement.of("energy_facility_kwh")
    kinds = {
        "dynamic: what the machines drew above idle power": statement.of("energy_dynamic_kwh"),
        "idle: its share of their idle power": statement.of("energy_idle_share_kwh"),
        "overhead: what the buildings add": difference(facility_kwh, it_kwh),
    }
    rows = [(words, energy_text(kwh), _share(kwh, facility_kwh)) for words, kwh in kinds.items()]
    rows.append(("**facility energy**", f"**{energy_text(facility_kwh)}**", ""))
    yield from _table(("energy", "amount", "share"), rows, numbers=2)
    if it_kwh:
        yield ""
        yield f"PUE, mean by energy: {number_text(facility_kwh / it_kwh)}."


def _share(part_kwh: float, whole_kwh: float) -> str:
    return share_text(part_kwh / whole_kwh) if whole_kwh else ""


def _carbon(statement: Statement) -> Iterator[str]:
    results, sums, stands_on = statement.results, statement.sums, basis_behind(statement)
    marginal = stands_on.get("marginal", "")
    basis = _plain(stands_on.get("average", ""))
    rows = [
        ("scope 2, location-based", mass_text(sums["operational_kgco2e"]), basis),
        *(
            (f"- of which {kind}", mass_text(part_kg), KINDS[kind])
            for kind, part_kg in statement.kinds_kg.items()
        ),
        (
            "scope 2, market-based",
            "not given" if statement.market_kg is None else mass_text(statement.market_kg),
            market_note(statement),
        ),
        (
            "scope 3, embodied",
            mass_text(sums["embodied_kgco2e"]),
            f"{results.basis.get('embodied', STRAIGHT)}, by accelerator-time held",
        ),
        (
            "**total**",
            f"**{mass_text(statement.total_kg)}**",
            "location-based and embodied",
        ),
        (
            "beside it: marginal",
            mass_text(sums["marginal_kgco2e"]),
            MARGINAL
            if sums["marginal_kgco2e"] is None
            else f"{_plain(marginal)}; no part of the total",
        ),
    ]
    yield from _table(("carbon, CO2e", "amount", "basis"), rows)
    facility_kwh = statement.of("energy_facility_kwh")
    if facility_kwh and statement.gpu_hours:
        g_per_kwh = statement.of("operational_kgco2e") * G_PER_KG / facility_kwh
        each_g = statement.total_kg * G_PER_KG / statement.gpu_hours
        yield ""
        yield (
            f"Average intensity at that time, by energy: {number_text(g_per_kwh)} g/kWh. Total per "
            f"GPU-hour: {number_text(each_g)} g."
        )
    unallocated = results.summary["unallocated_kgco2e"]
    total = results.summary["total_kgco2e"]
    if total:
        yield ""
        yield (
            "Machines that no job held are not in it: they are "
            f"{share_text(unallocated / total)} of the carbon of the fleet."
        )


def _over_seeds(over: OverSeeds) -> Iterator[str]:
    mean, low, high, least, most = map(
        mass_text,
        (over.mean_kg, over.low_kg, over.high_kg, min(over.totals_kg), max(over.totals_kg)),
    )
    yield (
        f"Over {len(over.seeds)} seeds, each another course of events, the total is {mean} in the "
        f"mean, {low} to {high} (interval of that mean, 95 %), and {least} to {most} in single "
        f"runs. The figures above are of seed {over.seeds[0]}."
    )
    yield ""


def _uncertainty(statement: Statement) -> Iterator[str]:
    if statement.over_seeds is not None:
        yield from _over_seeds(statement.over_seeds)
    if statement.ranges:
        yield (
            "How far the total moves if a figure of the catalog lies elsewhere in its range, all "
            "else as it is. These are bounds, not confidence intervals."
        )
        yield ""
        rows = [
            (
                _plain(f"{each.subject}: {each.quantity}") if each.key else "**all together**",
                f"{each.low:g} to {each.high:g} {each.unit} (used: {each.value:g})"
                if each.key
                else "",
                mass_text(each.low_kg),
                mass_text(each.high_kg),
            )
            for each in statement.ranges
        ]
        yield from _table(("figure", "range", "least total", "most total"), rows, numbers=2)
        yield ""
        yield "Of these no range is known, so none is stated:"
    else:
        known = "Unknown" if statement.over_seeds is None else "Unknown besides"
        said = "no figure behind the statement has a range of its own in the catalog; those"
        yield f"{known}: {said}"
        yield "of parts are not followed. Not certain:"
    yield ""
    for each in unknown_of(statement):
        yield f"- {_plain(each)}"


def _assumptions(statement: Statement) -> Iterator[str]:
    rows = [
        (
            _plain(subject),
            _plain(quantity),
            value if unit == "1" else f"{value} {unit}",
            _plain(source),
        )
        for subject, quantity, value, unit, source in assumptions_behind(statement)
    ]
    yield from _table(("of", "quantity", "value", "source"), rows)


def _metadata(statement: Statement) -> Iterator[str]:
    card = model_card(statement)
    yield "```yaml"
    yield "co2_eq_emissions:"
    yield f"  emissions: {card['emissions']:.6g}  # grams of CO2e, electricity alone"
    yield f"  source: {_quoted(card['source'])}"
    yield "  # training_type: pre-training or fine-tuning; the simulation does not know"
    yield f"  geographical_location: {_quoted(card['geographical_location'])}"
    yield f"  hardware_used: {_quoted(card['hardware_used'])}"
    yield "```"


def _quoted(text: str) -> str:
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _origin(statement: Statement) -> Iterator[str]:
    results = statement.results
    version = library_versions()["fleetsim"] or "of unknown version"
    billed = (
        f", billed again from the events of run {results.billed_from[:8]}"
        if results.billed_from
        else ""
    )
    yield (
        f"From run `{results.key[:8]}` of {_plain(results.scenario.name)}, seed "
        f"{results.seed}, {interval_text(counted_h(results))} counted{billed}; fleetsim {version}."
    )
