"""Closed nodes in the readable model: they take no job and are not woken until they are opened."""

from collections.abc import Sequence
from typing import Any

from tests.oracle.ladder import NOBODY, LadderModel, Node
from tests.oracle.model import ARRIVAL, PASS, Moment

COMMAND = (ARRIVAL + PASS) / 2
"""Commands come after the arrivals of an instant, and before its pass."""

Command = tuple[int, int, bool, Sequence[int]]
"""When, to which cluster, whether to close, and the numbers of its nodes. [ms]"""


class ClosingModel(LadderModel):
    """A run of `LadderModel` in which nodes are closed and opened by commands.

    In a draining run all are opened at the horizon.
    """

    def __init__(self, *given: Any, commands: Sequence[Command], **options: Any) -> None:
        super().__init__(*given, **options)
        self.closed: set[int] = set()
        self.commands = list(commands)
        if self.drain:
            for number, cluster in enumerate(self.clusters):
                self.commands.append((self.end_of_run_ms, number, False, range(cluster.nodes)))

    def run(self) -> "ClosingModel":
        """Run to the end, hearing the commands."""
        for command in self.commands:
            due = Moment(self.env, command[0], COMMAND)  # type: ignore[arg-type]
            due.callbacks.append(lambda _, said=command: self.hear(*said[1:]))
        super().run()
        return self

    def hear(self, number: int, close: bool, numbers: Sequence[int]) -> None:
        """Close nodes or open them; where that changes something, a pass is made."""
        for node in self.nodes:
            if node.number not in self.touched:
                self.walk(node, self.now_ms)
        for at in numbers:
            node = self.nodes[self.clusters[number].first + at]
            if close == (node.number in self.closed):
                continue
            self.ask_for_pass()
            if close:
                self.close(node)
            else:
                self.closed.remove(node.number)
                self.show(node)

    def close(self, node: Node) -> None:
        """Give a node no more jobs; a wake-up under way is cancelled."""
        self.closed.add(node.number)
        if node.begun_ms != NOBODY:
            self.cancel(node)
        self.show(node)

    def show(self, node: Node) -> None:
        """Let placement see what is free on a node, which is nothing where it is closed."""
        cluster = self.clusters[node.cluster]
        hidden = node.number in self.closed or not self.is_ready(node)
        free = cluster.accelerators - sum(self.shares[node.number].values())
        self.free[node.cluster][node.number - cluster.first] = 0 if hidden else free

    def release(self, row: int) -> None:
        """Take a job's accelerators back, out of sight where the node is closed."""
        parts, number = self.parts[row], self.cluster[row]
        super().release(row)
        for part, _ in parts:
            self.show(self.nodes[self.clusters[number].first + part])

    def nodes_of(self, number: int) -> list[Node]:
        """Return the nodes of a cluster but for the closed ones that hold nothing."""
        return [n for n in super().nodes_of(number) if not self.is_out(n)]

    def is_out(self, node: Node) -> bool:
        """Return whether a node is closed and holds nothing."""
        return node.number in self.closed and not self.shares[node.number]

    def keep(self) -> None:
        """Keep open nodes only: closed ones go down whatever is kept."""
        for node in self.nodes:
            if node.kept and self.is_out(node):
                node.kept, node.released_ms = False, self.now_ms
        super().keep()
