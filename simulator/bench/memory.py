"""Peak memory of a run beside its input, measured in a process of its own.

The child makes the job table first, then notes its resident size and has the kernel forget the
peak it remembers; the growth of that peak over the run is what the run needed. Where the peak
can't be reset (``/proc/self/clear_refs`` is Linux's), the growth of ``ru_maxrss`` is taken.
"""

import contextlib
import gc
import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from simulator.bench.common_load import common_load

BYTES_PER_KIB = 1024
_CLEAR_PEAK = "5"


@dataclass(frozen=True, slots=True)
class Memory:
    """Peak memory of one run.

    Attributes
    ----------
    jobs, nodes : int
    bytes_per_job : float
        Growth of the peak over the run, beside the input. [bytes]
    peak_bytes : int
        Peak of the whole process, Python and its libraries included. [bytes]
    """

    jobs: int
    nodes: int
    bytes_per_job: float
    peak_bytes: int


def memory_of(jobs: int, nodes: int, load: float) -> Memory:
    """Run a cell in a process of its own and return the memory it needed."""
    command = [sys.executable, "-m", "simulator.bench.memory", str(jobs), str(nodes), str(load)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return Memory(jobs, nodes, **json.loads(answer.stdout))


def growth(jobs: int, nodes: int, load: float) -> dict[str, float]:
    """Run a cell in this process and return what `Memory` holds beside its size."""
    from simulator.bench.full_run import in_full
    from simulator.inputs import open_inputs

    in_full(open_inputs(common_load(100, 10, load, "pack")))  # loads the kernels
    opened = open_inputs(common_load(jobs, nodes, load, "pack"))
    gc.collect()
    before = _forget_peak()
    done = in_full(opened)
    peak = _peak_bytes()
    return {"bytes_per_job": (peak - before) / len(done.log.start_ms), "peak_bytes": peak}


def _forget_peak() -> int:
    """Have the peak begin at the present size where that is possible; return it in bytes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_CLEAR_PEAK)
    return _peak_bytes()


def _peak_bytes() -> int:
    # Linux hands ru_maxrss down to a child, so that a large parent would hide its growth.
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * BYTES_PER_KIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * BYTES_PER_KIB


if __name__ == "__main__":
    _jobs, _nodes, _load = sys.argv[1:]
    sys.stdout.write(json.dumps(growth(int(_jobs), int(_nodes), float(_load))))
