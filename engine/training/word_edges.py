"""Word edges: completion of phrases that end inside a word whose rest is all but certain.

A first token counts if its bytes begin with the whole rest, or are a proper prefix of the rest which the model's greedy
continuation completes. Three figures: share of phrases with such a token among the TOP most probable, share of phrases
whose most probable token is one, and probability mass on all of them over the whole vocabulary. `suite/README.md` says
which phrases were chosen.

Compared by bytes, because a byte-level tokenizer may write a rare character as several tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from engine.tokenization.vocabulary import Vocabulary
from engine.training import suite_file
from engine.training.errors import TrainingError
from engine.training.prompt_suite import TOP


@dataclass(frozen=True)
class Phrase:
    """A phrase cut inside a word.

    text  ends inside the word
    rest  the remainder of the word, at least one character
    """

    text: str
    rest: str
    theme: str
    language: str


@dataclass(frozen=True)
class Verdict:
    """Result for one phrase.

    top   the TOP most probable tokens: (name, probability, counts), by descending probability
    mass  total probability of all tokens that count
    """

    phrase: Phrase
    top: list[tuple[str, float, bool]]
    mass: float

    @property
    def is_hit(self) -> bool:
        """Whether any of the most probable tokens counts."""
        return any(good for _, _, good in self.top)

    @property
    def is_first(self) -> bool:
        """Whether the most probable token counts, so that greedy decoding completes the word."""
        return self.top[0][2]


def read(path: Path) -> list[Phrase]:
    """Phrases of a file in TOML. Raises TrainingError."""
    phrases = suite_file.read(
        path, "phrase", "a list of cut phrases", lambda e: Phrase(e["text"], e["rest"], e["theme"], e["language"])
    )
    if not all(phrase.text and phrase.rest for phrase in phrases):
        raise TrainingError(f"{path} has a phrase without text or without rest.")
    return phrases


def _logits(model: PreTrainedModel, ids: Sequence[int]) -> torch.Tensor:
    """Logits of the next token, (V,)."""
    logits: torch.Tensor = model(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0, -1].float()
    return logits


def completes(model: PreTrainedModel, vocabulary: Vocabulary, ids: Sequence[int], token: int, rest: str) -> bool:
    """Whether `token` after `ids`, continued greedily as far as needed, writes a text that begins with `rest`."""
    wanted, written, ids = rest.encode(), b"", list(ids)
    while data := _written(vocabulary, token):
        written += data
        if written.startswith(wanted):
            return True
        if not wanted.startswith(written):
            return False
        ids.append(token)
        token = int(_logits(model, ids).argmax())
    return False


def _written(vocabulary: Vocabulary, token: int) -> bytes:
    """Bytes that a token adds to the text; none for a special token and for an id that the tokenizer lacks."""
    return b"" if token in vocabulary.special or not vocabulary.has(token) else vocabulary.token_bytes(token)


@torch.inference_mode()
def judge(model: PreTrainedModel, tokenizer: Tokenizer, phrases: Sequence[Phrase]) -> list[Verdict]:
    """Verdicts of all phrases."""
    vocabulary = Vocabulary(Tokenizer.from_str(tokenizer.to_str()), int(model.config.vocab_size))
    written = [_written(vocabulary, i) for i in range(vocabulary.size)]
    verdicts = []
    for phrase in phrases:
        ids, wanted = vocabulary.encode(phrase.text), phrase.rest.encode()
        probabilities = torch.softmax(_logits(model, ids), dim=-1)  # (V,)
        begun = [i for i, data in enumerate(written) if data and (wanted.startswith(data) or data.startswith(wanted))]
        good = [i for i in begun if completes(model, vocabulary, ids, i, phrase.rest)]
        best = probabilities.topk(min(TOP, len(probabilities)))
        pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        top = [(vocabulary.pieces([i])[0], p, i in good) for p, i in pairs]
        verdicts.append(Verdict(phrase, top, float(probabilities[good].sum())))
    return verdicts


def summary(verdicts: Sequence[Verdict]) -> str:
    """One line: number of phrases, share with a token that counts, share whose likeliest counts, mean mass."""
    count = max(1, len(verdicts))
    hits, first = sum(v.is_hit for v in verdicts) / count, sum(v.is_first for v in verdicts) / count
    mass = sum(v.mass for v in verdicts) / count
    return f"{len(verdicts):4} {100 * hits:9.1f} % {100 * first:9.1f} % {mass:9.2f}"


def report(model: PreTrainedModel, tokenizer: Tokenizer, path: Path) -> list[Verdict]:
    """Verdicts of a file of phrases.

    Prints the figures, also by language and theme, and the phrases of which no token counts.
    """
    verdicts = judge(model, tokenizer, read(path))
    print(f"{'phrases cut inside a word':26} {'':4} {'one of 5':>11} {'likeliest':>11} {'chance':>9}")
    suite_file.print_figures(path.stem, verdicts, lambda verdict: verdict.phrase, summary)
    missed = [v for v in verdicts if not v.is_hit]
    if missed:
        print(f"{path.stem}: none of the five likeliest completes the word")
    for verdict in missed:
        top = " ".join(f"{text!r} {p:.2f}" for text, p, _ in verdict.top)
        print(f"  {verdict.phrase.text!r} {verdict.phrase.rest!r}: {top}")
    return verdicts
