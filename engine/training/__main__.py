"""Training commands: `python -m engine.training tokenizer|prepare|train|masked|gaps|export|evaluate|all`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from engine.training import arguments
from engine.training.arguments import COMPARED, HERE
from engine.training.corpus import Source, find_all
from engine.training.errors import TrainingError

OWN_TEXT, SUITE = HERE / "text", HERE / "suite"


def _sources(options: argparse.Namespace) -> list[Source]:
    folders = [(folder, "") for folder in options.texts]
    if not options.without_own_text:
        folders.append((OWN_TEXT, "own-"))
    if not folders:
        raise TrainingError("No text: name at least one folder of text files.")
    return find_all(folders)


def _train_tokenizer(options: argparse.Namespace, kinds: Sequence[str] = ()) -> None:
    from engine.training import chat_format, corpus, mixture, tokenizer, tokenizer_measures

    sources = {s.name: s for s in _sources(options)}
    held_out: dict[str, list[str]] = {}
    english: list[str] = []

    def read(source: Source) -> list[str]:
        print(f"reading {source.name}", flush=True)
        train, held_out[source.name] = corpus.read(source, options.held_out, options.simplified)
        if chat_format.is_chat(source.name):
            train = [chat_format.plain_text(document, str(source.path)) for document in train]
        if mixture.is_english(source.name):
            english.extend(train)
        return train

    kinds = kinds or options.only or ["bpe", *COMPARED]
    readers = {name: partial(read, source) for name, source in sources.items()}
    weights = mixture.shares(dict.fromkeys(sources, 1), falling=False, tokens=1)
    weights = mixture.with_english(weights, options.english)
    texts = list(tokenizer.sample(readers, weights, options.sample_characters)) if kinds != ["bytes"] else []
    trainers = {
        "bpe": (tokenizer.train_bpe, "tokenizer"),
        "characters": (tokenizer.character_tokenizer, "tokenizers/characters"),
        "bytes": (lambda texts, size: tokenizer.byte_tokenizer(), "tokenizers/bytes"),
    }
    for kind in kinds:
        train_tokenizer, folder = trainers[kind]
        trained = train_tokenizer(texts, options.size)
        tokenizer.save(trained, options.work / folder)
        print(f"{kind}: {trained.get_vocab_size()} entries in {options.work / folder}", flush=True)
        if kind == "bpe":
            tokenizer_measures.report(trained, held_out, tokenizer_measures.frequent_words(english))


def _prepare(options: argparse.Namespace, only: Sequence[str] = ()) -> None:
    from engine.training import prepare, tokenizer

    trained = tokenizer.load(options.work / "tokenizer")
    sources = [s for s in _sources(options) if s.name.startswith(tuple(only or [""]))]
    cuts = prepare.Cuts(options.cut_share, options.cut_length)
    prepare.prepare(sources, trained, options.work, options.held_out, options.simplified, cuts)


def _train(options: argparse.Namespace) -> bool:
    """Train. Returns whether the run has come to its end."""
    import torch

    from engine.training import history, tokenizer
    from engine.training.plan import make_plan
    from engine.training.run import find_hardware
    from engine.training.train import train

    torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("high")
    trained = tokenizer.load(options.work / "tokenizer")
    tokens = None if options.million_tokens is None else int(options.million_tokens * 1e6)
    plan = make_plan(options.shape, trained.get_vocab_size(), _given(options), tokens)
    hardware = find_hardware(options.device, options.precision, not options.no_compile)
    encoded = {p: trained.encode(p, add_special_tokens=False).ids for p in history.read_prompts()}
    return train(plan, options.work, encoded, hardware, options.save_minutes, options.minutes) == plan.steps


def _masked(options: argparse.Namespace) -> None:
    """Train a masked model, and write it when the run has come to its end.

    The work folder needs the causal model's tokenizer, and the token arrays made with it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from engine.training import masked, masked_export
    from engine.training.run import find_hardware
    from engine.training.train import go_on, resume

    torch.set_num_threads(options.threads)
    hardware = find_hardware(options.device, options.precision, not options.no_compile)
    causal = AutoModelForCausalLM.from_pretrained(options.causal, dtype=torch.float32, use_safetensors=True)
    given = _given(options)
    if options.million_tokens is not None:
        rows, length = (given.get(name, masked.PLAN[name]) for name in ("rows", "length"))
        given["steps"] = max(1, int(options.million_tokens * 1e6) // (rows * length))
    plan = masked.plan_after(causal, given)
    run = resume(plan, options.work, lambda: masked.MaskedRun(plan, hardware, masked.from_causal(plan, causal)))
    go_on(run, options.work, options.save_minutes, options.minutes)
    if run.step == plan.steps:
        masked_export.export(options.work, options.causal, options.to)


def _gaps(options: argparse.Namespace) -> None:
    from engine.masked.masked_model import load_masked
    from engine.model.loading import load
    from engine.training import gap_measures

    causal = load(None if options.causal == arguments.BUNDLED else options.causal)
    gap_measures.report(
        gap_measures.measure(load_masked(options.model), causal, options.work / "held-out", options.count)
    )


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """Fields of the plan that the command line gives; the number of steps only where it is given itself."""
    names = [name.replace("-", "_") for name in (*arguments.SIZES, *arguments.RATES)]
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    return given | ({"steps": options.steps} if options.steps is not None else {})


def _export(options: argparse.Namespace) -> None:
    from engine.training.export import export

    export(options.work, options.to)


def _evaluate(options: argparse.Namespace) -> None:
    import torch

    from engine.training.evaluate import Extent, evaluate

    if min(options.validation_characters, options.rival_megabytes, options.stories) < 0:
        raise TrainingError("Characters, megabytes and stories cannot be negative.")
    torch.set_num_threads(options.threads)
    rival_bytes = 0 if options.no_rivals else int(options.rival_megabytes * 1e6)
    evaluate(options.model, options.work, SUITE, Extent(options.validation_characters, rival_bytes, options.stories))


def _all(options: argparse.Namespace) -> None:
    """All commands one after another; the tokenizer and the token arrays that a run already has are kept."""
    from engine.training import prepare

    finished = options.work / "tokenizer" / "tokenizer.json"
    if not finished.is_file():
        _train_tokenizer(options, ["bpe", *COMPARED])
    if not prepare.is_prepared(options.work, [s.name for s in _sources(options)]):
        _prepare(options)
    if _train(options):
        _export(options)
        options.model = options.to
        _evaluate(options)


_COMMANDS = {
    "tokenizer": _train_tokenizer,
    "prepare": lambda options: _prepare(options, options.only),
    "train": _train,
    "masked": _masked,
    "gaps": _gaps,
    "export": _export,
    "evaluate": _evaluate,
    "all": _all,
}


def main(command_line: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit status: 0, or 2 for an error that the user can correct."""
    options = arguments.parser("python -m engine.training", __doc__).parse_args(command_line)
    try:
        _COMMANDS[options.command](options)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
