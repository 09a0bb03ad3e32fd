"""Training commands: `python -m engine.training tokenizer|prepare|train|export|evaluate`, for folders of text files."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from engine.training.corpus import Source, find_all
from engine.training.errors import TrainingError

HERE = Path(__file__).parent
OWN_TEXT, SUITE, BUNDLED = HERE / "text", HERE / "suite", HERE.parent / "bundled"
LESSON_PROMPTS = 40  # prompts of the lessons whose predictions are recorded during training
COMPARED = ("characters", "bytes")  # tokenizers without a model, for comparison


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str, folders: bool) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--work", type=Path, required=True, help="the folder in which a run keeps everything")
        if folders:
            sub.add_argument("texts", nargs="*", type=Path, help="folders of .txt, .txt.xz and .grammar files")
            sub.add_argument("--held-out", type=int, default=10, help="documents in a thousand kept for validation")
            sub.add_argument("--without-own-text", action="store_true", help="leave the project's own text out")
        return sub

    sub = command("tokenizer", "Train the byte-level BPE tokenizer on a balanced sample.", folders=True)
    sub.add_argument("--size", type=int, default=8192, help="entries of the vocabulary")
    sub.add_argument("--characters", type=int, default=12_000_000, help="how much text to learn from")
    sub.add_argument("--only", nargs="*", default=[], choices=("bpe", *COMPARED), help="default: all three")
    sub = command("prepare", "Turn texts into token arrays and take the validation split out.", folders=True)
    sub.add_argument("--only", nargs="*", default=[], help="names (or their beginnings) of the sources to prepare")
    sub = command("train", "Train, or go on from the newest checkpoint of the work folder.", folders=False)
    sub.add_argument("--steps", type=int, required=True, help="how many steps the whole run has")
    for name, default in (("hidden", 288), ("layers", 6), ("heads", 6), ("feed-forward", 768), ("context", 512),
                          ("rows", 24), ("length", 256), ("seed", 1)):  # fmt: skip
        sub.add_argument(f"--{name}", type=int, default=default, help=f"default: {default}")
    sub.add_argument("--falling", type=float, default=0.35, help="part of the run in which the rate falls")
    sub.add_argument("--threads", type=int, default=2)
    sub.add_argument("--no-compile", action="store_true", help="do without torch.compile (slower; needs no compiler)")
    sub.add_argument("--save-minutes", type=float, default=5, help="time between checkpoints")
    sub = command("export", "Write the newest checkpoint as a model folder.", folders=False)
    sub.add_argument("--to", type=Path, default=BUNDLED, help="default: the bundled model's place")
    sub = command("evaluate", "Measure a model on the validation split and the prompt suites.", folders=False)
    sub.add_argument("--model", type=Path, default=BUNDLED, help="default: the bundled model")
    sub.add_argument("--characters", type=int, default=20_000, help="validation text a source to measure on; 0: none")
    sub.add_argument("--rival-megabytes", type=float, default=30, help="training text a source for PPMd and 5-gram")
    sub.add_argument("--no-rivals", action="store_true", help="measure the model alone")
    sub.add_argument("--stories", type=int, default=20, help="stories to print; 0: no continuations at all")
    sub.add_argument("--threads", type=int, default=2)
    return parser


def _sources(options: argparse.Namespace) -> list[Source]:
    folders = [(folder, "") for folder in options.texts]
    if not options.without_own_text:
        folders.append((OWN_TEXT, "own-"))
    if not folders:
        raise TrainingError("No text: name at least one folder of text files.")
    return find_all(folders)


def _train_tokenizer(options: argparse.Namespace) -> None:
    from engine.training import corpus, mixture, tokenizer

    sources = {s.name: s for s in _sources(options)}

    def read(source: Source) -> list[str]:
        print(f"reading {source.name}", flush=True)
        return corpus.split(corpus.documents(source), options.held_out)[0]

    kinds = options.only or ["bpe", *COMPARED]
    readers = {name: partial(read, source) for name, source in sources.items()}
    weights = mixture.shares(dict.fromkeys(sources, 1), falling=False, tokens=1)
    texts = list(tokenizer.sample(readers, weights, options.characters)) if kinds != ["bytes"] else []
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


def _prepare(options: argparse.Namespace) -> None:
    from engine.training import prepare, tokenizer

    trained = tokenizer.load(options.work / "tokenizer")
    sources = [s for s in _sources(options) if s.name.startswith(tuple(options.only or [""]))]
    prepare.prepare(sources, trained, options.work, options.held_out)


def _train(options: argparse.Namespace) -> None:
    import torch

    from engine.training import tokenizer, train
    from engine.training.plan import Plan

    torch.set_num_threads(options.threads)
    trained = tokenizer.load(options.work / "tokenizer")
    plan = Plan(
        vocabulary=trained.get_vocab_size(), steps=options.steps, hidden=options.hidden, layers=options.layers,
        heads=options.heads, feed_forward=options.feed_forward, context=options.context, rows=options.rows,
        length=options.length, seed=options.seed, falling=options.falling,
    )  # fmt: skip
    prompts = tomllib.loads((SUITE / "lessons.toml").read_text("utf-8"))["prompt"][:LESSON_PROMPTS]
    encoded = {p["text"]: trained.encode(p["text"], add_special_tokens=False).ids for p in prompts}
    train.train(plan, options.work, encoded, not options.no_compile, options.save_minutes)


def _export(options: argparse.Namespace) -> None:
    from engine.training.export import export

    export(options.work, options.to)


def _evaluate(options: argparse.Namespace) -> None:
    import torch

    from engine.training.evaluate import Extent, evaluate

    if min(options.characters, options.rival_megabytes, options.stories) < 0:
        raise TrainingError("Characters, megabytes and stories cannot be negative.")
    torch.set_num_threads(options.threads)
    rival_bytes = 0 if options.no_rivals else int(options.rival_megabytes * 1e6)
    evaluate(options.model, options.work, SUITE, Extent(options.characters, rival_bytes, options.stories))


_COMMANDS = {
    "tokenizer": _train_tokenizer,
    "prepare": _prepare,
    "train": _train,
    "export": _export,
    "evaluate": _evaluate,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit status: 0, or 2 for an error that the user can correct."""
    options = _parser().parse_args(arguments)
    try:
        _COMMANDS[options.command](options)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
