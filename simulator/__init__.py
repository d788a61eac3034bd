"""Energy, carbon and waiting times of AI datacentre fleets.

>>> import simulator as fs
>>> run = fs.run("my.toml", seed=7)  # doctest: +SKIP
>>> run.summary["total_kgco2e"]  # doctest: +SKIP

Names are imported when they are first used, so that importing the package costs nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.api import Run, load, open_run, run
    from simulator.comparison.comparison import Comparison
    from simulator.errors import InputError, Issue, PolicyError
    from simulator.registry import dispatch, placement, provisioning, scheduling
    from simulator.scenario import Scenario
    from simulator.studies import compare, optimize, sweep

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "InputError",
    "Issue",
    "PolicyError",
    "Run",
    "Scenario",
    "__version__",
    "compare",
    "dispatch",
    "load",
    "open_run",
    "optimize",
    "placement",
    "provisioning",
    "run",
    "scheduling",
    "sweep",
]

_HOMES = {
    "Comparison": "simulator.comparison.comparison",
    "InputError": "simulator.errors",
    "Issue": "simulator.errors",
    "PolicyError": "simulator.errors",
    "Run": "simulator.api",
    "Scenario": "simulator.scenario",
    "compare": "simulator.studies",
    "dispatch": "simulator.registry",
    "load": "simulator.api",
    "open_run": "simulator.api",
    "optimize": "simulator.studies",
    "placement": "simulator.registry",
    "provisioning": "simulator.registry",
    "run": "simulator.api",
    "scheduling": "simulator.registry",
    "sweep": "simulator.studies",
}


def __getattr__(name: str) -> object:
    """Return a public name, importing its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'simulator' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
