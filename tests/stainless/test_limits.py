"""What is too much is refused in one line, before it is unpacked."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
import yaml
from support.datasets import write_image

from render.manifest import Manifest
from stainless import json_text, yaml_text
from stainless.dataset import frame_of, load_image, read_category
from stainless.errors import InputError
from stainless.limits import MOST_DEPTH
from stainless.own_files import OwnFiles


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, rows: bytes, *texts: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    extra = b"".join(chunk(b"zTXt", text) for text in texts)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def test_a_small_file_of_a_huge_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(60_000, 60_000, bytes(200_000_000)))
    assert path.stat().st_size < 250_000
    for reader in (load_image, frame_of):
        with pytest.raises(InputError, match=r"bomb\.png: is 60000x60000 pixels, expected up to"):
            reader(path)


@pytest.mark.parametrize("rows", [40_000, -40_000])
def test_a_bitmap_of_a_huge_picture_is_refused(tmp_path: Path, rows: int) -> None:
    head = struct.pack("<IiiHHIIiiII", 40, 40_000, rows, 1, 8, 1, 2, 0, 0, 0, 0)
    path = tmp_path / "bomb.bmp"
    path.write_bytes(b"BM" + struct.pack("<IHHI", 60, 0, 0, 54) + head + b"\0\1")
    with pytest.raises(InputError, match="is 40000x40000 pixels"):
        load_image(path)


def test_a_text_in_a_picture_is_unpacked_as_far_as_a_profile_goes(tmp_path: Path) -> None:
    bomb = b"Raw profile type exif\0\0" + zlib.compress(b"\n" * 500_000_000, 9)
    path = tmp_path / "text.png"
    path.write_bytes(png(2, 2, b"\0\1\2\0\3\4", bomb))
    script = (
        "import sys; from pathlib import Path\n"
        "from stainless.dataset import load_image\n"
        "load_image(Path(sys.argv[1]))\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 400_000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &a [*a]", "stands for what it is in"),
        ("[" * 5000, "nested more than 100 deep"),
        ("{a: " * 5000, "nested more than 100 deep"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n"
                for old, new in zip("abcdefgh", "bcdefghi", strict=True)
            ),
            "has more than 100000 values",
        ),
    ],
)
def test_yaml_in_excess(text: str, problem: str) -> None:
    with pytest.raises(yaml.YAMLError, match=problem):
        yaml_text.parse(text)


def test_an_alias_that_is_repeated_within_reason_is_read() -> None:
    assert yaml_text.parse("a: &a [1, 2]\nb: [*a, *a]") == {"a": [1, 2], "b": [[1, 2]] * 2}


def test_json_that_is_nested_too_deep() -> None:
    for depth in (MOST_DEPTH + 1, 100_000):
        for text in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
            with pytest.raises(ValueError, match="too deep"):
                json_text.parse(text)
    deep = "[" * MOST_DEPTH + "]" * MOST_DEPTH
    assert json.dumps(json_text.parse(deep)) == deep


def test_brackets_in_a_text_are_no_depth() -> None:
    assert json_text.parse(json.dumps(["[" * 500])) == ["[" * 500]


def test_what_is_nearly_yolo_is_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "cap" / "test" / "good"
    write_image(folder / "000.png")
    (folder / "000.txt").write_text("1 2 3 4 5 6\n" * 400 + "x\n")
    began = time.process_time()
    with pytest.raises(InputError, match=r"000\.txt"):
        read_category(tmp_path, "cap", "test")
    assert time.process_time() - began < 5


@pytest.mark.parametrize("name", ["../kept.txt", "a/../../kept.txt", "\0", "\ud800", ""])
def test_a_record_removes_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("mine")
    digest = hashlib.sha256(b"mine").hexdigest()
    out = tmp_path / "out"
    out.mkdir()
    entry = {"name": name or str(kept), "size": 4, "sha256": digest}
    (out / ".stainless-score.jsonl").write_text(json.dumps(entry) + "\n")
    OwnFiles(out, "score").clear([])
    assert kept.read_text() == "mine"
    assert not OwnFiles(out, "score")._known


def test_a_manifest_names_no_file_outside_its_dataset(tmp_path: Path) -> None:
    entry = {"sample": 0, "files": {"../x.png": "ab"}, "parameters": {}}
    lines = [json.dumps({**entry, "sample": 1, "files": {"x.png": "ab"}}), json.dumps(entry)]
    (tmp_path / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    assert set(Manifest(tmp_path).entries) == {1}
