"""What does not go together with accelerators that jobs share."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulator.errors import Issue, listing, shown
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.scenario.power_checks import with_node

if TYPE_CHECKING:
    from simulator.scenario.model import NodeType, Scenario
    from simulator.scenario.scheduling import Scheduling

Parts = Mapping[str, Mapping[str, Any]]


def sharing_problems(parts: Parts) -> Iterator[Issue]:
    """Yield whatever does not go together with the sharing of accelerators.

    Parameters
    ----------
    parts : mapping
        The entries of each section as far as they could be read, by name.
    """
    sharing = []
    for name, cluster in parts["clusters"].items():
        with as_far_as_read(cluster):
            if cluster.sharing is not None and cluster.sharing.jobs > 1:
                sharing.append(name)
    if not sharing:
        return
    yield from _about_power(parts, sharing)
    yield from _about_failures(parts, sharing)
    yield from _about_queues(parts, sharing)
    yield from _about_places(parts, sharing)


def _about_power(parts: Parts, sharing: list[str]) -> Iterator[Issue]:
    """Yield budgets of power, and load curves that bend, where accelerators are shared."""
    for name, cluster, node in with_node(parts):
        if name not in sharing:
            continue
        path = dotted(("clusters", name, "sharing"))
        with as_far_as_read(cluster, node):
            if cluster.power_budget_w is not None:
                text = "a power budget reckons with jobs whose power stays what it is"
                yield Issue(path, f"{text}; take this out, or the cluster's power_budget")
        with as_far_as_read(cluster, node):
            if _bends(node, cluster.power_level):
                text = f"the load curve of {shown(cluster.node)} bends, and what jobs on one"
                text += " accelerator draw of such a node is not told apart"
                yield Issue(path, f'{text}; write load_curve = "linear", or take this out')
        with as_far_as_read(cluster, parts["sites"].get(getattr(cluster, "site", ""))):
            if parts["sites"][cluster.site].power_budget_w is not None:
                text = "a power budget reckons with jobs whose power stays what it is"
                yield Issue(path, f"{text}; take this out, or the power_budget of {cluster.site}")


def _bends(node: "NodeType", power_level: str) -> bool:
    """Return whether the load curve of a node is no straight line."""
    curves = [node.load_curve, *(part.load_curve for part in node.components)]
    curves += [level.load_curve for level in node.power_levels if level.name == power_level]
    return any(curve not in (None, "linear") for curve in curves)


def _about_failures(parts: Parts, sharing: list[str]) -> Iterator[Issue]:
    """Yield nodes in use that fail."""
    fail = []
    for _, cluster, node in with_node(parts):
        with as_far_as_read(cluster, node):
            if node.failures is not None:
                fail.append(cluster.node)
    for kind in dict.fromkeys(fail):
        text = f"jobs that share accelerators ({_where(sharing)}) can't be cut short by failures"
        path = dotted(("nodes", kind, "failures"))
        yield Issue(path, f"{text} in this version; take one of the two out")


def _about_queues(parts: Parts, sharing: list[str]) -> Iterator[Issue]:
    """Yield queues that backfill or are asked in plain Python, preemption, and quotas."""
    for name, cluster in parts["clusters"].items():
        with as_far_as_read(cluster):
            why = _why_not(cluster.queue)
            if why:
                text = f"{shown(cluster.queue.policy)} {why} ({_where(sharing)}); write a queue"
                text += ' without backfill, such as "fifo", or take sharing out'
                yield Issue(dotted(("clusters", name, "queue")), text)
        with as_far_as_read(cluster):
            if cluster.preemption is not None:
                text = "preemption counts whole accelerators, and jobs that share one hold a part"
                path = dotted(("clusters", name, "preemption"))
                yield Issue(path, f"{text} of it ({_where(sharing)}); take one of the two out")
    for name, workload in parts["workloads"].items():
        with as_far_as_read(workload):
            if workload.quota is not None:
                text = "a quota counts whole accelerators, and jobs that share one hold a part of"
                path = dotted(("workloads", name, "quota"))
                yield Issue(path, f"{text} it ({_where(sharing)}); take one of the two out")


def _about_places(parts: Parts, sharing: list[str]) -> Iterator[Issue]:
    """Yield racks, placement in plain Python, and jobs sent to a cluster as they are submitted."""
    for name, cluster in parts["clusters"].items():
        with as_far_as_read(cluster):
            if cluster.racks is not None:
                text = "racks do not go together with accelerators that jobs share in this version"
                path = dotted(("clusters", name, "racks"))
                yield Issue(path, f"{text} ({_where(sharing)}); take one of the two out")
        with as_far_as_read(cluster):
            if not isinstance(cluster.placement, str):
                text = f"{shown(cluster.placement.policy)} is asked in plain Python, which does not"
                text += f" see who shares an accelerator ({_where(sharing)}); write a placement"
                path = dotted(("clusters", name, "placement"))
                yield Issue(path, f'{text} such as "pack", or take sharing out')
    for name, workload in parts["workloads"].items():
        with as_far_as_read(workload):
            if workload.clusters.binds:
                text = f"{shown(workload.clusters.policy)} reckons with jobs that have accelerators"
                text += f" for themselves ({_where(sharing)}); write a list of clusters"
                yield Issue(dotted(("workloads", name, "clusters")), f"{text}, or take sharing out")


def _why_not(queue: "Scheduling") -> str:
    """Return why a queue does not go together with sharing; nothing where it does."""
    if queue.in_python:
        return "is asked in plain Python, which does not see who shares an accelerator"
    rule = queue.rule()
    if rule.backfill != "none":
        return "goes by when jobs are expected to end, which others on an accelerator put off"
    if rule.order == "fair-share":
        return "counts whole accelerators, of which jobs that share one hold a part"
    return ""


def _where(sharing: list[str]) -> str:
    return listing([dotted(("clusters", name, "sharing")) for name in sharing])


def sharing_warnings(scenario: "Scenario") -> Iterator[str]:
    """Yield a warning for clusters that share accelerators none of whose jobs would."""
    for name, cluster in scenario.clusters.items():
        if cluster.sharing is None or cluster.sharing.jobs == 1:
            continue
        mine = [each for each in scenario.workloads.values() if name in each.clusters]
        able = [
            each
            for each in mine
            if each.shareable is not False and (each.gpus is None or 1 in each.gpus.choices)
        ]
        if mine and not able:
            yield (
                f"{dotted(('clusters', name, 'sharing'))}: no workload of the cluster has jobs of "
                "one accelerator that may share it"
            )
