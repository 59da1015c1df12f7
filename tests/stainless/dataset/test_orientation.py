"""One frame everywhere: pictures and what is marked on them are upright, whatever a tag says."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin
from support.datasets import shape, write_image

from stainless.dataset import frame_of, image_size, load_annotation, load_image, load_mask
from stainless.dataset import read_category as read
from stainless.dataset.images import decode
from stainless.dataset.orientation import Frame, upright
from stainless.errors import InputError

TAGS = range(1, 9)

#: A scene without any symmetry, (12, 20).
SCENE = np.zeros((12, 20), np.uint8)
SCENE[2:4, 3:15] = 250
SCENE[4:10, 3:6] = 120


def stored(pixels: np.ndarray, tag: int) -> np.ndarray:
    """Return what a camera stores so that its tag turns it into `pixels`."""
    for turned in (3, 2, 4, 5, 6, 7, 8, 1):
        candidate = upright(pixels, turned)
        if (
            upright(candidate, tag).shape == pixels.shape
            and (upright(candidate, tag) == pixels).all()
        ):
            return candidate
    raise AssertionError(tag)


def tagged(path, pixels, tag, **options):
    """Write a picture whose stored pixels carry an orientation tag."""
    exif = Image.Exif()
    exif[0x112] = tag
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize("tag", TAGS)
def test_pixels_are_turned_as_pillow_turns_them(tag):
    exif = Image.Exif()
    exif[0x112] = tag
    file = io.BytesIO()
    Image.fromarray(SCENE).save(file, "PNG", exif=exif)
    expected = np.array(ImageOps.exif_transpose(Image.open(file)))
    assert (upright(SCENE, tag) == expected).all()
    assert Frame(expected.shape, tag).stored == SCENE.shape


FORMATS = {
    ".png": {},
    ".tif": {},
    ".tiff": {"compression": "tiff_lzw"},
    ".webp": {"lossless": True},
    ".jpg": {"quality": 100, "subsampling": 0},
}
CASES = [(ending, kind) for ending in FORMATS for kind in ("grey", "colour")]
CASES += [(ending, "deep") for ending in (".png", ".tif", ".tiff")]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(("ending", "kind"), CASES)
def test_every_format_is_read_upright(tmp_path, tag, ending, kind):
    pixels = stored(SCENE, tag)
    if kind == "colour":
        pixels = np.dstack([pixels, pixels // 2, 255 - pixels])
    if kind == "deep":
        pixels = pixels.astype(np.uint16) * 257
    path = tagged(tmp_path / f"a{ending}", pixels, tag, **FORMATS[ending])
    loaded = load_image(path)
    expected = upright(pixels, tag)
    if kind == "deep":
        assert decode(path).dtype == np.uint16
        expected = (expected // 257).astype(np.uint8)
    if expected.ndim == 2:
        expected = np.dstack([expected] * 3)
    assert np.abs(loaded.astype(int) - expected).max() <= (8 if ending == ".jpg" else 0)
    assert image_size(path) == loaded.shape[:2] == SCENE.shape
    assert frame_of(path) == Frame(SCENE.shape, tag)


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("chunk", ["tEXt", "zTXt", "iTXt", "packed iTXt"])
@pytest.mark.parametrize("keyword", ["exif", "APP1"])
def test_a_png_with_the_profile_of_imagemagick(tmp_path, tag, chunk, keyword):
    exif = Image.Exif()
    exif[0x112] = tag
    blob = exif.tobytes()
    digits = blob.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    profile = f"\n{keyword.lower()}\n{len(blob):8}\n{lines}\n"
    info = PngImagePlugin.PngInfo()
    name, is_packed = f"Raw profile type {keyword}", chunk in ("zTXt", "packed iTXt")
    (info.add_itxt if "iTXt" in chunk else info.add_text)(name, profile, zip=is_packed)
    path = tmp_path / "a.png"
    Image.fromarray(stored(SCENE, tag)).save(path, pnginfo=info)
    assert chunk[-4:].encode() in path.read_bytes()
    assert (load_image(path)[..., 0] == SCENE).all()
    assert frame_of(path) == Frame(SCENE.shape, tag)


def test_a_broken_profile_in_a_png_turns_nothing(tmp_path):
    for text in ("", "\nexif\n  3\nxyz", "\nexif\n 1\nff", "\nexif"):
        info = PngImagePlugin.PngInfo()
        info.add_text("Raw profile type exif", text)
        Image.fromarray(SCENE).save(tmp_path / "a.png", pnginfo=info)
        assert (load_image(tmp_path / "a.png")[..., 0] == SCENE).all()
        assert frame_of(tmp_path / "a.png") == Frame(SCENE.shape, 1)


def test_a_tag_that_is_none_is_upright(tmp_path):
    for tag in (0, 9, 300):
        assert load_image(tagged(tmp_path / "a.jpg", SCENE, tag)).shape[:2] == SCENE.shape


def category(root, tag, mask, ending=".png", scene=SCENE):
    tagged(root / f"plate/test/dent/0{ending}", stored(scene, tag), tag)
    write_image(root / "plate/ground_truth/dent/0_mask.png", mask)
    return root


def white(pixels):
    return np.where(pixels > 200, np.uint8(255), np.uint8(0))


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("frame", ["stored", "upright"])
def test_masks_land_on_what_they_mark(tmp_path, tag, frame):
    mask = white(SCENE)
    root = category(tmp_path, tag, mask if frame == "upright" else stored(mask, tag))
    told = read(root, "plate", "test", mask_frame=frame)[0]
    assert (load_mask(told) == (SCENE > 200)).all()
    sample = read(root, "plate", "test")[0]
    if tag == 1 or (tag >= 5):
        # The size of the mask tells which it is, or both are one.
        assert (load_mask(sample) == (SCENE > 200)).all()
    else:
        with pytest.raises(InputError, match=rf"0_mask\.png: .*\({tag}\).*--mask-frame") as caught:
            load_mask(sample)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tag", [5, 6, 7, 8])
def test_a_square_does_not_tell(tmp_path, tag):
    scene = SCENE[:, :12]
    root = category(tmp_path, tag, stored(white(scene), tag), scene=scene)
    with pytest.raises(InputError, match="--mask-frame"):
        load_mask(read(root, "plate", "test")[0])
    for frame, expected in (("stored", scene > 200), ("upright", stored(scene, tag) > 200)):
        assert (load_mask(read(root, "plate", "test", mask_frame=frame)[0]) == expected).all()


def test_a_mask_with_a_tag_of_its_own_is_turned_by_it(tmp_path):
    root = category(tmp_path, 3, white(SCENE))
    tagged(root / "plate/ground_truth/dent/0_mask.png", stored(white(SCENE), 4), 4)
    assert (load_mask(read(root, "plate", "test")[0]) == (SCENE > 200)).all()


def test_an_unknown_frame(tmp_path):
    with pytest.raises(InputError, match="mask frame is 'shown', expected stored or upright"):
        read(category(tmp_path, 1, white(SCENE)), "plate", "test", mask_frame="shown")


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("declared", ["upright", "stored", "nothing"])
def test_labelme_shapes_are_upright(tmp_path, tag, ending, declared):
    path = tagged(tmp_path / f"plate/test/0{ending}", stored(SCENE, tag), tag)
    corners = [[3, 2], [15, 2], [15, 4], [3, 4]]
    size = {"upright": SCENE.shape, "stored": stored(SCENE, tag).shape, "nothing": (None, None)}
    content = {"shapes": [shape("dent", corners)]}
    height, width = size[declared]
    if declared == "stored" and tag >= 5:
        # Another tool, which drew on the stored pixels and says so by its size.
        mask = stored(white(SCENE), tag)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        content["shapes"] = [shape("dent", np.reshape(box, (2, 2)).tolist(), "rectangle")]
    if height:
        content |= {"imageHeight": height, "imageWidth": width}
    path.with_suffix(".json").write_text(json.dumps(content))
    sample = read(tmp_path, "plate", "test", {"dent": "defect"})[0]
    assert (load_mask(sample) == (SCENE > 200)).all()
    assert (load_annotation(sample).instances > 0).tolist() == (SCENE > 200).tolist()


def test_annotation_images_follow_the_rule_of_masks(tmp_path):
    root = category(tmp_path, 6, white(SCENE))
    beside = root / "annotations/plate/test/dent"
    classes = stored((SCENE > 200).astype(np.uint8), 6)
    write_image(beside / "0_class.png", classes)
    write_image(beside / "0_instance.png", classes.astype(np.uint16) * 7)
    entry = {"index": 1, "name": "dent", "kind": "defect"}
    (root / "annotations/classes.json").write_text(json.dumps({"classes": [entry]}))
    found = load_annotation(read(root, "plate", "test")[0])
    assert (found.instances == np.where(SCENE > 200, 7, 0)).all()


def test_a_jpeg_goes_on_after_its_end(tmp_path):
    path = write_image(tmp_path / "a.jpg", SCENE)
    data = path.read_bytes()
    expected = load_image(path)
    # A preview in front of the picture has an end of its own.
    preview = b"\xff\xe2" + (len(data) + 2).to_bytes(2, "big") + data
    for whole in (data + bytes(9000), data + b"\xff" * 5000 + data, data[:2] + preview + data[2:]):
        path.write_bytes(whole)
        assert (load_image(path) == expected).all() and image_size(path) == SCENE.shape
    path.write_bytes(data[:2] + preview + data[2:-40])
    with pytest.raises(InputError, match="is truncated"):
        load_image(path)


def test_a_progressive_jpeg_is_whole(tmp_path):
    ok, data = cv2.imencode(".jpg", SCENE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert ok
    path = tmp_path / "a.jpg"
    path.write_bytes(data.tobytes())
    assert load_image(path).shape == (*SCENE.shape, 3)
    path.write_bytes(data.tobytes()[:-9])
    with pytest.raises(InputError, match="is truncated"):
        load_image(path)
