"""What the rest of the connector's folder knows of a kind of flaw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.part import Flaw
from render.parts.connector.body import Body
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.scene import ConnectorRanges
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ConnectorFlaw(Flaw):
    """One kind of flaw: what it draws from, and what it does to a connector.

    A flaw changes what it says in one or more of the methods; as they stand here they change
    nothing. Points are those of the front's frame, or where a flaw is on one side alone, of that
    side's; arrays of one shape, in mm.

    Attributes:
        ranges: dataclass of ranges with a `validate(key)`; its defaults are usable.
        through: whether both sides of a part show it. Else each side has flaws of its own.
        usual: whether a scene has it unless it says otherwise.
        front_only: whether the back cannot show it.
    """

    ranges: type[Any]
    through: bool = True
    usual: bool = True
    front_only: bool = False

    def check(self, ranges: Any, connector: ConnectorRanges) -> None:
        """Check ranges against the rest of a scene's keys.

        Raises:
            ValueError: it begins with what follows the kind's own key, such as ".factor: 9".
        """

    def sample(self, ranges: Any, body: Body, draw: Draw) -> list[Any]:
        """Draw the flaws of one part, frozen dataclasses that `dataclasses.asdict` makes JSON."""
        raise NotImplementedError

    def body(self, flaw: Any, body: Body) -> Body:
        """Return the body with the flaw."""
        return body

    def outline(self, flaw: Any, line: Float64) -> Float64:
        """Return the outline, (N, 2), with the flaw."""
        return line

    def slopes(self, flaw: Any, x: Float64, y: Float64) -> tuple[Float64, Float64] | None:
        """Return what it adds to the surface's slopes dz/dx and dz/dy."""
        return None

    def bare(self, flaw: Any, x: Float64, y: Float64) -> Float64 | None:
        """Return how much of the steel it bares, 0 to 1."""
        return None

    def painted(self, flaw: Any) -> int | None:
        """Return the seed of the paint where the whole part was sprayed for it."""
        return None

    def second(self, flaw: Any) -> tuple[float, float, float, int] | None:
        """Return place (mm), turn (rad) and seed of a further connector that lies on top."""
        return None

    def region(self, flaw: Any, sound: Shape, shape: Shape, x: Float64, y: Float64) -> Bool:
        """Return which points its mask holds.

        Args:
            flaw: the flaw.
            sound: the part without its flaws.
            shape: the part with them.
            x, y: points.
        """
        raise NotImplementedError
