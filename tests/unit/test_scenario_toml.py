"""Documents are written as TOML and read back; the JSON Schema says what a file may hold."""

import datetime as dt
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario import from_document, load, schema
from simulator.scenario.paths import dotted, parts_of
from simulator.scenario.toml_writer import toml_text
from tests.unit.scenario_documents import CONTRACT, SMALL, changed

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SHIPPED = sorted(
    path for folder in ("", "studies", "templates") for path in (SCENARIOS / folder).glob("*.toml")
)

scalars = (
    st.text()
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.just(dt.UTC))
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_any_document_survives_being_written_and_read(document: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(document, ["head"])) == document


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_dotted_path_can_be_read_back(parts: list[str]) -> None:
    assert parts_of(dotted(parts)) == tuple(parts)


def test_what_toml_has_not_is_refused() -> None:
    with pytest.raises(TypeError, match="TOML has no bytes"):
        toml_text({"a": b"x"})


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_scenario_is_the_same_when_written_and_loaded(path: Path, tmp_path: Path) -> None:
    first = load(path, check_files=False)
    (tmp_path / "scenario.toml").write_text(first.to_toml(), encoding="utf-8")
    second = load(tmp_path / "scenario.toml", check_files=False)
    assert second.canonical() == first.canonical()
    assert second.to_toml() == first.to_toml()
    assert "default" not in second.origins.values()


def test_files_are_found_from_where_the_scenario_is_written(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").touch()
    document = changed("workloads.w", {"clusters": ["c"], "jobs": {"file": "./jobs.csv"}})
    document["sites"]["s"]["grid"] = {
        "average": {
            "file": "data:grid.csv",
            "time": "t",
            "value": "v",
            "unit": "g/kWh",
            "where": {"file": "kept"},
        }
    }
    scenario = from_document(document, folder=tmp_path, check_files=False)
    written = tomllib.loads(scenario.to_toml())
    assert written["workloads"]["w"]["jobs"]["file"] == str(tmp_path / "jobs.csv")
    assert written["sites"]["s"]["grid"]["average"]["file"] == "data:grid.csv"
    assert written["sites"]["s"]["grid"]["average"]["where"] == {"file": "kept"}


def test_the_written_scenario_begins_with_what_it_is_and_holds_the_defaults() -> None:
    text = from_document(SMALL).to_toml()
    assert text.startswith("# The resolved scenario of a run")
    written = tomllib.loads(text)
    assert written["accounting"]["interval"] == "1 h"
    assert list(written)[:5] == ["schema", "name", "start", "horizon", "warm_up"]


def as_json(document: dict[str, Any]) -> Any:
    """Return a document as an editor shows it to a JSON Schema: times are texts."""
    return json.loads(json.dumps(document, default=lambda moment: moment.isoformat()))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_keep_the_json_schema(
    path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    document = as_json(tomllib.loads(path.read_text(encoding="utf-8")))
    assert list(validator.iter_errors(document)) == []


def test_the_example_of_the_manual_and_what_is_written_keep_the_json_schema(
    validator: jsonschema.Draft202012Validator,
) -> None:
    documents = [
        as_json(tomllib.loads(CONTRACT)),
        as_json(tomllib.loads(from_document(SMALL).to_toml())),
        {"schema": 1, "extends": "base.toml", "clusters": {"c": {"count": 3}}},
    ]
    assert [error for document in documents for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("clusters.c.cout", 1),
        ("clusters.c.count", None),
        ("clusters.c.count", "8"),
        ("clusters.c.placement", "packed"),
        ("nodes.n.idle_power", 1400),
        ("nodes.n.idle_power", "400 kg"),
        ("sites.s.pue", 0.9),
        ("sites.s.grid", {}),
        ("workloads.w.utilisation", 1.2),
        ("workloads.w.arrivals", {"process": "poison", "rate": "1 per d"}),
        ("horizon", None),
    ],
)
def test_the_json_schema_marks_mistakes(
    path: str, value: Any, validator: jsonschema.Draft202012Validator
) -> None:
    document = changed(path, value)
    if value is None:
        *parents, last = path.split(".")
        table = document
        for parent in parents:
            table = table[parent]
        del table[last]
    assert not validator.is_valid(document)


def undescribed(form: Any, path: str = "") -> Iterator[str]:
    if isinstance(form, dict):
        for key, inner in form.get("properties", {}).items():
            if "description" not in inner and "const" not in inner and key != "weight":
                yield f"{path}.{key}"
        for key, inner in form.items():
            yield from undescribed(inner, f"{path}.{key}")
    elif isinstance(form, list):
        for number, inner in enumerate(form):
            yield from undescribed(inner, f"{path}[{number}]")


def test_every_field_is_described() -> None:
    found = schema()
    del found["else"]
    open_ended = [path for path in undescribed(found) if ".columns." not in path]
    assert open_ended == []
