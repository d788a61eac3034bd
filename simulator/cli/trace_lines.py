"""What ``fleetsim traces check`` prints, line by line."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simulator.traces.job_facts import JobFacts
    from simulator.traces.series_facts import SeriesFacts

SIZES_SHOWN: Final = 6
"""Numbers of accelerators that are listed, the most frequent ones."""
NAMES_SHOWN: Final = 3
GAPS_SHOWN: Final = 5


def job_lines(title: str, facts: "JobFacts") -> Iterator[str]:
    """Yield what a trace of jobs holds."""
    from simulator.traces.findings import counted

    yield f"{title}, {counted(facts.jobs, 'job')}"
    yield line("submitted", f"{facts.first} to {facts.last}, {facts.span_d:,.4g} d")
    yield line(
        "GPU-days",
        f"p50 {facts.gpu_days_p50:.4g}, p99 {facts.gpu_days_p99:.4g}, mean "
        f"{facts.gpu_days_mean:.4g}, sum {facts.gpu_days_sum:,.0f}",
    )
    often = sorted(facts.gpus, key=lambda size: -facts.gpus[size])[:SIZES_SHOWN]
    shares = [f"{size}: {100 * facts.gpus[size] / facts.jobs:.3g} %" for size in sorted(often)]
    yield line("GPUs", f"{', '.join(shares)}; largest {max(facts.gpus):,}")
    yield line(
        "gaps",
        f"{facts.gaps:,} of more than a day without a job; the longest {facts.longest_gap_d:.3g} d "
        f"from {facts.longest_gap_from}",
    )
    more = [] if facts.users is None else [counted(facts.users, "user")]
    if facts.requested:
        more.append(f"{counted(facts.requested, 'job')} asked for another run time")
    if facts.deadlines:
        more.append(counted(facts.deadlines, "deadline"))
    if more:
        yield line("also", ", ".join(more))
    for reason, count in facts.dropped.items():
        yield line("left out", f"{count:,} {reason}")


def grid_lines(title: str, facts: "SeriesFacts") -> Iterator[str]:
    """Yield what a file of intensities holds."""
    yield f"{title}, {facts.steps:,} steps of {facts.step}"
    yield line("read", f"{facts.rows:,} rows: {facts.what}")
    yield line("signal", f"factors {_said(facts.factor)}, mix {_said(facts.mix)}")
    yield line("covers", f"{facts.first} to {facts.end}, {facts.span_d:,.5g} d")
    yield line(
        "g/kWh",
        f"{facts.low_g_per_kwh:.4g} to {facts.high_g_per_kwh:.4g}, mean "
        f"{facts.mean_g_per_kwh:.4g}, median {facts.median_g_per_kwh:.4g}",
    )
    if not facts.gaps:
        yield line("missing", "none")
        return
    yield line(
        "missing",
        f"{facts.missing:,} steps in {facts.gaps:,} gaps; the longest "
        f"{facts.longest_gap_h:.3g} h from {facts.longest_gap_from}",
    )
    for gap in facts.gaps_listed[:GAPS_SHOWN]:
        yield line("", f"{gap.first} to {gap.end}: {gap.steps:,}")
    if facts.gaps > GAPS_SHOWN:
        yield line("", f"and {facts.gaps - GAPS_SHOWN:,} more; --json lists the first 20")
    if facts.skipped_in:
        yield line("", f"clocks skip such an hour in {facts.skipped_in}: are the times local?")


def _said(word: str) -> str:
    return "not stated" if word == "unknown" else word


def line(name: str, text: str) -> str:
    """Return one line below the title."""
    return f"  {name:<10} {text}"


def few(names: list[str]) -> str:
    """Return the first of some names, and how many more there are."""
    rest = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + rest
