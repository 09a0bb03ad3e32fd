"""Arguments of the training commands."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.training.plan import SHAPES

HERE = Path(__file__).parent
BUNDLED = HERE.parent / "bundled"
MASKED = BUNDLED / "masked"
COMPARED = ("characters", "bytes")  # tokenizers without a model, for comparison
SIZES = ("hidden", "layers", "heads", "feed-forward", "context", "rows", "length", "warm-up", "seed")
RATES = ("matrix-rate", "other-rate", "falling", "average")


def parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """Parser of all commands; the chosen one is `command` of its result."""
    root = argparse.ArgumentParser(prog=program, description=description)
    commands = root.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--work", type=Path, required=True, help="the folder in which a run keeps everything")
        return sub

    sub = command("tokenizer", "Train the byte-level BPE tokenizer on a balanced sample, and measure it.")
    _add_texts(sub)
    _add_tokenizer(sub, "--characters")
    sub.add_argument("--only", nargs="*", default=[], choices=("bpe", *COMPARED), help="default: all three")
    sub = command("prepare", "Turn texts into token arrays and take the validation split out.")
    _add_texts(sub)
    _add_cuts(sub)
    sub.add_argument("--only", nargs="*", default=[], help="names (or their beginnings) of the sources to prepare")
    _add_training(command("train", "Train, or go on from the newest checkpoint of the work folder."))
    sub = command("masked", "Train a masked model from a causal one's weights, which sees both sides, and write it.")
    sub.add_argument("--causal", type=Path, default=BUNDLED, help="model folder that it begins with; default: bundled")
    sub.add_argument("--to", type=Path, default=MASKED, help="folder of the model; default: the bundled one's place")
    _add_training(sub)
    sub = command("gaps", "Measure the masked model on held-out gaps, beside the causal one.")
    sub.add_argument("--causal", type=Path, default=BUNDLED, help="model folder; default: bundled")
    sub.add_argument("--model", type=Path, default=MASKED, help="folder of the masked model; default: bundled")
    sub.add_argument("--count", type=int, default=500, help="gaps")
    sub = command("export", "Write the newest checkpoint as a model folder.")
    sub.add_argument("--to", type=Path, default=BUNDLED, help="default: the bundled model's place")
    sub = command("evaluate", "Measure a model on the validation split and the prompt suites.")
    sub.add_argument("--model", type=Path, default=BUNDLED, help="default: the bundled model")
    sub.add_argument("--threads", type=int, default=2)
    _add_extent(sub, "--characters")
    sub = command("all", "All of it, from texts to an evaluated model; what a run has finished is not done again.")
    for add in (_add_texts, _add_tokenizer, _add_cuts, _add_training, _add_extent):
        add(sub)
    sub.add_argument("--to", type=Path, required=True, help="folder of the model")
    return root


def _add_texts(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("texts", nargs="*", type=Path, help="folders of .txt, .txt.xz and .grammar files")
    sub.add_argument("--held-out", type=int, default=10, help="documents in a thousand kept for validation")
    sub.add_argument("--simplified", type=int, default=100, help="documents in a thousand put into Simplified Chinese")
    sub.add_argument("--without-own-text", action="store_true", help="leave the project's own text out")


def _add_tokenizer(sub: argparse.ArgumentParser, *aliases: str) -> None:
    sub.add_argument("--size", type=int, default=14_336, help="entries of the vocabulary")
    sub.add_argument("--sample-characters", *aliases, type=int, default=12_000_000, help="text the tokenizer reads")
    sub.add_argument("--english", type=float, default=0.5, help="part of it in English")


def _add_cuts(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--cut-share", type=float, default=1.0, help="part of the documents cut at random places")
    sub.add_argument("--cut-length", type=float, default=25, help="characters between two cuts, on average")


def _add_training(sub: argparse.ArgumentParser) -> None:
    length = sub.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int, help="how many steps the whole run has")
    length.add_argument("--million-tokens", type=float, help="how much text the whole run reads, instead of --steps")
    sub.add_argument("--shape", choices=sorted(SHAPES), default="small", help="sizes and batches (plan.py)")
    for name in SIZES:
        sub.add_argument(f"--{name}", type=int, help="default: that of the shape")
    for name in RATES:
        sub.add_argument(f"--{name}", type=float, help="default: that of the shape")
    sub.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: a GPU if there is one")
    sub.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="of matrix products")
    sub.add_argument("--threads", type=int, default=2)
    sub.add_argument("--no-compile", action="store_true", help="do without torch.compile (slower; needs no compiler)")
    sub.add_argument("--save-minutes", type=float, default=5, help="time between checkpoints")
    sub.add_argument("--minutes", type=float, default=float("inf"), help="time after which to stop, to go on later")


def _add_extent(sub: argparse.ArgumentParser, *aliases: str) -> None:
    sub.add_argument("--validation-characters", *aliases, type=int, default=20_000,
                     help="validation text a source to measure on; 0: none")  # fmt: skip
    sub.add_argument("--rival-megabytes", type=float, default=30, help="training text a source for PPMd and 5-gram")
    sub.add_argument("--no-rivals", action="store_true", help="measure the model alone")
    sub.add_argument("--stories", type=int, default=20, help="stories to print; 0: no continuations at all")
