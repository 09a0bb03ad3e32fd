"""Codes and secrets of a room: what is read aloud, what only the teacher or one member holds, and their hashes.

A code has five characters of 24, about eight million codes: short enough for a blackboard, and `code_guesses.py` bounds
how many can be tried. Secrets have 192 random bits; a store holds their hashes only, so that who reads it can neither
hold a room nor answer for a member. A plain SHA-256 is enough for a random secret of this length.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata

# None of 0 O, 1 I, 2 Z, 5 S, 8 B, U (V), which are taken for one another. Nor 3: `=3D` is also what quoted-printable
# mail makes of `=`, which reading a link undoes.
ALPHABET = "ACDEFGHJKLMNPQRTVWXY4679"
CODE_LENGTH = 5
_SECRET_BYTES = 24
_CHANNEL_BYTES = 12


def new_code() -> str:
    """A random code of a room."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def read_code(typed: str) -> str:
    """A code as somebody typed it: in any case, full-width, with spaces or hyphens; "" for what is no code.

    >>> read_code(" k7-m4p "), read_code("Ｋ７Ｍ４Ｐ"), read_code("K7M4"), read_code("K7M40")
    ('K7M4P', 'K7M4P', '', '')
    """
    text = unicodedata.normalize("NFKC", typed[:40]).upper()
    code = "".join(char for char in text if char.isalnum())
    return code if len(code) == CODE_LENGTH and set(code) <= set(ALPHABET) else ""


def new_secret() -> str:
    """A random secret of a teacher or a member, safe in a URL; for its beginning see ALPHABET."""
    while (secret := secrets.token_urlsafe(_SECRET_BYTES)).startswith("3"):
        pass
    return secret


def new_channel() -> str:
    """A random name under which the versions of a room are asked for; it tells and allows nothing else."""
    return secrets.token_urlsafe(_CHANNEL_BYTES)


def hash_of(secret: str) -> str:
    """The hash of a secret, as a store holds it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Whether a secret has the stored hash; compared in constant time."""
    return hmac.compare_digest(hash_of(secret), stored)
