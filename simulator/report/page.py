"""The report of a run: one HTML file that needs no network."""

import platform
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from simulator.display import (
    count_text,
    duration_text,
    energy_text,
    mass_text,
    share_text,
)
from simulator.errors import printable
from simulator.figures import figures_of
from simulator.figures.style import INK, MUTED, PAPER, RULE
from simulator.report.by_cluster import cluster_table
from simulator.report.headline import carbon, headline, pue_text, sci_text, unallocated_text
from simulator.report.period import period_sentence, period_title
from simulator.results import Results, library_versions

GROUPS: Final = {
    "energy": "Energy",
    "carbon": "Carbon, CO2e",
    "supply": "Supply",
    "cost": "Cost",
    "fleet": "Accelerators",
    "jobs": "Jobs",
    "waits": "Waits",
}

THEME: Final = {INK: "--ink", MUTED: "--muted", RULE: "--rule", PAPER: "--paper"}
"""Colours of a figure that follow the reader's light or dark page."""


def page_html(results: Results, figures: Mapping[str, bytes]) -> str:
    """Return the report of a run as one HTML page.

    Parameters
    ----------
    results : Results
    figures : mapping of str to bytes
        As `simulator.figures.figure_files` returns them; of each the SVG is used.
    """
    environment = Environment(
        loader=PackageLoader("simulator", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    lines = headline(results)
    page: str = environment.get_template("page.html.j2").render(
        name=results.summary["name"],
        subtitle=_subtitle(results),
        answer=list(answer(results)),
        groups=[(GROUPS[group], list(rows)) for group, rows in groupby(lines, lambda x: x.group)],
        figures=list(_figures(results, figures)),
        assumptions=results.assumptions,
        warnings=results.warnings,
        clusters=cluster_table(results),
        key=results.key,
        versions=_versions(results),
        inputs=results.inputs,
    )
    return page


def answer(results: Results) -> Iterator[str]:
    """Yield the answer in a few sentences."""
    summary, basis = results.summary, results.basis
    lines = {line.label: line for line in carbon(results)}
    location, embodied, total = (lines[name] for name in ("location-based", "embodied", "total"))
    yield (
        f"{period_sentence(results)} the fleet drew "
        f"{energy_text(summary['energy_facility_kwh'])} of facility energy: "
        f"{energy_text(summary['energy_it_kwh'])} of IT energy times a PUE of {pue_text(summary)}."
    )
    yield (
        f"That is {total.value} of CO2e: {location.value} operational ({location.label}: "
        f"{location.basis}) and {embodied.value} embodied ({embodied.basis})."
    )
    if summary["cfe_score_hourly"] is not None:
        yield (
            f"Of the facility energy {share_text(summary['cfe_score_hourly'])} was carbon-free in "
            f"its hour; {energy_text(summary['grid_kwh'])} came from the grid. Generation and "
            f"storage embody {lines['embodied, supply'].value} of the total."
        )
    if summary["marginal_kgco2e"] is not None:
        yield (
            f"By marginal intensity ({basis.get('marginal', 'marginal')}) the operational part is "
            f"{mass_text(summary['marginal_kgco2e'])}; it is part of no total."
        )
    if summary["gpu_hours_delivered"]:
        yield (
            f"Jobs held {share_text(summary['allocation'])} of the accelerator-time, at "
            f"{sci_text(summary)} of CO2e per GPU-hour; {unallocated_text(summary)} of the carbon "
            "belongs to no job."
        )
    yield _waits(summary)


def _waits(summary: Mapping[str, Any]) -> str:
    submitted, started, queued = (
        count_text(summary[f"jobs_{state}"]) for state in ("submitted", "started", "queued")
    )
    still = f"; {queued} still wait" if summary["jobs_queued"] else ""
    if not summary["jobs_started"]:
        return f"Of {submitted} jobs, none started{still}."
    if not summary["waited_share"]:
        return f"Of {submitted} jobs, {started} started, and none of those waited{still}."
    return (
        f"Of {submitted} jobs, {started} started. Of those {share_text(summary['waited_share'])} "
        f"waited at all, and 1 % longer than {duration_text(summary['wait_p99_h'])}{still}."
    )


def inline_svg(svg: bytes, name: str, words: str) -> Markup:
    """Return an SVG file as an element of a page.

    Identifiers get the figure's name in front, so that figures on one page do not meet; colours
    of text and lines become the page's own; what only a file needs is left out.
    """
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', text)
    text = text.replace("url(#", f"url(#{name}-")
    for colour, variable in THEME.items():
        text = text.replace(colour, f"var({variable})")
    box = re.search(r'viewBox="[^"]*"', text)
    start = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(printable(words))}">'
    return Markup(start + text[text.index(">") + 1 :])


def _shown(value: Any) -> Any:
    """Return what a template prints, control characters in names written as escapes."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _subtitle(results: Results) -> str:
    begin = results.scenario.start + timedelta(milliseconds=results.scenario.warm_up_ms)
    return f"{period_title(results)}, from {begin:%Y-%m-%d %H:%M} UTC, seed {results.seed}"


def _figures(results: Results, figures: Mapping[str, bytes]) -> Iterator[tuple[str, Markup]]:
    for drawing in figures_of(results):
        words = f"{drawing.heading}. {drawing.describe(results)}."
        yield drawing.heading, inline_svg(figures[drawing.svg], drawing.name, words)


def _versions(results: Results) -> list[tuple[str, str]]:
    return [
        ("result schema", str(results.schema_version)),
        ("model", str(results.model_version)),
        ("python", platform.python_version()),
        *((name, found) for name, found in library_versions().items() if found is not None),
    ]
