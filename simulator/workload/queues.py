"""What only the jobs tell of queues: which clusters share them, and whether they name users."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from simulator.errors import Issue, listing
from simulator.scenario.model import Scenario
from simulator.scenario.paths import dotted
from simulator.scenario.scheduling import Scheduling
from simulator.scenario.shared_queues import Sharing, unlike_queues
from simulator.workload.table import JobTable

PRIORITY: Final = "priority"
"""The policy that goes by nothing but priorities."""


def unlike_queues_of_jobs(scenario: Scenario, jobs: JobTable) -> Iterator[Issue]:
    """Yield a problem for each group of clusters that share jobs, but are not served alike."""
    queues = {name: cluster.queue for name, cluster in scenario.clusters.items()}
    yield from unlike_queues(queues, _sharing(scenario, jobs))


def _sharing(scenario: Scenario, jobs: JobTable) -> Iterator[Sharing]:
    names = list(scenario.clusters)
    pairs = np.unique(np.stack([jobs.workload, jobs.route]), axis=1)
    for workload, route in pairs.T.tolist():
        if jobs.dispatches and jobs.dispatches[workload]:
            continue  # these get their cluster as they are submitted, and wait for that alone
        clusters = tuple(names[cluster] for cluster in jobs.routes[route])
        yield jobs.workload_names[workload], clusters


def fair_share_warnings(scenario: Scenario, jobs: JobTable) -> Iterator[str]:
    """Yield a warning where clusters share fairly between users whom none of their jobs names."""
    of_users = [name for name, each in scenario.clusters.items() if _is_of_users(each.queue)]
    named = _with_users(scenario, jobs) if of_users else set()
    found = [name for name in of_users if name not in named]
    if found:
        yield (
            f"{dotted(('clusters', found[0], 'queue'))}: no job here names a user, so fair-share "
            f"counts all as one (clusters: {listing(found)}); give jobs a column user, or write "
            'of = "workload"'
        )


def preemption_warnings(scenario: Scenario, jobs: JobTable) -> Iterator[str]:
    """Yield a warning where jobs may be preempted, and all have one priority."""
    found = [name for name, each in scenario.clusters.items() if each.preemption is not None]
    if found and len(jobs) and jobs.priority.min() == jobs.priority.max():
        yield (
            f"{dotted(('clusters', found[0], 'preemption'))}: all jobs have one priority, so "
            f"nobody is preempted (clusters: {listing(found)}); give a workload another priority"
        )


def order_warnings(scenario: Scenario, jobs: JobTable) -> Iterator[str]:
    """Yield a warning where a queue goes by what no job has, and is then as it would be without."""
    clusters = scenario.clusters.items()
    rules = [(name, each.queue) for name, each in clusters if not each.queue.in_python]
    due = [name for name, queue in rules if queue.rule().order == "deadline"]
    ranked = [name for name, queue in rules if queue.policy == PRIORITY]
    if due and len(jobs) and jobs.deadline_ms is None:
        yield _as_without(due, "no job here has a deadline; give jobs a column deadline_s")
    if ranked and len(jobs) and jobs.priority.min() == jobs.priority.max():
        yield _as_without(ranked, "all jobs have one priority; give a workload another")


def _as_without(found: Sequence[str], why: str) -> str:
    path = dotted(("clusters", found[0], "queue"))
    return f"{path}: {why}; as it is, the first come are served first (clusters: {listing(found)})"


def _with_users(scenario: Scenario, jobs: JobTable) -> set[str]:
    """Return the clusters that a job which names its user may use."""
    if jobs.user is None:
        return set()
    names = list(scenario.clusters)
    routes = np.unique(jobs.route[jobs.user >= 0]).tolist()
    return {names[cluster] for route in routes for cluster in jobs.routes[route]}


def _is_of_users(queue: Scheduling) -> bool:
    if queue.in_python:
        return False
    rule = queue.rule()
    return (rule.order, rule.of) == ("fair-share", "user")
