"""Import graph of the project's own modules, read from the source: every import statement, at any depth."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
Graph = dict[str, set[str]]


def sources() -> dict[str, Path]:
    """Path of each module by its dotted name; a package is its `__init__`."""
    paths = [ROOT / "app.py", *(ROOT / "engine").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def graph(typing: bool = True) -> Graph:
    """Modules that each module imports, wherever the statement is; `typing`: those for type checkers alone as well."""
    files = sources()
    return {
        name: set(_imported(ast.parse(path.read_text("utf-8")), files, typing)) - {name} for name, path in files.items()
    }


def _imported(tree: ast.Module, files: Mapping[str, Path], typing: bool) -> Iterator[str]:
    for node in _statements(tree, typing):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in files)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, "a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in files:
                    yield full
                elif node.module in files:
                    yield node.module


def _statements(node: ast.AST, typing: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not typing and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _statements(child, typing)


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that reach each other: strongly connected components of two or more (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in edges:
        if node not in index:
            visit(node)
    return found


def folders(edges: Mapping[str, set[str]], files: Mapping[str, Path]) -> Graph:
    """The same graph between folders, without a folder's edge to itself."""
    of = {name: path.parent.relative_to(ROOT).as_posix() for name, path in files.items()}
    made: Graph = {folder: set() for folder in of.values()}
    for name, targets in edges.items():
        made[of[name]] |= {of[target] for target in targets} - {of[name]}
    return made
