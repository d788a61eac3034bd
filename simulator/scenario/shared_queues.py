"""Clusters that share jobs: they have one queue rule between them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from simulator.errors import Issue, listing

if TYPE_CHECKING:
    from simulator.scenario.scheduling import Scheduling

Sharing = tuple[str, tuple[str, ...]]
"""A workload, and clusters of which its jobs take one or another."""


def unlike_queues(
    queues: Mapping[str, "Scheduling"], sharing: Iterable[Sharing]
) -> Iterator[Issue]:
    """Yield a problem for each group of clusters that share jobs, but are not served alike.

    Parameters
    ----------
    queues : mapping of str to Scheduling
        By cluster; clusters that are not in it are left aside.
    sharing : iterable of Sharing
    """
    if _are_alike(queues):
        return
    for clusters, workloads in _groups(sharing):
        members = {name: queue for name, queue in queues.items() if name in clusters}
        if not _are_alike(members):
            rules = "; ".join(f"{name}: {queue}" for name, queue in members.items())
            yield Issue(
                "clusters",
                f"{listing(members)} share jobs (workloads: {listing(sorted(workloads))}), but not "
                f"their queue ({rules}); write the same queue for each, or let no job use several",
            )


def _are_alike(queues: Mapping[str, "Scheduling"]) -> bool:
    first = next(iter(queues.values()), None)
    return first is None or all(queue.is_like(first) for queue in queues.values())


def _groups(sharing: Iterable[Sharing]) -> list[tuple[set[str], set[str]]]:
    """Return clusters that share jobs, directly or by way of others, with their workloads."""
    groups: list[tuple[set[str], set[str]]] = []
    for workload, names in sharing:
        clusters, workloads = set(names), {workload}
        for group in [group for group in groups if group[0] & clusters]:
            groups.remove(group)
            clusters |= group[0]
            workloads |= group[1]
        groups.append((clusters, workloads))
    return groups
