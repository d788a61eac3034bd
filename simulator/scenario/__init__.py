"""Scenarios: what a user may say, read, checked and frozen."""

from simulator.scenario.json_schema import schema
from simulator.scenario.load import from_document, load, load_study
from simulator.scenario.model import Scenario

__all__ = ["Scenario", "from_document", "load", "load_study", "schema"]
