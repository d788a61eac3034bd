"""preference: the first cluster of the list that has room when the job's turn comes."""

from simulator.policies.dispatch_rule import DispatchRule
from simulator.registry import dispatch


@dispatch("preference")
def preference() -> DispatchRule:
    """Let a job wait for all of its clusters, and start on the first of them that has room."""
    return DispatchRule("preference")
