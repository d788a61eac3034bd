"""JSON Schema of scenario files, for editors."""

from typing import Any, Final

from simulator.scenario.model import Scenario
from simulator.scenario.study_tables import optimize_form, sweep_form

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of what a user writes, draft 2020-12.

    What a table must hold is asked only of files without `extends`: the parent may hold it.
    """
    form = Scenario.table_form()
    required = form.pop("required")
    form["properties"]["extends"] = {
        "type": "string",
        "description": "A parent scenario, relative to this file: its values hold where this "
        "file says nothing.",
    }
    form["properties"] |= {"sweep": sweep_form(), "optimize": optimize_form()}
    sections = {
        section: _complete(form["properties"][section]["additionalProperties"])
        for section in ("nodes", "sites", "clusters", "workloads")
    }
    return {
        "$schema": DIALECT,
        "title": "A fleetsim scenario",
        **form,
        "if": {"required": ["extends"]},
        "else": {"required": required, "properties": sections},
    }


def _complete(form: dict[str, Any]) -> dict[str, Any]:
    """Take what a table must hold out of its form, and return it as one of its own."""
    wanted: dict[str, Any] = {"required": form.pop("required")}
    if "anyOf" in form:
        wanted["anyOf"] = form.pop("anyOf")
    grid = form["properties"].get("grid")
    if grid is not None:
        wanted["properties"] = {"grid": {"required": grid.pop("required")}}
    return {"additionalProperties": wanted}
