"""The address of a run: what it is a hash of."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from simulator.scenario.model import Scenario
from simulator.version import MODEL_VERSION, SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Origin:
    """What the address of a run is made of beside its scenario and its traces.

    Attributes
    ----------
    jobs : tuple of str
        SHA-256 of the parsed content of every job file.
    rare : str
        JSON of what few runs have: laws of files, policies in plain Python; empty where none.
    """

    jobs: tuple[str, ...]
    rare: str

    @property
    def has_policies(self) -> bool:
        """Whether policies in plain Python took part."""
        laws_only = json.loads(self.rare or "[]")
        return len(laws_only) > 2 or any(laws_only[1:])

    def key(self, scenario: Scenario, traces: Iterable[str]) -> str:
        """Return the address: SHA-256 of scenario, seed, contents of inputs and versions.

        Parameters
        ----------
        scenario : Scenario
        traces : iterable of str
            SHA-256 of the content of every trace.
        """
        jobs = json.dumps(self.jobs, separators=(",", ":"))
        contents = json.dumps(list(traces), separators=(",", ":"))
        # The JSON of one object; the scenario has its own ready for every seed.
        text = (
            f'{{"jobs":{jobs},"model_version":{MODEL_VERSION},"scenario":'
            f'{scenario.key_text()},"schema_version":{SCHEMA_VERSION},"traces":{contents}}}'
        )
        return hashlib.sha256((text + self.rare).encode()).hexdigest()
