"""Where each pixel looks, against rays traced without any matrix of the camera's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.camera import CameraRanges, View, footprint, picture_shape, pixel_to_plane
from stainless.homography import axis_aligned, project

SHAPE = (60, 96)

VIEWS = st.builds(
    View,
    x_mm=st.floats(-50, 50),
    y_mm=st.floats(-50, 50),
    distance_mm=st.floats(20, 500),
    field_of_view_mm=st.floats(1, 30),
    roll_rad=st.floats(-3.1, 3.1),
    tilt_x_rad=st.floats(-0.3, 0.3),
    tilt_y_rad=st.floats(-0.3, 0.3),
)


def turned(vector, axis, angle):
    """Turn a vector about an axis by Rodrigues' formula."""
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    return (
        vector * np.cos(angle)
        + np.cross(axis, vector) * np.sin(angle)
        + axis * (axis @ vector) * (1 - np.cos(angle))
    )


def seen(view, x, y):
    """Trace the ray of pixel point (x, y) to the plate: tilt y, then tilt x, then roll."""
    rows, columns = SHAPE
    half = view.field_of_view_mm / view.distance_mm / 2
    ray = np.array([(2 * x / columns - 1) * half, (rows - 2 * y) / columns * half, -1.0])
    ray = turned(ray, (0, 1, 0), view.tilt_y_rad)
    ray = turned(ray, (1, 0, 0), view.tilt_x_rad)
    ray = turned(ray, (0, 0, 1), view.roll_rad)
    start = np.array([view.x_mm, view.y_mm, view.distance_mm])
    return (start + ray * (view.distance_mm / -ray[2]))[:2]


@given(VIEWS, st.floats(0, SHAPE[1]), st.floats(0, SHAPE[0]))
def test_the_homography_is_where_the_ray_meets_the_plate(view, x, y):
    point = np.array(project(pixel_to_plane(view, SHAPE), x, y))
    np.testing.assert_allclose(point, seen(view, x, y), rtol=1e-9, atol=1e-9)


def test_an_upright_camera_by_hand():
    view = View(x_mm=3.0, y_mm=-2.0, distance_mm=100.0, field_of_view_mm=9.6)
    homography = pixel_to_plane(view, SHAPE)  # a pixel is 0.1 mm
    np.testing.assert_allclose(project(homography, 48, 30), (3, -2))
    np.testing.assert_allclose(project(homography, 0, 0), (3 - 4.8, -2 + 3), err_msg="upper left")
    np.testing.assert_allclose(project(homography, 96, 60), (3 + 4.8, -2 - 3))
    np.testing.assert_allclose(project(homography, 0.5, 0.5), (-1.75, 0.95), err_msg="pixel 0, 0")


def look(x=SHAPE[1] / 2, y=SHAPE[0] / 2, **pose):
    view = View(0.0, 0.0, 100.0, 9.6, **pose)
    return np.array(project(pixel_to_plane(view, SHAPE), x, y))


def test_a_positive_roll_turns_the_camera_anticlockwise_seen_from_above():
    # What was right of the middle in the picture is now up on the plate.
    np.testing.assert_allclose(look(x=96, roll_rad=np.pi / 2), (0, 4.8), atol=1e-12)


def test_a_positive_tilt_about_x_looks_up_and_about_y_looks_left():
    np.testing.assert_allclose(look(tilt_x_rad=0.1), (0, 100 * np.tan(0.1)), atol=1e-9)
    np.testing.assert_allclose(look(tilt_y_rad=0.1), (-100 * np.tan(0.1), 0), atol=1e-9)


@given(VIEWS)
def test_the_pose_is_a_rotation(view):
    rotation = view.rotation()
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


@given(VIEWS, st.floats(-3.1, 3.1), st.floats(0, SHAPE[1]), st.floats(0, SHAPE[0]))
def test_the_footprint_holds_every_pixel(view, angle, x, y):
    low, high = footprint(view, SHAPE, angle)
    px, py = seen(view, x, y)
    point = np.array(
        [np.cos(angle) * px + np.sin(angle) * py, np.cos(angle) * py - np.sin(angle) * px]
    )
    assert (point >= low - 1e-6).all()
    assert (point <= high + 1e-6).all()


def test_the_footprint_is_no_larger_than_the_picture():
    low, high = footprint(View(1.0, 2.0, 100.0, 9.6), SHAPE)
    np.testing.assert_allclose([low, high], [(-3.8, -1.0), (5.8, 5.0)])


def test_picture_shape_is_rows_and_columns():
    assert picture_shape(CameraRanges(), 1.0) == (2050, 2448)
    assert picture_shape(CameraRanges(), 0.25) == (512, 612)
    assert picture_shape(CameraRanges(resolution_px=(16, 16)), 0.005) == (1, 1)


def test_the_steepest_line_of_sight_by_hand():
    ranges = CameraRanges((400, 300), (10.0, 80.0), (50.0, 90.0), tilt_deg=0.0)
    # Half the diagonal of 80 x 60 mm seen from 50 mm: 45 degrees.
    assert ranges.steepest_deg() == pytest.approx(45)
    ranges.tilt_deg = (0.0, 3.0)
    assert ranges.steepest_deg() == pytest.approx(45 + 3 * 2**0.5)


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.01, 2))
def test_an_axis_aligned_homography_is_a_scale_and_a_shift(x, y, pixel):
    np.testing.assert_allclose(
        project(axis_aligned((x, y), pixel), [0, 3], [0, 5]),
        [(x, x + 3 * pixel), (y, y + 5 * pixel)],
        atol=1e-12,
    )
