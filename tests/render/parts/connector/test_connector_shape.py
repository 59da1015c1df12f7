"""Outlines, triangulation and masks of connectors, as numbers."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.parts.connector.mesh import flat, rim
from render.parts.connector.outline import circle, cut, finer, inset, outline, within
from render.parts.connector.pose import Pose
from render.parts.connector.registry import FLAWS
from render.parts.connector.scene import FlawRanges
from render.parts.connector.shape import mirrored, seen_hole, shape_of
from render.plan import plan_sample
from render.scene import read_scene

SMALL = Path(__file__).with_name("small.yaml")

kinds = st.sampled_from(sorted(FLAWS))
seeds = st.integers(0, 10_000)


@cache
def base(**changes):
    """Return the small scene, of one part's two sides, with changes; `__` stands for a dot."""
    keys = [
        ("samples", "2"),
        ("series.groups", "[{split: test, sides: 2, defects: true}]"),
        *((key.replace("__", "."), value) for key, value in changes.items()),
    ]
    return read_scene(SMALL, keys)


def scene_of(name, seed, ranges=None, **changes):
    """Return a scene whose only part has a flaw of one kind on both sides."""
    scene = base(**changes)
    flaws = dict.fromkeys(FLAWS) | {name: ranges or FLAWS[name].ranges()}
    connector = dataclasses.replace(scene.connector, flaws=FlawRanges(**flaws))
    return dataclasses.replace(scene, seed=seed, connector=connector)


def area(loop):
    x, y = loop.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def face_areas(points, faces):
    return np.array([area(points[list(face)]) for face in faces])


@settings(max_examples=15, deadline=None)
@given(kinds, seeds, st.booleans())
def test_the_top_face_has_the_area_of_its_outline_without_its_holes(name, seed, front):
    part = plan_sample(scene_of(name, seed), 0).part
    shape = shape_of(part.body, part.flaws)
    edge = shape.outline if front else mirrored(shape.outline)
    holes = [seen_hole(hole, front) for hole in shape.body.holes]
    loops = [inset(edge, shape.body.bevel_mm), *(circle(h, h.reach_mm) for h in holes)]
    points, faces = flat(loops)
    areas = face_areas(points, faces)
    assert areas.min() >= 0
    # Holes run clockwise, so that theirs is negative. The inset of a ragged burr may cross itself.
    assert areas.sum() == pytest.approx(
        sum(map(area, loops)), rel=1e-9 if name != "edge_damage" else 1e-3
    )
    assert area(edge) > 0 > max(map(area, loops[1:]))


@settings(max_examples=15, deadline=None)
@given(kinds, seeds)
def test_holes_lie_within_the_sheet_and_apart(name, seed):
    part = plan_sample(scene_of(name, seed), 0).part
    shape = shape_of(part.body, part.flaws)
    holes = shape.body.holes
    for k, hole in enumerate(holes):
        around = circle(hole, hole.reach_mm)
        assert within(shape.outline, *around.T).all()
        for other in holes[k + 1 :]:
            assert other.distance(*around.T).min() > other.reach_mm


def test_a_rim_is_closed_and_faces_outward():
    loop = outline(plan_sample(scene_of("cut_corner", 1), 0).part.body)
    points, faces = rim(loop, 0.4, 2.0)
    middle = np.array([0.0, 0.0, -1.0])
    edges = {}
    for face in faces:
        corners = points[list(face)]
        normal = np.cross(corners[1] - corners[0], corners[3] - corners[0])
        assert normal @ (corners.mean(axis=0) - middle) > 0
        for a, b in zip(face, np.roll(face, -1), strict=True):
            edges[(a, int(b))] = edges.get((a, int(b)), 0) + 1
    assert set(edges.values()) == {1}
    # Only those of the topmost and the lowest loop belong to one face alone.
    assert sum((b, a) not in edges for a, b in edges) == 2 * len(loop)
    assert points[:, 2].max() == 0
    assert points[:, 2].min() == -2


def test_within_is_the_half_planes_of_a_triangle():
    corners = np.array([(0.0, 0.0), (4.0, 1.0), (1.0, 3.0)])
    x, y = np.random.default_rng(0).uniform(-1, 5, (2, 500))
    sides = []
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        sides.append((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0)
    np.testing.assert_array_equal(within(corners, x, y), np.all(sides, axis=0))


def test_a_cut_takes_its_triangle():
    square = np.array([(-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0)])
    normal = (np.sqrt(0.5), np.sqrt(0.5))
    # One millimetre from the corner: an isosceles triangle of height 1 and base 2.
    left = cut(square, normal, np.hypot(2, 2) - 1)
    assert area(left) == pytest.approx(16 - 1)
    assert area(finer(left, 0.3)) == pytest.approx(15)
    assert (
        np.hypot(*(np.roll(finer(left, 0.3), -1, axis=0) - finer(left, 0.3)).T).max() <= 0.3 + 1e-9
    )


@settings(max_examples=20, deadline=None)
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(-7, 7))
def test_a_pose_there_and_back(x, y, turn):
    pose = Pose(x, y, turn)
    points = np.array([3.0, -20.0]), np.array([7.0, 1.5])
    np.testing.assert_allclose(pose.to_part(*pose.to_world(*points)), points, atol=1e-9)
    # What lies at a place of the part, turned against it.
    at = pose.of(2.0, -1.0, 0.3)
    there = pose.to_world(
        2 + np.cos(0.3) * points[0] - np.sin(0.3) * points[1],
        -1 + np.sin(0.3) * points[0] + np.cos(0.3) * points[1],
    )
    np.testing.assert_allclose(at.to_world(*points), there, atol=1e-9)


def test_both_sides_are_of_one_part_and_have_spangles_of_their_own():
    for name in FLAWS:
        front, back = (plan_sample(scene_of(name, 3), index).part for index in (0, 1))
        assert (front.front, back.front) == (True, False)
        assert front.body == back.body
        assert front.zinc.seed != back.zinc.seed
        assert front.flaws
        if FLAWS[name].front_only:
            assert not back.flaws
        else:
            assert (front.flaws == back.flaws) == FLAWS[name].through


def test_more_pictures_leave_those_before_as_they_were():
    fewer = plan_sample(scene_of("hole_size", 3, camera__views="[4, 1]"), 0).part
    more = plan_sample(scene_of("hole_size", 3), 0).part
    assert (len(fewer.poses), len(more.poses)) == (4, 6)
    assert dataclasses.replace(more, poses=more.poses[:4]) == fewer
