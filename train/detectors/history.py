"""How a model was learned, pass by pass: quantities with names, whatever the method is.

A method that has such a history names in `Method.history` the function that reads it from the state
of its models; no detector is built for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Quantity:
    """Something that is known of every pass.

    Attributes:
        title: above its diagram.
        logarithmic: whether it is a count whose powers of ten matter.
    """

    title: str
    logarithmic: bool = False


@dataclass(frozen=True)
class Pass:
    """One pass over what is learned from.

    Attributes:
        fit: number of the fit or melding that it belongs to, counted from 0: a model that continues
            another has the fits of that one before its own.
        values: by quantity; None where it is undefined.
    """

    fit: int
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class History:
    """All passes that led to a model.

    Attributes:
        quantities: by the keys of the values.
        passes: in their order.
    """

    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    passes: Sequence[Pass] = ()
