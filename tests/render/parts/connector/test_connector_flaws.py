"""Flaws change what they say and nothing else, as numbers and in what Cycles renders of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.check_part import OneColour
from test_connector_shape import kinds, scene_of, seeds

from render.cycles.tracer import Tracer
from render.part import Frame, part
from render.parts.connector.expose import SOUND
from render.parts.connector.flaws.missing_hole import MissingHoleRanges
from render.parts.connector.masks import labels_of, points_of
from render.parts.connector.registry import FLAWS
from render.parts.connector.shape import in_order, shape_of
from render.plan import plan_sample

SHAPE = (96, 192)


def exposed(scene, index, tracer=None, shape=SHAPE):
    """Return a sample and its exposures."""
    sample = plan_sample(scene, index)
    frame = Frame(0, sample.views[0], shape, 7)
    kind = part("connector")
    return sample, list(kind.expose(scene, sample, frame, tracer or OneColour()))


def labelled(sample):
    """Return the labels of a sample's first picture."""
    drawn = sample.part
    sound, shape = shape_of(drawn.body, {}), shape_of(drawn.body, drawn.flaws)
    return labels_of(drawn, sound, shape, sample.views[0], SHAPE, drawn.poses[0])


def surface(drawn, members, shape, x, y):
    """Return all that a pixel shows of a part: sheet, slopes, bared steel, label and paint."""
    across = x if drawn.front else -x
    solid = shape.solid(across, y)
    found = [solid.astype(float)]
    for kind, flaw in in_order(members):
        sign = -1.0 if kind.through and not drawn.front else 1.0
        for values in (*(kind.slopes(flaw, sign * x, y) or ()), kind.bare(flaw, sign * x, y)):
            if values is not None:
                found.append(values * solid)
    if drawn.front and shape.body.label is not None:
        found.append(shape.body.label.strokes(x, y) * solid)
    return found


@settings(max_examples=25, deadline=None)
@given(kinds, seeds, st.sampled_from([0, 1]))
def test_outside_its_mask_a_flaw_changes_nothing(name, seed, side):
    sample = plan_sample(scene_of(name, seed), side)
    drawn = sample.part
    labels = labelled(sample)
    mask = labels.classes > 0
    if not drawn.flaws:
        assert FLAWS[name].front_only
        assert not mask.any()
        return
    assert set(np.unique(labels.classes[mask])) == {FLAWS[name].index}
    if name == "two_connectors":
        return  # what lies on top is none of the part's own surface
    x, y = points_of(sample.views[0], SHAPE, drawn.poses[0])
    sound, shape = shape_of(drawn.body, {}), shape_of(drawn.body, drawn.flaws)
    without = surface(drawn, {}, sound, x, y)
    with_ = surface(drawn, drawn.flaws, shape, x, y)
    outside = ~mask
    np.testing.assert_array_equal(without[0][outside], with_[0][outside])
    if name.startswith("label"):
        strokes = with_[1] if name == "label_upside_down" else np.zeros(SHAPE)
        changes = [without[1] - strokes]
    else:
        changes = with_[1 : len(with_) - (len(without) - 1)]
    for change in changes:
        # What is flatter than the limit of a mask is no different from the zinc's own waves.
        assert np.abs(change[outside]).max(initial=0) < 0.3
    changes = [without[0] - with_[0], *changes]
    assert not mask.any() or np.any([np.abs(change[mask]) > 0.01 for change in changes])


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["missing_hole", "additional_hole", "hole_size"]), seeds)
def test_the_region_of_a_hole_is_its_area(name, seed):
    sample = plan_sample(scene_of(name, seed), 0)
    drawn = sample.part
    (flaw,) = drawn.flaws[name]
    if name == "missing_hole":
        expected = np.pi * (flaw.radius_mm + flaw.bevel_mm) ** 2
    elif name == "additional_hole":
        expected = np.pi * (flaw.hole.reach_mm + flaw.bare_mm) ** 2
    else:
        hole = drawn.body.holes[flaw.place]
        low, high = sorted((hole.radius_mm, flaw.radius_mm))
        expected = np.pi * ((high + hole.bevel_mm) ** 2 - low**2)
    pixel = sample.views[0].field_of_view_mm / SHAPE[1]
    edge = np.sqrt(expected / np.pi) * 2 * np.pi * pixel
    assert abs((labelled(sample).classes > 0).sum() * pixel**2 - expected) < 0.5 * edge


#: Share of the difference of twins within one pixel of the mask, and of the mask that differs. At a
#: few paths a pixel, light that finds its way past a change differs elsewhere too.
WITHIN, DIFFERS = 0.98, 0.8


@pytest.mark.parametrize("name", sorted(set(FLAWS) - {"label_upside_down", "wrong_formation"}))
def test_twins_differ_where_the_mask_is(name):
    rendering = {"rendering__samples_undenoised": "8", "rendering__denoise": "false"}
    scene = scene_of(name, 5, connector__twins="true", **rendering)
    _, (flawed, sound) = exposed(scene, 0, Tracer(1))
    assert sound.shot == SOUND
    assert not sound.labels.classes.any()
    mask = flawed.labels.classes > 0
    assert mask.any()
    difference = np.abs(flawed.radiance - sound.radiance).mean(axis=-1)
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3))) > 0
    assert difference[near].sum() > WITHIN * difference.sum()
    assert (difference[mask] > 0.05 * sound.radiance.mean()).mean() > DIFFERS
    if name != "two_connectors":
        # Bit for bit: same light, same paths.
        assert (difference[~near] == 0).mean() > 0.75


def test_a_sprayed_part_is_sprayed_in_its_twin_as_well():
    stages = []

    class Spy(OneColour):
        def render(self, stage, view, shape, sampling):
            stages.append(stage)
            return super().render(stage, view, shape, sampling)

    for filled in (1.0, 0.0):
        ranges = MissingHoleRanges(filled=filled)
        scene = scene_of("missing_hole", 5, ranges, connector__twins="true")
        exposed(scene, 0, Spy())
    tops = [
        next(mesh for mesh in stage.meshes if mesh.name == "connector_0_top") for stage in stages
    ]
    colours = [top.materials[0].below.colour.pixels for top in tops]
    np.testing.assert_array_equal(colours[0], colours[1])
    np.testing.assert_array_equal(colours[2], colours[3])
    assert colours[0].std() < 0.5 * colours[2].std()
