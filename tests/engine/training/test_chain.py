"""Training pipeline end to end on a few sentences: tokenizer, token arrays, an interrupted and resumed run, export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

import engine
from engine.training import checkpoint
from engine.training.__main__ import main
from engine.training.plan import Plan
from engine.training.run import Hardware, Run

TINY = ["--hidden", "24", "--layers", "2", "--heads", "2", "--feed-forward", "32", "--context", "32", "--rows", "2",
        "--length", "16", "--no-compile", "--threads", "1"]  # fmt: skip


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    lines = [
        f"今天天氣真{a}，我們{b}。" for a in ("好", "熱", "冷", "不錯") for b in ("去公園", "在家看書", "喝水", "散步")
    ]
    (folder / "weather.txt").write_text("\n\n".join(lines * 3 + ["The sky is blue.", "It is cold today."]), "utf-8")
    (folder / "small.grammar").write_text("who = 小貓 | 小狗\n> 從前有一隻{who:a}，{who:a}很開心。\n", "utf-8")
    return folder


def prepared(texts: Path, work: Path) -> list[str]:
    """Train a tokenizer and prepare the texts. Returns the `--work` arguments."""
    options = ["--work", str(work)]
    assert main(["tokenizer", str(texts), *options, "--size", "400", "--characters", "5000", "--without-own-text"]) == 0
    assert main(["prepare", str(texts), *options, "--held-out", "100", "--without-own-text"]) == 0
    return options


def losses(work: Path) -> list[tuple[int, float]]:
    lines = map(json.loads, (work / "loss.jsonl").read_text("utf-8").splitlines())
    return [(line["step"], line["loss"]) for line in lines]


@pytest.mark.slow
def test_a_resumed_run_gives_what_an_unbroken_one_gives(texts: Path, tmp_path: Path) -> None:
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    for work in (whole, resumed):
        prepared(texts, work)
    assert main(["train", "--work", str(whole), "--steps", "8", *TINY]) == 0
    # Simulates a run interrupted after step 5: only a checkpoint of that step exists.
    from engine.training.prepare import Batches

    found = checkpoint.read(whole)
    assert found is not None
    run = Run(found.plan, Hardware())
    batches = Batches(resumed, found.plan.seed)
    for _ in range(5):
        run.advance(batches)
    checkpoint.save(run, resumed)
    assert main(["train", "--work", str(resumed), "--steps", "8", *TINY]) == 0
    assert losses(resumed) == losses(whole)[5:]
    assert (resumed / "learning.json").is_file()


def test_what_is_exported_is_a_model_like_any_other(texts: Path, tmp_path: Path) -> None:
    options = prepared(texts, tmp_path / "work")
    assert main(["train", *options, "--steps", "3", *TINY]) == 0
    assert main(["export", *options, "--to", str(tmp_path / "model")]) == 0
    model = engine.load(str(tmp_path / "model"))
    assert model.context_length == 32
    assert [model.vocabulary.token_bytes(i) for i in sorted(model.end_ids)] == [b"<eos>", b"<|end|>"]
    assert model.text(model.encode("今天天氣真好")) == "今天天氣真好"
    moments = json.loads((tmp_path / "work" / "learning.json").read_text("utf-8"))["moments"]
    assert [m["step"] for m in moments] == [0, 1, 2, 3]
    assert all(len(m["prompts"]) == 40 for m in moments)


def test_another_size_does_not_go_on_from_a_checkpoint(
    texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = prepared(texts, tmp_path)
    assert main(["train", *options, "--steps", "1", *TINY]) == 0
    other = [*TINY]
    other[1] = "48"
    assert main(["train", *options, "--steps", "2", *other]) == 2
    assert "other sizes" in capsys.readouterr().err


@pytest.mark.parametrize("fields", [{"steps": 0}, {"hidden": 25}, {"length": 64}])
def test_sizes_that_make_no_model_are_refused(fields: dict[str, int]) -> None:
    from engine.training.errors import TrainingError

    sizes = {"vocabulary": 300, "steps": 4, "hidden": 24, "heads": 2, "layers": 1, "context": 32, "length": 16} | fields
    with pytest.raises(TrainingError):
        Plan(**sizes)


def test_bad_texts_are_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = ["--work", str(tmp_path / "work"), "--without-own-text"]
    empty, wrong = tmp_path / "empty", tmp_path / "wrong"
    empty.mkdir()
    wrong.mkdir()
    (wrong / "big5.txt").write_bytes("今天".encode("big5"))
    for arguments, sentence in (
        (["tokenizer", *work], "No text"),
        (["tokenizer", str(tmp_path / "nowhere"), *work], "is not a folder"),
        (["tokenizer", str(empty), *work], "holds no text"),
        (["tokenizer", str(wrong), *work], "not UTF-8"),
        (["prepare", str(wrong), *work], "run the tokenizer command first"),
        (["train", "--work", str(tmp_path / "work"), "--steps", "1"], "run the tokenizer command first"),
        (["export", "--work", str(tmp_path / "work")], "run the train command first"),
    ):
        assert main(arguments) == 2
        assert sentence in capsys.readouterr().err


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("tokenizer", "prepare", "train", "export", "evaluate"):
        with pytest.raises(SystemExit) as stopped:
            main([command, "--help"])
        assert stopped.value.code == 0
        assert "--work" in capsys.readouterr().out


def test_common_characters_are_tokens_wherever_they_stand(texts: Path, tmp_path: Path) -> None:
    prepared(texts, tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer" / "tokenizer.json"))
    for character in "今天氣真好熱我們":
        assert len(tokenizer.encode(character).ids) == 1
