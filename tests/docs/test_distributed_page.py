"""The page on clusters: its scripts run where they can, and are at least sound where they can't."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.plans.plan import plan_of
from simulator.scenario.load import load_study
from simulator.sweeps.backends.choice import named
from simulator.sweeps.carrying import sweep
from simulator.sweeps.parts import part_of
from simulator.sweeps.session import Options
from tests.unit.sweep_samples import file

ROOT = Path(simulator.__file__).parent.parent
PAGE = (ROOT / "docs" / "distributed.md").read_text(encoding="utf-8")
PARTS = 2


def blocks(language: str) -> list[str]:
    return re.findall(rf"(?m)^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL)


def manifests() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the extra dask")
    return {found["kind"]: found for found in map(yaml.safe_load, blocks("yaml"))}


def sweeps_said() -> list[list[str]]:
    """Return the words of every `fleetsim sweep` of a shell block, continued lines joined."""
    lines = "\n".join(blocks("bash")).replace("\\\n", " ").splitlines()
    return [
        shlex.split(line[line.index("fleetsim sweep") :])
        for line in lines
        if "fleetsim sweep" in line
    ]


def value(words: list[str], option: str) -> str | None:
    return words[words.index(option) + 1] if option in words else None


@pytest.mark.parametrize("script", blocks("bash"))
def test_shell_is_sound(script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("program", blocks("python"))
def test_python_is_sound(program: str) -> None:
    compile(program, "distributed.md", "exec")


def test_every_sweep_names_a_backend_that_takes_its_address() -> None:
    said = sweeps_said()
    assert len(said) >= 6
    for words in said:
        address = value(words, "--address")
        assert named(value(words, "--backend") or "auto", address) in {"local", "dask", "ray"}
    assert {value(words, "--backend") for words in said} >= {"dask", "ray"}


def slurm_script() -> str:
    (script,) = [block for block in blocks("bash") if "#SBATCH" in block]
    return script


def test_the_job_array_makes_one_table_whatever_part_ends_last(tmp_path: Path) -> None:
    """Slurm's variables are set by hand; the script is the one of the page."""
    file(tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").write_text("# the tests' own interpreter\n")
    command = tmp_path / "bin" / "fleetsim"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m simulator "$@"\n')
    command.chmod(0o755)
    # What is compiled already is used, and not compiled once more for this home.
    script = re.sub(r"(?m)^export NUMBA_CACHE_DIR=.*$", "", slurm_script())
    environment = os.environ | {
        "HOME": str(tmp_path),
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SLURM_ARRAY_TASK_MIN": "1",
        "SLURM_ARRAY_TASK_COUNT": str(PARTS),
        "SLURM_CPUS_PER_TASK": "1",
    }
    parts = [
        subprocess.Popen(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=environment | {"SLURM_ARRAY_TASK_ID": str(part)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for part in range(1, PARTS + 1)
    ]
    said = [part.communicate(timeout=120)[0] for part in parts]
    assert [part.returncode for part in parts] == [0] * PARTS, said
    alone = plan_of(*load_study(tmp_path / "grid.toml", "sweep"))
    sweep(alone, tmp_path / "alone", Options(jobs=1))
    tables = [tmp_path / name / "results.parquet" for name in ("sweeps/sizes", "alone")]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_the_indexed_job_has_as_many_parts_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    job = manifests()["Job"]["spec"]
    container = job["template"]["spec"]["containers"][0]
    words = container["command"] + container["args"]
    shard = value(words, "--shard")
    assert job["completionMode"] == "Indexed"
    assert shard == f"auto/{job['completions']}"
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)
    monkeypatch.setenv("JOB_COMPLETION_INDEX", str(job["completions"] - 1))
    assert part_of(shard) == (job["completions"], job["completions"])
    (rule,) = [rule for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in job["template"]["spec"]["volumes"]}


def test_the_ray_cluster_keeps_its_head_free_and_its_files_shared() -> None:
    cluster = manifests()["RayCluster"]["spec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for pod in (group["template"]["spec"] for group in groups):
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounts = {mount["name"] for one in pod["containers"] for mount in one["volumeMounts"]}
        assert mounts == volumes
