"""The entries of an ONNX file beside its network, read and replaced without any library.

An ONNX file is a protocol buffer: fields one after the other, each with its number, type and
length. The entries (`metadata_props`) are one kind of field, a key and a text; what reads the
network passes them over.
"""

from __future__ import annotations

from collections.abc import Iterator

#: Number of the field that holds one entry, and within it of its key and its text.
ENTRIES, KEY, TEXT = 14, 1, 2

#: Types of fields: a number, eight bytes, as many bytes as are said before, four bytes.
NUMBER, EIGHT, BYTES, FOUR = 0, 1, 2, 5


def fields(data: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, start, start of the content and end of each field.

    Raises:
        ValueError: no such file, or a truncated one.
    """
    place = 0
    while place < len(data):
        tag, content = _number(data, place)
        kind = tag & 7
        if kind == NUMBER:
            _, end = _number(data, content)
        elif kind == BYTES:
            length, content = _number(data, content)
            end = content + length
        elif kind in (EIGHT, FOUR):
            end = content + (8 if kind == EIGHT else 4)
        else:
            raise ValueError(f"a field of type {kind}")
        if end > len(data) or tag >> 3 == 0:
            raise ValueError("a field that is not whole")
        yield tag >> 3, place, content, end
        place = end


def split(data: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a file without its entries, and these.

    Raises:
        ValueError: no such file, or a truncated one.
    """
    view = memoryview(data)
    rest, entries = [], {}
    for number, start, content, end in fields(view):
        if number != ENTRIES:
            rest.append(view[start:end])
            continue
        entry = view[content:end]
        texts = {field: bytes(entry[low:high]).decode() for field, _, low, high in fields(entry)}
        entries[texts.get(KEY, "")] = texts.get(TEXT, "")
    return b"".join(rest), entries


def joined(network: bytes, entries: dict[str, str]) -> bytes:
    """Return a file of what `split` returns."""
    pieces = [network]
    for key, text in entries.items():
        pieces.append(_field(ENTRIES, _field(KEY, key.encode()) + _field(TEXT, text.encode())))
    return b"".join(pieces)


def _field(number: int, content: bytes) -> bytes:
    return _written(number << 3 | BYTES) + _written(len(content)) + content


def _number(data: memoryview, place: int) -> tuple[int, int]:
    """Return a number of as many bytes as it needs, seven bits each, and where it ends."""
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise ValueError("a number that is not whole")
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _written(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
