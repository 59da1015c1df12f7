"""A small stage for the tracer, and a camera over it."""

import dataclasses

import numpy as np

from render.camera import View
from render.cycles.materials import Diffuse
from render.cycles.stage import Mesh, Stage

SHAPE = (48, 64)
VIEW = View(0.6, -0.4, 80.0, 20.0, roll_rad=0.2, tilt_x_rad=0.05)


def square(name, edge, height, material, **more):
    corners = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) * edge / 2
    return Mesh(name, corners + np.array([0, 0, height]), ((0, 1, 2, 3),), (material,), **more)


def ground(height_of_the_box=4.0):
    """Return a floor and a smaller square above it, off the middle."""
    box = square("box", 6.0, height_of_the_box, Diffuse(0.5))
    box = dataclasses.replace(box, vertices=box.vertices + np.array([3.0, 1.0, 0.0]))
    return Stage((square("floor", 16.0, 0.0, Diffuse(0.5)), box), 1.0)
