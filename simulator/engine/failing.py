"""How it is told that a policy failed: by its name, its cluster and the time, on one line."""

from simulator.errors import PolicyError
from simulator.units import exact_quantity


def failed(policy: str, cluster: str, now_ms: int, what: Exception | str) -> PolicyError:
    """Return the error of a policy that raised something, or decided wrongly."""
    when = f"after {exact_quantity(now_ms, 'time')}" if now_ms else "at the start"
    words = what if isinstance(what, str) else f"{type(what).__name__}: {what}"
    return PolicyError(f"policy {policy} of cluster {cluster} failed {when}: {_line(words)}")


def _line(words: str) -> str:
    return " ".join(words.split())
