"""Prices of electricity and of nodes, as a scenario writes them: an amount in some currency."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationInfo

from simulator.errors import Issue, listing, shown
from simulator.scenario.fields import NUMBER, Marker
from simulator.scenario.paths import dotted
from simulator.units import CURRENCY, EXAMPLES, MONEY, a_dimension, parse_money

if TYPE_CHECKING:
    from simulator.scenario.model import Scenario

LARGEST_PRICE: Final = 1e15
"""Far above anything real, and no sum of such overflows."""

PRICED: Final = {"sites": "electricity_price", "nodes": "price"}
"""By section, the key that gives a price and the attribute of the same name."""

Parts = Mapping[str, Mapping[str, Any]]


class Price(NamedTuple):
    """An amount of money, or of money per kWh.

    Attributes
    ----------
    amount : float
        In the currency, or in the currency per kWh.
    currency : str
        A code of three capital letters.
    """

    amount: float
    currency: str


@dataclass(frozen=True)
class PriceOf(Marker):
    """A price with its currency and unit; `dimension` is a key of `simulator.units.MONEY`."""

    dimension: str

    def read(self, value: Any, info: ValidationInfo) -> Price:  # noqa: ARG002 - the same anywhere
        """Return the price, at least 0."""
        if isinstance(value, Price):
            return value
        price = Price(*parse_money(value, self.dimension))
        kind = a_dimension(self.dimension)
        if price.amount < 0:
            raise ValueError(f"{shown(value)} is negative; write {kind} of at least 0")
        if price.amount > LARGEST_PRICE:
            most = f"{LARGEST_PRICE:g} {next(iter(MONEY[self.dimension]))}"
            raise ValueError(f"{shown(value)} is too large; write {kind} of at most {most}")
        return price

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a number with a currency and a unit."""
        units = "|".join(MONEY[self.dimension]).replace(CURRENCY, "[A-Z]{3}")
        return {
            "type": "string",
            "pattern": rf"^\s*{NUMBER}\s*({units})\s*$",
            "examples": [EXAMPLES[self.dimension]],
        }


def price_problems(parts: Parts) -> Iterator[Issue]:
    """Yield every price of a scenario that has more than one currency.

    Parameters
    ----------
    parts : mapping
        The entries of each section that could be read, by name.
    """
    places: dict[str, list[str]] = {}
    for path, currency in _currencies(parts):
        places.setdefault(currency, []).append(path)
    for currency, paths in places.items():
        others = [path for code in places if code != currency for path in places[code]]
        if others:
            codes = listing(sorted(places.keys() - {currency}))
            text = f"in {currency}, but {listing(others)} in {codes}; write all in one currency"
            yield from (Issue(path, text) for path in paths)


def _currencies(parts: Parts) -> Iterator[tuple[str, str]]:
    """Yield where each price stands, and its currency."""
    for section, key in PRICED.items():
        for name, entry in parts[section].items():
            price: Price | None = getattr(entry, key, None)
            if price is not None:
                yield dotted((section, name, key)), price.currency


def currency_of(scenario: "Scenario") -> str | None:
    """Return the currency of a scenario's prices, None where it gives none."""
    parts: Parts = {"sites": scenario.sites, "nodes": scenario.nodes}
    return next((code for _, code in _currencies(parts)), None)
