"""Which runs may be compared: those whose figures stand on one basis."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.assumptions import basis_of, declared_basis
from simulator.inputs import open_grids
from simulator.likeness import Facts, unlike
from simulator.scenario import from_document
from simulator.scenario.prices import currency_of
from simulator.version import MODEL_VERSION, SCHEMA_VERSION
from tests.builders import file_grid, results_of, scenario_document, write_grid

START = "2022-01-01T00:00:00Z"
HOUR_MS = 3_600_000
BASE = scenario_document(grid={"average": "CISO", "marginal": "CAISO"})


def facts(document: dict[str, Any]) -> Facts:
    """Return what a run of a document would say of itself."""
    scenario = from_document(document)
    issues: list[Any] = []
    average, marginal = open_grids(scenario, issues)
    assert not issues
    return Facts(scenario, basis_of(average, marginal))


def with_keys(**keys: Any) -> Facts:
    return facts(scenario_document(grid={"average": "CISO", "marginal": "CAISO"}, **keys))


def by_file(folder: Path, name: str, **keys: Any) -> dict[str, Any]:
    """Return a grid read from a file, with `factor` where it is given."""
    grid = file_grid(write_grid(folder / f"{name}.csv", START, HOUR_MS, [100.0] * 10))
    return {"average": grid["average"] | keys}


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"seed": 9},
        {"name": "another"},
        {"sites__s__pue": 1.9},
        {"clusters__c__count": 3},
        {"clusters__c__idle": "ladder"},
        {"sites__s__grid": {"average": "PJM"}},
        {"sites__s__grid": {"average": {"constant": "50 g/kWh"}}},
        {"sites__s__electricity_price": "1 USD/kWh"},
        {"accounting__interval": "30 min"},
    ],
)
def test_what_a_comparison_is_made_for_is_no_reason_against_it(keys: dict[str, Any]) -> None:
    assert unlike(facts(BASE), with_keys(**keys)) == []
    assert unlike(with_keys(**keys), facts(BASE)) == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"horizon": "20 h"}, "horizon 20 h is not the base's 10 h; count the same time in both"),
        ({"warm_up": "90 min"}, "warm_up 90 min is not the base's 0 ms; count"),
        ({"start": "2022-01-01T01:00:00Z"}, "start 2022-01-01T01:00:00Z is not the base's 2022-01"),
        ({"drain": True}, "drain true is not the base's false; count the same time in both"),
    ],
)
def test_other_time_is_a_reason(keys: dict[str, Any], said: str) -> None:
    [reason] = unlike(facts(BASE), with_keys(**keys))
    assert reason.startswith(said)


def test_every_reason_is_told() -> None:
    base = replace(facts(BASE), model_version=MODEL_VERSION + 1, schema_version=SCHEMA_VERSION - 1)
    reasons = unlike(base, with_keys(horizon="20 h", start="2021-01-01T00:00:00Z"))
    assert [reason.split()[0] for reason in reasons] == ["schema", "model", "start", "horizon"]
    assert reasons[1] == (
        f"model version {MODEL_VERSION} is not the base's {MODEL_VERSION + 1}; run both with one "
        "version"
    )


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("life-cycle", "direct", False),
        ("direct", "life-cycle", False),
        ("direct", "direct", True),
        ("unknown", "unknown", True),
        ("unknown", "life-cycle", False),  # nobody knows whether they are alike
    ],
)
def test_factors_of_another_kind_are_a_reason(
    one: str, two: str, alike: bool, tmp_path: Path
) -> None:
    base, other = (
        facts(scenario_document(grid=by_file(tmp_path, name, factor=factor)))
        for name, factor in (("one", one), ("two", two))
    )
    reasons = unlike(base, other)
    assert (reasons == []) is alike
    if not alike:
        known = {"unknown": "not stated"}
        words = f"by factors {known.get(two, two)} is not the base's, by factors "
        assert words + known.get(one, one) in reasons[0]
        assert "use traces of one kind" in reasons[0]


def test_sites_by_factors_of_two_kinds_are_not_like_sites_of_one(tmp_path: Path) -> None:
    direct = {"pue": 1.0, "grid": by_file(tmp_path, "d", factor="direct", mix="production")}
    both = with_keys(sites__t=direct)
    assert both.basis["average_factors"] == "direct, life-cycle"
    [reason] = unlike(facts(BASE), both)
    assert "by factors direct and life-cycle is not the base's, by factors life-cycle" in reason
    assert unlike(both, both) == []


def test_sites_of_two_mixes_are_not_like_sites_of_one(tmp_path: Path) -> None:
    grid = by_file(tmp_path, "c", factor="life-cycle", mix="consumption")
    other = with_keys(sites__s__grid=grid)
    assert other.basis["average"] == "average, life-cycle, consumption-based, c.csv"
    assert other.basis["average_mix"] == "consumption"
    [reason] = unlike(facts(BASE), other)
    assert reason == (
        "average intensity by mix consumption is not the base's, by mix production; use traces of "
        'one kind, or say it of a file: mix = "production" or "consumption"'
    )


def test_a_file_that_says_no_mix_is_unlike_one_that_does(tmp_path: Path) -> None:
    silent = with_keys(sites__s__grid=by_file(tmp_path, "s", factor="life-cycle"))
    assert silent.basis["average"] == "average, life-cycle, mix not stated, s.csv"
    [reason] = unlike(facts(BASE), silent)
    assert reason.startswith("average intensity by mix not stated is not the base's")
    nothing = with_keys(sites__s__grid=by_file(tmp_path, "n"))
    assert nothing.basis["average"] == "average, factors and mix not stated, n.csv"
    assert len(unlike(facts(BASE), nothing)) == 2


def test_a_constant_claims_only_what_it_says() -> None:
    said = {"constant": "50 g/kWh", "factor": "direct", "mix": "production"}
    plain = with_keys(sites__s__grid={"average": {"constant": "50 g/kWh"}})
    claimed = with_keys(sites__s__grid={"average": said})
    assert plain.basis["average"] == "average, constant 50 g/kWh"
    assert claimed.basis["average"] == "average, direct, production-based, constant 50 g/kWh"
    assert unlike(facts(BASE), plain) == []
    [reason] = unlike(facts(BASE), claimed)
    assert "by factors direct is not the base's" in reason


def test_what_a_scenario_declares_is_what_its_opened_traces_say(tmp_path: Path) -> None:
    grid = by_file(tmp_path, "c", factor="direct", mix="consumption")
    for keys in ({}, {"sites__s__grid": grid}, {"sites__s__electricity_price": "1 USD/kWh"}):
        document = scenario_document(grid={"average": "CISO", "marginal": "CAISO"}, **keys)
        scenario = from_document(document)
        average, marginal = open_grids(scenario, [])
        assert declared_basis(scenario) == basis_of(average, marginal, currency_of(scenario))


def test_marginal_factors_count_where_marginal_carbon_does(tmp_path: Path) -> None:
    file = by_file(tmp_path, "m", factor="life-cycle")["average"]
    other = with_keys(sites__s__grid={"average": "CISO", "marginal": file})
    [reason] = unlike(facts(BASE), other)
    assert reason.startswith("marginal intensity by factors life-cycle is not the base's")
    assert unlike(facts(BASE), other, on=("average",)) == []
    without = with_keys(sites__s__grid={"average": "CISO"})
    assert unlike(facts(BASE), without) == unlike(without, facts(BASE)) == []


def test_an_average_is_not_compared_with_a_marginal_signal() -> None:
    base = facts(BASE)
    average, marginal = (
        replace(base, basis={key: text for key, text in base.basis.items() if word in key})
        for word in ("average", "marginal")
    )
    [reason] = unlike(average, marginal)
    assert reason == (
        "marginal intensity is not the base's average intensity; use one signal in both"
    )


def test_costs_are_compared_in_one_currency_and_carbon_in_any() -> None:
    one, two = (
        Facts(facts(BASE).scenario, {**facts(BASE).basis, "currency": code})
        for code in ("USD", "EUR")
    )
    assert unlike(one, two) == [
        "prices in EUR are not the base's, in USD; write both in one currency"
    ]
    assert unlike(one, two, on=("average", "marginal")) == []
    assert unlike(one, facts(BASE)) == []


def test_results_are_asked_as_they_are() -> None:
    one, two = results_of(BASE), results_of({**BASE, "horizon": "9 h"})
    assert unlike(one, one) == []
    assert len(unlike(one, two)) == 1
    assert one.basis["average_factors"] == "life-cycle"
    assert one.basis["marginal_factors"] == "direct"
    assert results_of(scenario_document()).basis["average_factors"] == "constant"
