"""``fleetsim explain --statement``: the carbon impact statement of a job or a workload."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.cli.terminal import Terminal
from simulator.errors import InputError, Issue

if TYPE_CHECKING:
    from simulator.explanation.statement import Statement


def tell_statement(
    folder: Path,
    job: str | None,
    workload: str | None,
    side: str | None,
    output: Path | None,
    out: Terminal,
) -> None:
    """Write a statement to a file, or print it; the files of the run must be as it wrote them."""
    from simulator.explanation.statement_document import statement_document
    from simulator.explanation.statement_page import statement_page

    written = None if output is None else _form(output)
    statement = _statement(folder, job, workload, side, out)
    if output is not None and written is not None:
        _write(output, written(statement))
    out.say(statement_page(statement).rstrip() if output is None else f"statement  {output}")
    document = statement_document(statement)
    out.document(document | {"statement": None if output is None else str(output)})


def _statement(
    folder: Path, job: str | None, workload: str | None, side: str | None, out: Terminal
) -> "Statement":
    """Return the statement of a run's folder, or over the seeds of a comparison's."""
    from simulator.explanation.statement import statement_of
    from simulator.results import load_results
    from simulator.statements import is_of_a_comparison, statement_over_seeds

    if not is_of_a_comparison(folder):
        if side is not None:
            raise InputError(str(folder), [Issue("--side", "a run has no sides; leave it out")])
        return statement_of(load_results(folder, sealed=True), job=job, workload=workload)
    if workload is None:
        rule = "each seed of a comparison draws other jobs; ask for a --workload"
        raise InputError(str(folder), [Issue("--job", rule)])
    out.note("a comparison keeps no jobs: running its seeds again ...")
    return statement_over_seeds(folder, workload, side)


def _form(output: Path) -> "Callable[[Statement], str]":
    """Return what makes a file of this name; refuse others before any work."""
    from simulator.explanation.statement_document import statement_document
    from simulator.explanation.statement_page import statement_page

    match output.suffix.lower():
        case ".md":
            return statement_page
        case ".json":
            return lambda statement: json.dumps(
                statement_document(statement), indent=2, ensure_ascii=False, allow_nan=False
            )
    rule = "not a statement's name; write e.g. card.md or card.json"
    raise InputError(str(output), [Issue("--output", rule)])


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        rule = f"can't be written ({words}); name another file"
        raise InputError(str(output), [Issue("--output", rule)]) from error
