"""What a person reads for a token, and text to token ids and back.

A byte-level token can hold part of a character: GPT-2 cuts 氣 into two. Decoding such an id alone gives U+FFFD, so
this file works on each token's bytes and says which part of which character they are: `氣 1–2/3`, `氣 3/3`, or the
bytes themselves (`‹E6 B0›`) while the character is not complete; `characters.py` has the words for that. It does not
run a model and does not know the screen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from tokenizers import Tokenizer

from engine.tokenization.bpe import BPEMerges
from engine.tokenization.unicode import (
    Span,
    byte_of_character,
    characters,
    describe,
    grapheme_edges,
    incomplete,
    readable,
)


class Vocabulary:
    """A tokenizer seen from the reader's side. Safe for many threads; holds no state of any text."""

    def __init__(self, tokenizer: Tokenizer, size: int) -> None:
        """`size` is the number of ids that the model predicts; ids that the tokenizer lacks are named `‹#id›`."""
        self._tokenizer = tokenizer
        # Text that spells a special token stays text.
        tokenizer.encode_special_tokens = True
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._added = dict(tokenizer.get_added_tokens_decoder().items())
        self.special = frozenset(i for i, token in self._added.items() if token.special)
        self._kind = _kind(tokenizer)
        table = {index: token for token, index in tokenizer.get_vocab(with_added_tokens=True).items()}
        self._bytes = [self._token_bytes(index, table.get(index)) for index in range(max(size, len(table)))]
        self.size = size
        # What the tokenizer puts before any text (a start mark) belongs to the context; what it puts after (an end
        # mark) does not, for the text is to go on.
        with_marks, alone = tokenizer.encode("a").ids, tokenizer.encode("a", add_special_tokens=False).ids
        at = next((i for i in range(len(with_marks)) if with_marks[i : i + len(alone)] == alone), 0)
        self.start: tuple[int, ...] = tuple(with_marks[:at])
        # SentencePiece begins every text with a space that the writer did not type.
        self._begins_with_space = bool(alone) and self._bytes[alone[0]].startswith(b" ")

    def _token_bytes(self, index: int, token: str | None) -> bytes:
        if token is None:
            return f"‹#{index}›".encode()
        if index in self._added:
            return self._added[index].content.encode()
        if self._kind == "bytes":
            table = byte_of_character()
            if all(char in table for char in token):
                return bytes(table[char] for char in token)
        elif self._kind == "wordpiece":
            return token.removeprefix("##").encode()
        elif self._kind == "pieces":
            if match := re.fullmatch(r"<0x([0-9A-Fa-f]{2})>", token):
                return bytes([int(match[1], 16)])
            return token.replace("▁", " ").encode()
        return token.encode()

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text, with the start mark that the tokenizer puts before any text.

        Raises UnicodeEncodeError for a lone surrogate: that is no text.
        """
        text.encode("utf-8")
        return self.start + tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """For each token of `encode(text)` the characters [start, stop) of the text that it came of.

        Parts of one character name the same one; marks that nobody typed name none: (0, 0).
        """
        found = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return [(0, 0)] * len(self.start) + [(int(start), int(stop)) for start, stop in found]

    @cached_property
    def merges(self) -> BPEMerges:
        """The merges that the tokenizer makes. Raises EngineError where it makes none, see `Merges`."""
        return BPEMerges(self._tokenizer)

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for; of a special token, its name."""
        return self._bytes[token_id]

    def text(self, ids: Sequence[int]) -> str:
        """The text that ids stand for, special tokens left out, unfinished characters as their bytes."""
        pieces: list[str] = []
        for special, run in self._runs(ids):
            if not special:
                data = b"".join(self._bytes[i] for i in run)
                pieces.append("".join(s.char or f"‹{data[s.start]:02X}›" for s in characters(data)))
        if self._kind == "wordpiece":
            return _with_spaces(self._tokenizer.decode(list(ids), skip_special_tokens=True))
        whole = "".join(pieces)
        from_the_start = self._begins_with_space and tuple(ids[: len(self.start)]) == self.start
        return whole.removeprefix(" ") if from_the_start else whole

    def _runs(self, ids: Sequence[int]) -> Iterable[tuple[bool, list[int]]]:
        """Runs of ordinary tokens, and each special one alone: (is special, ids)."""
        run: list[int] = []
        for token_id in ids:
            if token_id in self.special:
                if run:
                    yield False, run
                    run = []
                yield True, [token_id]
            else:
                run.append(token_id)
        if run:
            yield False, run

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """What a person reads for each token, in its place. Never U+FFFD, never empty.

        A special token reads `⟨name⟩`.
        """
        pieces: list[str] = []
        for special, run in self._runs(ids):
            pieces += [self._special_name(run[0])] if special else self._run_pieces(run)
        return pieces

    def _special_name(self, token_id: int) -> str:
        name = self._added[token_id].content
        inner = re.sub(r"^[<\[|｜]+|[>\]|｜]+$", "", name)
        return f"⟨{readable(inner or name)}⟩"

    def _run_pieces(self, run: list[int]) -> list[str]:
        data = b"".join(self._bytes[i] for i in run)
        spans = characters(data)
        pieces, at, first = [], 0, 0
        for token_id in run:
            stop = at + len(self._bytes[token_id])
            while first < len(spans) and spans[first].stop <= at:
                first += 1
            last = first
            while last < len(spans) and spans[last].start < stop:
                last += 1
            pieces.append(describe(data, spans[first:last], at, stop))
            at = stop
        return pieces

    def groups(self, ids: Sequence[int]) -> list[tuple[int, int, str]]:
        """Tokens that a person reads together: (first, one past the last, text), covering all ids in order.

        Tokens are joined until a token's edge is also the edge of a grapheme, so that a character or an emoji that
        was cut into several tokens stands there once. An unfinished one stands alone as its bytes.
        """
        groups: list[tuple[int, int, str]] = []
        at = 0
        for special, run in self._runs(ids):
            if special:
                groups.append((at, at + 1, self._special_name(run[0])))
            else:
                groups += [(at + a, at + b, text) for a, b, text in self._run_groups(run)]
            at += len(run)
        return groups

    def _run_groups(self, run: list[int]) -> list[tuple[int, int, str]]:
        data = b"".join(self._bytes[i] for i in run)
        edges = grapheme_edges(data) | {0}  # tokens of no bytes at all stand before anything else
        groups, first, begin, at = [], 0, 0, 0
        for index, token_id in enumerate(run):
            at += len(self._bytes[token_id])
            if at in edges:
                spans = [Span(s.start + begin, s.stop + begin, s.char) for s in characters(data[begin:at])]
                groups.append((first, index + 1, describe(data, spans, begin, at)))
                first, begin = index + 1, at
        return groups

    def pending(self, ids: Sequence[int]) -> tuple[int, ...]:
        """The last tokens, at most four, that hold the beginning of an unfinished character; () if there is none.

        The rule that vLLM settled on: a candidate is read after up to four of the tokens that stand before it.
        """
        data = b""
        for back in range(1, min(4, len(ids)) + 1):
            if ids[-back] in self.special:
                return ()
            data = self._bytes[ids[-back]] + data
            if incomplete(data):
                return tuple(ids[-back:])
            if data and not all(0x80 <= byte < 0xC0 for byte in data):
                return ()
        return ()

    def label(self, token_id: int, pending: Sequence[int] = ()) -> str:
        """What a person reads for a token that might come next, after the `pending` tokens before it."""
        return self.pieces([*pending, token_id])[-1]

    def search(self, query: str, limit: int = 8) -> list[int]:
        """Ids of tokens whose text holds `query` (case is ignored): the exact one first, then the shortest.

        `#123` finds the token with that id.
        """
        if match := re.fullmatch(r"#(\d{1,9})", query.strip()):
            return [int(match[1])] if int(match[1]) < self.size else []
        wanted = query.casefold().encode("utf-8", "ignore")
        if not wanted:
            return []
        found = [(i, low) for i, low in enumerate(self._lower) if wanted in low]
        typed = query.encode("utf-8", "ignore")
        found.sort(
            key=lambda pair: (
                self._bytes[pair[0]] != typed,
                pair[1] != wanted,
                pair[1].strip() != wanted.strip(),
                len(pair[1]),
                pair[0],
            )
        )
        return [i for i, _ in found[:limit]]

    @cached_property
    def _lower(self) -> list[bytes]:
        return [
            (data.decode("utf-8", "surrogateescape").casefold().encode("utf-8", "surrogateescape"))
            for data in self._bytes[: self.size]
        ]


