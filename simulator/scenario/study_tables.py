"""Tables about many runs of a scenario: taken out of its file, and described to editors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from simulator.errors import InputError, Issue, shown
from simulator.scenario.document import Layered
from simulator.scenario.draft import Draft
from simulator.scenario.model import Scenario

STUDIES: Final = ("sweep", "optimize")
"""Names of the tables, each that of the verb that reads it."""

_KINDS: Final = {"sweep": "a sweep file", "optimize": "a file for optimisation"}

_TEXTS: Final = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_SEED: Final = {"type": "integer", "minimum": 0}

_SWEEP: Final[dict[str, dict[str, Any]]] = {
    "seeds": {
        "description": "Seeds that every point meets: how many, from the scenario's on, or a list.",
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "array", "minItems": 1, "uniqueItems": True, "items": _SEED},
        ],
        "default": 1,
    },
    "design": {
        "description": "How the values of several axes are put together.",
        "enum": ["grid", "zip", "latin-hypercube", "sobol", "saltelli", "one-at-a-time"],
        "default": "grid",
    },
    "samples": {
        "description": "Points that the design draws; for saltelli, its base samples.",
        "type": "integer",
        "minimum": 1,
    },
    "sample_seed": {
        "description": "Seed of the numbers that the design draws; the scenario's unless given.",
        **_SEED,
    },
    "constraints": {
        "description": 'What must hold between axes, e.g. "clusters.a.count <= clusters.b.count".',
        **_TEXTS,
    },
    "keep": {
        "description": "Runs that keep their full results: all, failed, every N, "
        "best N of COLUMN or worst N of COLUMN.",
        **_TEXTS,
    },
}

_COUNT: Final = {"type": "integer", "minimum": 1, "maximum": 100_000}
_OPTIMIZE: Final[dict[str, dict[str, Any]]] = {
    "objectives": {
        "description": "Keys of the summary, each with its direction.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "enum": ["minimise", "maximise", "minimize", "maximize", "min", "max"]
        },
    },
    "constraints": {
        "description": 'What results must keep, e.g. "wait_p99_h <= 2".',
        **_TEXTS,
    },
    "where": {
        "description": "What must hold between axes for a point to be run, e.g. "
        '"clusters.a.count <= clusters.b.count".',
        **_TEXTS,
    },
    "trials": {"description": "Points to run.", **_COUNT, "default": 100},
    "seeds": _SWEEP["seeds"],
    "sampler": {
        "description": "Who proposes the next points.",
        "enum": ["tpe", "nsga2", "random"],
        "default": "tpe",
    },
    "batch": {
        "description": "Points that are proposed before the first of them is known.",
        **_COUNT,
        "default": 8,
    },
}


BaseT_co = TypeVar("BaseT_co", bound="Scenario | Draft", covariant=True)


@dataclass(frozen=True, slots=True)
class StudyFile(Generic[BaseT_co]):
    """A file as read: its scenario, and its tables about many runs.

    Attributes
    ----------
    base : Scenario or Draft
        What the file says beside those tables; a draft where that has problems.
    tables : dict of str to dict
        The tables as written, by name; none of a plain scenario. Each is merged over that of the
        file that this one extends, and paths of files in it are relative to the scenario's folder.
    origins : mapping of str to str
        Where each value of the tables came from, by dotted path.
    """

    base: BaseT_co
    tables: dict[str, dict[str, Any]]
    origins: Mapping[str, str]

    def whole(self) -> "StudyFile[Scenario]":
        """Return the file, its base a scenario.

        Raises
        ------
        InputError
            With the problems of the base, if it is a draft.
        """
        if isinstance(self.base, Draft):
            raise InputError(self.base.source, self.base.issues)
        return StudyFile(self.base, self.tables, self.origins)

    def table(self, name: str) -> dict[str, Any]:
        """Return one of the tables.

        Raises
        ------
        InputError
            If the file has no such table; with the problems of the base.
        """
        if name in self.tables:
            return self.tables[name]
        issues = list(self.base.issues) if isinstance(self.base, Draft) else []
        if all(issue.path != name for issue in issues):  # it may be there, and no table
            verb = next(iter(self.tables), "run")  # a verb is called as its table is
            text = f"missing; write a table [{name}], or run the file with fleetsim {verb}"
            issues.append(Issue(name, text))
        raise InputError(self.base.source, issues)


def taken(
    layered: Layered, issues: list[Issue]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Take the tables out of a document and return them, and where their values came from.

    One that is no table adds to `issues`.
    """
    tables: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    for name in STUDIES:
        if name not in layered.document:
            continue
        table = layered.document.pop(name)
        if isinstance(table, dict):
            tables[name] = table
        else:
            text = f"{shown(table)} is not a table; write [{name}] and its keys below it"
            issues.append(Issue(name, text))
        for path in [path for path in layered.origins if path.split(".")[0] == name]:
            origins[path] = layered.origins.pop(path)
    return tables, origins


def not_one(name: str) -> str:
    """Return why a file with a table of many runs is not read as one scenario."""
    return f"{_KINDS[name]}; run it with fleetsim {name}, or take the table [{name}] out"


def sweep_form() -> dict[str, Any]:
    """Return the JSON Schema of the table `[sweep]`; keys that are no settings are axes."""
    axis = "A key of the scenario, as a dotted path or in tables: a list of the values to try, "
    return {
        "type": "object",
        "description": "Many runs of this scenario: axes by path, and how to vary them.",
        "properties": _SWEEP,
        "additionalProperties": {
            "description": f"{axis}or a spread to draw them from.",
            "anyOf": [{"type": "array", "minItems": 1}, {"type": "object", "minProperties": 1}],
        },
    }


def optimize_form() -> dict[str, Any]:
    """Return the JSON Schema of the table `[optimize]`; keys that are no settings are axes."""
    return {
        "type": "object",
        "description": "A search among many runs of this scenario: axes by path, and objectives.",
        "properties": _OPTIMIZE,
        "required": ["objectives"],
        "additionalProperties": {
            "description": "A key of the scenario, as a dotted path or in tables: a list to choose "
            "from, or a range { low, high }, with step or log.",
            "anyOf": [{"type": "array", "minItems": 1}, {"type": "object", "minProperties": 1}],
        },
    }
