"""A plan as a sweep file: what was said of the base, and the table `[sweep]`."""

from collections.abc import Mapping
from typing import Any, Final

from simulator.plans.axes import SETTINGS
from simulator.plans.designs import Points
from simulator.scenario.document import portable
from simulator.scenario.model import Scenario
from simulator.scenario.toml_writer import toml_text

HEADER: Final = (
    "A sweep as planned: its base, with all that it extends and the nodes of the catalog, and the",
    "table [sweep]. It runs as it is, from any folder: fleetsim sweep sweep.toml",
)


def plan_text(base: Scenario, points: Points, table: Mapping[str, Any]) -> str:
    """Return a plan as TOML that reads from any folder.

    Defaults are left to be filled in again: one that was written out would stay as it is where
    an axis changes what it follows from.
    """
    said = base.said().document
    sweep = dict(table)
    if all(key in SETTINGS for key in sweep):  # the points were listed, and not made of a table
        sweep |= {"design": "zip", **{path: points.values(path) for path in points.paths}}
    document = portable({**said, "sweep": sweep}, base.folder)
    return toml_text(document, HEADER)
