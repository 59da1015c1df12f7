"""The flat connector, as a kind of part.

After Saghir, "Ensemble Methods for Visual Anomaly Detection in Manufacturing Settings", chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from render.cycles.tracer import Tracer
from render.part import Effort, Exposure, Frame, Part, Shot
from render.parts.connector.expose import expose, shots
from render.parts.connector.registry import FLAWS
from render.parts.connector.sample import ConnectorSample, sample_connector
from render.parts.connector.scene import ConnectorRanges
from render.plan import Sample, Streams
from render.series import Side

# CPU-seconds a picture of 512 x 256 pixels takes beside Cycles: shape, textures and labels.
SURFACE_SECONDS_PER_MEGAPIXEL = 6.0


class Connector(Part):
    """A flat connector of galvanized sheet on a black cloth, under a softbox."""

    name = "connector"
    ranges = ConnectorRanges
    flaws = FLAWS

    def sample(self, scene: Any, side: Side | None, streams: Streams) -> ConnectorSample:
        """Draw one side of a connector."""
        columns, rows = scene.camera.views
        return sample_connector(scene.connector, columns * rows, side, streams)

    def shots(self, scene: Any) -> list[Shot]:
        """Return the pictures of each view."""
        return shots(scene)

    def expose(
        self, scene: Any, sample: Sample, frame: Frame, tracer: Tracer
    ) -> Iterator[Exposure]:
        """Yield the exposures of one view."""
        return expose(scene, sample, frame, tracer)

    def switched_on(self, scene: Any) -> set[str]:
        """Return the kinds of flaws that a scene has a key for."""
        return set(scene.connector.chosen_flaws())

    def effort(self, scene: Any) -> Effort:
        """Return what a view costs."""
        columns, rows = scene.camera.resolution_px
        megapixels = columns * rows * scene.scale**2 / 1e6
        seconds = SURFACE_SECONDS_PER_MEGAPIXEL * megapixels
        return Effort(len(shots(scene)), scene.rendering.denoise, seconds)


PART = Connector()
