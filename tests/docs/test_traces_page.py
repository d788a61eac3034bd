"""What docs/traces.md says of formats and commands is so."""

import re
from pathlib import Path

import simulator
from simulator.cli.traces import traces
from simulator.job_formats import job_formats

CHECKOUT = Path(simulator.__file__).parent.parent
PAGE = (CHECKOUT / "docs" / "traces.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its header."""
    section = PAGE[PAGE.index(f"## {heading}") :]
    lines = [line for line in section[: section.index("\n## ", 1)].splitlines() if "|" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_format_has_its_row_and_its_paragraph() -> None:
    assert {cells[0].strip("`") for cells in rows_under("Formats")} == set(job_formats())
    paragraphs = set(re.findall(r"(?m)^- \*\*([a-z0-9-]+)\*\*:", PAGE))
    assert paragraphs == set(job_formats()) - {"csv", "parquet"}


def test_keys_are_said_of_the_formats_that_take_them() -> None:
    for key, meaning in rows_under("In a scenario"):
        name = key.strip("`")
        takers = {form for form, each in job_formats().items() if name in each.options}
        if takers:
            assert set(re.findall(r"`([a-z]+)`", meaning.split(":")[0])) == takers, name


def test_commands_shown_exist() -> None:
    known = {command.callback.__name__ for command in traces.registered_commands}
    assert set(re.findall(r"(?m)^fleetsim traces (\w+)", PAGE)) == known


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (CHECKOUT / "docs" / target).exists(), target
