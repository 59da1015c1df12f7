"""What the head of a picture file says beside its pixels: size, orientation, white level, pages.

Formats: JPEG (ITU-T T.81, annex B; EXIF 2.3 in APP1), PNG (ISO/IEC 15948 with the chunks eXIf and
sBIT), TIFF 6.0 and BigTIFF, WebP (RFC 9649). A file of another format says nothing.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from os import SEEK_CUR
from typing import BinaryIO

from stainless.limits import MOST_PROFILE

#: How a PNG begins.
PNG = b"\x89PNG\r\n\x1a\n"

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_ORIENTATION, _SUBFILE, _WIDTH, _HEIGHT, _BITS = 274, 254, 256, 257, 258
_CHANNELS = 277

_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")

#: Under which names ImageMagick keeps EXIF in a PNG's texts.
_PROFILES = (b"Raw profile type exif", b"Raw profile type APP1")

#: TIFF's SMaxSampleValue and MaxSampleValue, and DNG's WhiteLevel.
_WHITE_TAGS = (341, 281, 50717)

#: Bytes of a TIFF value by its type.
_TYPE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}

#: Types of floating-point numbers.
_FLOATS = {11: "f", 12: "d"}

_WIDEST = 65535

#: What ends a scan of a JPEG: a marker that is neither a stuffed byte nor a restart.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class DamagedError(ValueError):
    """A file is cut short or its checksums are wrong; the message goes behind its name."""


@dataclass
class Header:
    """What a file says.

    Attributes:
        size: height and width of the stored pixels; None where the format is not parsed so far.
        bits: of a stored value; None where the format is not parsed so far.
        orientation: EXIF's tag, 1 to 8; 1 stands for upright.
        orientation_at: where in the file a TIFF keeps the tag, as (offset, format of its value).
        significant_bits: of 16, by PNG's sBIT; 16 without.
        white: value of a white pixel, by a TIFF's tags; None without.
        transparent: the one transparent colour of a PNG without palette and alpha (tRNS).
        is_palette: the colours are a PNG's palette.
        pages: pictures in the file.
        lost_alpha: it has transparency that OpenCV does not decode: grey and alpha in a TIFF, the
            fourth byte of a BMP's pixels.
    """

    size: tuple[int, int] | None = None
    bits: int | None = None
    orientation: int = 1
    orientation_at: tuple[int, str] | None = None
    significant_bits: int = 16
    white: int | None = None
    transparent: tuple[int, ...] | None = None
    is_palette: bool = False
    pages: int = 1
    lost_alpha: bool = False


def read_header(data: bytes) -> Header:
    """Return what a file's bytes say.

    Raises:
        DamagedError: a JPEG, PNG or WebP is cut short, or a PNG's checksum is wrong.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG"):
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[:4] in _TIFF:
        return _tiff(data)
    if data[:2] == b"BM" and len(data) >= 34:
        return _bmp(data)
    return Header()


