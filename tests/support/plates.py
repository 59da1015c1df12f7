"""Radiance of a plate, straight from Cycles."""

from render.cycles.tracer import render
from render.parts.plate.stage import stage_of


def render_radiance(
    size_mm, metal, normals, light, view, shape, sampling, reflectance=None, diffuse=None
):
    """Return the linear radiance, (H, W), of a plate under a ring light."""
    stage = stage_of(size_mm, metal, light, normals, reflectance, diffuse)
    return render(stage, view, shape, sampling)[..., 0]
