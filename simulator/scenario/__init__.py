"""Scenarios: what a user may say, read, checked and frozen."""

from simulator.scenario.draft import Draft
from simulator.scenario.json_schema import schema
from simulator.scenario.load import (
    from_document,
    load,
    load_file,
    load_study,
    read_file,
    read_study,
)
from simulator.scenario.model import Scenario
from simulator.scenario.study_tables import StudyFile

__all__ = [
    "Draft",
    "Scenario",
    "StudyFile",
    "from_document",
    "load",
    "load_file",
    "load_study",
    "read_file",
    "read_study",
    "schema",
]