def _jpeg(data: bytes) -> Header:
    header = Header()
    at = 2
    while at + 4 <= len(data):
        kind = data[at + 1]
        if data[at] != 0xFF or kind == 0xD9:
            break
        if kind == 0xFF:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if kind == 0xE1 and segment.startswith(b"Exif\0\0"):
            header.orientation = _exif_orientation(segment[6:])
        elif 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC) and len(segment) >= 5:
            header.bits, height, width = struct.unpack(">BHH", segment[:5])
            header.size = (height, width)
        at += 2 + length
        if kind == 0xDA:
            end = _MARKER.search(data, at)
            at = end.start() if end else len(data)
    # What follows the end (a second picture, a maker's notes) is nobody's business.
    if data[at : at + 2] != b"\xff\xd9":
        raise DamagedError("is truncated")
    return header


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG up to its end, their checksums verified."""
    start, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[start : start + 8].ljust(8, b"\0"))
        end = start + 12 + length
        if end > len(data):
            raise DamagedError("is truncated")
        if zlib.crc32(data[start + 4 : end - 4]) != struct.unpack(">I", data[end - 4 : end])[0]:
            raise DamagedError(f"is corrupt (checksum of {kind.decode('latin1')})")
        yield kind, data[start + 8 : end - 4]
        start = end


def _png(data: bytes) -> Header:
    header = Header()
    colour = 0
    for kind, content in _png_chunks(data):
        if kind == b"IHDR":
            width, height, header.bits, colour = struct.unpack(">IIBB", content[:10])
            header.size = (height, width)
            header.is_palette = colour == 3
        elif kind == b"eXIf":
            header.orientation = _exif_orientation(content)
        elif kind in _TEXT_CHUNKS and header.orientation == 1:
            header.orientation = _profile_orientation(kind, content)
        elif kind == b"sBIT" and content:
            header.significant_bits = max(content)
        elif kind == b"tRNS" and colour in (0, 2):
            header.transparent = struct.unpack(f">{len(content) // 2}H", content)
        elif kind == b"acTL" and len(content) >= 4:
            header.pages = int.from_bytes(content[:4], "big")
    return header


def _profile_orientation(kind: bytes, content: bytes) -> int:
    """Return the orientation in ImageMagick's text of an EXIF profile, in hexadecimal digits."""
    keyword, _, text = content.partition(b"\0")
    if keyword not in _PROFILES:
        return 1
    try:
        if kind == b"zTXt":
            text = _unpacked(text[1:])
        elif kind == b"iTXt":
            is_packed, text = text[:1] == b"\1", text[2:].split(b"\0", 2)[-1]
            text = _unpacked(text) if is_packed else text
        # The name of the profile and its length go before its digits.
        blob = bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))
    except (zlib.error, ValueError):
        return 1
    return _exif_orientation(blob.removeprefix(b"Exif\0\0"))


def _unpacked(data: bytes) -> bytes:
    """Return what was packed, as far as a profile goes: a few bytes may stand for gigabytes."""
    return zlib.decompressobj().decompress(data, MOST_PROFILE)


def read_png_frame(file: BinaryIO) -> Header:
    """Return the size and the orientation of a PNG; its pixels are passed over.

    Args:
        file: open, at its beginning.

    Raises:
        DamagedError: it ends before its end.
    """
    header = Header()
    file.seek(8)
    kind = b""
    while kind != b"IEND":
        head = file.read(8)
        if len(head) < 8:
            raise DamagedError("is truncated")
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IHDR":
            width, height = struct.unpack(">II", file.read(8))
            header.size = (height, width)
            length -= 8
        elif kind == b"eXIf":
            header.orientation = _exif_orientation(file.read(length))
            length = 0
        elif kind in _TEXT_CHUNKS and header.orientation == 1:
            header.orientation = _profile_orientation(kind, file.read(length))
            length = 0
        file.seek(length + 4, SEEK_CUR)
    return header


def read_depth(file: BinaryIO) -> Header:
    """Return the bits of a stored value and what the tags say of white; pixels are passed over.

    Args:
        file: open, at its beginning.
    """
    start = file.read(12)
    if start[:3] == b"\xff\xd8\xff" or start[:2] == b"BM" or start[8:] == b"WEBP":
        return Header(bits=8)
    if start.startswith(PNG):
        return _png_depth(file)
    if start[:4] in _TIFF:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _tiff(data)
    return Header()


def _png_depth(file: BinaryIO) -> Header:
    header = Header()
    file.seek(8)
    # What tells of values stands before them.
    while len(head := file.read(8)) == 8 and head[4:] not in (b"IDAT", b"IEND"):
        length = int.from_bytes(head[:4], "big")
        content = file.read(length) if head[4:] in (b"IHDR", b"sBIT") else b""
        if head[4:] == b"IHDR" and len(content) >= 9:
            header.bits = content[8]
        elif content:
            header.significant_bits = max(content)
        file.seek(length - len(content) + 4, SEEK_CUR)
    return header


