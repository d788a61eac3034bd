"""Quantities are texts with a unit at the door, numbers in one unit inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.units import DIMENSIONS, EXAMPLES, exact_quantity, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "dimension", "house"),
    [
        ("10.2 kW", "power", 10_200.0),
        ("1400W", "power", 1400.0),
        (" 15  min ", "time", 900_000.0),
        ("1 y", "time", 365.25 * 86_400_000),
        ("2 kWh", "energy", 7.2e6),
        ("1 GWh", "energy", 3.6e12),
        ("2.5 t", "mass", 2.5e6),
        ("0.38 kg/kWh", "intensity", 380.0),
        ("380 kg/MWh", "intensity", 380.0),
        ("0.38 t/MWh", "intensity", 380.0),
        ("1000 lb/MWh", "intensity", 453.59237),
        ("12 per  d", "rate", 12 / 86_400_000),
        ("1_000 W", "power", 1000.0),
        ("1e3 W", "power", 1000.0),
        (".5 kW", "power", 500.0),
        ("-5 degC", "temperature", -5.0),
        ("826 mm2", "area", 8.26),
        ("0.2m2 ", "area", 2000.0),
        ("2 TB", "storage", 2000.0),
        ("1500 t/MW", "mass per power", 1500.0),
    ],
)
def test_a_quantity_is_read_in_its_house_unit(text: str, dimension: str, house: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(house, rel=1e-15)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_unit_of_every_dimension_is_understood(dimension: str) -> None:
    for unit, factor in DIMENSIONS[dimension].items():
        assert parse_quantity(f"3 {unit}", dimension) == 3 * factor


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_example_of_each_dimension_is_one(dimension: str) -> None:
    assert parse_quantity(EXAMPLES[dimension], dimension) > 0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1400, '1400 is not a power; write it with a unit, one of W, kW, MW, e.g. "1400 W"'),
        (True, 'true is not a power; write it with a unit, one of W, kW, MW, e.g. "1400 W"'),
        (
            float("nan"),
            'nan is not a power; write it with a unit, one of W, kW, MW, e.g. "1400 W"',
        ),
        (
            "150 kg",
            '"150 kg" is not a power; write a number and a unit, one of W, kW, MW, e.g. "1400 W"',
        ),
        ("1.4 KW", '"1.4 KW" is not a power; did you mean the unit kW?'),
        (
            "1,4 kW",
            (
                '"1,4 kW" is not a power; write a number (a decimal point, no commas) and a unit, '
                'one of W, kW, MW, e.g. "1400 W"'
            ),
        ),
        ("1e400 W", '"1e400 W" is too large a number; write a finite quantity'),
    ],
)
def test_what_is_no_quantity_is_refused_with_the_units_allowed(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=r"is not a power|too large") as refused:
        parse_quantity(value, "power")
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["", "kW", "1 2 kW", "0x10 W", "nan W", "inf W", "٣ W", "1 W\n2"])
def test_text_that_only_resembles_a_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a power"):
        parse_quantity(text, "power")


def test_a_long_text_is_refused_at_once_and_shown_cut() -> None:
    with pytest.raises(ValueError, match=r"\.\.\. is not a power") as refused:
        parse_quantity(" " * 1_000_000 + "1 W", "power")
    assert len(str(refused.value)) < 250


@given(st.floats(min_value=1e-6, max_value=1e12), st.sampled_from(["power", "time", "mass"]))
def test_a_quantity_survives_being_written_and_read(value: float, dimension: str) -> None:
    assert parse_quantity(format_quantity(value, dimension), dimension) == pytest.approx(
        value, rel=1e-5
    )


def test_a_quantity_is_written_in_the_largest_fitting_unit() -> None:
    assert format_quantity(5400, "power") == "5.4 kW"
    assert format_quantity(900_000, "time") == "15 min"
    assert format_quantity(0, "power") == "0 W"
    assert format_quantity(380, "intensity") == "380 g/kWh"


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (300_000, "time", "5 min"),
        (90_000, "time", "90 s"),
        (7 * 86_400_000, "time", "7 d"),
        (1_234_567, "time", "1234567 ms"),
        (0, "time", "0 ms"),
        (0.5, "time", "0.5 ms"),
        (1500.0, "power", "1500 W"),
        (-2e6, "power", "-2 MW"),
        (0.1, "power", "0.1 W"),
    ],
)
def test_exact_quantities_read_as_the_same_number(value: float, dimension: str, text: str) -> None:
    assert exact_quantity(value, dimension) == text
    assert parse_quantity(text, dimension) == value


@given(value=st.floats(-1e15, 1e15), dimension=st.sampled_from(sorted(DIMENSIONS)))
def test_any_exact_quantity_reads_as_itself(value: float, dimension: str) -> None:
    assert parse_quantity(exact_quantity(value, dimension), dimension) == value
