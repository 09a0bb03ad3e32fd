"""SentencePiece tokenizers (`*.model`), rebuilt for the `tokenizers` library and compared with SentencePiece itself.

`transformers` rebuilds them too, but takes a wrong kind without notice where the files name no tokenizer class. What
does not cut the texts below as SentencePiece does is not used.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, processors
from transformers import LlamaTokenizer

_PROBES = (
    "the cat sat on the mat",
    "Hello, world! It's 12345.",
    "two  spaces ",  # none at the beginning, where `transformers` differs on purpose
    "今天天氣真好，我們去公園散步。",
    "氣 ü ß ﬁ ①２０ 😀",
    "first line\nsecond line",
    "x" * 30,
)
_CONTROL = 3  # type of a piece in SentencePiece
_BPE, _UNIGRAM = 2, 1  # types of a model


def agrees(tokenizer: Tokenizer, path: Path) -> bool:
    """Whether a tokenizer cuts texts as the SentencePiece model in a file; texts with unknown pieces do not count."""
    import sentencepiece

    reference = sentencepiece.SentencePieceProcessor(model_file=str(path))
    for text in _PROBES:
        pieces = reference.encode(text, out_type=str)
        unknown = reference.unk_id() in reference.encode(text)
        if not unknown and tokenizer.encode(text, add_special_tokens=False).tokens != pieces:
            return False
    return True


def rebuild(folder: Path, path: Path, begins: bool) -> Tokenizer:
    """Tokenizer made from a SentencePiece model alone; `begins`: with its beginning-of-text token before each text.

    Raises ValueError for a kind other than BPE and Unigram.
    """
    proto: Any = import_module("sentencepiece.sentencepiece_model_pb2").ModelProto()
    proto.ParseFromString(path.read_bytes())
    kind, first = proto.trainer_spec.model_type, proto.trainer_spec.bos_id
    if kind not in (_BPE, _UNIGRAM):
        raise ValueError(f"SentencePiece model of type {kind}")
    tokenizer = _unigram(proto) if kind == _UNIGRAM else _bpe(folder)
    if begins and first >= 0:
        name = proto.pieces[first].piece
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{name} $A", special_tokens=[(name, first)])
    return tokenizer


def _bpe(folder: Path) -> Tokenizer:
    backend: Tokenizer = LlamaTokenizer.from_pretrained(folder).backend_tokenizer
    return Tokenizer.from_str(backend.to_str())


def _unigram(proto: Any) -> Tokenizer:
    trainer, rules = proto.trainer_spec, proto.normalizer_spec
    pieces = [(piece.piece, piece.score) for piece in proto.pieces]
    tokenizer = Tokenizer(models.Unigram(pieces, trainer.unk_id, trainer.byte_fallback))
    steps: list[Any] = []
    if rules.precompiled_charsmap:
        steps.append(normalizers.Precompiled(rules.precompiled_charsmap))
    if rules.remove_extra_whitespaces:
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    if rules.add_dummy_prefix:
        steps.append(normalizers.Prepend("▁"))
    # The whole text is cut at once, as SentencePiece does it.
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", int(rules.add_dummy_prefix), 0),
        ]
    )
    special = [piece.piece for piece in proto.pieces if piece.type == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    return tokenizer
