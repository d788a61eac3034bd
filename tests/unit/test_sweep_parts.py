"""Parts of a sweep: said, or taken from a job array."""

import pytest

from simulator.sweeps.parts import part_of


def slurm(task: int, **others: object) -> dict[str, str]:
    """Return the variables of one task of a Slurm array."""
    names = {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in others.items()}
    return {"SLURM_ARRAY_TASK_ID": str(task)} | names


def array(low: int, high: int, step: int = 1) -> list[dict[str, str]]:
    """Return the variables of every task of ``--array=low-high:step``, as Slurm sets them."""
    tasks = range(low, high + 1, step)
    said = {"MIN": tasks[0], "MAX": tasks[-1], "COUNT": len(tasks), "STEP": step}
    return [slurm(task, **said) for task in tasks]


@pytest.mark.parametrize(
    ("low", "high", "step", "parts"),
    [(1, 50, 1, 50), (0, 49, 1, 50), (0, 199, 2, 100), (10, 30, 5, 5), (7, 20, 7, 2)],
)
@pytest.mark.parametrize("said", ["auto", "auto/{}"])
def test_the_tasks_of_an_array_are_the_parts(
    low: int, high: int, step: int, parts: int, said: str
) -> None:
    found = [part_of(said.format(parts), env) for env in array(low, high, step)]
    assert found == [(part, parts) for part in range(1, parts + 1)]


def test_what_an_older_slurm_leaves_out_is_worked_out() -> None:
    assert part_of("auto", slurm(12, MIN=10, COUNT=5)) == (3, 5)
    assert part_of("auto", slurm(12, MIN=10, MAX=14)) == (3, 5)
    assert part_of("auto/5", slurm(12, MIN=10)) == (3, 5)
    assert part_of("auto/1", slurm(3, MIN=3, MAX=3, COUNT=1, STEP=1)) == (1, 1)


@pytest.mark.parametrize(
    ("said", "env", "told"),
    [
        ("auto", array(7, 7)[0], r"one task, 7, .* write --shard 7/N, or 8/N if .* from 0"),
        ("auto/200", array(7, 7)[0], r"has 1 task, not 200, .* write --shard 7/200, or 8/200"),
        ("auto/200", array(3, 5)[0], r"has 3 tasks, not 200"),
        ("auto", slurm(7, MIN=3, MAX=20, COUNT=3, STEP=1), r"from 3 to 20 at no even step"),
        ("auto", slurm(4, MIN=3, MAX=7, COUNT=3, STEP=2), "no even step"),
        ("auto", slurm(3, MIN=3, MAX=7, COUNT=3, STEP=0), "no even step"),
        ("auto", slurm(3), "number of parts is not known here; write auto/N"),
        ("auto", slurm(3, MIN="x", COUNT=4), r'SLURM_ARRAY_TASK_MIN is "x", no whole number'),
        ("auto/8", slurm(9, MIN=1), "parts are counted from 1 to 8"),
        ("auto", {"JOB_COMPLETION_INDEX": "0"}, "write auto/N"),
        ("auto/8", {"JOB_COMPLETION_INDEX": "8"}, "parts are counted from 1 to 8"),
        ("auto/x", array(1, 3)[0], "write e.g. auto/200"),
        ("auto/0", array(1, 3)[0], "write e.g. auto/200"),
        ("auto", {}, "SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX"),
        ("0/3", {}, "parts are counted from 1 to 3"),
        ("3", {}, "no part of a whole"),
    ],
)
def test_what_cannot_be_told_is_refused_in_one_line(
    said: str, env: dict[str, str], told: str
) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        part_of(said, env)
    assert "\n" not in str(caught.value)


def test_an_indexed_job_counts_from_zero() -> None:
    assert part_of("auto/8", {"JOB_COMPLETION_INDEX": "0"}) == (1, 8)
    assert part_of("auto/8", {"JOB_COMPLETION_INDEX": "7"}) == (8, 8)


def test_a_part_that_is_said_needs_no_array() -> None:
    assert part_of("2/5", array(1, 3)[2]) == (2, 5)


def test_the_environment_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in array(0, 199, 2)[3].items():
        monkeypatch.setenv(name, value)
    assert part_of("auto") == (4, 100)
