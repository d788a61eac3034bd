"""Prices in a scenario: how they are read and refused, and that none of them leaves no trace."""

from typing import Any

import jsonschema
import pytest

from simulator.scenario import from_document
from simulator.scenario.json_schema import schema
from simulator.scenario.prices import Price, currency_of
from simulator.units import EXAMPLES, MONEY, parse_money
from tests.unit.scenario_documents import SMALL, changed, problems, with_value

ELECTRICITY, MACHINE = "sites.s.electricity_price", "nodes.n.price"


@pytest.mark.parametrize(
    ("text", "dimension", "amount", "currency"),
    [
        ("0.08 USD/kWh", "money per energy", 0.08, "USD"),
        ("80 EUR/MWh", "money per energy", 0.08, "EUR"),
        ("  7.5e-2CHF/kWh ", "money per energy", 0.075, "CHF"),
        ("250 kUSD", "money", 250_000.0, "USD"),
        ("250000 USD", "money", 250_000.0, "USD"),
        ("1_250_000 JPY", "money", 1_250_000.0, "JPY"),
        ("0.25 MGBP", "money", 250_000.0, "GBP"),
        ("3 MUR", "money", 3.0, "MUR"),  # Mauritian rupees, not millions
        ("3 MMUR", "money", 3e6, "MUR"),
        ("0 USD", "money", 0.0, "USD"),
    ],
)
def test_a_price_is_an_amount_and_a_currency(
    text: str, dimension: str, amount: float, currency: str
) -> None:
    assert parse_money(text, dimension) == (pytest.approx(amount, rel=1e-15), currency)


@pytest.mark.parametrize("dimension", MONEY)
def test_the_example_of_each_dimension_is_one(dimension: str) -> None:
    assert parse_money(EXAMPLES[dimension], dimension)[1] == "USD"


@pytest.mark.parametrize(
    "value",
    [0.08, 8, True, None, {"a": 1}, "", "0.08", "0.08 USD", "USD/kWh", "0.08 usd/kWh",
     "0,08 EUR/kWh", "0.08 US/kWh", "0.08 EURO/kWh", "$0.08/kWh", "8 ct/kWh", "0.08 USD/kW",
     "0.08 USD/GWh",
     "0.08 kUSD/kWh", "nan USD/kWh", "inf USD/kWh", "1e400 USD/kWh", "0.08 USD/kWh" + " " * 200],
)  # fmt: skip
def test_what_is_no_price_of_energy_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"write .*(currency|finite)"):
        parse_money(value, "money per energy")


@pytest.mark.parametrize("path", [ELECTRICITY, MACHINE])
def test_a_price_is_at_least_0_and_no_absurdity(path: str) -> None:
    unit = "USD/kWh" if path == ELECTRICITY else "USD"
    assert "negative; write a price" in problems(changed(path, f"-0.01 {unit}"))[path]
    assert "too large; write a price" in problems(changed(path, f"1e16 {unit}"))[path]
    assert "is not a price" in problems(changed(path, 12.5))[path]
    assert f"12.5 {unit}" in problems(changed(path, 12.5))[path]


def test_every_price_of_a_scenario_with_two_currencies_is_named() -> None:
    document = changed(ELECTRICITY, "0.08 USD/kWh")
    document["sites"]["t"] = document["sites"]["s"] | {"electricity_price": "0.08 EUR/kWh"}
    document["nodes"]["n"]["price"] = "100 kEUR"
    found = problems(document)
    assert set(found) == {ELECTRICITY, "sites.t.electricity_price", MACHINE}
    assert found[ELECTRICITY] == (
        f"in USD, but sites.t.electricity_price, {MACHINE} in EUR; write all in one currency"
    )
    assert found[MACHINE] == f"in EUR, but {ELECTRICITY} in USD; write all in one currency"


def test_three_currencies_of_many_sites_are_told_in_short_messages() -> None:
    document = changed(MACHINE, "100 kEUR")
    site = document["sites"]["s"]
    for at in range(300):
        code = "USD" if at % 2 else "CHF"
        document["sites"][f"s{at}"] = site | {"electricity_price": f"1 {code}/kWh"}
    found = problems(document)
    assert len(found) == 301
    assert found[MACHINE].endswith("and 288 more in CHF, USD; write all in one currency")


def test_a_scenario_without_prices_is_the_scenario_it_was() -> None:
    plain = from_document(SMALL)
    assert "price" not in plain.canonical()
    assert "price" not in plain.to_toml()
    assert currency_of(plain) is None
    priced = plain.replace({ELECTRICITY: "80 USD/MWh", MACHINE: "100 kUSD"})
    assert priced.canonical() != plain.canonical()
    assert priced.replace({ELECTRICITY: None, MACHINE: None}).canonical() == plain.canonical()
    assert currency_of(priced) == "USD"
    assert priced.sites["s"].electricity_price == Price(0.08, "USD")
    assert priced.nodes["n"].price == Price(100_000.0, "USD")
    assert 'electricity_price = "80 USD/MWh"' in priced.to_toml()


def test_the_same_price_in_other_words_is_the_same_scenario() -> None:
    one, other = with_value(MACHINE, "250 kUSD"), with_value(MACHINE, "250000 USD")
    assert one.canonical() == other.canonical()
    assert one.canonical() != with_value(MACHINE, "250 kEUR").canonical()


def test_editors_are_told_what_a_price_looks_like() -> None:
    form = schema()
    validator = jsonschema.Draft202012Validator(form)
    for path, good in ((ELECTRICITY, "80 EUR/MWh"), (MACHINE, "250 kUSD")):
        assert validator.is_valid(changed(path, good))
        for bad in ("12 usd", 12, "12 W"):
            assert not validator.is_valid(changed(path, bad))
    site = form["properties"]["sites"]["additionalProperties"]["properties"]["electricity_price"]
    assert site["examples"] == ["0.08 USD/kWh"]
    assert "absent" in site["description"]
