"""Vocabulary: encoding and decoding of text, and readable strings for tokens.

A byte-level token can encode part of a character: GPT-2 splits 氣 into two tokens. Decoding such an id alone yields
U+FFFD. This module therefore works on the bytes of each token and names the part of the character, `氣 1–2/3` and
`氣 3/3`, or shows the bytes (`‹E6 B0›`) while the character is incomplete; `unicode.py` makes these strings. No model
runs here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from tokenizers import AddedToken, Tokenizer

from engine.tokenization.bpe import BPEMerges
from engine.tokenization.token_notation import TokenNotation, without_cjk_spaces
from engine.tokenization.token_search import TokenSearch
from engine.tokenization.unicode import Span, characters, describe, grapheme_edges, incomplete
from engine.tokenization.vocabulary_names import TokenNames


class Vocabulary:
    """Tokenizer with the bytes of every token. Thread-safe, without state of any text.

    special  ids of special tokens
    start    ids that the tokenizer puts before any text
    size     number of ids that the model predicts
    """

    def __init__(self, tokenizer: Tokenizer, size: int) -> None:
        """Changes the settings of `tokenizer`. Ids below `size` that it lacks are named `‹#id›`."""
        self._tokenizer = tokenizer
        # Text that spells a special token is encoded as ordinary text.
        tokenizer.encode_special_tokens = True
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._added = dict(tokenizer.get_added_tokens_decoder().items())
        self.special = frozenset(i for i, token in self._added.items() if token.special)
        self._notation = TokenNotation.of(tokenizer)
        table = {index: token for token, index in tokenizer.get_vocab(with_added_tokens=True).items()}
        self._bytes = [self._token_bytes(index, table.get(index)) for index in range(max(size, len(table)))]
        self._known = frozenset(table)
        self._names = TokenNames(self._bytes, self._added, self.special, table, self._notation)
        self.size = size
        # Start tokens of the tokenizer belong to the context; its end tokens do not, since the text is continued.
        with_special, plain = tokenizer.encode("a").ids, tokenizer.encode("a", add_special_tokens=False).ids
        start = next((i for i in range(len(with_special)) if with_special[i : i + len(plain)] == plain), 0)
        self.start: tuple[int, ...] = tuple(with_special[:start])
        # SentencePiece prepends a space to every text.
        self._adds_space = bool(plain) and self._bytes[plain[0]].startswith(b" ")

    def _token_bytes(self, index: int, token: str | None) -> bytes:
        if token is None:
            return f"‹#{index}›".encode()
        if index in self._added:
            return self._added[index].content.encode()
        return self._notation.to_bytes(token)

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text, including the start tokens that the tokenizer puts before any text.

        Raises UnicodeEncodeError for a lone surrogate.
        """
        text.encode("utf-8")
        return self.start + tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Characters [start, stop) of the text for each token of `encode(text)`.

        Tokens of one character all have its span; start tokens have (0, 0).
        """
        offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return [(0, 0)] * len(self.start) + [(int(start), int(stop)) for start, stop in offsets]

    def encode_markup(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids of a text in which names of special tokens count, as in chat templates, and the characters of each."""
        encoding = self.markup_tokenizer.encode(text, add_special_tokens=False)
        return list(encoding.ids), list(encoding.offsets)

    @cached_property
    def markup_tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_str(self._tokenizer.to_str())
        tokenizer.encode_special_tokens = False
        return tokenizer

    @cached_property
    def merges(self) -> BPEMerges:
        """Merge table of the tokenizer. Raises EngineError if it has none, see `BPEMerges`."""
        return BPEMerges(self._tokenizer)

    @cached_property
    def special_names(self) -> dict[str, tuple[int, AddedToken]]:
        """Ids and properties of the special tokens that the model predicts, by their spelling."""
        return {token.content: (i, token) for i, token in self._added.items() if i in self.special and i < self.size}

    def token_bytes(self, token_id: int) -> bytes:
        """Bytes that a token encodes; for a special token, those of its name."""
        return self._bytes[token_id]

    def has(self, token_id: int) -> bool:
        """Whether the tokenizer has a token of this id; a model may predict more ids than that."""
        return token_id in self._known

    def text(self, ids: Sequence[int]) -> str:
        """Decoded text of ids, without special tokens; incomplete characters as their bytes in hexadecimal."""
        pieces: list[str] = []
        for special, run in self._runs(ids):
            if not special:
                data = b"".join(self._bytes[i] for i in run)
                pieces.append("".join(s.char or f"‹{data[s.start]:02X}›" for s in characters(data)))
        if self._notation.kind == "wordpiece":
            return without_cjk_spaces(self._decode(ids))
        if self._notation.kind == "text":
            return self._decode(ids)
        whole = "".join(pieces)
        added_space = self._adds_space and tuple(ids[: len(self.start)]) == self.start
        return whole.removeprefix(" ") if added_space else whole

    def _decode(self, ids: Sequence[int]) -> str:
        """Text by the tokenizer's own decoder, for token strings that need one: it knows where words end."""
        known = [i for i in ids if i in self._known]
        return self._tokenizer.decode(known, skip_special_tokens=True)

    def _runs(self, ids: Sequence[int]) -> Iterable[tuple[bool, list[int]]]:
        """Runs of ordinary tokens and single special tokens, as (is special, ids)."""
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
        """Readable string of each token in the context of the others. Never contains U+FFFD, never empty.

        A special token is `⟨name⟩`.
        """
        pieces: list[str] = []
        for special, run in self._runs(ids):
            pieces += [self._names.special(run[0])] if special else self._run_pieces(run)
        return pieces

    @property
    def marked_names(self) -> dict[int, str]:
        """Names of the tokens that would look like another token, see `distinct_names`."""
        return self._names.marked

    def _run_pieces(self, run: list[int]) -> list[str]:
        data = b"".join(self._bytes[i] for i in run)
        spans = characters(data)
        pieces, start, first = [], 0, 0
        for token_id in run:
            stop = start + len(self._bytes[token_id])
            while first < len(spans) and spans[first].stop <= start:
                first += 1
            last = first
            while last < len(spans) and spans[last].start < stop:
                last += 1
            pieces.append(self._names.name(token_id, describe(data, spans[first:last], start, stop)))
            start = stop
        return pieces

    def groups(self, ids: Sequence[int]) -> list[tuple[int, int, str]]:
        """Groups of tokens between grapheme boundaries, as (first, stop, readable string), covering all ids in order.

        A group is the smallest run of tokens whose end is also the end of a grapheme cluster, so that a character or
        an emoji split into several tokens appears once. Bytes of an incomplete character form a group per token.
        """
        groups: list[tuple[int, int, str]] = []
        offset = 0
        for special, run in self._runs(ids):
            if special:
                groups.append((offset, offset + 1, self._names.special(run[0])))
            else:
                groups += [(offset + first, offset + stop, text) for first, stop, text in self._run_groups(run)]
            offset += len(run)
        return groups

    def _run_groups(self, run: list[int]) -> list[tuple[int, int, str]]:
        data = b"".join(self._bytes[i] for i in run)
        edges = grapheme_edges(data) | {0}  # 0: leading tokens without bytes are groups too
        groups, first, start, stop = [], 0, 0, 0
        for index, token_id in enumerate(run):
            stop += len(self._bytes[token_id])
            if stop in edges:
                spans = [Span(s.start + start, s.stop + start, s.char) for s in characters(data[start:stop])]
                text = describe(data, spans, start, stop)
                groups.append((first, index + 1, self._names.name(token_id, text) if index == first else text))
                first, start = index + 1, stop
        return groups

    def pending(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Last tokens, at most four, that contain the beginning of an incomplete character; () if there is none.

        As in vLLM, which decodes a candidate together with up to four of the tokens before it.
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
        """Readable string of a candidate for the next token, after the `pending` tokens before it."""
        return self.pieces([*pending, token_id])[-1]

    def search(self, query: str, limit: int = 8) -> list[int]:
        """Ids of tokens that contain `query`, at most `limit`, see `TokenSearch.ids`."""
        return self._search.ids(query, limit)

    @cached_property
    def _search(self) -> TokenSearch:
        return TokenSearch(self._bytes[: self.size])

    @cached_property
    def readable_ids(self) -> list[int]:
        """Ids of ordinary tokens that are complete, printable and not only white space, in ascending order."""
        return [i for i in range(self.size) if i not in self.special and self._is_readable(i)]

    def _is_readable(self, token_id: int) -> bool:
        try:
            text = self._bytes[token_id].decode()
        except UnicodeDecodeError:
            return False
        if "‹" in self.marked_names.get(token_id, ""):  # it looks like another token
            return False
        # The last condition excludes ids that the tokenizer lacks.
        return bool(text.strip()) and text.isprintable() and text != f"‹#{token_id}›"
