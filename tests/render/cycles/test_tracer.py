"""The tracer: colour, bounces, and which surface each pixel shows."""

import dataclasses
import shutil

import numpy as np
import pytest
from support.stages import SHAPE, VIEW, ground, square
from tiny_scenes import ROOT, run

from render.camera import View, pixel_to_plane
from render.cycles.materials import Channel, Diffuse, Emission, Mix, Principled, Texture
from render.cycles.stage import Mesh, Stage
from render.cycles.tracer import Sampling, Tracer
from stainless.homography import project

ONCE = Sampling(4, False, 3, 2, channels=3)


@pytest.fixture(scope="module")
def tracer():
    return Tracer(2)


def seen_at(height):
    """Return x and y in mm of what each pixel's centre would show at a height."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    # A camera that is lower by the height sees the raised floor as it sees the ground.
    width = VIEW.field_of_view_mm * (1 - height / VIEW.distance_mm)
    lower = dataclasses.replace(VIEW, distance_mm=VIEW.distance_mm - height, field_of_view_mm=width)
    return project(pixel_to_plane(lower, SHAPE), columns, rows)


def test_each_pixel_says_which_surface_its_centre_shows_and_where(tracer):
    found = tracer.surfaces(ground(), VIEW, SHAPE)
    box, floor = seen_at(4.0), seen_at(0.0)
    on_box = (abs(box[0] - 3) < 3) & (abs(box[1] - 1) < 3)
    on_floor = (abs(floor[0]) < 8) & (abs(floor[1]) < 8) & ~on_box
    expected = np.where(on_box, 2, on_floor)
    assert set(np.unique(expected)) == {0, 1, 2}
    # A centre within a thousandth of an outline may fall to either side.
    assert (found.mesh != expected).mean() < 0.002
    for index, (x, y), height in ((1, floor, 0.0), (2, box, 4.0)):
        here = (found.mesh == index) & (expected == index)
        shown = found.position_mm[here]
        assert (
            np.abs(shown - np.stack([x[here], y[here], np.full(here.sum(), height)], -1)).max()
            < 0.01
        )
    assert not found.position_mm[found.mesh == 0].any()


def test_no_bounce_is_direct_light_and_one_carries_colour(tracer):
    # A red wall beside a white floor under a lamp: only light scattered on reddens the floor.
    wall = Mesh(
        "wall",
        np.array([(-8.0, -8, 0), (-8, 8, 0), (-8, 8, 16), (-8, -8, 16)]),
        ((0, 1, 2, 3),),
        (Diffuse((0.9, 0.1, 0.1)),),
    )
    lamp = square("lamp", 4.0, 30.0, Emission(radiance=50.0), seen_by_camera=False)
    stage = Stage((square("floor", 16.0, 0.0, Diffuse(0.8)), wall, lamp))
    view = View(-5.0, 0.0, 80.0, 4.0)
    straight = dataclasses.replace(ONCE, samples=16, bounces=0)
    direct = tracer.render(stage, view, (16, 16), straight)
    assert direct.shape == (16, 16, 3)
    assert direct.min() > 0
    np.testing.assert_array_equal(direct[..., 0], direct[..., 1])
    once = dataclasses.replace(ONCE, samples=16)
    scattered = tracer.render(stage, view, (16, 16), once)
    assert scattered[..., 0].mean() > 1.02 * direct[..., 0].mean()
    assert scattered[..., 0].mean() > 1.02 * scattered[..., 1].mean()


def test_channels_are_red_green_and_blue_or_the_first_alone(tracer):
    stage = Stage((square("floor", 60.0, 0.0, Emission((0.75, 0.5, 0.25), 2.0)),))
    colour = tracer.render(stage, VIEW, (16, 16), ONCE)
    np.testing.assert_allclose(colour, np.broadcast_to([1.5, 1.0, 0.5], (16, 16, 3)), rtol=1e-6)
    grey = tracer.render(stage, VIEW, (16, 16), dataclasses.replace(ONCE, channels=1))
    np.testing.assert_array_equal(grey, colour[..., :1])
    sky = tracer.render(
        Stage((square("speck", 0.1, -70, Diffuse(1.0)),), (0.2, 0.4, 0.6)), VIEW, (16, 16), ONCE
    )
    np.testing.assert_allclose(sky[0, 0], [0.2, 0.4, 0.6], rtol=1e-6)


def test_a_texture_lies_upright_and_its_channels_mix_two_materials(tracer):
    pixels = np.zeros((2, 2, 3), np.float32)
    pixels[0, 0], pixels[1, 1] = (1.0, 0.0, 0.25), (0.5, 1.0, 0.5)
    paint = Texture("paint", np.repeat(np.repeat(pixels, 64, 0), 64, 1))
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    glow = Mix(Channel(paint, 1), Emission(paint), Emission(Channel(paint, 2)))
    floor = square("floor", 20.0, 0.0, glow, maps={"paint": corners})
    seen = tracer.render(Stage((floor,)), View(0, 0, 80.0, 20.0), (16, 16), ONCE)
    # Row 0 of the texture is at low y: the bottom of the picture.
    np.testing.assert_allclose(seen[12, 4], (1.0, 0.0, 0.25), atol=1e-3)
    np.testing.assert_allclose(seen[4, 12], 0.5, atol=1e-3)
    np.testing.assert_allclose(seen[4, 4], 0.0, atol=1e-6)


def test_plastic_shows_its_colour_and_a_lamp_in_it(tracer):
    plastic = square("floor", 40.0, 0.0, Principled((0.1, 0.2, 0.6), 0.2))
    lamp = square("lamp", 10.0, 60.0, Emission(radiance=20.0), seen_by_camera=False)
    seen = tracer.render(
        Stage((plastic, lamp)),
        View(0, 0, 100.0, 40.0),
        (32, 32),
        dataclasses.replace(ONCE, samples=32),
    )
    edge, middle = seen[:3].mean(axis=(0, 1)), seen[14:18, 14:18].mean(axis=(0, 1))
    assert edge[2] > 2 * edge[0]
    # The highlight is the lamp's own white over the body's blue.
    assert middle[0] - edge[0] > 3 * edge[0]


def box(name, low, high, material):
    """Return an upright box."""
    corners = np.array([(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))])
    sides = [(i, (i + 1) % 4, (i + 1) % 4 + 4, i + 4) for i in range(4)]
    faces = ((3, 2, 1, 0), (4, 5, 6, 7), *sides)
    low, high = np.array(low), np.array(high)
    return Mesh(name, low + corners * (high - low), faces, (material,))


@pytest.mark.parametrize("smooth", [False, True])
def test_a_smooth_surface_has_no_facets(tracer, smooth):
    # The upper side of an eight-cornered tube that lies along y, lit from the right.
    turn = np.linspace(0, np.pi, 5)
    arc = np.c_[6 * np.cos(turn), 0 * turn, 6 * np.sin(turn)]
    along = np.array([0.0, 20.0, 0.0])
    vertices = np.vstack([arc - along, arc + along])
    faces = tuple((i, i + 5, i + 6, i + 1) for i in range(4))
    tube = Mesh("tube", vertices, faces, (Diffuse(0.8),), smooth=smooth)
    lamp = box("lamp", (300, -100, -100), (301, 100, 100), Emission(radiance=9.0))
    many = dataclasses.replace(ONCE, samples=64, bounces=0)
    seen = tracer.render(Stage((tube, lamp)), View(0, 0, 200.0, 14.0), (4, 56), many)[..., 0]
    # Between the middle (x = 0) and the corner at 45 degrees (x = 4.2 mm).
    facet = seen[:, 30:43].mean(axis=0)
    rise = facet[-1] / facet[0]
    assert rise > 1.5 if smooth else rise == pytest.approx(1, abs=0.05)


BLENDER = shutil.which("blender")

#: Looks at the stage of `ground` in a Blender that has a Python of its own.
ELSEWHERE = """
import sys
sys.path[:0] = {paths!r}
from render import packages
assert packages.provide() is None
import numpy as np
from render.cycles.tracer import Tracer
from support.stages import SHAPE, VIEW, ground
found = Tracer(2).surfaces(ground(), VIEW, SHAPE)
np.savez({out!r}, mesh=found.mesh, position=found.position_mm)
"""


@pytest.mark.skipif(BLENDER is None, reason="needs the program `blender`")
def test_another_blender_finds_the_same_surfaces(tracer, tmp_path):
    script, out = tmp_path / "elsewhere.py", str(tmp_path / "found.npz")
    paths = [str(ROOT), str(ROOT / "tests")]
    script.write_text(ELSEWHERE.format(paths=paths, out=out))
    done = run([BLENDER, "-b", "-P", str(script)])
    assert (tmp_path / "found.npz").exists(), done.stderr
    there, here = np.load(out), tracer.surfaces(ground(), VIEW, SHAPE)
    assert (there["mesh"] != here.mesh).mean() < 0.002
    same = there["mesh"] == here.mesh
    assert np.abs(there["position"] - here.position_mm)[same].max() < 0.01
