"""Where the nodes of a tree stand that grows from left to right: one column a level, no two edges crossing.

Pure numbers: rows are 1 apart and may be fractions. A level's places depend on the levels before it alone, so a tree
that grows does not move what is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def places(children: Mapping[int, Sequence[int]], root: int = 0) -> dict[int, float]:
    """The row of every node that hangs below the root, which stands in row 0.

    children: for each node those that follow it, from top to bottom.
    """
    rows = {root: 0.0}
    level = [root]
    while level:
        below = [(child, node, at) for node in level for at, child in enumerate(children.get(node, ()))]
        wanted = [rows[node] + at - (len(children[node]) - 1) / 2 for _, node, at in below]
        level = [child for child, _, _ in below]
        rows |= zip(level, apart(wanted), strict=True)
    return rows


def apart(wanted: Sequence[float]) -> list[float]:
    """Rows in the same order, at least 1 apart, and as near to those wanted as can be (least squares).

    Less their own index the rows need only not fall, which is isotonic regression: pool adjacent violators (Ayer et
    al. 1955).

    >>> apart([0.0, 0.0, 5.0])
    [-0.5, 0.5, 5.0]
    """
    pools: list[tuple[float, int]] = []  # mean, how many
    for at, row in enumerate(wanted):
        mean, count = row - at, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [mean + at for at, mean in enumerate(flat)]
