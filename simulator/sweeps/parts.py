"""Parts of a sweep: which one a process runs, as it is told or as its job array says."""

import os
from collections.abc import Mapping
from typing import Final

from simulator.errors import shown

_TASK: Final = "SLURM_ARRAY_TASK_ID"
_INDEX: Final = "JOB_COMPLETION_INDEX"
_FROM_SLURM: Final = ("MIN", "MAX", "COUNT", "STEP")


def part_of(text: str, env: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """Return the part that ``3/200`` or, in a job array, ``auto`` names.

    Parameters
    ----------
    text : str
        ``I/N``, or ``auto`` or ``auto/N`` in a Slurm array or a Kubernetes indexed job.
    env : mapping
        The environment, which says the rest.

    Returns
    -------
    part, count : int
        Parts are counted from 1.

    Raises
    ------
    ValueError
        If it names none, or the environment does not tell which.
    """
    index, slash, count = text.partition("/")
    if index == "auto":
        if slash and not (count.isdecimal() and int(count)):
            raise ValueError(f"{shown(text)} is no part of a whole; write e.g. auto/200")
        return _part_of_array(int(count) if slash else None, env)
    if not (slash and index.isdecimal() and count.isdecimal()):
        raise ValueError(f"{shown(text)} is no part of a whole; write e.g. 3/200")
    return _within(int(index), int(count), text)


def _within(part: int, count: int, said: str) -> tuple[int, int]:
    if not 1 <= part <= count:
        raise ValueError(f"{shown(said)}: parts are counted from 1 to {count}")
    return part, count


def _part_of_array(count: int | None, env: Mapping[str, str]) -> tuple[int, int]:
    """Return the part that a Slurm array or a Kubernetes indexed job gives this process."""
    if _TASK in env:
        return _part_of_slurm(count, env)
    if _INDEX not in env:
        raise ValueError(f"auto needs {_TASK} or {_INDEX}, and neither is set; write e.g. 3/200")
    if count is None:
        raise ValueError("the number of parts is not known here; write auto/N")
    part = _whole(_INDEX, env) + 1
    return _within(part, count, f"{part}/{count}")


def _part_of_slurm(count: int | None, env: Mapping[str, str]) -> tuple[int, int]:
    """Return the part of a task of an array ``MIN-MAX:STEP``, whose tasks are all the parts.

    Slurm's MIN, MAX, COUNT and STEP are those of the array that was submitted: where some of its
    tasks are submitted anew they say nothing of the array before.
    """
    task = _whole(_TASK, env)
    said = {name: _whole(f"SLURM_ARRAY_TASK_{name}", env) for name in _FROM_SLURM
            if f"SLURM_ARRAY_TASK_{name}" in env}  # fmt: skip
    first, step = said.get("MIN", 1), said.get("STEP", 1)
    if "COUNT" not in said and "MAX" in said and step > 0:
        said["COUNT"] = (said["MAX"] - first) // step + 1
    tasks = said.get("COUNT", count)
    if tasks is None:
        raise ValueError("the number of parts is not known here; write auto/N")
    if count is not None and count != tasks:
        raise ValueError(
            f"the array has {_tasks(tasks)}, not {count}, and does not say which part {task} is; "
            f"write --shard {_example(task, count)}"
        )
    if tasks == 1 and count is None:
        raise ValueError(
            f"the array has one task, {task}, and does not say of how many parts; "
            f"write --shard {_example(task, None)}"
        )
    last = first + step * (tasks - 1)
    if step < 1 or (task - first) % step or said.get("MAX", last) != last:
        raise ValueError(
            f"the array has {_tasks(tasks)} from {first} to {said.get('MAX', last)} at no even "
            f"step, and does not say which part {task} is; write --shard {_example(task, None)}"
        )
    part = (task - first) // step + 1
    return _within(part, tasks, f"{part}/{tasks}")


def _tasks(count: int) -> str:
    return f"{count} task{'s' if count != 1 else ''}"


def _example(task: int, count: int | None) -> str:
    """Return what to write for one task of an array that was counted from 1, or from 0."""
    parts = str(count) if count is not None else "N"
    return f"{task}/{parts}, or {task + 1}/{parts} if all tasks are counted from 0"


def _whole(name: str, env: Mapping[str, str]) -> int:
    try:
        return int(env[name])
    except ValueError:
        raise ValueError(
            f"{name} is {shown(env[name])}, no whole number; write e.g. 3/200"
        ) from None
