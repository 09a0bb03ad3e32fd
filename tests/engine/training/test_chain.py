"""Training pipeline end to end on a few sentences: tokenizer, token arrays, interrupted and resumed runs, export."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

import engine
from engine.training import checkpoint, history, tokenizer
from engine.training.__main__ import main
from engine.training.errors import TrainingError
from engine.training.export import MAX_WEIGHT_BYTES
from engine.training.plan import SHAPES, Plan, build, make_plan
from engine.training.prepare import Batches
from engine.training.run import Hardware, Run, find_hardware

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
    """Fill a work folder with a tokenizer and the prepared texts. Returns the `--work` arguments."""
    shutil.copytree(prepare_once(texts), work, dirs_exist_ok=True)
    return ["--work", str(work)]


@cache
def prepare_once(texts: Path) -> Path:
    work = texts.with_name("prepared")
    options = ["--work", str(work)]
    assert main(["tokenizer", str(texts), *options, "--size", "400", "--characters", "5000", "--without-own-text"]) == 0
    assert main(["prepare", str(texts), *options, "--held-out", "100", "--without-own-text"]) == 0
    return work


def losses(work: Path) -> list[tuple[int, float]]:
    lines = map(json.loads, (work / "loss.jsonl").read_text("utf-8").splitlines())
    return [(line["step"], line["loss"]) for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize("average", ["0", "0.9"])
def test_a_resumed_run_gives_what_an_unbroken_one_gives(texts: Path, tmp_path: Path, average: str) -> None:
    options = [*TINY, "--average", average]
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    for work in (whole, resumed):
        prepared(texts, work)
    assert main(["train", "--work", str(whole), "--steps", "8", *options]) == 0
    # Simulates a run interrupted after step 5: only a checkpoint of that step exists.
    found = checkpoint.read(whole)
    assert found is not None
    run = Run(found.plan, Hardware())
    batches = Batches(resumed, found.plan.seed)
    for _ in range(5):
        run.advance(batches)
    checkpoint.save(run, resumed)
    assert main(["train", "--work", str(resumed), "--steps", "8", *options]) == 0
    assert losses(resumed) == losses(whole)[5:]
    first, second = (checkpoint.read(work) for work in (whole, resumed))
    assert first and second and all(torch.equal(tensor, second.tensors[name]) for name, tensor in first.tensors.items())
    changed = [
        name for name, tensor in first.weights.items() if not torch.equal(tensor, first.tensors[f"model.{name}"])
    ]
    assert bool(changed) == (average != "0"), "what is exported is the average, where there is one"
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


def test_the_average_is_that_of_the_formula(texts: Path, tmp_path: Path) -> None:
    prepared(texts, tmp_path)
    sizes = {"hidden": 16, "layers": 1, "heads": 2, "feed_forward": 16, "context": 16, "rows": 1, "length": 16}
    run = Run(make_plan("small", 360, sizes | {"steps": 9, "average": 0.5}), Hardware())
    batches, expected = Batches(tmp_path, 1), None
    for step in range(9):
        run.advance(batches)
        weights = run.model.lm_head.weight.detach().clone()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = weights if expected is None else decay * expected + (1 - decay) * weights
        torch.testing.assert_close(run.averaged_model.lm_head.weight, expected)


def test_a_run_goes_on_from_weights_alone(texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = prepared(texts, tmp_path)
    assert main(["train", *options, "--steps", "9", "--minutes", "0", *TINY]) == 0
    assert "stopped after step 0 of 9" in capsys.readouterr().out
    assert main(["train", *options, "--steps", "3", "--falling", "0", *TINY]) == 0
    whole = checkpoint.read(tmp_path)
    (tmp_path / "checkpoint.safetensors").unlink()
    alone = checkpoint.read(tmp_path)
    assert whole and alone and alone.step == 3
    size = sum(tensor.numel() for name, tensor in whole.tensors.items() if name.startswith("model."))
    assert (tmp_path / "weights.safetensors").stat().st_size < 2 * size + 5_000  # two bytes a weight, and a header
    for name, tensor in alone.weights.items():
        torch.testing.assert_close(tensor, whole.weights[name], atol=1e-4, rtol=1e-3)
    assert main(["train", *options, "--steps", "5", "--falling", "0", *TINY]) == 0
    assert "weights alone" in capsys.readouterr().out
    assert [step for step, _ in losses(tmp_path)] == [1, 2, 3, 4, 5]
    rates = [json.loads(line)["rate"] for line in (tmp_path / "loss.jsonl").read_text("utf-8").splitlines()]
    assert rates == pytest.approx([0.01, 0.02, 0.03, 0.01, 0.02]), "the warmup begins again"


def test_a_newer_file_of_weights_counts_more_than_an_older_checkpoint(texts: Path, tmp_path: Path) -> None:
    options = prepared(texts, tmp_path)
    assert main(["train", *options, "--steps", "1", *TINY]) == 0
    older = (tmp_path / "checkpoint.safetensors").read_bytes()
    assert main(["train", *options, "--steps", "2", *TINY]) == 0
    (tmp_path / "checkpoint.safetensors").write_bytes(older)
    found = checkpoint.read(tmp_path)
    assert found and found.step == 2 and not any(name.startswith("state.") for name in found.tensors)


def test_bfloat16_is_nearly_float32_and_keeps_float32_weights(texts: Path, tmp_path: Path) -> None:
    found = {}
    for precision in ("float32", "bfloat16"):
        options = prepared(texts, tmp_path / precision)
        assert main(["train", *options, "--steps", "3", "--precision", precision, *TINY]) == 0
        found[precision] = [loss for _, loss in losses(tmp_path / precision)]
        state = checkpoint.read(tmp_path / precision)
        assert state and all(tensor.dtype == torch.float32 for tensor in state.weights.values())
    assert found["float32"] == pytest.approx(found["bfloat16"], rel=0.01)
    assert found["float32"] != found["bfloat16"]


def test_hardware_is_found_or_refused() -> None:
    if torch.cuda.is_available():
        assert find_hardware("auto", "auto", True) == Hardware("cuda", True, True)
    else:
        assert find_hardware("auto", "auto", True) == Hardware("cpu", False, True)
        with pytest.raises(TrainingError, match="No GPU"):
            find_hardware("cuda", "auto", True)
    assert find_hardware("cpu", "bfloat16", False) == Hardware("cpu", True, False)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_shapes_make_plans_of_the_tokens_asked_for(shape: str) -> None:
    plan = make_plan(shape, 14_336, {"seed": 2}, 60_000_000)
    assert plan.tokens == pytest.approx(60_000_000, rel=0.01) and plan.seed == 2
    with torch.device("meta"):
        parameters = build(plan).num_parameters()
    low, high = {"small": (8e6, 13e6), "large": (25e6, 40e6)}[shape]
    assert low < parameters < high
    assert 2 * parameters < MAX_WEIGHT_BYTES


@pytest.mark.slow
def test_one_command_does_it_all_and_repeats_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "weather-zh.txt").write_text("\n\n".join(f"第{i}天，今天天氣真好。" for i in range(200)), "utf-8")
    (texts / "weather-en.txt").write_text("\n\n".join(f"On day {i} it was sunny." for i in range(200)), "utf-8")
    chats = [f"U: 第{i}天天氣好嗎？\nA: 第{i}天很好。" for i in range(200)]
    (texts / "chat-zh.txt").write_text("\n\n".join(chats), "utf-8")
    command = ["all", str(texts), "--work", str(tmp_path / "run"), "--to", str(tmp_path / "model"), "--size", "400",
               "--without-own-text", "--held-out", "300", "--validation-characters", "400", "--stories", "0",
               "--sample-characters", "5000"]  # fmt: skip
    assert main([*command, "--steps", "20", "--minutes", "0.0001", *TINY]) == 0
    first = capsys.readouterr().out
    assert "stopped after step" in first and "bits a character" not in first
    assert not (tmp_path / "model").exists()
    assert main([*command, "--steps", "20", *TINY]) == 0
    second = capsys.readouterr().out
    assert "reading" not in second and "going on from step" in second
    expected_texts = (
        "step 20/20",
        "loss against tokens",
        "bits a character",
        "chat-zh",
        "lessons",
        "occur word for word",
    )
    for expected in expected_texts:
        assert expected in second
    model = engine.load(str(tmp_path / "model"))
    assert model.chat_template is not None and model.encode("今天")


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
    for command in ("tokenizer", "prepare", "train", "export", "evaluate", "all"):
        with pytest.raises(SystemExit) as stopped:
            main([command, "--help"])
        assert stopped.value.code == 0
        assert "--work" in capsys.readouterr().out


def test_common_characters_are_tokens_wherever_they_stand(texts: Path, tmp_path: Path) -> None:
    prepared(texts, tmp_path)
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer" / "tokenizer.json"))
    for character in "今天氣真好熱我們":
        assert len(loaded.encode(character).ids) == 1


def test_the_record_holds_what_the_model_predicts_after_each_prompt(texts: Path, tmp_path: Path) -> None:
    options = prepared(texts, tmp_path / "work")
    assert main(["train", *options, "--steps", "2", *TINY]) == 0
    found = checkpoint.read(tmp_path / "work")
    assert found
    run = Run(found.plan, Hardware())
    run.restore(found.tensors, found.step)
    trained = tokenizer.load(tmp_path / "work" / "tokenizer")
    last = json.loads((tmp_path / "work" / "learning.json").read_text("utf-8"))["moments"][-1]["prompts"]
    for prompt in history.read_prompts():
        with torch.inference_mode():
            logits = run.model(input_ids=torch.tensor([trained.encode(prompt).ids])).logits[0, -1]
        probabilities = torch.softmax(logits, dim=-1)
        assert len(last[prompt]) == history.TOP
        assert [p for _, p in last[prompt]] == pytest.approx(probabilities.topk(history.TOP).values.tolist(), abs=2e-5)
        assert [float(probabilities[i]) for i, _ in last[prompt]] == pytest.approx(
            [p for _, p in last[prompt]], abs=2e-5
        )
