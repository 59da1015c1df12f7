"""What lies in a dataset and is not read is named: masks, pictures, links to nothing."""

from __future__ import annotations

import shutil
import warnings

import pytest
from PIL import Image
from support.datasets import write_image, write_mask

from stainless.dataset import list_images, load_image, read_category
from stainless.errors import DataWarning, InputError


@pytest.fixture(autouse=True)
def _strict():
    """What is not expected to be told is not told."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        yield


def names(root, split):
    return [sample.name for sample in read_category(root, "plate", split)]


@pytest.mark.parametrize("name", ["000_mask.gif", "000.jp2", "000.json", "lot/x.gif", "000/0.gif"])
def test_a_mask_of_another_format(mvtec, name):
    root = mvtec()
    shutil.rmtree(root / "plate/ground_truth")
    path = root / "plate/ground_truth/dent" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GIF89a")
    with pytest.raises(InputError, match="a format in which no masks are read") as caught:
        names(root, "test")
    assert str(path) in str(caught.value)
    path.rename(path.with_name("licence.txt"))
    assert len(names(root, "test")) == 7


@pytest.mark.parametrize("folder", ["masks", "Ground_Truth", "groundtruth", "GT", "labels/dent"])
@pytest.mark.parametrize("base", ["{root}/plate/{folder}", "{root}/{folder}/plate"])
def test_masks_in_a_folder_of_another_name(mvtec, folder, base):
    root = mvtec()
    if base.endswith("plate") and "/" in folder:
        folder = folder.partition("/")[0]
    shutil.rmtree(root / "plate/ground_truth")
    place = base.format(root=root, folder=folder)
    for name in ("001_mask.png", "001.png"):
        path = write_mask(root / place / name)
        with pytest.raises(InputError, match="seems to be the mask of a picture") as caught:
            names(root, "test")
        assert str(path) in str(caught.value) and "below" in str(caught.value)
        path.unlink()


@pytest.mark.parametrize("name", ["masks/000.png", "GT/dent/001_mask.png"])
def test_a_folder_of_masks_is_no_class(mvtec, name):
    root = mvtec()
    shutil.rmtree(root / "plate/ground_truth")
    path = write_mask(root / "plate/test" / name)
    with pytest.raises(InputError, match="seems to be a mask, expected it below") as caught:
        names(root, "test")
    assert str(path) in str(caught.value)


def test_our_annotations_are_no_masks_left_over(annotated):
    folder = annotated / "annotations/plate/test/dent"
    write_mask(folder / "000_mask.png")
    assert len(names(annotated, "test")) == 7
    assert len(read_category(annotated / "plate", ".", "test")) == 7


@pytest.mark.parametrize("place", ["extra/7.png", "val/good/7.png", "old/train/good/7.png"])
def test_pictures_in_no_split(mvtec, place):
    root = mvtec()
    write_image(root / "plate/validation/good/0.png")
    path = write_image(root / "plate" / place)
    with pytest.warns(DataWarning, match="it lies in no split of") as told:
        assert names(root, "train") == [f"train/good/00{number}" for number in range(3)]
    assert str(path) in str(told[0].message) and len(told) == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_a_picture_without_an_ending(mvtec, kind):
    root = mvtec()
    path = root / "plate/train/good/0042"
    Image.new("L", (4, 4)).save(path, kind)
    with pytest.warns(DataWarning, match="0042: skipped, its name lacks the ending of a picture"):
        assert len(names(root, "train")) == 3
    path.write_text("a list of lots")
    assert len(names(root, "train")) == 3


def test_a_link_to_nothing_is_not_left_out(mvtec):
    root = mvtec()
    path = root / "plate/train/good/009.png"
    path.symlink_to("../../.git/annex/objects/x")
    assert "train/good/009" in names(root, "train")
    with pytest.raises(InputError, match=r"009\.png: links to \.\./\.\./.*x, which is not there"):
        load_image(path)


@pytest.mark.parametrize("target", [".", "..", "../..", "../../.."])
def test_a_loop_of_links_shows_no_picture_twice(mvtec, target):
    root = mvtec()
    expected = [list_images(root / place, deep=True) for place in ("plate", "plate/train/good")]
    (root / "plate/train/good/loop").symlink_to(target, target_is_directory=True)
    for place, images in zip(("plate", "plate/train/good"), expected, strict=True):
        assert list_images(root / place, deep=True) == images


def test_a_labelled_split_without_a_good_picture_is_told(mvtec):
    root = mvtec()
    shutil.rmtree(root / "plate/test/good")
    with pytest.warns(DataWarning, match="plate: its test split has no good picture"):
        assert len(names(root, "test")) == 4
