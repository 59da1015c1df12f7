"""The softbox stands where its numbers say and faces the part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.lights.softbox import Softbox, SoftboxRanges, panel, panel_corners, sample_softbox
from stainless.streams import Draw

angle = st.floats(-6, 6)


@settings(deadline=None)
@given(st.floats(1, 500), st.floats(1, 500), st.floats(10, 900), angle, st.floats(0, 1.4))
def test_the_panel_is_a_rectangle_that_faces_the_origin(width, depth, distance, azimuth, zenith):
    light = Softbox(width, depth, distance, azimuth, zenith, (1, 1, 1), (0, 0, 0))
    corners = panel_corners(light)
    middle = corners.mean(axis=0)
    assert np.hypot(*middle[:2]) == pytest.approx(distance * np.sin(zenith), abs=1e-6)
    assert middle[2] == pytest.approx(distance * np.cos(zenith))
    edges = np.roll(corners, -1, axis=0) - corners
    np.testing.assert_allclose(np.linalg.norm(edges, axis=1), [depth, width] * 2, rtol=1e-9)
    normal = np.cross(edges[0], edges[1])
    np.testing.assert_allclose(normal / np.linalg.norm(normal), -middle / distance, atol=1e-7)
    # One pair of edges is horizontal.
    assert edges[1][2] == pytest.approx(0, abs=1e-9)


def test_no_camera_sees_it_and_its_warmth_is_red_over_blue():
    ranges = SoftboxRanges(radiance=2.0, warmth=0.1, ambient=0.0)
    light = sample_softbox(ranges, Draw(np.random.SeedSequence(1)))
    assert light == sample_softbox(ranges, Draw(np.random.SeedSequence(1)))
    assert light.radiance == pytest.approx((2.1, 2.0, 1.9))
    assert not panel(light).seen_by_camera
