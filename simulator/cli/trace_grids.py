"""What ``fleetsim traces`` does with grid traces: checks and converts them."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from simulator.cli.terminal import Terminal
from simulator.cli.trace_lines import grid_lines
from simulator.errors import InputError, Issue, shown

if TYPE_CHECKING:
    from simulator.scenario.grid import GridFile


def check_grid(
    file: str, grid: "GridFile", basis: Literal["average", "marginal"], out: Terminal
) -> None:
    """Print what a grid trace holds."""
    from simulator.traces.series_facts import series_facts

    facts = series_facts(grid, basis)
    for warning in facts.warnings:
        out.warn(warning)
    out.say("\n".join(grid_lines(f"{file}: {facts.format}, {basis} intensity", facts)))
    out.document({"file": file, "kind": "grid", "basis": basis, **asdict(facts)})


def convert_grid(
    file: str,
    grid: "GridFile",
    basis: Literal["average", "marginal"],
    gaps: str | None,
    write: Callable[[Any], Path],
    out: Terminal,
) -> None:
    """Write a grid trace as a plain file and print what a scenario says to use it."""
    from simulator.scenario.fields import Word
    from simulator.traces.grid_conversion import converted, converted_line

    try:
        how: Any = Word(["error", "linear", "previous-week"]).plain(gaps or "error")
    except ValueError as error:
        raise InputError(shown(gaps), [Issue("--gaps", str(error))]) from error
    found = converted(grid, basis, how)
    output = write(found.table)
    for warning in found.warnings:
        out.warn(warning)
    out.say(f"{output}: {converted_line(found)}")
    out.say(f"use it with {basis} = {found.as_written(output.name)}")
    signal = grid.signal
    out.document(
        {
            "file": str(output),
            "kind": "grid",
            "format": grid.form.name,
            "basis": basis,
            "factor": signal.factor,
            "mix": signal.mix,
            "steps": found.steps,
            "missing": found.missing,
            "filled": found.filled,
            "gaps": how,
            "columns": found.table.column_names,
            "inputs": {file: found.file_sha256},
            "warnings": list(found.warnings),
        }
    )
