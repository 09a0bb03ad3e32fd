"""Search for the tokens of a vocabulary that contain a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property


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
        matches = [(i, low) for i, low in enumerate(self._lower) if lower_query in low]
        exact_query = query.encode("utf-8", "ignore")
        matches.sort(
            key=lambda pair: (
                self._bytes[pair[0]] != exact_query,
                pair[1] != lower_query,
                pair[1].strip() != lower_query.strip(),
                len(pair[1]),
                pair[0],
            )
        )
        return [i for i, _ in matches[:limit]]

    @cached_property
    def _lower(self) -> list[bytes]:
        return [
            data.decode("utf-8", "surrogateescape").casefold().encode("utf-8", "surrogateescape")
            for data in self._bytes
        ]
