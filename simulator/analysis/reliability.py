"""How often jobs of each size are cut short: the mean time to failure by gang size."""

from typing import Final

import numpy as np
import pandas as pd

from simulator.errors import InputError, Issue
from simulator.results import Results
from simulator.units import S_PER_H

COLUMNS: Final = ("gpus", "nodes", "jobs", "run_h", "interruptions", "mttf_h")


def mttf_by_gang(results: Results) -> pd.DataFrame:
    """Return the mean time to failure of jobs by their size: run time over interruptions.

    Parameters
    ----------
    results : Results
        Of a run in which nodes can fail.

    Returns
    -------
    DataFrame
        A row for each number of accelerators and of nodes that they take, in this order: jobs that
        ran, the hours that they ran together, how often a failed node cut one short, and the first
        over the second, null where none was. [h]

    Raises
    ------
    InputError
        If no node of the run can fail.
    """
    jobs = results.tables["jobs"]
    if "restarts" not in jobs.column_names:
        rule = "no node of this run can fail; give its node type failures = { mtbf = ... }"
        raise InputError(results.scenario.name, [Issue("nodes", rule)])
    names = jobs["cluster"].to_pylist()
    whole = {
        name: results.scenario.nodes[cluster.node].accelerators
        for name, cluster in results.scenario.clusters.items()
    }
    gpus = jobs["gpus"].to_numpy()
    frame = pd.DataFrame(
        {
            "gpus": gpus,
            "nodes": -(-gpus // np.array([whole[name] for name in names], np.int64)),
            "jobs": 1,
            "run_h": jobs["run_s"].to_numpy() / S_PER_H,
            "interruptions": jobs["restarts"].to_numpy(),
        }
    )
    frame = frame[frame["run_h"] > 0]
    table = frame.groupby(["gpus", "nodes"], as_index=False).sum()
    cut = table["interruptions"].where(table["interruptions"] > 0)
    table["mttf_h"] = table["run_h"] / cut
    return table[list(COLUMNS)]
