"""Files appear whole or not at all."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stainless.files import (
    CHECKOUT,
    encoded,
    escaped,
    pixel_hash,
    remove_partials,
    replacing,
    shipped,
    write_bytes,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_is_written_is_there_and_nothing_else(tmp_path):
    write_bytes(tmp_path / "new" / "deep" / "a.bin", b"\x00\xff")
    write_text(tmp_path / "b.txt", "grüße\n")
    write_json(tmp_path / "c.json", {"one": [1, "ü"]})
    assert names(tmp_path) == ["b.txt", "c.json", "new", "new/deep", "new/deep/a.bin"]
    assert (tmp_path / "new/deep/a.bin").read_bytes() == b"\x00\xff"
    assert (tmp_path / "b.txt").read_bytes() == "grüße\n".encode()
    assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8")) == {"one": [1, "ü"]}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_no_other(tmp_path, error):
    target = tmp_path / "a.png"
    write_text(target, "old")
    with pytest.raises(error), replacing(target) as beside:
        beside.write_text("half of the ne")
        raise error
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.png"]


def test_the_temporary_file_keeps_the_ending_and_hides(tmp_path):
    with replacing(tmp_path / "a.png") as beside:
        beside.write_text("new")
        assert beside.suffix == ".png"
        assert beside.parent == tmp_path
        assert beside.name.startswith(".")
        assert not (tmp_path / "a.png").exists()
    assert names(tmp_path) == ["a.png"]


def test_a_writer_that_wrote_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        pass
    assert names(tmp_path) == []


def test_a_failed_write_names_the_file_and_leaves_the_old(tmp_path):
    target = tmp_path / "a"
    write_text(target, "old")
    with pytest.raises(OSError) as caught, replacing(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(target)
    assert target.read_text() == "old"


def test_a_file_in_the_place_of_a_folder(tmp_path):
    write_text(tmp_path / "file", "x")
    with pytest.raises(NotADirectoryError) as caught:
        write_text(tmp_path / "file" / "below" / "a", "y")
    assert str(tmp_path / "file") in caught.value.filename
    assert names(tmp_path) == ["file"]


def test_what_a_kill_leaves_is_a_partial_and_can_be_removed(tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from stainless.files import replacing
        with replacing(Path(sys.argv[1])) as beside:
            beside.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    target = tmp_path / "deep" / "000.png"
    write_text(target, "old")
    (tmp_path / ".hidden").write_text("not ours")
    killed = subprocess.run([sys.executable, "-c", script, str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert target.read_text() == "old"
    assert len(names(tmp_path)) == 4
    remove_partials(tmp_path)
    assert names(tmp_path) == [".hidden", "deep", "deep/000.png"]


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path):
    # A limit on the size of files fails a write as a full disk does, in the middle.
    script = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from stainless.errors import guarded
        from stainless.files import write_bytes
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        sys.exit(guarded(lambda: write_bytes(Path(sys.argv[1]), bytes(5000)), "test"))
        """
    )
    target = tmp_path / "a.bin"
    write_text(target, "old")
    done = subprocess.run(
        [sys.executable, "-c", script, str(target)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"test: error: {target}: file too large\n"
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.bin"]


PIXELS = arrays.arrays(
    st.sampled_from([np.uint8, np.uint16]), arrays.array_shapes(min_dims=2, max_dims=3)
)


@given(PIXELS)
def test_the_hash_depends_on_nothing_but_the_pixels(pixels):
    assert pixel_hash(pixels) == pixel_hash(np.asfortranarray(pixels))
    assert pixel_hash(pixels) == pixel_hash(np.repeat(pixels, 2, axis=0)[::2])


@given(PIXELS, st.data())
def test_any_other_value_is_another_hash(pixels, data):
    changed = pixels.copy()
    changed.flat[data.draw(st.integers(0, pixels.size - 1))] ^= 1
    assert pixel_hash(changed) != pixel_hash(pixels)


def test_another_shape_or_type_is_another_hash():
    base = np.zeros((4, 6), np.uint8)
    assert len({pixel_hash(a) for a in (base, base.T, base.view(np.uint16), base[None])}) == 4


def test_a_rename_is_flushed_to_the_folder(tmp_path, monkeypatch):
    flushed = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (flushed.append(os.fstat(fd).st_ino), real(fd)))
    write_text(tmp_path / "a", "x")
    assert flushed == [(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino]


def test_a_name_that_is_no_utf8_survives_in_json(tmp_path):
    name = b"gr\xfcn.png".decode(errors="surrogateescape")
    write_json(tmp_path / "list.json", [name])
    assert json.loads((tmp_path / "list.json").read_text(encoding="utf-8")) == [name]


def test_a_file_of_the_project_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scene, none = Path("scenes/plate.yaml"), Path("scenes/none.yaml")
    assert shipped(scene) == CHECKOUT / scene
    assert shipped(none) == none
    assert shipped(CHECKOUT / scene) == CHECKOUT / scene
    # One's own comes first.
    scene.parent.mkdir()
    scene.touch()
    assert shipped(scene) == scene


def test_a_name_that_is_no_utf8_is_hashed_by_its_bytes_and_escaped_in_json():
    name = "gr\u00fcn " + b"gr\xfcn".decode(errors="surrogateescape")
    assert encoded(name) == "gr\u00fcn ".encode() + b"gr\xfcn"
    text = escaped(json.dumps([name], ensure_ascii=False))
    assert text == '["gr\u00fcn gr\\udcfcn"]' and json.loads(text) == [name]
