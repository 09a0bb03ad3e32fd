"""`python -m engine`: the loop in a terminal, and as JSON for a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine.__main__ import main
from tests.engine.conftest import Tiny

ROOT = Path(__file__).parents[2]
PROMPT = "今天天氣真"


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *arguments],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.slow
def test_in_a_process_of_its_own(gpt2: Tiny) -> None:
    model = ("--model", str(gpt2.folder))
    running = start(PROMPT, *model, "--steps", "5", "--top", "10", "--json")
    refused = start("   ", *model)

    out, errors = running.communicate()
    assert running.returncode == 0, errors
    steps = json.loads(out)
    want = list(engine.generate(gpt2.model, gpt2.model.encode(PROMPT), max_new_tokens=5))
    assert len(steps) == len(want) >= 1
    for step, expected in zip(steps, want, strict=True):
        assert step["context"] == list(expected.token_ids)
        assert step["chosen"]["token_id"] == expected.token_id
        assert len(step["candidates"]) == 10
        for got, candidate in zip(step["candidates"], expected.distribution.top(10), strict=True):
            assert (got["token_id"], got["text"], got["kept"]) == (candidate.token_id, candidate.text, True)
            assert got["raw"] == pytest.approx(candidate.raw, abs=1e-5)
            assert got["probability"] == pytest.approx(candidate.probability, abs=1e-5)

    out, errors = refused.communicate()
    assert (refused.returncode, out) == (2, "") and errors.startswith("error: ")


def test_as_text(gpt2: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [PROMPT, "--model", str(gpt2.folder), "--steps", "2", "--top", "3", "--top-k", "1"]
    assert main([*arguments, "--strategy", "sample"]) == 0
    out = capsys.readouterr().out
    assert " ".join(gpt2.model.pieces(gpt2.model.encode(PROMPT))) in out
    assert out.count("▶") == 2 and "✂" in out and "cut by top_k" in out and "u = 0." in out
    assert out.rstrip().endswith("stopped: length")
    assert main(arguments) == 0
    assert "greedy: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["a\ud800"],
        ["a", "--temperature", "nan"],
        ["a", "--top-p", "1.5"],
        ["a", "--top-k", "-1"],
        ["a", "--steps", "-1"],
        ["a", "--top", "0"],
        ["a", "--seed", "-1", "--strategy", "sample"],
        ["a" * 100_000],
    ],
)
def test_what_is_refused_ends_with_2(gpt2: Tiny, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main([*arguments, "--model", str(gpt2.folder)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: ") and printed.err.count("\n") == 1


def test_a_model_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["a", "--model", "/no/such/folder"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_no_steps_are_an_empty_list(gpt2: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cat", "--model", str(gpt2.folder), "--steps", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_all_settings_reach_the_filters(gpt2: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"temperature": 0.7, "top_k": 9, "top_p": 0.8, "min_p": 0.05, "typical_p": 0.9}
    values |= {"repetition_penalty": 1.2, "no_repeat_ngram_size": 2}
    flags = [part for name, value in values.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    arguments = [
        "the cat",
        "--model",
        str(gpt2.folder),
        "--strategy",
        "sample",
        "--seed",
        "5",
        "--steps",
        "1",
        "--json",
    ]
    assert main([*arguments, "--top", "303", *flags]) == 0
    (step,) = json.loads(capsys.readouterr().out)
    ids = gpt2.model.encode("the cat")
    (want,) = engine.generate(gpt2.model, ids, "sample", engine.Settings(**values), 5, 1)  # type: ignore[arg-type]
    assert step["chosen"]["token_id"] == want.token_id and step["chosen"]["u"] == want.u
    assert [c["cut_by"] for c in step["candidates"]] == [c.cut_by for c in want.distribution.top(303)]
    assert step["stop"] == want.stop