def _kind(tokenizer: Tokenizer) -> str:
    """How token strings stand for text: `bytes` (GPT-2), `pieces` (SentencePiece), `wordpiece` (BERT), `text`."""
    written = json.loads(tokenizer.to_str())
    kinds = set(re.findall(r'"type": ?"(\w+)"', json.dumps([written["decoder"], written["pre_tokenizer"]])))
    if "ByteLevel" in kinds:
        return "bytes"
    if "WordPiece" in kinds:
        return "wordpiece"
    return "pieces" if kinds & {"ByteFallback", "Metaspace", "Replace"} else "text"


def _with_spaces(decoded: str) -> str:
    """WordPiece puts a space around every Chinese character; a reader wants none there."""
    wide = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef，。！？、；：「」『』（）]"
    return re.sub(rf"(?<={wide})\s+|\s+(?={wide})", "", decoded)


def readable_token_ids(vocabulary: Vocabulary) -> list[int]:
    """Ids of the tokens that are no special ones and that a person can read alone, in order."""
    return [i for i in range(vocabulary.size) if i not in vocabulary.special and _is_readable(vocabulary, i)]


def _is_readable(vocabulary: Vocabulary, token_id: int) -> bool:
    try:
        text = vocabulary.token_bytes(token_id).decode()
    except UnicodeDecodeError:
        return False
    # The last is the name that ids get which the tokenizer lacks.
    return bool(text.strip()) and text.isprintable() and text != f"‹#{token_id}›"
