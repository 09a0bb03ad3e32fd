"""Compact binary encoding of integers, exact floats and strings, as URL-safe base64 with a CRC-32 checksum.

`link_codec.py` defines the format built on it. Invalid input raises `DecodeError`; no memory is allocated for a length
that exceeds the remaining input.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import Sequence
from decimal import Decimal

_URL_SAFE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_RAW = 255  # in place of a decimal exponent: the eight bytes of an IEEE 754 double follow


class DecodeError(Exception):
    """The input was not written by a `Writer`."""


class Writer:
    """Encoder that appends values to `bytes`."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def byte(self, value: int) -> None:
        """Append one byte, 0 to 255."""
        self.bytes.append(value)

    def number(self, value: int) -> None:
        """Append a non-negative integer in unsigned LEB128: seven bits a byte, lowest first. Raises ValueError."""
        if value < 0:
            raise ValueError(value)
        while value > 0x7F:
            self.bytes.append(value & 0x7F | 0x80)
            value >>= 7
        self.bytes.append(value)

    def float(self, value: float) -> None:
        """Append a float exactly: its shortest round-trip decimal if that is short, else eight bytes.

        >>> writer = Writer(); writer.float(0.8); bytes(writer.bytes)
        b'\\x01\\x08'
        """
        sign, digits, exponent = Decimal(repr(float(value))).as_tuple()
        if not sign and isinstance(exponent, int) and -15 <= exponent <= 0 and len(digits) < 10:
            self.byte(-exponent)
            self.number(int("".join(map(str, digits))))
        else:
            self.byte(_RAW)
            self.bytes += struct.pack("<d", value)

    def text(self, value: str) -> None:
        """Append the length in bytes and the UTF-8 bytes. Raises UnicodeEncodeError for a lone surrogate."""
        data = value.encode("utf-8")
        self.number(len(data))
        self.bytes += data

    def packed(self, values: Sequence[int]) -> None:
        """Append at least one integer from [0, 2³²), each with as many bits as the largest needs.

        Writes the bit width, not the count.
        """
        width = max(1, max(values).bit_length())
        self.byte(width)
        self.bytes += int("".join(f"{value:0{width}b}" for value in values)[::-1], 2).to_bytes(
            (len(values) * width + 7) // 8, "little"
        )

    def url(self) -> str:
        """All bytes and their CRC-32 in unpadded URL-safe base64 (RFC 4648 §5)."""
        data = bytes(self.bytes) + zlib.crc32(self.bytes).to_bytes(4, "little")
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Reader:
    """Decoder of the values of a `Writer`, in the same order. Methods raise DecodeError for invalid input."""

    def __init__(self, url: str, most: int) -> None:
        """Raises DecodeError for a text of more than `most` characters, invalid base64 or a wrong checksum."""
        if not 6 <= len(url) <= most or not _URL_SAFE.fullmatch(url) or len(url) % 4 == 1:
            raise DecodeError("not URL-safe base64 of a valid length")
        data = base64.urlsafe_b64decode(url + "=" * (-len(url) % 4))
        if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != url:
            raise DecodeError("unused bits are not 0")
        self.bytes, checksum = data[:-4], data[-4:]
        self.at = 0
        if zlib.crc32(self.bytes).to_bytes(4, "little") != checksum:
            raise DecodeError("wrong checksum")

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > len(self.bytes) - self.at:
            raise DecodeError("too short")
        self.at += count
        return self.bytes[self.at - count : self.at]

    def rest(self) -> bytes:
        """All remaining bytes."""
        return self.take(len(self.bytes) - self.at)

    def byte(self) -> int:
        """The next byte, 0 to 255."""
        return self.take(1)[0]

    def number(self, most: int) -> int:
        """An integer from 0 to `most` in unsigned LEB128."""
        value = shift = 0
        while True:
            if self.at >= len(self.bytes) or shift > 63:
                raise DecodeError("a number is not terminated")
            byte = self.bytes[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if value > most:
            raise DecodeError("a number is too large")
        return value

    def float(self) -> float:
        """A float written by `Writer.float`."""
        exponent = self.byte()
        if exponent == _RAW:
            return float(struct.unpack("<d", self.take(8))[0])
        if exponent > 15:
            raise DecodeError("an invalid float")
        return float(f"{self.number(10**10)}e-{exponent}")

    def text(self, most: int) -> str:
        """A UTF-8 string of at most `most` bytes."""
        try:
            return self.take(self.number(most)).decode("utf-8")
        except UnicodeDecodeError as error:
            raise DecodeError("invalid UTF-8") from error

    def packed(self, count: int) -> list[int]:
        """`count` integers written by `Writer.packed`."""
        width = self.byte()
        if not 1 <= width <= 32:
            raise DecodeError("an invalid bit width")
        data = self.take((count * width + 7) // 8)
        bits = f"{int.from_bytes(data, 'little'):0{count * width}b}"[::-1]
        return [int(bits[at : at + width], 2) for at in range(0, count * width, width)]


def has_checksum(url: str) -> bool:
    """Whether a text ends in the checksum of what stands before it, as every `Writer.url` does."""
    try:
        Reader(url, len(url))
    except DecodeError:
        return False
    return True
