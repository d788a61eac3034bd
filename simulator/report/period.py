"""The period that the numbers of a run cover, in words: after the warm-up, to the end."""

from simulator.display import duration_text, interval_text
from simulator.figures.series import counted_h
from simulator.results import Results
from simulator.units import MS_PER_H


def period_sentence(results: Results) -> str:
    """Return how a sentence begins, e.g. ``"In the 28 d counted (after 14 d of warm-up)"``."""
    length, warm_up, drain = _said(results)
    if warm_up and drain:
        return f"In the {length} counted (after {warm_up} of warm-up, until the last job ended)"
    if warm_up:
        return f"In the {length} counted (after {warm_up} of warm-up)"
    return f"In the {length} until the last job ended" if drain else f"In {length}"


def period_title(results: Results) -> str:
    """Return the same in a few words, e.g. ``"28 d counted after 14 d warm-up"``."""
    length, warm_up, drain = _said(results)
    if warm_up:
        return f"{length} counted after {warm_up} warm-up"
    return f"{length} to the last job's end" if drain else length


def _said(results: Results) -> tuple[str, str, bool]:
    """Return the length and the warm-up in words, and whether the run outlasted its horizon."""
    scenario = results.scenario
    warm_up_h = scenario.warm_up_ms / MS_PER_H
    hours = counted_h(results)
    # A horizon is a round number that somebody chose; the end of the last job is not.
    drained = scenario.drain and hours > scenario.horizon_ms / MS_PER_H - warm_up_h
    length = duration_text(hours) if drained else interval_text(hours)
    return length, interval_text(warm_up_h) if warm_up_h else "", drained
