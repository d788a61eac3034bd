"""Samples: uniform numbers in several dimensions, spread more evenly than by chance."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, Issue

Floats: TypeAlias = NDArray[np.float64]

MOST_SAMPLES: Final = 2**24
"""Samples that one design may draw; a matrix of them takes 128 MB for each axis."""

_EDGE: Final = 2.0**-53
"""Uniform numbers keep this distance from 0 and 1, where laws have no value."""


def latin_hypercube(samples: int, axes: int, seed: int) -> Floats:
    """Return points of which each axis has one in every n-th part, float64[samples, axes]."""
    sampler = _module("scipy.stats.qmc").LatinHypercube(axes, rng=seed)
    return _inside(sampler.random(samples))


def sobol(samples: int, axes: int, seed: int) -> Floats:
    """Return the first points of a scrambled Sobol sequence, float64[samples, axes]."""
    sampler = _module("scipy.stats.qmc").Sobol(axes, rng=seed)
    # Drawing the next power of two keeps scipy from warning of what the plan warns of itself.
    return _inside(sampler.random_base2((samples - 1).bit_length())[:samples])


def saltelli(samples: int, axes: int, seed: int) -> Floats:
    """Return the cross samples for first-order and total Sobol indices.

    Parameters
    ----------
    samples : int
        Base samples, a power of two.
    axes : int
    seed : int

    Returns
    -------
    float64[samples * (axes + 2), axes]
        In the order that SALib analyses, without second-order indices.
    """
    problem = {
        "num_vars": axes,
        "names": [f"x{axis}" for axis in range(axes)],
        "bounds": [[0.0, 1.0]] * axes,
    }
    module = _module("SALib.sample.sobol")
    return _inside(module.sample(problem, samples, calc_second_order=False, seed=seed))


SAMPLERS: Final[Mapping[str, Callable[[int, int, int], Floats]]] = MappingProxyType(
    {"latin-hypercube": latin_hypercube, "sobol": sobol, "saltelli": saltelli}
)
"""Designs that draw: number of samples, number of axes and seed to uniform numbers."""


def _inside(uniforms: Any) -> Floats:
    inside: Floats = np.clip(np.asarray(uniforms, np.float64), _EDGE, 1.0 - _EDGE)
    return inside


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        text = f"needs {package}, which is not installed: pip install 'fleetsim[sweep]'"
        raise InputError("sweep", [Issue("sweep.design", text)]) from error
