"""Policies of idle nodes, queues, placement and dispatch, one file for each idea.

Each is registered by the one decorator of its kind.
A module put into this folder is found by itself; nothing else lists it.
"""

from simulator.policies.dispatch_rule import DispatchRule
from simulator.policies.queue_rule import QueueRule
from simulator.policies.resolved import (
    ClusterPlacement,
    ClusterProvisioning,
    ClusterScheduling,
    WorkloadDispatch,
    dispatch_of,
    placement_of,
    provisioning_of,
    scheduling_of,
)
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.power.descent import Descent

__all__ = [
    "Clock",
    "ClusterPlacement",
    "ClusterProvisioning",
    "ClusterScheduling",
    "ClusterView",
    "Commands",
    "Descent",
    "DispatchRule",
    "QueueRule",
    "WorkloadDispatch",
    "dispatch_of",
    "placement_of",
    "provisioning_of",
    "scheduling_of",
]
