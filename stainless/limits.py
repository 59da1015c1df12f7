"""How much is taken in of a file that a stranger made; more is refused before it is unpacked."""

from __future__ import annotations

#: Pixels of a picture. A line scan of 4,074 x 4,730 has 19 million; no WebP can have more.
MOST_PIXELS = 1 << 28

#: Bytes of a text. The largest of COCO's own files has 470 million.
MOST_TEXT = 1 << 30

#: Bytes and values of a configuration, those counted as often as an alias repeats them.
MOST_CONFIGURATION, MOST_VALUES = 1 << 22, 100_000

#: Lists and mappings within one another.
MOST_DEPTH = 100

#: Bytes of an EXIF profile in a PNG's text, unpacked; a JPEG's has less than 65,536.
MOST_PROFILE = 1 << 20
