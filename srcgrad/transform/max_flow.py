"""The minimum cut of a small network, by Dinic's maximum flow."""

from __future__ import annotations

from collections import deque

INFINITE = float("inf")


class Network:
    """Nodes are numbers from 0; an edge has a capacity, and its reverse stands beside it."""

    def __init__(self, nodes: int) -> None:
        self._edges: list[list[int]] = [[] for _ in range(nodes)]
        self._head: list[int] = []
        self._left: list[float] = []  # what an edge can still carry; that of edge e backwards is at e ^ 1

    def edge(self, start: int, end: int, capacity: float) -> None:
        for here, there, room in ((start, end, capacity), (end, start, 0.0)):
            self._edges[here].append(len(self._head))
            self._head.append(there)
            self._left.append(room)

    def cut(self, source: int, sink: int) -> set[int]:
        """The nodes on the source's side of the minimum cut that is nearest to it; the cut must be finite."""
        while True:
            levels = self._levels(source)
            if levels[sink] < 0:
                return {node for node, level in enumerate(levels) if level >= 0}
            tried = [0] * len(self._edges)
            while self._push(source, sink, levels, tried):
                pass

    def _levels(self, source: int) -> list[int]:
        """How many edges with room there are from the source to each node, -1 where it cannot be reached."""
        levels = [-1] * len(self._edges)
        levels[source] = 0
        waiting = deque([source])
        while waiting:
            node = waiting.popleft()
            for edge in self._edges[node]:
                there = self._head[edge]
                if self._left[edge] > 0.0 and levels[there] < 0:
                    levels[there] = levels[node] + 1
                    waiting.append(there)
        return levels

    def _push(self, source: int, sink: int, levels: list[int], tried: list[int]) -> bool:
        """Send what fits along one more shortest path; whether there was one."""
        path: list[int] = []
        node = source
        while node != sink:
            edges = self._edges[node]
            while tried[node] < len(edges):
                edge = edges[tried[node]]
                if self._left[edge] > 0.0 and levels[self._head[edge]] == levels[node] + 1:
                    break
                tried[node] += 1
            else:
                if not path:
                    return False
                edge = path.pop()
                node = self._head[edge ^ 1]
                tried[node] += 1
                continue
            path.append(edge)
            node = self._head[edge]
        flow = min(self._left[edge] for edge in path)
        assert flow < INFINITE, "a cut must be finite"
        for edge in path:
            self._left[edge] -= flow
            self._left[edge ^ 1] += flow
        return True
