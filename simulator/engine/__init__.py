"""The engine: SimPy for whoever decides, compiled loops for what is decided about."""

from simulator.engine.commanders import commanders
from simulator.engine.conductor import Controller, simulate
from simulator.engine.preempting import Preempting, preempting_of
from simulator.engine.queueing import Queues
from simulator.engine.view import View
from simulator.engine.ways import Dispatches
from simulator.joblog import JobLog

__all__ = [
    "Controller",
    "Dispatches",
    "JobLog",
    "Preempting",
    "Queues",
    "View",
    "commanders",
    "preempting_of",
    "simulate",
]
