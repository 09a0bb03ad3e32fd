"""Whole numbers, exact floats and short texts as few bytes, and bytes as url-safe text with a checksum.

`codec.py` says what is written in which order. Whatever cannot be read here raises `Damaged`; nothing is allocated for
a length that the bytes at hand could not hold.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import Sequence
from decimal import Decimal

_URL_SAFE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_RAW = 255  # in place of a decimal exponent: the float's eight bytes follow


class DecodeError(Exception):
    """These bytes were not written by a `Writer`."""


class Writer:
    def __init__(self) -> None:
        self.bytes = bytearray()

    def byte(self, value: int) -> None:
        self.bytes.append(value)

    def number(self, value: int) -> None:
        """A whole number from 0 on, seven bits a byte, lowest first (LEB128)."""
        if value < 0:
            raise ValueError(value)
        while value > 0x7F:
            self.bytes.append(value & 0x7F | 0x80)
            value >>= 7
        self.bytes.append(value)

    def float(self, value: float) -> None:
        """Exactly this float: the shortest decimal that reads back as it where that is short, else its eight bytes.

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
        """Raises UnicodeEncodeError for half a character."""
        data = value.encode("utf-8")
        self.number(len(data))
        self.bytes += data

    def packed(self, values: Sequence[int]) -> None:
        """Numbers below 2³², all with as many bits as the largest needs; how many there are is known elsewhere."""
        width = max(1, max(values).bit_length())
        self.byte(width)
        self.bytes += int("".join(f"{value:0{width}b}" for value in values)[::-1], 2).to_bytes(
            (len(values) * width + 7) // 8, "little"
        )

    def url(self) -> str:
        """Everything written and a checksum of it, in the letters that a URL takes as they are (RFC 4648 §5)."""
        data = bytes(self.bytes) + zlib.crc32(self.bytes).to_bytes(4, "little")
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Reader:
    """Reads what a `Writer` wrote, in the same order."""

    def __init__(self, url: str, most: int) -> None:
        """Raises Damaged for a text longer than `most` or with a wrong checksum."""
        if not 6 <= len(url) <= most or not _URL_SAFE.fullmatch(url) or len(url) % 4 == 1:
            raise DecodeError("not such a text")
        data = base64.urlsafe_b64decode(url + "=" * (-len(url) % 4))
        if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != url:
            raise DecodeError("bits that say nothing")
        self.bytes, checksum = data[:-4], data[-4:]
        self.at = 0
        if zlib.crc32(self.bytes).to_bytes(4, "little") != checksum:
            raise DecodeError("wrong checksum")

    def take(self, count: int) -> bytes:
        if count > len(self.bytes) - self.at:
            raise DecodeError("too short")
        self.at += count
        return self.bytes[self.at - count : self.at]

    def rest(self) -> bytes:
        return self.take(len(self.bytes) - self.at)

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self, most: int) -> int:
        value = shift = 0
        while True:
            if self.at >= len(self.bytes) or shift > 63:
                raise DecodeError("a number without an end")
            byte = self.bytes[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if value > most:
            raise DecodeError("a number too large")
        return value

    def float(self) -> float:
        exponent = self.byte()
        if exponent == _RAW:
            return float(struct.unpack("<d", self.take(8))[0])
        if exponent > 15:
            raise DecodeError("not a float")
        return float(f"{self.number(10**10)}e-{exponent}")

    def text(self, most: int) -> str:
        try:
            return self.take(self.number(most)).decode("utf-8")
        except UnicodeDecodeError as error:
            raise DecodeError("not a text") from error

    def packed(self, count: int) -> list[int]:
        width = self.byte()
        if not 1 <= width <= 32:
            raise DecodeError("not a width")
        data = self.take((count * width + 7) // 8)
        bits = f"{int.from_bytes(data, 'little'):0{count * width}b}"[::-1]
        return [int(bits[at : at + width], 2) for at in range(0, count * width, width)]
