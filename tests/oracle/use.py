"""What a user or workload used, in plain Python: accelerator-time that counts half after a time."""

from collections.abc import Iterable
from decimal import Context, Decimal, localcontext
from functools import lru_cache

DIGITS = Context(prec=60)
"""Far more than uses of unlike users have in common."""

Held = tuple[int, int, int]
"""Accelerators, from when, until when; times in ms."""


def use_ms(held: Iterable[Held], now_ms: int, half_life_ms: int) -> Decimal:
    """Return the use at an instant: the integral of what was held until then, fading. [ms]

    A gang of n counts n x half-life / ln 2 x (2^(-age of its end) - 2^(-age of its start)), with
    ages in half-lives. Uses that are equal by this formula are equal.
    """
    with localcontext(DIGITS):
        total = Decimal(0) + sum(
            gpus * (grown(min(end_ms, now_ms), half_life_ms) - grown(start_ms, half_life_ms))
            for gpus, start_ms, end_ms in held
        )
        return round(total / grown(now_ms, half_life_ms) * half_life_ms / Decimal(2).ln(), 25)


@lru_cache(maxsize=1 << 16)
def grown(time_ms: int, half_life_ms: int) -> Decimal:
    """Return 2 to the power of so many half-lives."""
    return DIGITS.power(Decimal(2), DIGITS.divide(Decimal(time_ms), Decimal(half_life_ms)))
