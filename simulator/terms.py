"""The terms of a bill: under which assumptions the events of a run are billed again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.scenario.model import Scenario
from simulator.scenario.paths import dotted

Source = str | dict[str, Any]
"""An intensity as a scenario says it: a name of the catalog, a constant or a file."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a bill assumes in place of what the run did; None leaves it as it was.

    Attributes
    ----------
    average, marginal : str or dict, optional
        Intensity of every site. Another average without another marginal leaves the marginal
        figures absent: a marginal signal belongs to its grid.
    pue : float or dict, optional
        Of every site: a number, or a model.
    supply : dict, optional
        Generation, storage and contracts of every site; an empty one takes away what there is.
    electricity_price : str, optional
        Of every site, e.g. ``"0.09 USD/kWh"``.
    embodied, lifetime : str or mapping of str to str, optional
        Of every node type in use, e.g. ``"1500 kg"`` and ``"6 y"``, or by node type.
    """

    average: Source | None = None
    marginal: Source | None = None
    pue: float | dict[str, Any] | None = None
    supply: dict[str, Any] | None = None
    electricity_price: str | None = None
    embodied: str | Mapping[str, str] | None = None
    lifetime: str | Mapping[str, str] | None = None

    def of(self, scenario: Scenario, *, check_files: bool = True) -> Scenario:
        """Return the scenario under these terms.

        Parameters
        ----------
        scenario : Scenario
        check_files : bool
            Whether the files that it names have to be there.

        Raises
        ------
        InputError
            If it would be refused.
        """
        changes: dict[str, Any] = {}
        for site in scenario.sites:
            at = dotted(("sites", site))
            if self.average is not None:
                changes[f"{at}.grid.average"] = self.average
            if self.average is not None or self.marginal is not None:
                changes[f"{at}.grid.marginal"] = self.marginal
            if self.pue is not None:
                changes[f"{at}.pue"] = self.pue
            if self.supply is not None:
                changes[f"{at}.supply"] = self.supply or None
            if self.electricity_price is not None:
                changes[f"{at}.electricity_price"] = self.electricity_price
        for key in ("embodied", "lifetime"):
            for node, value in _by_node(scenario, key, getattr(self, key)).items():
                changes[dotted(("nodes", node, key))] = value
        return scenario.replace(changes, check_files=check_files) if changes else scenario


def _by_node(
    scenario: Scenario, key: str, said: str | Mapping[str, str] | None
) -> Mapping[str, str]:
    """Return the value of each node type that gets another one."""
    if said is None:
        return {}
    used = list(dict.fromkeys(cluster.node for cluster in scenario.clusters.values()))
    if not isinstance(said, Mapping):
        return dict.fromkeys(used, said)
    issues = []
    for name in said:
        if name not in used:
            near = nearest(name, used)
            meant = f"did you mean {shown(near)}?" if near else f"there are {listing(used)}"
            issues.append(Issue(key, f"{shown(name)} is no node type of a cluster; {meant}"))
    if issues:
        raise InputError("bill", issues)
    return said
