"""Jobs of the runs of a sweep that keep their full results."""

from pathlib import Path
from typing import TYPE_CHECKING

from simulator.errors import InputError, Issue
from simulator.results import read_run_table
from simulator.sweeps.worker import kept_folder

if TYPE_CHECKING:
    import pandas as pd


def kept_jobs(folder: Path | None, runs: "pd.DataFrame") -> "pd.DataFrame":
    """Return the jobs of all runs that keep their full results, run after run.

    Parameters
    ----------
    folder : Path or None
        Of the sweep.
    runs : DataFrame
        Its table.

    Raises
    ------
    InputError
        If no run keeps them, or one of them is damaged.
    """
    import pandas as pd

    rule = 'no run keeps its full results; write keep = "all" under [sweep], and name a folder'
    if folder is None:
        raise InputError("sweep", [Issue("keep", rule)])
    frames = []
    rows = runs.loc[runs["key"].notna(), ["row", "point", "seed", "key"]]
    for row, point, seed, key in rows.itertuples(index=False):
        kept = kept_folder(folder, row, key)
        if kept.is_dir():
            jobs: pd.DataFrame = read_run_table(kept, "jobs").to_pandas()
            jobs.insert(0, "seed", seed)
            jobs.insert(0, "point", point)
            jobs.insert(0, "row", row)
            frames.append(jobs)
    if not frames:
        raise InputError(str(folder), [Issue("keep", rule)])
    every: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return every
