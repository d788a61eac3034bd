"""What is timed: one run of the engine with everything on."""

from simulator.inputs import Inputs
from simulator.simulation import Simulated, simulated


def in_full(opened: Inputs) -> Simulated:
    """Run the engine, meter and bill it, and make every result table."""
    done = simulated(opened)
    dict(done.results.tables)  # each is made when it is asked for
    return done
