"""Imports only go down: app, teachers, course and recording, pages, shell, components, session, i18n, engine.

So they do within engine. No circle by file or by folder, no page that imports another, and importing the engine alone
is light.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports import ROOT, circles, folders, graph, sources

SCREEN = {"streamlit", "altair", "plotly", "pages", "app"}
MODELS = {"torch", "transformers", "tokenizers", "safetensors", "huggingface_hub"}

# From the bottom to the top. A module may import its own folder and what stands lower, nothing beside or above it.
ENGINE = (
    {"errors", "usage"},
    {"bundled"},
    {"tokenization", "sampling"},
    {"model"},
    {"decoding", "interpret", "trace", "quiz", "remote", "masked"},
    {"experiments", "serving"},
    {"training", "classroom"},
)
ROOMS = {path.parent.name for path in (ROOT / "pages").glob("*/page.py")} - {"course", "teachers"}
PAGES = ({"i18n"}, {"session"}, {"components"}, {"shell"}, {"frame"}, ROOMS, {"course", "recording"}, {"teachers"})


def modules(*names: str) -> list[Path]:
    found = sorted(path for name in names for path in (ROOT / name).rglob("*.py"))
    assert found
    return found


def imported(path: Path) -> set[str]:
    """Top-level names of everything that a file imports, at whatever depth, by statement or by name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(path.relative_to(ROOT).parts[0] if node.level else node.module or "")
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            names |= {str(a.value) for a in node.args if isinstance(a, ast.Constant)}
    return {name.split(".")[0] for name in names}


def level(parts: tuple[str, ...], levels: tuple[set[str], ...]) -> int:
    found = [at for at, names in enumerate(levels) if parts[1] in names]
    assert len(found) == 1, f"{'.'.join(parts)} has no level, or several"
    return found[0]


def test_the_graph_has_every_module() -> None:
    edges = graph()
    assert len(edges) > 150 and set(edges) == set(sources())
    assert sum(map(len, edges.values())) > 600
    assert len(ROOMS) == 17
    assert "engine.usage" in edges["engine.model.forward"], "an import at the top"
    assert "engine.experiments.error_accumulation" in edges["pages.limits.state"], "one within a function"
    assert "engine.model.model" in edges["pages.shell.model_access"], "one for type checkers alone"
    assert "engine.model.model" not in graph(typing=False)["pages.shell.model_access"]


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"d"}}) == [["a", "b", "c"]]


def test_no_import_goes_in_a_circle_by_file() -> None:
    """An import within a function counts as one at the top: none hides a circle."""
    assert circles(graph()) == []


def test_no_import_goes_in_a_circle_by_folder() -> None:
    edges = {name: targets for name, targets in graph().items() if name not in ("engine", "engine.__main__")}
    made = folders(edges, sources())
    assert len(made) > 25
    del made["engine"]  # the public face above, errors and usage hooks below: files of one folder
    assert circles(made) == []


@pytest.mark.parametrize(("package", "levels"), [("engine", ENGINE), ("pages", PAGES)])
def test_imports_only_go_down(package: str, levels: tuple[set[str], ...]) -> None:
    checked = 0
    for name, targets in graph().items():
        parts = tuple(name.split("."))
        if parts[0] != package or len(parts) < 2 or parts[1] == "__main__":
            continue  # the face of a package may import everything in it
        for target in targets:
            other = tuple(target.split("."))
            if other[0] != package or len(other) < 2:
                assert other[0] in ("engine", package) and (package == "pages" or other[0] == package), (name, target)
                continue
            checked += 1
            if other[1] != parts[1]:
                assert level(other, levels) < level(parts, levels), f"{name} imports {target}"
    assert checked > 100


def test_no_page_imports_another() -> None:
    checked = 0
    for name, targets in graph().items():
        parts = name.split(".")
        if len(parts) < 3 or parts[0] != "pages" or parts[1] not in ROOMS:
            continue
        for target in targets:
            checked += 1
            assert not target.startswith(tuple(f"pages.{room}." for room in ROOMS - {parts[1]})), (name, target)
    assert checked > 200


