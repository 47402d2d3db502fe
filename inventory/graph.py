"""A network as numbers, and what can be asked of it in linear time: what is reached, how, and through whom alone.

Nodes are 0 … size-1; lines are numbered as they stand in `lines`, and two nodes may have several. Our own
traversals, and no graph library: networkx costs 90 ms to import and is no faster; rustworkx is ten times faster, but
here that saves 40 ms of 10,000 devices and costs numpy (73 MB); neither tells lines from nodes as dominators do.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import NamedTuple

NOT_REACHED = -1
NOBODY = -1  # the immediate dominator of a root: nothing that can fail stands before it
NONE: frozenset[int] = frozenset()
# A path over one backup line costs more than any path without: hops are counted below this.
BACKUP = 1 << 24


class Line(NamedTuple):
    """A line between two nodes; a `backup` is taken only where there is no other way."""

    a: int
    z: int
    backup: bool = False


@dataclass(frozen=True)
class Graph:
    """An undirected multigraph. `needs`: node → the nodes without which it does not work (host, UPS)."""

    size: int
    lines: tuple[Line, ...]
    needs: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @cached_property
    def near(self) -> list[list[tuple[int, int]]]:
        """The neighbours of each node, as (node, line); a line from a node to itself leads nowhere."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(self.size)]
        for number, (a, z, _) in enumerate(self.lines):
            if a != z:
                found[a].append((z, number))
                found[z].append((a, number))
        return found

    @cached_property
    def hang_on(self) -> dict[int, list[int]]:
        """The nodes that need a node, by the node needed."""
        found: dict[int, list[int]] = {}
        for node, needed in self.needs.items():
            for one in needed:
                found.setdefault(one, []).append(node)
        return found


def fallen(graph: Graph, nodes: Iterable[int]) -> frozenset[int]:
    """Return the nodes with all that cannot work without them, directly or not."""
    found = set(nodes)
    waiting = list(found)
    while waiting:
        for node in graph.hang_on.get(waiting.pop(), ()):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return frozenset(found)


def reached(
    graph: Graph, roots: Iterable[int], nodes: Set[int] = NONE, lines: Set[int] = NONE
) -> frozenset[int]:
    """Return the nodes that some root reaches when `nodes` and `lines` are gone."""
    closed = bytearray(graph.size)  # gone, or found already
    for node in nodes:
        closed[node] = 1
    waiting = [r for r in set(roots) if not closed[r]]
    for root in waiting:
        closed[root] = 1
    near = graph.near
    for at in waiting:  # grows while it is walked
        for node, line in near[at]:
            if not closed[node] and line not in lines:
                closed[node] = 1
                waiting.append(node)
    return frozenset(waiting)


@dataclass(frozen=True)
class Ways:
    """The best way from the roots to each node: its cost, the line it comes by, and the node before."""

    cost: list[int]
    line: list[int]
    before: list[int]

    def to(self, node: int) -> list[tuple[int, int]]:
        """Return the way as (node, line it was reached by), root first; empty if it is not reached."""
        if self.cost[node] == NOT_REACHED:
            return []
        found = [(node, self.line[node])]
        while self.before[found[-1][0]] >= 0:
            node = self.before[found[-1][0]]
            found.append((node, self.line[node]))
        return found[::-1]


def ways(graph: Graph, roots: Iterable[int], nodes: Set[int] = NONE, lines: Set[int] = NONE) -> Ways:
    """Return the best ways when `nodes` and `lines` are gone: fewest backup lines, then fewest hops (Dijkstra)."""
    cost, line, before = ([NOT_REACHED] * graph.size for _ in range(3))
    best: list[float] = [float("inf")] * graph.size
    heap: list[tuple[int, int]] = []
    for root in sorted(set(roots)):
        if root not in nodes:
            best[root] = 0
            heappush(heap, (0, root))
    near, steps = graph.near, [1 + BACKUP * backup for _, _, backup in graph.lines]
    while heap:
        so_far, at = heappop(heap)
        if cost[at] != NOT_REACHED:
            continue
        cost[at] = so_far
        for node, number in near[at]:
            further = so_far + steps[number]
            if further < best[node] and node not in nodes and number not in lines:
                best[node], line[node], before[node] = further, number, at
                heappush(heap, (further, node))
    return Ways(cost, line, before)


@dataclass(frozen=True)
class Gates:
    """The dominator tree: what alone leads to each node. Item i < size is a node, size + n is line n.

    `above[i]` is the last item that every way from the roots to i passes, NOBODY for none. Only what is reached
    has an entry, and of the lines only the bridges, whose loss cuts something off; `order` lists the items so that
    each stands after the one above it. A root can be its own failure, but stands behind nothing.
    """

    above: Mapping[int, int]
    order: tuple[int, ...]

    def path(self, item: int) -> tuple[int, ...]:
        """Return the item and all above it: each of them, failing, takes it away."""
        found = []
        while item != NOBODY and item in self.above:
            found.append(item)
            item = self.above[item]
        return tuple(found)


def gates(graph: Graph, roots: Iterable[int], nodes: Set[int] = NONE, lines: Set[int] = NONE) -> Gates:
    """Return the dominator tree when `nodes` and `lines` are gone, in linear time.

    Tarjan's low points give the biconnected components; in an undirected graph the dominator of a node is the top of
    its component, or the bridge to it. Every root hangs on one virtual start by a line that never fails.
    """
    standing = [r for r in dict.fromkeys(roots) if r not in nodes]
    search = _Search(graph, frozenset(standing), nodes, lines)
    for root in standing:
        search.walk(root)
    return search.gates()


class _Search:
    """One depth-first search that notes for each node when it was found and how far back it reaches."""

    def __init__(self, graph: Graph, roots: Set[int], nodes: Set[int], lines: Set[int]) -> None:
        self.graph, self.roots, self.nodes, self.lines = graph, roots, nodes, lines
        self.number = [0] * graph.size  # 0: not found yet; the virtual start is number 0
        self.low = [0] * graph.size
        self.by: dict[int, tuple[int, int]] = {}  # node → (node before, line), in the order found
        self._count = 0

    def walk(self, root: int) -> None:
        """Search from one root; a root already found has its line back to the virtual start."""
        if self.number[root]:
            return
        self._enter(root, NOBODY, NOBODY)
        stack = [(root, NOBODY, iter(self.graph.near[root]))]
        number, low = self.number, self.low
        while stack:
            at, came_by, rest = stack[-1]
            for node, line in rest:
                if line == came_by or node in self.nodes or line in self.lines:
                    continue
                if not number[node]:
                    self._enter(node, at, line)
                    stack.append((node, line, iter(self.graph.near[node])))
                    break
                low[at] = min(low[at], number[node])
            else:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[at])

    def _enter(self, node: int, before: int, line: int) -> None:
        self._count += 1
        self.number[node] = self._count
        self.low[node] = 0 if node in self.roots else self._count
        self.by[node] = (before, line)

    def gates(self) -> Gates:
        """Return the dominators: parents come before children in the order found."""
        above: dict[int, int] = {}
        for node, (before, line) in self.by.items():
            if before == NOBODY:
                above[node] = NOBODY
            elif self.low[node] > self.number[before]:  # a bridge: no other way back
                above[self.graph.size + line] = before
                above[node] = self.graph.size + line
            else:
                separated = self.low[node] == self.number[before]
                above[node] = before if separated else above[before]
        return Gates(above, tuple(above))
