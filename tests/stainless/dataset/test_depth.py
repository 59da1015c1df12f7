"""White of 10, 12 or 14 bits: told by a tag, by an option, or missed with a warning."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from support.datasets import write_image

from stainless.dataset import (
    ArraySample,
    Depth,
    Sample,
    at_depth,
    common_depth,
    depth_of,
    load_image,
    melded_depth,
    read_as_learned,
    read_category,
    record_depth,
)
from stainless.dataset.headers import read_depth
from stainless.errors import DataWarning, InputError

GREY = np.arange(12, dtype=np.uint16).reshape(3, 4) * 23


def raw(bits):
    """Return values as a camera of so many bits has them, and what they are in 8."""
    top = (1 << bits) - 1
    return (GREY.astype(np.uint32) * top // 255).astype(np.uint16)


def eight(values, white):
    return np.floor(values.astype(float) * 255 / white + 0.5)


def with_chunk(path, kind, content):
    """Put a chunk behind the first one of a PNG."""
    data = path.read_bytes()
    chunk = struct.pack(">I", len(content)) + kind + content
    chunk += struct.pack(">I", zlib.crc32(kind + content))
    path.write_bytes(data[:33] + chunk + data[33:])
    return path


def tiff(path, pixels, bits=16, extra=()):
    """Write a grey TIFF of one strip, its values packed into so many bits."""
    height, width = pixels.shape
    if bits == 16:
        data = pixels.astype("<u2").tobytes()
    else:
        rows = [
            "".join(f"{value:0{bits}b}" for value in row).ljust(-(-width * bits // 8) * 8, "0")
            for row in pixels.tolist()
        ]
        text = "".join(rows)
        data = bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))
    entries = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, 1)]
    entries += [(273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, len(data)), *extra]
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in sorted(entries)
    )
    at = 8 + len(data) + len(data) % 2
    padding = bytes(len(data) % 2)
    path.write_bytes(b"II*\0" + struct.pack("<I", at) + data + padding + directory + bytes(4))
    return path


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_an_option_says_what_is_white(tmp_path, bits, ending):
    values, white = raw(bits), (1 << bits) - 1
    path = write_image(tmp_path / f"a{ending}", values)
    assert (load_image(path, white)[..., 0] == eight(values, white)).all()
    assert load_image(path, white).max() == GREY.max()
    sample = Sample(path, "good", None, "a", "a", white_level=white)
    assert (sample.load() == load_image(path, white)).all()


@given(st.integers(1, 65535), st.data())
def test_any_white_rounds_to_the_nearest(tmp_path_factory, white, data):
    value = data.draw(st.integers(0, white))
    path = write_image(tmp_path_factory.getbasetemp() / "w.png", np.array([[value]], np.uint16))
    assert load_image(path, white)[0, 0, 0] == int(value * 255 / white + 0.5)


def test_nothing_is_whiter_than_white(tmp_path):
    path = write_image(tmp_path / "a.png", np.array([[0, 5000]], np.uint16))
    with pytest.raises(InputError, match=r"a\.png: has values up to 5000, expected white at 4095"):
        load_image(path, 4095)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_significant_bits_of_a_png(tmp_path, bits):
    values = raw(bits) | 1
    path = with_chunk(write_image(tmp_path / "low.png", values), b"sBIT", bytes([bits]))
    assert (load_image(path)[..., 0] == eight(values, (1 << bits) - 1)).all()
    # As PNG wants it: scaled to 16 bits, so that the low ones are empty.
    shifted = values << (16 - bits)
    path = with_chunk(write_image(tmp_path / "high.png", shifted), b"sBIT", bytes([bits]))
    assert (load_image(path)[..., 0] == eight(shifted, 65535)).all()
    # A dark picture that is scaled is no bright one that is not.
    dark = (values >> 8) << (16 - bits)
    path = with_chunk(write_image(tmp_path / "dark.png", dark), b"sBIT", bytes([bits]))
    assert (load_image(path)[..., 0] == eight(dark, 65535)).all()


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_the_tags_of_a_tiff(tmp_path, bits):
    values, white = raw(bits), (1 << bits) - 1
    for tag in (341, 50717):
        path = tiff(tmp_path / "a.tif", values, extra=[(tag, 3, white)])
        assert (load_image(path)[..., 0] == eight(values, white)).all()
        # The picture's own maximum is no white.
        path = tiff(tmp_path / "a.tif", values, extra=[(tag, 3, white - 7)])
        assert (load_image(path)[..., 0] == eight(values, 65535)).all()


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize(
    ("tag", "kind"), [(281, 3), *((tag, kind) for tag in (341, 50717) for kind in (3, 4, 11, 12))]
)
def test_the_tags_of_a_tiff_as_pillow_writes_them(tmp_path, bits, tag, kind):
    values, white = raw(bits), (1 << bits) - 1
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info.tagtype[tag] = kind
    info[tag] = float(white) if kind > 4 else white
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo=info)
    assert (load_image(tmp_path / "a.tif")[..., 0] == eight(values, white)).all()
    info[tag] = float(white - 7) if kind > 4 else white - 7
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo=info)
    assert (load_image(tmp_path / "a.tif")[..., 0] == eight(values, 65535)).all()


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_a_tiff_of_packed_bits(tmp_path, bits):
    values = raw(bits)
    loaded = load_image(tiff(tmp_path / "a.tif", values, bits))[..., 0]
    assert np.abs(loaded - eight(values, (1 << bits) - 1)).max() <= 1


def dataset(root, values, count=3, ending=".png"):
    for number in range(count):
        write_image(root / f"plate/train/good/{number}{ending}", values)
    return root


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_a_set_that_leaves_its_range_empty_is_told(tmp_path, bits):
    root = dataset(tmp_path, raw(bits))
    white = (1 << bits) - 1
    with pytest.warns(DataWarning, match=f"camera has {bits} bits, give --white-level {white}"):
        assert common_depth(read_category(root, "plate", "train")) == Depth(16, 65535)
    told = read_category(root, "plate", "train", white_level=white)
    assert common_depth(told) == Depth(16, white)


@pytest.mark.filterwarnings("error")
def test_what_is_in_order_is_not_told(tmp_path):
    assert common_depth([]) == Depth(8, 255)
    whole = read_category(dataset(tmp_path / "a", raw(16)), "plate", "train")
    assert common_depth(whole) == Depth(16, 65535)
    for ending in (".png", ".jpg", ".bmp", ".tif", ".webp"):
        root = dataset(tmp_path / ending, np.full((5, 5), 3, np.uint8), ending=ending)
        assert common_depth(read_category(root, "plate", "train")) == Depth(8, 255)
    floats = dataset(tmp_path / "f", np.full((5, 5), 0.5, np.float32), ending=".tif")
    assert common_depth(read_category(floats, "plate", "train")) == Depth(32, 1)
    assert common_depth([ArraySample.nominal("a", np.zeros((4, 4), np.uint8))]) == Depth(8, 255)
    tagged = [with_chunk(sample.image, b"sBIT", bytes([12])) for sample in whole]
    for path in tagged:
        write_image(path, raw(12) | 1)
        with_chunk(path, b"sBIT", bytes([12]))
    assert common_depth(whole) == Depth(16, 4095)


def test_a_mixed_set_is_told(tmp_path):
    root = dataset(tmp_path, raw(16))
    write_image(root / "plate/train/good/9.png", GREY.astype(np.uint8))
    with pytest.warns(DataWarning, match="one set should have one depth"):
        assert common_depth(read_category(root, "plate", "train")) == Depth(16, 65535)


def test_a_model_keeps_its_depth(tmp_path):
    wide = read_category(dataset(tmp_path / "a", raw(12)), "plate", "train", white_level=4095)
    narrow = read_category(dataset(tmp_path / "b", GREY.astype(np.uint8)), "plate", "train")
    metadata = {}
    record_depth(metadata, wide)
    assert metadata == {"depth": {"bits": 16, "white_level": 4095}}
    record_depth(metadata, wide)
    with pytest.raises(InputError, match="8 bits with white at 255, but the model learned"):
        record_depth(metadata, narrow)
    silent = [replace(sample, white_level=None) for sample in wide]
    assert read_as_learned(metadata, [*silent, *narrow]) == [*wide, *narrow]
    assert read_as_learned({}, silent) == silent
    record_depth(metadata, [ArraySample.nominal("a", np.zeros((4, 4), np.uint8))])
    with pytest.warns(DataWarning, match="the model does not say what it learned"):
        record_depth({}, wide, is_first=False)
    depth = depth_of(metadata)
    assert depth == Depth(16, 4095)
    # Pictures that say nothing are read as the model's.
    silent = [replace(sample, white_level=None) for sample in wide]
    assert at_depth(silent, depth) == wide
    with pytest.warns(DataWarning, match="but the model learned pictures of 16 bits with white at"):
        at_depth(narrow, depth)
    other = [replace(sample, white_level=16383) for sample in wide]
    with pytest.warns(DataWarning, match="white at 16383, but the model learned"):
        assert at_depth(other, depth) == other
    # One that cannot be read is for whoever loads it to tell.
    wide[0].image.write_bytes(b"")
    assert at_depth(silent, depth) == [silent[0], *wide[1:]]
    with pytest.raises(InputError, match="expected bits and white_level"):
        Depth.from_record({"bits": 8})


@pytest.mark.parametrize("place", [0, 1, 26, 39])
def test_one_picture_among_many_is_told(tmp_path, place):
    root = dataset(tmp_path, GREY.astype(np.uint8), 40)
    other = write_image(root / f"plate/train/good/{place}.png", raw(12))
    samples = read_category(root, "plate", "train")
    for ending in (".png", ".tif"):
        path = write_image(other.with_suffix(ending), raw(12))
        mixed = [replace(each, image=path) if each.image == other else each for each in samples]
        with pytest.warns(DataWarning) as told:
            assert common_depth(mixed) == Depth()
        lines = sorted(str(each.message) for each in told)
        assert "values up to" in lines[0] and "give --white-level 4095" in lines[0]
        assert f"{path}: has 16 bits with white at 65535" in lines[1] and len(lines) == 2
        with pytest.warns(DataWarning, match=f"{path}: has 16 bits with white at 65535, but"):
            assert at_depth(mixed, Depth()) == mixed


def test_depth_is_known_from_the_header(tmp_path):
    eight = GREY.astype(np.uint8)
    for ending in (".png", ".jpg", ".bmp", ".tif", ".webp"):
        with write_image(tmp_path / f"a{ending}", eight).open("rb") as file:
            assert read_depth(file).bits == 8, ending
    tagged = with_chunk(write_image(tmp_path / "b.png", raw(12)), b"sBIT", bytes([12]))
    with tagged.open("rb") as file:
        header = read_depth(file)
    assert (header.bits, header.significant_bits) == (16, 12)
    with tiff(tmp_path / "c.tif", raw(12), extra=[(50717, 3, 4095)]).open("rb") as file:
        header = read_depth(file)
    assert (header.bits, header.white) == (16, 4095)
    with write_image(tmp_path / "d.tif", np.ones((3, 4), np.float32)).open("rb") as file:
        assert read_depth(file).bits == 32
    for data in (b"", b"\x89PNG\r\n\x1a\n", b"II*\0", b"\x89PNG\r\n\x1a\n\0\0\0\xffIHDR"):
        (tmp_path / "e").write_bytes(data)
        with (tmp_path / "e").open("rb") as file:
            assert read_depth(file).bits is None


def test_what_melds(recwarn):
    def named(*depths):
        return [
            (str(number), {} if depth is None else {"depth": depth.record()})
            for number, depth in enumerate(depths)
        ]

    camera, whole = Depth(16, 4095), Depth(16, 65535)
    assert melded_depth(named(None, None)) is None
    assert melded_depth(named(camera, camera)) == camera
    assert melded_depth(named(None, Depth())) == Depth()
    assert not recwarn.list
    for other in (Depth(), whole, Depth(16, 1023)):
        for pair in ((camera, other), (other, camera)):
            with pytest.raises(InputError, match=r"^1: has learned pictures of .*do not meld"):
                melded_depth(named(*pair))
    with pytest.warns(DataWarning, match="1: does not say which depth it learned, 0 learned 16"):
        assert melded_depth(named(camera, None)) == camera
    with pytest.warns(DataWarning, match="1: has learned pictures of 16 bits with white at 65535"):
        assert melded_depth(named(Depth(), whole)) == Depth()


@pytest.mark.parametrize("white", [0, -1, 65536])
def test_a_white_level_out_of_range(mvtec, white):
    with pytest.raises(InputError, match=f"white level is {white}, expected 1 to 65535"):
        read_category(mvtec(), "plate", "train", white_level=white)
