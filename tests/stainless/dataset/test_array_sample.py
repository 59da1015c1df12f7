"""Samples whose picture lies in memory."""

import cv2
import numpy as np
import pytest

from stainless.dataset import ArraySample, Sample
from stainless.errors import InputError

COLOUR = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)


def test_it_gives_what_a_file_of_the_same_pixels_gives(tmp_path):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), COLOUR[..., ::-1])
    file = Sample(path, "good", None, "a", "a")
    held = ArraySample.nominal("a", COLOUR)
    assert np.array_equal(file.load(), held.load()) and file.size() == held.size() == (4, 5)
    assert held.is_good and held.name == "a"
    assert file.stamp() == str(path.stat().st_size)
    assert held.stamp() == ArraySample.nominal("b", COLOUR.copy()).stamp()
    assert held.stamp() != ArraySample.nominal("a", COLOUR + 1).stamp()


def test_grey_is_repeated():
    grey = COLOUR[..., 0]
    for pixels in (grey, grey[..., None]):
        assert np.array_equal(ArraySample.nominal("a", pixels).load(), grey[..., None].repeat(3, 2))


@pytest.mark.parametrize(
    "pixels",
    [
        COLOUR / 255,
        COLOUR.astype(np.int64),
        COLOUR[0, 0],
        COLOUR[..., :2],
        COLOUR[None],
        COLOUR[:0],
    ],
)
def test_other_arrays_are_refused(pixels):
    with pytest.raises(InputError, match=r"^third: .* array of shape .*, expected uint8 of"):
        ArraySample.nominal("third", pixels)
