"""least-wait: the cluster on which a job is expected to wait least, chosen as it is submitted."""

from simulator.policies.dispatch_rule import DispatchRule
from simulator.registry import dispatch


@dispatch("least-wait")
def least_wait() -> DispatchRule:
    """Give a job, as it is submitted, the cluster of the least expected wait."""
    return DispatchRule("wait")
