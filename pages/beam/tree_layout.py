"""Layout of a tree that grows from left to right: the row of each node, without crossing edges.

The column of a node is its level. Rows are fractional, at least 1 apart within a level. They depend only on this level
and the levels before it, so a tree that grows by a level does not move the nodes that are already drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def layout_rows(children: Mapping[int, Sequence[int]], root: int = 0) -> dict[int, float]:
    """Row of the root, which is 0, and of each of its descendants.

    children: the children of each node, from top to bottom.
    """
    rows = {root: 0.0}
    level = [root]
    while level:
        below = [(child, node, i) for node in level for i, child in enumerate(children.get(node, ()))]
        desired = [rows[node] + i - (len(children[node]) - 1) / 2 for _, node, i in below]
        level = [child for child, _, _ in below]
        rows |= zip(level, separate(desired), strict=True)
    return rows


def separate(desired: Sequence[float]) -> list[float]:
    """Rows in the same order, at least 1 apart, with the least squared distance to the desired ones.

    After the index of each row is subtracted, the rows only have to be non-decreasing: isotonic regression, solved by
    pool adjacent violators (Ayer et al. 1955).

    >>> separate([0.0, 0.0, 5.0])
    [-0.5, 0.5, 5.0]
    """
    pools: list[tuple[float, int]] = []  # (mean, number of rows)
    for i, row in enumerate(desired):
        mean, count = row - i, 1
        while pools and pools[-1][0] > mean:
            previous_mean, previous_count = pools.pop()
            mean = (previous_mean * previous_count + mean * count) / (previous_count + count)
            count += previous_count
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [mean + i for i, mean in enumerate(flat)]
