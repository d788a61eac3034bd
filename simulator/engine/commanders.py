"""Policies as controllers: each has its cluster, and what goes wrong in it is told by its name."""

from collections.abc import Generator
from typing import Any, Final

import simpy

from simulator.engine.conductor import Controller
from simulator.engine.failing import failed
from simulator.engine.view import ClusterView, View, whole
from simulator.errors import PolicyError
from simulator.policies import ClusterProvisioning, provisioning_of
from simulator.policies.view import Commands
from simulator.scenario.model import Scenario

MOST_AT_ONCE: Final = 100_000
"""Times that a policy may act at one instant; one that goes on has stopped the clock."""

Course = Generator[Any, Any, Any]


def commanders(scenario: Scenario) -> list[Controller]:
    """Return the controllers of the clusters' policies, in the scenario's order."""

    def commander(at: int, policy: ClusterProvisioning) -> Controller:
        def start(env: simpy.Environment, view: View) -> Course:
            assert policy.controller is not None
            cluster: ClusterView = view.clusters[at]
            clock = PolicyClock(env, policy.policy, cluster)
            return clock.guarded(policy.controller(clock, cluster))

        return start

    return [
        commander(at, policy)
        for at, policy in enumerate(provisioning_of(scenario).values())
        if policy.controller is not None
    ]


class PolicyClock:
    """SimPy's environment as one policy sees it: only whole milliseconds, and errors with names.

    Parameters
    ----------
    env : simpy.Environment
    policy : str
        Named where something goes wrong.
    cluster : ClusterView
        Named as well, and asked for the time.
    """

    def __init__(self, env: simpy.Environment, policy: str, cluster: ClusterView) -> None:
        self._env = env
        self._cluster = cluster
        self._policy = policy
        self._last_ms = -1
        self._at_once = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def timeout(self, delay: int, value: Any = None) -> simpy.Timeout:
        """Return the event of a time from now. [ms]"""
        delay_ms = whole(delay)
        if delay_ms is None:
            raise ValueError(
                f"env.timeout({delay!r}) is no time to wait; give whole milliseconds of at least 0"
            )
        return self._env.timeout(delay_ms, value)

    def process(self, generator: Commands) -> simpy.Process:
        """Start another process beside this one."""
        return self._env.process(self.guarded(generator))

    def guarded(self, course: Course) -> Course:
        """Run a process; what it raises is told with the names of its policy and cluster."""
        try:
            event = next(course)
            while True:
                self._count()
                if not isinstance(event, simpy.Event):
                    wrong = TypeError(
                        f"yield {event!r} is nothing to wait for; yield env.timeout(ms)"
                    )
                    event = course.throw(wrong)
                    continue
                try:
                    value = yield event
                except BaseException as error:  # an event that failed, or an interrupt
                    event = course.throw(error)
                else:
                    event = course.send(value)
        except StopIteration as ended:
            return ended.value
        except PolicyError:
            raise  # told already, by a process that this one waits for
        except Exception as error:
            raise failed(self._policy, self._cluster.name, self._cluster.now_ms, error) from error

    def _count(self) -> None:
        now_ms = self._cluster.now_ms
        self._at_once = self._at_once + 1 if now_ms == self._last_ms else 0
        self._last_ms = now_ms
        if self._at_once > MOST_AT_ONCE:
            raise RuntimeError(
                f"it acted {MOST_AT_ONCE:,} times at one instant and stopped the clock; wait at "
                "least 1 ms between two looks"
            )
