"""Killed, cut short, tampered with or continued: the dataset ends up as if nothing had happened."""

import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from tiny_scenes import GENERATE, arguments, files, generate, manifest, picture_hashes

from render.manifest import Manifest


def same(output, undisturbed):
    """Check that two datasets are equal: every file, every pixel, every other byte."""
    assert files(output) == files(undisturbed)
    assert picture_hashes(output) == picture_hashes(undisturbed)
    for name in files(undisturbed):
        if not name.endswith(".png"):
            assert (output / name).read_bytes() == (undisturbed / name).read_bytes(), name


@pytest.fixture
def copied(dataset, tmp_path):
    """A copy of the undisturbed dataset, to be spoilt."""
    return shutil.copytree(dataset, tmp_path / "copy")


def again(output, *more, **changes):
    done = generate(output, *more, **changes)
    assert done.returncode == 0, done.stderr
    return done


def times(output):
    return {name: (output / name).stat().st_mtime_ns for name in files(output)}


def rewritten(before, output):
    """Return the pictures that were written since."""
    after = times(output)
    return {n for n in after if n.startswith(("clean", "stained")) and after[n] != before.get(n)}


def test_two_workers_render_the_same(dataset, tmp_path):
    again(tmp_path / "two", "--workers", "2")
    same(tmp_path / "two", dataset)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_at_random_moments_it_finishes_the_same(dataset, tmp_path, workers):
    output = tmp_path / "killed"
    command = [sys.executable, str(GENERATE), *arguments(output, "--workers", workers)]
    # The earliest first, so that on a fast machine too something is left to interrupt.
    moments = sorted(np.random.default_rng(int(workers)).uniform(0, 0.7, 3))
    interrupted = unfinished = 0
    for moment in moments:
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:
            # Wait for the first sign of life, so that the kill falls into the work at any speed.
            start = len(files(output)) if output.exists() else 0
            while process.poll() is None and (
                not output.exists() or len(files(output)) in (0, start)
            ):
                time.sleep(0.01)
            time.sleep(moment)
            interrupted += process.poll() is None
            process.kill()
        unfinished += not (output / "contact_sheet.png").exists()
    assert interrupted
    assert unfinished
    again(output, "--workers", workers)
    same(output, dataset)


def test_what_any_kill_can_leave_behind_is_cleared_up(dataset, copied):
    # Killed while it wrote the second sample: a picture without its line, a picture half written,
    # a line cut short.
    lines = (copied / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (copied / "manifest.jsonl").write_bytes(lines[0] + lines[1][: len(lines[1]) // 2])
    (copied / "clean/train/good/.001.4711.partial.png").write_bytes(b"\x89PNG half")
    (copied / ".scene.4711.partial.yaml").write_text("samples")
    (copied / "stained/test/good/002.png").unlink()
    again(copied)
    same(copied, dataset)


def test_a_finished_dataset_is_left_alone(dataset, copied):
    before = times(copied)
    done = again(copied)
    assert "3 samples, 18 pictures" in done.stdout
    assert "render:" not in done.stderr
    assert rewritten(before, copied) == set()
    same(copied, dataset)


def blacken(path):
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    pixels[3, 4] ^= 1
    cv2.imwrite(str(path), pixels)


def empty(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


PICTURE = "clean_x2/train/good/001.png"
LABEL = "annotations/stained/train/good/001_instance.png"
SPOILS = [(blacken, PICTURE), (empty, LABEL), (cut, PICTURE), (os.unlink, LABEL)]


@pytest.mark.parametrize(
    ("spoil", "name"), SPOILS, ids=lambda spoil: getattr(spoil, "__name__", None)
)
def test_a_spoilt_file_is_rendered_again_and_no_other_sample(dataset, copied, spoil, name):
    before = times(copied)
    spoil(copied / name)
    again(copied)
    same(copied, dataset)
    written = rewritten(before, copied)
    assert {written_name.split("/")[-1] for written_name in written} == {"001.png"}
    assert len(written) == 6


@pytest.mark.parametrize(
    "line", ["", "5", "null", '{"sample": 1}', '{"sample": 1, "files": 3}', '{"sample": 1, "fi']
)
def test_a_line_of_the_manifest_that_says_nothing_counts_for_nothing(tmp_path, line):
    good = ['{"sample": 0, "files": {}}', '{"sample": 2, "files": {}}']
    (tmp_path / "manifest.jsonl").write_text("\n".join([good[0], line, good[1]]) + "\n")
    assert set(Manifest(tmp_path).entries) == {0, 2}
    (tmp_path / "manifest.jsonl").write_text("\n".join([*good, line]))
    assert set(Manifest(tmp_path).entries) == {0, 2}


def test_more_samples_extend_a_dataset_and_leave_the_old(dataset, copied):
    before = times(copied)
    again(copied, samples="4")
    assert [entry["sample"] for entry in manifest(copied)] == [0, 1, 2, 3]
    assert {name.split("/")[-1] for name in rewritten(before, copied)} == {"003.png"}
    old, new = picture_hashes(dataset), picture_hashes(copied)
    assert {name: new[name] for name in old} == old
    # Fewer samples than there are: nothing is lost.
    kept = picture_hashes(copied)
    again(copied, samples="2")
    assert picture_hashes(copied) == kept
    assert len(manifest(copied)) == 4


def test_a_worker_that_is_killed_is_reported_and_the_rest_resumes(dataset, tmp_path):
    output = tmp_path / "one_dies"
    command = [sys.executable, str(GENERATE), *arguments(output, "--workers", "2")]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        worker = None
        while process.poll() is None and worker is None:
            listed = subprocess.run(
                ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False
            )
            worker = next(iter(listed.stdout.split()), None)
            time.sleep(0.02)
        os.kill(int(worker), signal.SIGKILL)
        errors = process.stderr.read()
        assert process.wait() == 2
    assert "generate: error: a worker was ended by SIGKILL" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    again(output)
    same(output, dataset)


def test_an_interrupt_within_cycles_ends_the_run_with_one_line(tmp_path):
    """Python's own KeyboardInterrupt would be raised, printed and dropped inside Cycles."""
    output = tmp_path / "interrupted"
    slow = {"samples": "1", "rendering__denoise": "false", "rendering__samples_undenoised": "1500"}
    command = [sys.executable, str(GENERATE), *arguments(output, **slow)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (output / "scene.yaml").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=100)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == "generate: interrupted; the same command resumes"
    assert not (output / "contact_sheet.png").exists()
