"""What marks a pixel: values, palettes, transparency; and what is no mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from support.datasets import write_image, write_mask

from stainless.dataset import load_mask, read_category
from stainless.dataset.masks import load_binary
from stainless.errors import InputError

SIZE = (6, 8)
MASK = np.zeros(SIZE, bool)
MASK[1:3, 2:7] = True


def saved(path, pixels, mode=None, **options):
    Image.fromarray(pixels, mode).save(path, **options)
    return path


def scaled(mask, value, dtype):
    return np.where(mask, dtype(value), dtype(0))


def palette(mask, colours, **options):
    image = Image.fromarray(mask.astype(np.uint8), "P")
    image.putpalette([channel for colour in colours for channel in colour])
    return image, options


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(255, np.uint8), (1, np.uint8), (65535, np.uint16), (1, np.uint16), (255, np.uint16)],
)
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_the_values_of_masks(tmp_path, value, dtype, ending):
    path = write_image(tmp_path / f"a{ending}", scaled(MASK, value, dtype))
    assert (load_binary(path, SIZE) == MASK).all()


def test_a_mask_of_one_bit_and_of_floats(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(MASK).convert("1").save(path)
    assert (load_binary(path, SIZE) == MASK).all()
    path = write_image(tmp_path / "a.tif", MASK.astype(np.float32))
    assert (load_binary(path, SIZE) == MASK).all()


@pytest.mark.parametrize("mark", [(255, 255, 255), (128, 0, 0), (9, 9, 9), (0, 0, 1)])
def test_a_palette_of_two_colours(tmp_path, mark):
    image, _ = palette(MASK, [(0, 0, 0), mark])
    image.save(tmp_path / "a.png")
    assert (load_binary(tmp_path / "a.png", SIZE) == MASK).all()
    image, _ = palette(~MASK, [mark, (0, 0, 0)])
    image.save(tmp_path / "b.png")
    assert (load_binary(tmp_path / "b.png", SIZE) == MASK).all()


def test_two_colours_without_black_are_no_mask(tmp_path):
    image, _ = palette(MASK, [(0, 0, 255), (255, 0, 0)])
    image.save(tmp_path / "a.png")
    with pytest.raises(InputError, match="not binary: it is a colour picture"):
        load_binary(tmp_path / "a.png", SIZE)


def with_alpha(path, colour, alpha, mode):
    """Write a mask whose colour and transparency are given apart."""
    if mode == "LA":
        Image.merge("LA", [Image.fromarray(colour), Image.fromarray(alpha)]).save(path)
    elif mode == "RGBA":
        Image.fromarray(np.dstack([colour, colour, colour, alpha])).save(path)
    else:
        # Palette entries: black and white, each opaque and transparent.
        index = (colour > 0) * 2 + (alpha > 0)
        image = Image.fromarray(index.astype(np.uint8), "P")
        image.putpalette([0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255])
        image.save(path, transparency=bytes([0, 255, 0, 255]))
    return path


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_transparent_is_unmarked(tmp_path, mode):
    white, black = np.full(SIZE, 255, np.uint8), np.zeros(SIZE, np.uint8)
    drawn = scaled(MASK, 255, np.uint8)
    path = tmp_path / "a.png"
    # White everywhere, the mask in the alpha channel.
    assert (load_binary(with_alpha(path, white, drawn, mode), SIZE) == MASK).all()
    # The same, black where nothing shows.
    assert (load_binary(with_alpha(path, drawn, drawn, mode), SIZE) == MASK).all()
    # All opaque.
    assert (load_binary(with_alpha(path, drawn, white, mode), SIZE) == MASK).all()
    # Nothing shows.
    assert not load_binary(with_alpha(path, white, black, mode), SIZE).any()
    # Colour says unmarked, transparency says marked.
    with pytest.raises(InputError, match="black where it is opaque"):
        load_binary(with_alpha(path, black, drawn, mode), SIZE)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_half_transparent_is_no_mask(tmp_path, mode):
    alpha = scaled(MASK, 100, np.uint8)
    path = with_alpha(tmp_path / "a.png", np.full(SIZE, 255, np.uint8), alpha, mode)
    with pytest.raises(InputError, match="transparent in part"):
        load_binary(path, SIZE)


bits = arrays.arrays(bool, (3, 4))


@settings(max_examples=60, deadline=None)
@given(bits, bits, st.sampled_from(["LA", "RGBA", "P"]))
def test_whatever_is_marked_is_opaque_and_coloured(tmp_path_factory, colour, alpha, mode):
    path = tmp_path_factory.getbasetemp() / "mask.png"
    with_alpha(path, scaled(colour, 255, np.uint8), scaled(alpha, 255, np.uint8), mode)
    visible, hidden = colour[alpha], colour[~alpha]
    contradiction = not alpha.all() and (
        (len(visible) and not visible.any()) or (not visible.all() and hidden.any())
    )
    if contradiction:
        with pytest.raises(InputError, match="mask"):
            load_binary(path, (3, 4))
    else:
        assert (load_binary(path, (3, 4)) == (colour & alpha)).all()


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_colour_of_a_grey_png(tmp_path, bits):
    # Black is transparent, white is opaque: what PNG calls tRNS without a palette.
    top = 255 if bits == 8 else 65535
    dtype = np.uint8 if bits == 8 else np.uint16
    path = tmp_path / "a.png"
    Image.fromarray(scaled(MASK, top, dtype)).save(path, transparency=0)
    assert (load_binary(path, SIZE) == MASK).all()
    Image.fromarray(scaled(MASK, top, dtype)).save(path, transparency=top)
    with pytest.raises(InputError, match="black where it is opaque"):
        load_binary(path, SIZE)


def test_a_good_picture_may_have_a_blank_mask(mvtec):
    root = mvtec()
    path = write_mask(root / "plate/ground_truth/good/001_mask.png", value=0)
    good = next(s for s in read_category(root, "plate", "test") if s.name == "test/good/001")
    assert good.mask == path and good.is_good and not load_mask(good).any()
    write_mask(path)
    with pytest.raises(InputError, match="marks pixels, but its image counts as good"):
        load_mask(good)


@pytest.mark.parametrize("ending", [".tif", ".png", ".webp", ".bmp"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_of_a_mask_is_never_lost(tmp_path, mode, ending):
    marked = np.zeros((6, 8), np.uint8)
    marked[2:4, 2:5] = 255
    white = np.full_like(marked, 255)
    picture = Image.fromarray(np.dstack([white] * (len(mode) - 1) + [marked]))
    assert picture.mode == mode
    path = tmp_path / f"mask{ending}"
    if ending == ".bmp":
        picture = picture.convert("RGBA")
    picture.save(path, **({"lossless": True} if ending == ".webp" else {}))
    if ending == ".bmp" or (ending == ".tif" and mode == "LA"):
        with pytest.raises(InputError, match="transparent in part, which is not read"):
            load_binary(path, (6, 8))
    else:
        assert (load_binary(path, (6, 8)) == (marked > 0)).all()


def test_a_32_bit_bmp_without_transparency(tmp_path):
    marked = np.zeros((6, 8), np.uint8)
    marked[2:4, 2:5] = 255
    Image.fromarray(marked).convert("RGBA").save(tmp_path / "mask.bmp")
    assert (load_binary(tmp_path / "mask.bmp", (6, 8)) == (marked > 0)).all()
