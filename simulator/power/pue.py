"""The model of PUE that a scenario names, as the building's overhead."""

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import Fleet
from simulator.power import free_cooling_pue, load_pue
from simulator.power.overhead import Overhead
from simulator.scenario.facility import LoadPue, PueModel
from simulator.scenario.model import Scenario


def overhead_of(
    pue: float | PueModel, temperature_degc: NDArray[np.float64] | None = None
) -> Overhead:
    """Return the overhead of a building.

    Parameters
    ----------
    pue : float or PueModel
        As the scenario says it.
    temperature_degc : float64[bins], optional
        Outside temperature, for models that need it. [degC]

    Raises
    ------
    ValueError
        If the model needs the outside temperature and there is none.
    """
    if isinstance(pue, float | int):
        return Overhead(ratio=np.array([float(pue)]), fixed_w=0.0)
    if isinstance(pue, LoadPue):
        return load_pue.overhead(pue)
    if temperature_degc is None:
        raise ValueError(f"the model {pue.model} needs the outside temperature")
    return free_cooling_pue.overhead(pue, temperature_degc)


def full_load_pue(scenario: Scenario, fleet: Fleet) -> NDArray[np.float64]:
    """Return the PUE of each site, of a model with all machines at work in the best weather.

    Parameters
    ----------
    scenario : Scenario
    fleet : Fleet
        Of the same scenario.
    """
    busy_w = np.bincount(fleet.site, fleet.busy_w * fleet.first_count, len(fleet.site_names))
    return np.array(
        [
            float(site.pue)
            if isinstance(site.pue, float | int)
            else site.pue.lowest(it_w)
            if it_w
            else 1.0
            for site, it_w in zip(scenario.sites.values(), busy_w.tolist(), strict=True)
        ]
    )
