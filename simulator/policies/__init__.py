"""Policies: what idle nodes do, one file for each idea, registered by its decorator.

A module put into this folder is found by itself; nothing else lists it.
"""

from simulator.policies.resolved import ClusterProvisioning, provisioning_of
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.power.descent import Descent

__all__ = [
    "Clock",
    "ClusterProvisioning",
    "ClusterView",
    "Commands",
    "Descent",
    "provisioning_of",
]
