"""Intensity of a region's generation: what each fuel generates, by its emission factor."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator import catalog
from simulator.traces.findings import Findings, counted

if TYPE_CHECKING:
    from numpy.typing import NDArray


def intensity_of(
    generation_mw: Mapping[str, "NDArray[np.float64]"], factor: str, findings: Findings
) -> "NDArray[np.float64]":
    """Return sum(generation x factor) / sum(generation) of each step. [g/kWh].

    A fuel that lacks a value between its first and its last one was lost: that step has no
    intensity, as one without the fuel would be wrong. Before its first and after its last value it
    is not reported, and counts nothing. What is below 0, as plants draw power of their own, counts
    nothing.

    Parameters
    ----------
    generation_mw : mapping of str to float64[steps]
        By fuel of the catalog; NaN where missing. [MW]
    factor : str
        ``"life-cycle"`` or ``"direct"``.
    findings : Findings
        Told how many steps were lost and how many values were below 0.
    """
    factors = catalog.fuel_factors(factor)
    steps = len(next(iter(generation_mw.values())))
    total, emitted = np.zeros(steps), np.zeros(steps)
    lost, negative = np.zeros(steps, bool), 0
    for fuel, values in generation_mw.items():
        known = np.flatnonzero(~np.isnan(values))
        if len(known) == 0:
            continue
        lost[known[0] : known[-1] + 1] |= np.isnan(values[known[0] : known[-1] + 1])
        negative += int((values < 0).sum())
        counted_mw = np.maximum(np.nan_to_num(values), 0.0)
        total += counted_mw
        emitted += counted_mw * factors[fuel]
    if lost.any():
        findings.warn(
            f"{counted(int(lost.sum()), 'step')} without a value, as a fuel that is reported "
            "before and after is missing in them"
        )
    if negative:
        findings.warn(f"{counted(negative, 'value')} of generation below 0 taken as 0")
    known_steps = ~lost & (total > 0)
    return np.where(known_steps, emitted / np.where(total > 0, total, 1.0), np.nan)
