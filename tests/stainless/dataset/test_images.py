"""Decoding: what every pixel type becomes, and what damage is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image
from support.datasets import SIZE, write_image, write_mask

from stainless.dataset import image_size, load_image, load_mask, read_category
from stainless.errors import InputError


def test_colour_is_rgb_and_grey_is_replicated(tmp_path):
    colour = np.zeros((3, 4, 3), np.uint8)
    colour[..., 2] = 200  # OpenCV writes blue, green, red
    assert (load_image(write_image(tmp_path / "red.png", colour)) == [200, 0, 0]).all()
    with_alpha = np.dstack([colour, np.full((3, 4), 7, np.uint8)])
    assert (load_image(write_image(tmp_path / "alpha.png", with_alpha)) == [200, 0, 0]).all()
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    loaded = load_image(write_image(tmp_path / "grey.png", grey))
    assert loaded.shape == (3, 4, 3) and loaded.dtype == np.uint8
    assert (loaded == grey[..., None]).all()


def test_16_bit_and_float_are_scaled(tmp_path):
    values = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    loaded = load_image(write_image(tmp_path / "wide.png", values))
    assert loaded[0, :, 0].tolist() == [round(v / 257) for v in values[0].tolist()]
    values = np.array([[0, 0.25, 1]], np.float32)
    assert load_image(write_image(tmp_path / "float.tif", values))[0, :, 0].tolist() == [0, 64, 255]


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".bmp"])
@pytest.mark.parametrize("keep", [0, 8, 0.5, 0.98])
def test_damaged_files_are_refused(tmp_path, ending, keep):
    path = write_image(tmp_path / f"picture{ending}")
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(InputError, match=r"is empty|is truncated|cannot be read") as caught:
        load_image(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_flipped_bit_in_a_png_is_found(tmp_path, capfd):
    path = write_image(tmp_path / "picture.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="checksum of IDAT"):
        load_image(path)
    path.write_text("no image at all")
    with pytest.raises(InputError, match="cannot be read as an image"):
        load_image(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("value", "line"),
    [(np.nan, "NaN"), (np.inf, "NaN or infinite"), (1.5, "outside 0 to 1"), (-0.1, "outside 0")],
)
def test_values_that_are_no_brightness(tmp_path, value, line):
    pixels = np.full((3, 4), 0.5, np.float32)
    pixels[1, 2] = value
    with pytest.raises(InputError, match=line):
        load_image(write_image(tmp_path / "picture.tif", pixels))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png: no such file"):
        load_image(tmp_path / "gone.png")


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_image_size(tmp_path, ending):
    assert image_size(write_image(tmp_path / f"picture{ending}")) == SIZE


def one_mask(root):
    sample = read_category(root, "plate", "test")[0]
    assert sample.name == "test/dent/000"
    return sample


def test_masks(mvtec):
    root = mvtec()
    sample = one_mask(root)
    expected = np.zeros(SIZE, bool)
    expected[4:9, 6:13] = True
    assert (load_mask(sample) == expected).all()
    good = read_category(root, "plate", "test")[2]
    assert good.is_good and load_mask(good).shape == SIZE and not load_mask(good).any()
    # A mask stored in colour is as good as long as its channels agree.
    write_image(sample.mask, np.dstack([np.where(expected, 255, 0).astype(np.uint8)] * 3))
    assert (load_mask(sample) == expected).all()


@pytest.mark.parametrize(
    ("pixels", "line"),
    [
        (np.eye(24, 32, dtype=np.uint8) * 7, "not binary: values 0, 7, expected 0 and 255"),
        (
            np.arange(768, dtype=np.uint16).reshape(24, 32) % 256,
            r"not binary: values 0, 1, 2, 3, \.",
        ),
        (np.full((32, 24), 255, np.uint8), "mask is 24x32 pixels, its image 32x24 pixels"),
        (np.zeros((24, 32), np.uint8), "marks no pixel, but its image counts as dent"),
        (np.dstack([np.eye(24, 32, k=k, dtype=np.uint8) for k in range(3)]), "colour"),
    ],
)
def test_a_bad_mask_is_one_line_with_its_path(mvtec, pixels, line):
    sample = one_mask(mvtec())
    write_image(sample.mask, pixels)
    with pytest.raises(InputError, match=line) as caught:
        load_mask(sample)
    assert str(caught.value).startswith(f"{sample.mask}: ") and "\n" not in str(caught.value)


def test_a_corrupt_mask_is_named(mvtec):
    sample = one_mask(mvtec())
    sample.mask.write_bytes(b"")
    with pytest.raises(InputError, match="is empty") as caught:
        load_mask(sample)
    assert str(sample.mask) in str(caught.value)


def test_a_lossy_mask_is_refused(mvtec):
    sample = one_mask(mvtec())
    noisy = write_mask(sample.mask.with_name("x.png"))
    pixels = cv2.GaussianBlur(cv2.imread(str(noisy), cv2.IMREAD_GRAYSCALE), (3, 3), 0)
    write_image(sample.mask, pixels)
    with pytest.raises(InputError, match="not binary"):
        load_mask(sample)


def test_cmyk_and_palettes_are_resolved(tmp_path):
    colours = np.zeros((16, 24, 3), np.uint8)
    colours[:, :8], colours[:, 8:16], colours[:, 16:] = (200, 30, 30), (20, 180, 40), (90, 90, 90)
    image = Image.fromarray(colours)
    image.convert("CMYK").save(tmp_path / "a.jpg", quality=100, subsampling=0)
    assert np.abs(load_image(tmp_path / "a.jpg").astype(int) - colours).max() < 12
    image.convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "a.png")
    assert np.abs(load_image(tmp_path / "a.png").astype(int) - colours).max() < 3
    Image.fromarray(colours[..., 0] > 100).save(tmp_path / "b.png")
    assert (load_image(tmp_path / "b.png")[..., 1] == 255 * (colours[..., 0] > 100)).all()


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".tif", ".webp"])
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (3, 5)])
def test_tiny_and_elongated_pictures(tmp_path, ending, size):
    path = write_image(tmp_path / f"a{ending}", np.full(size, 130, np.uint8))
    assert image_size(path) == size
    assert load_image(path).shape == (*size, 3) and abs(int(load_image(path)[0, 0, 0]) - 130) < 3


@pytest.mark.parametrize(
    "name",
    ["a b", "100%", "x#1", "-dash", "q?", "it's", '"quoted"', "new\nline", "日本", "😀", "a.b.c"],
)
def test_odd_names(tmp_path, name):
    for folder in ("test/good", "train/good"):
        path = write_image(tmp_path / "x.png")
        (tmp_path / "plate" / folder).mkdir(parents=True, exist_ok=True)
        path.rename(tmp_path / "plate" / folder / f"{name}.PNG")
    for split in ("train", "test"):
        sample = read_category(tmp_path, "plate", split)[0]
        assert sample.name == f"{split}/good/{name}" and sample.load().shape == (*SIZE, 3)
