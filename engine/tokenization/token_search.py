"""Search for the tokens of a vocabulary that contain a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

_SEPARATOR = b"\xff"  # no query contains it: it is not part of any character in UTF-8


class TokenSearch:
    """Search by the bytes of each token, ignoring case; ids are places in `token_bytes`."""

    def __init__(self, token_bytes: Sequence[bytes]) -> None:
        self._bytes = token_bytes

    def ids(self, query: str, limit: int) -> list[int]:
        """At most `limit` ids of tokens that contain `query`: an exact match first, then the shortest.

        `#123` matches the token with that id.

        >>> TokenSearch([b"cat", b"a cat", b"Cat", b"dog"]).ids("Cat", 8)
        [2, 0, 1]
        """
        if match := re.fullmatch(r"#(\d{1,9})", query.strip()):
            return [int(match[1])] if int(match[1]) < len(self._bytes) else []
        lower_query = query.casefold().encode("utf-8", "ignore")
        if not lower_query:
            return []
        ids = self._containing(lower_query)
        lengths, stripped_lengths = self._lengths[ids], self._stripped_lengths[ids]
        # A token that contains the query and is as long as it is the query; so, without white space, are the next.
        kind = np.where(stripped_lengths == len(lower_query.strip()), 2, 3)
        kind[lengths == len(lower_query)] = 1
        exact_query = query.encode("utf-8", "ignore")
        for at in np.flatnonzero(kind == 1):
            if self._bytes[ids[at]] == exact_query:
                kind[at] = 0
        keys = (kind << 56) | (lengths << 24) | ids  # least first: kind, then length, then id
        least = np.sort(np.partition(keys, limit)[:limit] if 0 < limit < len(keys) else keys)[:limit]
        return (least & 0xFFFFFF).tolist()

    def _containing(self, query: bytes) -> np.ndarray:
        """Ids of the tokens whose lower case contains the bytes of a query, in ascending order."""
        data = self._joined
        places = np.flatnonzero(data[: len(data) - len(query) + 1] == query[0])
        for offset, byte in enumerate(query[1:], 1):
            places = places[data[places + offset] == byte]
        ids = np.searchsorted(self._ends, places, side="right")  # ascending
        return ids[np.diff(ids, prepend=-1) > 0]

    @cached_property
    def _lower(self) -> list[bytes]:
        return [
            data.decode("utf-8", "surrogateescape").casefold().encode("utf-8", "surrogateescape")
            for data in self._bytes
        ]

    @cached_property
    def _joined(self) -> np.ndarray:
        """Bytes of all tokens in lower case, each followed by the separator, uint8."""
        return np.frombuffer(b"".join(data + _SEPARATOR for data in self._lower), dtype=np.uint8)

    @cached_property
    def _lengths(self) -> np.ndarray:
        """Bytes of each token in lower case, int64."""
        return np.array([len(data) for data in self._lower], dtype=np.int64)

    @cached_property
    def _stripped_lengths(self) -> np.ndarray:
        """Bytes of each token in lower case without white space around it, int64."""
        return np.array([len(data.strip()) for data in self._lower], dtype=np.int64)

    @cached_property
    def _ends(self) -> np.ndarray:
        """End of each token in `_joined`, after its separator, int64."""
        return np.cumsum(self._lengths + len(_SEPARATOR))
