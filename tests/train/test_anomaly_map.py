"""The anomaly map: upsampling and blur as one product."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from train.anomaly_map import anomaly_map, smoothing_matrix


def test_without_blur_the_matrix_is_torchs_bilinear_upsampling():
    grid = torch.rand(1, 1, 13, 9)
    expected = F.interpolate(grid, (107, 64), mode="bilinear")[0, 0]
    down = smoothing_matrix(107, 13, (107 / 13 - 1) / 2, 107 / 13, kernel_px=1)
    across = smoothing_matrix(64, 9, (64 / 9 - 1) / 2, 64 / 9, kernel_px=1)
    found = torch.from_numpy(down) @ grid[0, 0] @ torch.from_numpy(across).T
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_an_odd_kernel_is_upsampling_followed_by_opencvs_blur():
    grid = np.random.default_rng(0).random((12, 15)).astype(np.float32)
    plain = [smoothing_matrix(n * 8, n, 3.5, 8, kernel_px=1) for n in grid.shape]
    both = [smoothing_matrix(n * 8, n, 3.5, 8, 2.0, 15) for n in grid.shape]
    expected = cv2.GaussianBlur(
        plain[0] @ grid @ plain[1].T, (15, 15), 2.0, borderType=cv2.BORDER_REPLICATE
    )
    np.testing.assert_allclose(both[0] @ grid @ both[1].T, expected, atol=1e-5)


def test_the_papers_even_kernel_does_not_shift_the_map():
    """A symmetric bump stays symmetric about its own pixel."""
    bump = torch.zeros(11, 11)
    bump[5, 5] = 1
    found = anomaly_map(bump, 81, 81, 0.0, 8)
    assert divmod(int(found.argmax()), 81) == (40, 40)
    torch.testing.assert_close(found, found.flip(0, 1), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("cells", "pixels"), [(1, 5), (2, 16), (257, 2050)])
def test_rows_of_the_matrix_are_weights(cells, pixels):
    matrix = smoothing_matrix(pixels, cells, 3.5, 8)
    assert matrix.shape == (pixels, cells) and (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
