"""How it is told that a policy failed: by its name, whom it serves and the time, on one line."""

from simulator.errors import PolicyError
from simulator.units import MS_PER_S, exact_quantity


def failed(
    policy: str, name: str, now_ms: int, what: Exception | str, *, of: str = "cluster"
) -> PolicyError:
    """Return the error of a policy that raised something, or decided wrongly.

    Parameters
    ----------
    policy : str
    name : str
        Of the cluster that it serves, or of what `of` says.
    now_ms : int
        [ms]
    what : Exception or str
    of : str
        Kind of what has the name.
    """
    after = f"{now_ms / MS_PER_S:.3f} s" if now_ms % MS_PER_S else exact_quantity(now_ms, "time")
    when = f"after {after}" if now_ms else "at the start"
    words = what if isinstance(what, str) else f"{type(what).__name__}: {what}"
    return PolicyError(f"policy {policy} of {of} {name} failed {when}: {_line(words)}")


def _line(words: str) -> str:
    return " ".join(words.split())
