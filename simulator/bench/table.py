"""The comparison as text: at most 80 columns, every figure with what it is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.bench.comparison import Cell, Comparison
    from simulator.bench.idle import IdleCost

WIDTHS = (5, 6, 5, 6, 8, 8, 8, 8, 8, 6, 6, 6)
LEAST_SHOWN = 0.005
"""Share of jobs that rounds to 0 %."""
HEAD = (
    ("", "", "", "", "engine", "to", "SimPy,", "SimPy,", "bare", "times", "times", "bare"),
    ("", "", "", "that", "jobs/s", "pandas", "plain", "nodes", "loop", "SimPy", "SimPy", "over"),
    ("jobs", "nodes", "load", "wait", "(a)", "jobs/s", "(b)", "(c)", "(d)", "(b)", "(c)", "(a)"),
)


def table_text(comparison: "Comparison") -> str:
    """Return the comparison as lines of at most 80 columns."""
    sizes = comparison.sizes
    lines = [_line(row) for row in HEAD]
    lines += [_line(_row(cell)) for cell in comparison.cells]
    node_hours = max(cell.node_hours_per_s for cell in comparison.cells)
    events = sum(cell.starts + cell.completions for cell in comparison.cells)
    lines += [
        "",
        '(a) the engine with placement, energy, carbon and per-job output; "to pandas" is',
        "    the whole way: scenario, drawing the jobs, the engine, tables in pandas",
        "(b) SimPy, one process per job over one Container: no nodes, no energy",
        "(c) the readable model: SimPy, one process per job, nodes and their energy",
        "(d) a compiled heap loop with first fit over nodes, and nothing else",
        f"(b) and (c) run the first {sizes.most_yardstick_jobs:,} jobs at most: their time",
        f"grows at least linearly. (a) and (d): median of {sizes.repeats} runs.",
        f"{events:,} starts and completions counted; starts equal in (a), (c) and (d).",
        *_idle_cells(comparison),
        f"Up to {_short(node_hours)} node-hours/s.",
    ]
    for idle in comparison.idle:
        lines += _idle_states(idle)
    lines += [
        f"Memory beside the input: {memory.bytes_per_job:.0f} bytes a job "
        f"({memory.jobs:,} jobs, {memory.nodes:,} nodes)"
        for memory in comparison.memory
    ]
    lines.append("(growth of the peak resident size over the run, in a process of its own)")
    return "\n".join(lines)


def _idle_cells(comparison: "Comparison") -> list[str]:
    """Say why nothing waits in cells that are offered more than the fleet holds, if any are."""
    cells = [
        cell for cell in comparison.cells if cell.load > 1.0 and cell.waited_share < LEAST_SHOWN
    ]
    if not cells:
        return []
    return [
        "Where hardly any job waits although the load is above 1, the jobs are too few to",
        "fill the fleet before the last one comes.",
    ]


def _idle_states(idle: "IdleCost") -> list[str]:
    jobs_per_s, times = idle.jobs / idle.ladder_s, idle.awake_s / idle.ladder_s
    more_s = idle.year_hourly_s - idle.year_ladder_s
    return [
        f"A ladder of three idle states: {_short(jobs_per_s)} jobs/s, {times:.2f} times always-on",
        f"({_count(idle)} at load {idle.load:g}; {idle.wake_ups:,} wake-ups)",
        f"Five hourly controllers over a year: {more_s:+.2f} s on {idle.year_ladder_s:.2f} s",
        f"({_whole(idle.nodes)} nodes, {idle.year_jobs:,} jobs)",
    ]


def _count(idle: "IdleCost") -> str:
    return f"{_whole(idle.jobs)} jobs, {_whole(idle.nodes)} nodes"


def _row(cell: "Cell") -> tuple[str, ...]:
    return (
        _whole(cell.jobs),
        _whole(cell.nodes),
        f"{cell.load:g}",
        f"{cell.waited_share:.0%}",
        _short(cell.engine_jobs_per_s),
        _short(cell.path_jobs_per_s),
        _short(cell.container_jobs_per_s),
        _short(cell.model_jobs_per_s),
        _short(cell.bare_jobs_per_s),
        f"{cell.engine_jobs_per_s / cell.container_jobs_per_s:.1f}",
        f"{cell.engine_jobs_per_s / cell.model_jobs_per_s:.1f}",
        f"{cell.bare_jobs_per_s / cell.engine_jobs_per_s:.1f}",
    )


def _line(row: tuple[str, ...]) -> str:
    return "".join(f"{text:>{width}}" for text, width in zip(row, WIDTHS, strict=True)).rstrip()


def _whole(number: int) -> str:
    """Return a count as 10 k or 1 M where that is exact."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number % size == 0:
            return f"{number // size} {letter}"
    return str(number)


def _short(number: float) -> str:
    """Return a number with three digits and k, M or G."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{_three_digits(number / size)} {letter}"
    return _three_digits(number)


def _three_digits(number: float) -> str:
    return f"{number:#.3g}".removesuffix(".")