def _webp(data: bytes) -> Header:
    header = Header()
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise DamagedError("is truncated")
    at, frames = 12, 0
    while at + 8 <= end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        content = data[at + 8 : at + 8 + length]
        if kind == b"EXIF":
            header.orientation = _exif_orientation(content.removeprefix(b"Exif\0\0"))
        frames += kind == b"ANMF"
        at += 8 + length + (length & 1)
    header.pages = max(1, frames)
    return header


def _tiff(data: bytes | mmap.mmap) -> Header:
    header = Header()
    pages = 0
    for number, fields in enumerate(_directories(data)):
        # A reduced copy or a mask of another page is no page.
        pages += not fields.get(_SUBFILE, (0, 0, ""))[0] & 5
        if number:
            continue
        height, width = (fields.get(tag, (0, 0, ""))[0] for tag in (_HEIGHT, _WIDTH))
        header.size = (height, width) if height and width else None
        value, offset, form = fields.get(_ORIENTATION, (1, 0, ""))
        if 1 <= value <= 8 and offset:
            header.orientation, header.orientation_at = value, (offset, form)
        header.lost_alpha = fields.get(_CHANNELS, (1, 0, ""))[0] == 2
        bits = fields.get(_BITS, (8, 0, ""))[0]
        header.bits = bits if header.size else None
        for tag in _WHITE_TAGS:
            # Other values are a picture's own maximum, which says nothing of white.
            if tag in fields and 9 <= (white := fields[tag][0]).bit_length() < bits == 16:
                header.white = white if white & (white + 1) == 0 else header.white
    header.pages = max(1, pages)
    return header


def _bmp(data: bytes) -> Header:
    # Bitmaps of OS/2 1.x have sides of 16 bits; a negative height counts from the top.
    sides = struct.unpack_from("<HH" if data[14:18] == b"\x0c\0\0\0" else "<ii", data, 18)
    return Header(size=(abs(sides[1]), abs(sides[0])), lost_alpha=_has_bmp_alpha(data))


def _has_bmp_alpha(data: bytes) -> bool:
    start, bits = int.from_bytes(data[10:14], "little"), int.from_bytes(data[28:30], "little")
    # Most writers leave one value there, which is no transparency, whatever it is.
    return bits == 32 and len(set(data[start + 3 :: 4])) > 1


def _exif_orientation(blob: bytes) -> int:
    first = next(_directories(blob), {})
    value = first.get(_ORIENTATION, (1, 0, ""))[0]
    return value if 1 <= value <= 8 else 1


def _directories(data: bytes | mmap.mmap) -> Iterator[dict[int, tuple[int, int, str]]]:
    """Yield a TIFF's directories: by tag the first value, where it lies and its format."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    long, wide = ("Q", 8) if big else ("I", 4)
    seen: set[int] = set()
    try:
        at = struct.unpack_from(order + long, data, 8 if big else 4)[0]
        while at and at not in seen:
            seen.add(at)
            count = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
            start = at + (8 if big else 2)
            fields = {}
            for entry in range(start, start + count * (4 + 2 * wide), 4 + 2 * wide):
                tag, kind = struct.unpack_from(order + "HH", data, entry)
                values = struct.unpack_from(order + long, data, entry + 4)[0]
                size = _TYPE_BYTES.get(kind)
                if size is None or not values:
                    continue
                where = entry + 4 + wide
                if size * values > wide:
                    where = struct.unpack_from(order + long, data, where)[0]
                if kind in _FLOATS:
                    number = struct.unpack_from(order + _FLOATS[kind], data, where)[0]
                    if number.is_integer() and 0 <= number <= _WIDEST:
                        fields[tag] = (int(number), 0, "")
                    continue
                form = order + {1: "B", 2: "H", 4: "I", 8: "Q"}[size]
                fields[tag] = (struct.unpack_from(form, data, where)[0], where, form)
            yield fields
            at = struct.unpack_from(order + long, data, start + count * (4 + 2 * wide))[0]
    except struct.error:
        return