def test_no_script_lies_flat() -> None:
    assert {path.name for path in (ROOT / "pages").glob("*.py")} == {"__init__.py", "__main__.py"}
    assert {path.name for path in (ROOT / "engine").glob("*.py")} == {
        "__init__.py", "__main__.py", "errors.py", "usage.py",
    }  # fmt: skip


@pytest.mark.parametrize("path", modules("engine"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_knows_no_screen(path: Path) -> None:
    assert not imported(path) & (SCREEN | {"tests"})


def test_pages_leave_models_to_the_engine() -> None:
    for path in [*modules("pages"), ROOT / "app.py"]:
        assert not imported(path) & (MODELS | {"tests"}), path
    for path in modules("pages"):
        assert "app" not in imported(path), path


def test_states_know_no_streamlit() -> None:
    states = [*(ROOT / "pages").rglob("state.py"), *(ROOT / "pages").rglob("*_state.py")]
    assert len(states) > 9
    for path in states:
        assert path.name == "session_state.py" or not imported(path) & SCREEN - {"pages"}, path


def _touches_session_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "session_state" and ast.unparse(node.value) in ("st", "streamlit")
    return isinstance(node, ast.ImportFrom) and (
        (node.module or "").startswith("streamlit") and any(alias.name == "session_state" for alias in node.names)
    )


def test_one_module_alone_touches_session_state() -> None:
    touching = {
        str(path.relative_to(ROOT))
        for path in [*modules("pages"), ROOT / "app.py"]
        if any(map(_touches_session_state, ast.walk(ast.parse(path.read_text("utf-8")))))
    }
    assert touching == {"pages/session/session_state.py"}


@pytest.mark.parametrize(
    "line",
    [
        "import engine",
        "import engine.serving.model_registry, engine.trace.trace, engine.errors, engine.sampling.settings",
    ],
)
def test_importing_it_is_light(line: str) -> None:
    code = f"{line}; import sys; print(sorted({{'torch', 'transformers', 'tokenizers', 'numpy'}} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_no_page_brings_torch_before_a_model_is_there() -> None:
    """Seconds of import, and a failed one for who comes while another thread is at it."""
    scripts = [path for path in modules("pages") if path.name.endswith(("page.py", "redirect.py"))]
    rest = [path for path in modules("pages") if path not in scripts and path.name != "__main__.py"]
    assert len(scripts) > 10 and len(rest) > 80
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in rest]
    code = (
        f"import ast, importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
        f"for page in {list(map(str, scripts))}:\n"
        "    for node in ast.parse(open(page, encoding='utf-8').read()).body:\n"
        "        if isinstance(node, (ast.Import, ast.ImportFrom)): exec(ast.unparse(node))\n"
        "print('torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_no_public_name_is_also_a_module() -> None:
    """`engine.generate` would be the function or a module `engine/generate.py`, by what was imported first."""
    import engine

    files = {path.stem for path in (ROOT / "engine").iterdir()}
    assert not files & set(engine.__all__)


def test_every_public_name_is_there() -> None:
    import engine

    for name in engine.__all__:
        assert getattr(engine, name) is not None
    with pytest.raises(AttributeError):
        _ = engine.no_such_name


@pytest.mark.slow
def test_the_first_page_needs_no_chart_library() -> None:
    """Importing one takes as long as drawing the page."""
    script = (
        "import sys; from streamlit.testing.v1 import AppTest; app = AppTest.from_file('app.py', default_timeout=60)"
    )
    names = "sorted({'altair', 'pandas'} & sys.modules.keys())"
    found = subprocess.run(
        [sys.executable, "-c", f"{script}; app.run(); print(len(app.get('bidi_component')) > 5, {names})"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert found.splitlines()[-1] == "True []"
