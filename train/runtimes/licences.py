"""What kind of licence pretrained weights have."""

from __future__ import annotations

import re

PERMISSIVE, RESTRICTED, UNKNOWN = "permissive", "restricted", "unknown"

#: Licences that ask for no more than their text and the names of the authors.
FREE = re.compile(r"\b(apache-2\.0|mit|bsd|isc|cc0|cc-by-4\.0|unlicense)\b", re.IGNORECASE)

#: Words of those that forbid some use, or ask that what is made of them be shared alike.
BOUND = re.compile(r"-nc\b|non-?commercial|\bl?gpl|agpl|-sa\b|research|dinov3|other", re.IGNORECASE)


def licence_class(licence: str | None) -> str:
    """Return the class of a licence by its name: permissive, restricted or unknown."""
    if not licence:
        return UNKNOWN
    if BOUND.search(licence):
        return RESTRICTED
    return PERMISSIVE if FREE.search(licence) else UNKNOWN
