"""What every table of a scenario shares: frozen, no unknown key, problems in our own words."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Self, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from simulator.errors import MOST_LISTED, Issue, listing, nearest, shown
from simulator.scenario.docstrings import attribute_docstrings
from simulator.scenario.fields import Marker, TableError
from simulator.scenario.paths import Part, dotted
from simulator.scenario.reading import Reading, reading_of


class Spec(BaseModel):
    """One table of a scenario. Keys of the file are aliases; attributes are in house units."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    unwritten: ClassVar[frozenset[str]] = frozenset()
    """Attributes that no file says."""
    partly: ClassVar[bool] = False
    """Whether the table has problems and was read for what else it tells; see `partly`."""

    @classmethod
    def rules(
        cls,
        table: dict[str, Any],  # noqa: ARG003 - most tables have no such rules
    ) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Yield problems that the keys alone show, as path below the table and message."""
        yield from ()

    @classmethod
    def implied(
        cls,
        table: dict[str, Any],  # noqa: ARG003 - in most tables no key stands for another
    ) -> frozenset[str]:
        """Return keys whose defaults do not hold, because other keys of the table say it."""
        return frozenset()

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return "write a table: { key = value, ... }"

    @classmethod
    def attributes(cls) -> dict[str, str]:
        """Return the attribute that each key of the file gives."""
        return {
            field.alias or name: name
            for name, field in cls.model_fields.items()
            if name not in cls.unwritten
        }

    @classmethod
    def table_form(cls) -> dict[str, Any]:
        """Return the JSON Schema of the table, as a user writes it."""
        said, properties = attribute_docstrings(cls, Spec), dict[str, Any]()
        for key, name in cls.attributes().items():
            field = cls.model_fields[name]
            form = {"description": " ".join(said.get(name, "").split()), **_form(field)}
            if not field.is_required() and field.default not in (None, ""):
                form["default"] = field.default
            properties[key] = form
        return {
            "type": "object",
            "description": " ".join((cls.__doc__ or "").split()),
            "properties": properties,
            "required": [
                key
                for key, name in cls.attributes().items()
                if cls.model_fields[name].is_required()
            ],
            "additionalProperties": False,
        }

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise ValueError(f"{shown(value)} is not a table; {cls.example()}")
        lines = []
        if reading_of(info) is not None:
            lines = [_line(path, text, value) for path, text in cls.rules(value)]
        try:
            spec = handler(value)
        except ValidationError as error:
            lines += _reworded(cls, error)
        if lines:
            raise ValidationError.from_exception_data(cls.__name__, lines)
        return spec


SpecT = TypeVar("SpecT", bound=Spec)
ResultT = TypeVar("ResultT")


def read_as(kind: type[SpecT], value: Any, reading: Reading | None) -> SpecT:
    """Return the value read as one kind of table, inside another validator."""
    return kind.model_validate(value, context=reading, by_alias=True, by_name=reading is None)


class Problems:
    """Problems of the parts of one value, gathered and raised together."""

    def __init__(self) -> None:
        self._lines: list[InitErrorDetails] = []

    def add(self, path: tuple[Part, ...], text: str) -> None:
        """Note a problem at a path below the value."""
        self._lines.append(_line(path, text, None))

    def read(
        self, path: tuple[Part, ...], function: Callable[..., ResultT], *arguments: Any
    ) -> ResultT | None:
        """Return what the function returns, or None where it refuses."""
        try:
            return function(*arguments)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                self.add((*path, *found["loc"]), _worded(found))
        except ValueError as error:
            self.add(path, str(error))
        return None

    def check(self) -> None:
        """Raise what was gathered, if anything."""
        if self._lines:
            raise ValidationError.from_exception_data("value", self._lines)


def issues_of(error: ValidationError, *prefix: Part) -> list[Issue]:
    """Return the problems of a validation as issues, their paths below `prefix`."""
    return [
        Issue(dotted((*prefix, *found["loc"])), _worded(found))
        for found in error.errors(include_url=False)
    ]


def refusal(path: tuple[Part, ...], text: str) -> ValidationError:
    """Return the refusal of a value for what stands at a path below it."""
    return ValidationError.from_exception_data("value", [_line(path, text, None)])


def _form(field: FieldInfo) -> dict[str, Any]:
    """Return the JSON Schema of one field: its marker's, or its table's."""
    for marker in field.metadata:
        if isinstance(marker, Marker):
            return marker.form()
    kind: Any = field.annotation
    inner = get_args(kind)
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": inner[1].table_form()}
    form: dict[str, Any] = kind.table_form()
    return form


def _line(path: tuple[Part, ...], text: str, value: Any) -> InitErrorDetails:
    # The text goes in by a placeholder: braces within it must not be read as one.
    kind = PydanticCustomError("issue", "{text}", {"text": text})
    return InitErrorDetails(type=kind, loc=path, input=value)


def _reworded(kind: type[Spec], error: ValidationError) -> list[InitErrorDetails]:
    """Return pydantic's errors about one table in our words."""
    keys = {key: kind.model_fields[name] for key, name in kind.attributes().items()}
    # Where a default is refused pydantic names the attribute, not the key of the file.
    written: dict[Part, Part] = {name: key for key, name in kind.attributes().items()}
    found = error.errors(include_url=False)
    unknown = [entry["loc"][0] for entry in found if entry["type"] == "extra_forbidden"]
    # Near matches take time, and a file of a hundred thousand unknown keys is no misspelt one.
    meant = {key: nearest(str(key), keys) for key in unknown[:MOST_LISTED]}
    lines = []
    for entry in found:
        path = entry["loc"]
        if path and entry["type"] != "extra_forbidden":
            path = (written.get(path[0], path[0]), *path[1:])
        text = _text({**entry, "loc": path}, keys, meant)
        cause = entry.get("ctx", {}).get("error")
        if isinstance(cause, TableError):
            path = path[:-1]
        # A misspelt key is one problem, not an unknown key and a missing one.
        if entry["type"] != "missing" or path[-1] not in meant.values():
            lines.append(_line(path, text, entry["input"]))
    return lines


def _worded(entry: Any) -> str:
    """Return the text of an error that is in our words already."""
    ctx = entry.get("ctx", {})
    if "text" in ctx:
        return str(ctx["text"])
    return str(ctx["error"]) if "error" in ctx else f"{shown(entry['input'])} can't be read here"


def _text(entry: Any, keys: dict[str, FieldInfo], meant: dict[Part, str | None]) -> str:
    match entry["type"]:
        case "missing":
            field = keys[entry["loc"][-1]]
            example = field.examples[0] if field.examples else "..."
            return f"missing; e.g. {entry['loc'][-1]} = {example}"
        case "extra_forbidden":
            return _unknown(meant.get(entry["loc"][-1]), keys)
    return _worded(entry)


def unknown_key(key: str, known: list[str]) -> str:
    """Return the message about an unknown key, with the nearest known one."""
    return _unknown(nearest(key, known), known)


def _unknown(near: str | None, known: Iterable[str]) -> str:
    if near is not None:
        return f"unknown key; did you mean '{near}'?"
    return f"unknown key; known here are {listing(sorted(known))}"
