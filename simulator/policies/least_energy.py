"""least-energy: the cluster on which a job takes least energy, its building included."""

from simulator.policies.dispatch_rule import DispatchRule
from simulator.registry import dispatch


@dispatch("least-energy")
def least_energy() -> DispatchRule:
    """Give a job, as it is submitted, the cluster on which it is billed least energy."""
    return DispatchRule("energy")
