"""Imports go one way, app → pages → engine, and importing the engine alone is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCREEN = {"streamlit", "altair", "plotly", "pages", "app"}
MODELS = {"torch", "transformers", "tokenizers", "safetensors", "huggingface_hub"}


def modules(*folders: str) -> list[Path]:
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
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


@pytest.mark.parametrize("path", modules("engine"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_knows_no_screen(path: Path) -> None:
    assert not imported(path) & (SCREEN | {"tests"})


def test_pages_leave_models_to_the_engine() -> None:
    for path in [*modules("pages"), ROOT / "app.py"]:
        assert not imported(path) & (MODELS | {"tests"}), path
    for path in modules("pages"):
        assert "app" not in imported(path), path


def test_one_module_alone_touches_session_state() -> None:
    touching = {
        str(path.relative_to(ROOT))
        for path in [*modules("pages"), ROOT / "app.py"]
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr == "session_state")
        or (isinstance(node, ast.Name) and node.id == "session_state")
        or (isinstance(node, ast.alias) and node.name == "session_state")
    }  # fmt: skip
    assert touching <= {"pages/ui/state.py"}


def test_the_engine_reads_no_one_elses_training_code() -> None:
    """What makes the bundled model stands on the engine, never the other way round."""
    others = [path for path in modules("engine") if "training" not in path.relative_to(ROOT).parts]
    assert others
    for path in others:
        assert "engine.training" not in path.read_text("utf-8"), path


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
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules("pages") if "ui" in path.parts]
    pages = [str(path) for folder in ("lab", "learn") for path in sorted((ROOT / "pages" / folder).glob("*.py"))]
    code = (
        f"import ast, importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
        f"for page in {pages}:\n"
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
