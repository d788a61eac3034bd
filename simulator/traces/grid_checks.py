"""What is wrong with the values of a grid series."""

from typing import Final

import numpy as np

from simulator.traces.findings import Findings, counted, row_list
from simulator.traces.series_file import SeriesTable
from simulator.units import G_PER_KG

LARGEST_G_PER_KWH: Final = 1e9
"""Above it there is a mistake, and sums of such could overflow. [g/kWh]"""

PLAUSIBLE_G_PER_KWH: Final = (5.0, 2000.0)
"""A file whose median lies outside is probably in another unit. [g/kWh]"""


def check_values(table: SeriesTable, basis: str, findings: Findings) -> None:
    """Refuse a series without values and a negative average; warn of what is implausible."""
    values = table.values
    known = values[~np.isnan(values)]
    absurd = np.abs(values) > LARGEST_G_PER_KWH
    if absurd.any():
        findings.refuse(
            f"an intensity is above {LARGEST_G_PER_KWH:g} g/kWh in {row_list(table.row[absurd])}; "
            "check the value and its unit"
        )
    negative = values < 0
    if len(known) == 0:
        findings.refuse("no row holds a value")
        return
    if negative.any() and basis == "average":
        findings.refuse(
            f"an average intensity is negative in {row_list(table.row[negative])}; "
            "only a marginal one can be, under marginal = { ... }"
        )
    elif negative.any():
        findings.warn(f"the marginal intensity is negative in {counted(negative.sum(), 'step')}")
    median = float(np.median(known))
    low, high = PLAUSIBLE_G_PER_KWH
    if not low <= median <= high:
        findings.warn(
            f"the median is {median:.4g} g/kWh, outside {low:g} to {high:g}; check the unit"
            f"{_meant(median)}"
        )


def _meant(median: float) -> str:
    """Return what the unit may have been meant to be, by a thousand either way."""
    low, high = PLAUSIBLE_G_PER_KWH
    if low <= G_PER_KG * median <= high:
        return ": kg for g, e.g. kg/kWh or t/MWh said as g/kWh or kg/MWh"
    if low <= median / G_PER_KG <= high:
        return ": g for kg, or kWh for MWh, e.g. g/MWh said as g/kWh or kg/MWh"
    return ""
