"""Bad input: one clear line on stderr, exit code 2, and nothing written."""

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_scenes import GENERATE, ROOT, TINY, arguments, files, run

import stainless.cli
from render.generate import main
from render.workers import exclusive


@pytest.fixture
def refused(tmp_path, capsys):
    """Call the command, check that it refuses in one line and writes nothing; returns the line."""

    def call(*words, output=tmp_path / "out"):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        given = {"--config": str(TINY), "--output": str(output)}
        defaults = [w for key, text in given.items() if key not in words for w in (key, text)]
        assert main([*defaults, *map(str, words)]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("generate: error: ")
        assert printed.err.count("\n") == 1
        assert printed.err.endswith("\n")
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        return printed.err.removeprefix("generate: error: ").rstrip("\n")

    return call


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sample", "3"], "--sample: unknown key, did you mean samples?"),
        (["--lights.hight_mm", "3"], "lights.hight_mm: unknown key, did you mean height_mm?"),
        (["--impurities.waterstain", "{}"], "unknown key, did you mean water_stain?"),
        (["--samples", "many"], "samples: 'many', expected a whole number"),
        (["--samples", "2.5"], "samples: 2.5, expected a whole number"),
        (["--seed", "-1"], "seed: -1, expected 0 to 2^63 - 1"),
        (["--twins", "both"], "twins: both, expected ratio or render"),
        (["--scale", "0"], "scale: 0.0, expected"),
        (["--camera", "4"], "camera: 4, expected keys with values"),
        (["--plate.size_mm", "[-120, 100, 3]"], "expected 0.1 to 5000 mm"),
        (["--metal.roughness", "[0.4, 0.2]"], "roughness: [0.4, 0.2], expected [low, high] with"),
        (["--lights.variants", "[]"], "--lights.variants: [], expected at least one"),
        (["--series.note", "mine"], "tiny.yaml has no series, expected --series.groups as well"),
        (["--impurities.water_stain.alpha", "-3"], "expected within [-1, 1]"),
        (["--impurities.water_stain.radius_mm", "[2, 9]"], "reach of the neighbouring cells"),
        (["--workers", "0"], "--workers: 0, expected 1 to 256"),
        (["--workers", "-1"], "--workers: -1, expected 1 to 256"),
        (["--workers", "two"], "--workers: two, expected 1 to 256"),
        (["--workers", "²"], "--workers: ², expected 1 to 256"),
        (["--workers", "1000"], "--workers: 1000, expected 1 to 256"),
        (["--samples"], "argument --samples: expected one argument"),
        (["--metal.roughness"], "--metal.roughness: expected a value"),
        (["--metal.roughness", "--samples", "3"], "--metal.roughness: expected a value"),
        (["--metal.roughness", "--metal.anisotropy", "0.3"], "--metal.roughness: expected a value"),
        (["scenes"], "scenes: expected an option that starts with --"),
        (["-x"], "-x: expected an option that starts with --"),
        (["--metal.roughness", "[1"], "expected a value in YAML notation"),
    ],
)
def test_the_command_line(refused, words, message):
    assert message in refused(*words)


def test_no_scene_at_all(capsys):
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "generate: error: --config: missing, expected the scene's YAML file\n"
    )


def test_below_stainless_it_bears_that_name(capsys):
    assert stainless.cli.main(["render", "--workers"]) == 2
    expected = "argument --workers: expected one argument; see stainless render --help"
    assert capsys.readouterr().err == f"stainless: error: {expected}\n"
    assert stainless.cli.main(["render", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: stainless render ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("samples: [", "line 1"),
        ("a plain text", "expected keys with values"),
        ("sampels: 3", "sampels: unknown key, did you mean samples?"),
        ("camera: {distance_mm: far}", "camera.distance_mm: 'far', expected a number"),
        ("metal: {roughness: 9}", "metal.roughness: 9.0, expected within [0.05, 1]"),
        ("extends: scene.yaml", "extend one another in a circle"),
        ("extends: none.yaml", "none.yaml: no such file"),
    ],
)
def test_the_scene_file(refused, tmp_path, text, message):
    path = tmp_path / "scene.yaml"
    path.write_text(text)
    line = refused("--config", path)
    assert message in line
    assert line.startswith(str(tmp_path))


def test_a_scene_file_that_is_not_there(refused, tmp_path):
    assert refused("--config", tmp_path / "no.yaml") == f"{tmp_path / 'no.yaml'}: no such file"
    assert "cannot be read as text" in refused("--config", tmp_path)


MODES = [[], ["--dry-run"], ["--preview"]]


@pytest.fixture
def copied(dataset, tmp_path):
    return shutil.copytree(dataset, tmp_path / "copy")


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "".join(mode) or "render")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "12"], "holds another scene (seed is 11 there and 12 here)"),
        (["--metal.roughness", "0.3"], "(metal.roughness is [0.28, 0.31] there and 0.3 here)"),
        (["--impurities.water_stain", "null"], "(impurities.water_stain is "),
    ],
)
def test_a_folder_that_holds_another_scene(refused, copied, mode, words, message):
    line = refused(*words, *mode, output=copied)
    assert line.startswith(str(copied))
    assert message in line
    assert line.endswith("expected the same, or another --output")


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "".join(mode) or "render")
def test_a_folder_of_somebody_else(refused, tmp_path, mode):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.png").write_bytes(b"x")
    line = refused(*mode, output=tmp_path / "holiday")
    assert "holds beach.png but no scene.yaml, expected an empty folder" in line


def test_an_output_that_is_a_file(refused, tmp_path):
    (tmp_path / "file").write_text("x")
    assert refused(output=tmp_path / "file") == f"{tmp_path / 'file'}: is a file, expected a folder"


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "".join(mode) or "render")
def test_an_output_below_a_file(refused, tmp_path, mode):
    (tmp_path / "file").write_text("x")
    words = [*mode, "--samples", "1", "--lights.variants", "[hexagon]"]
    assert "not a directory" in refused(*words, output=tmp_path / "file" / "out")


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "clean/train/good/photo.png", "annotations/clean/list.csv", "other/000.png"],
)
def test_a_stray_file_in_a_dataset(refused, copied, name):
    (copied / name).parent.mkdir(parents=True, exist_ok=True)
    (copied / name).write_text("x")
    line = refused(output=copied)
    assert "not of this dataset, expected no other files" in line
    assert str(copied / name.split("/")[0]) in line


def test_a_dataset_of_another_renderer(refused, copied):
    path = copied / "manifest.jsonl"
    path.write_text(path.read_text().replace('"blender": "', '"blender": "9.'))
    line = refused(output=copied)
    assert "sample 0 was rendered with blender 9." in line
    assert "expected the same, or another --output" in line


def test_a_folder_that_another_run_writes_to(refused, copied, monkeypatch):
    monkeypatch.setattr("render.workers.PATIENCE", 2)
    with exclusive(copied):
        assert refused(output=copied) == f"{copied}: another run is writing to this folder"


def test_a_lock_is_free_again_and_leaves_no_file(tmp_path):
    for _ in range(2):
        with exclusive(tmp_path / "new"):
            pass
    assert files(tmp_path) == set()


def limited(size, *words):
    """Run the generator where no file may grow beyond a size, as on a disk that fills up."""
    return run(
        [sys.executable, str(GENERATE), *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@pytest.mark.parametrize(
    ("size", "message", "more"),
    [
        (1000, "scene.yaml: file too large", []),
        (60_000, "no room for a temporary picture of 0.092 MB", []),
        (60_000, "no room for a temporary picture of 0.092 MB", ["--workers", "2"]),
        (95_000, "manifest.jsonl: file too large", []),
    ],
)
def test_a_full_disk(dataset, tmp_path, size, message, more):
    output = tmp_path / "full"
    done = limited(size, *arguments(output, *more))
    errors = [line for line in done.stderr.splitlines() if line.startswith("generate:")]
    assert done.returncode == 2
    assert len(errors) == 1
    assert message in errors[0]
    assert done.stderr.splitlines()[-1] == errors[0]
    assert "Traceback" not in done.stderr
    assert not [name for name in files(output) if ".partial" in name]
    if "manifest" in message:
        # The farthest that it came, a line of the manifest cut short: with room it goes on.
        again = run([sys.executable, str(GENERATE), *arguments(output)])
        assert again.returncode == 0, again.stderr
        assert files(output) == files(dataset)


def script(*words, python=(), **options):
    return run([sys.executable, *python, str(GENERATE), *map(str, words)], **options)


def one_line(done):
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("generate: error: ")
    return done.stderr


def fake_bpy(folder: Path, text: str) -> dict[str, str]:
    (folder / "fake").mkdir()
    (folder / "fake" / "bpy.py").write_text(text)
    return {"PYTHONPATH": str(folder / "fake"), "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize("mode", [[], ["--preview"], ["--workers", "2"]])
def test_a_blender_that_is_too_old(tmp_path, mode):
    old = (
        "from types import SimpleNamespace\n"
        "app = SimpleNamespace(version=(2, 93, 0), version_string='2.93.0')\n"
    )
    done = script(*arguments(tmp_path / "out", *mode), env=fake_bpy(tmp_path, old))
    assert "Blender 2.93.0 is too old: expected 3.4 or newer" in one_line(done)
    assert not (tmp_path / "out").exists()


def test_no_blender_at_all(tmp_path):
    missing = fake_bpy(tmp_path, "raise ModuleNotFoundError(\"No module named 'bpy'\")")
    line = one_line(script(*arguments(tmp_path / "out"), env=missing))
    assert "pip install 'stainless[render]'" in line
    assert "blender -b -P render/generate.py" in line


def test_a_blender_that_lacks_a_system_library(tmp_path):
    text = "raise ImportError('libSM.so.6: cannot open shared object file: No such file')"
    line = one_line(script(*arguments(tmp_path / "out"), env=fake_bpy(tmp_path, text)))
    assert "libSM.so.6" in line
    assert "apt-get install" in line
    assert "libsm6" in line


def test_a_python_without_the_packages(tmp_path):
    # The project's folder without its virtual environment, and a Python that has nothing else.
    for package in ("render", "stainless", "impurities"):
        shutil.copytree(ROOT / package, tmp_path / package)
    done = run([sys.executable, "-I", "-S", str(tmp_path / "render" / "generate.py"), "--keys"])
    line = one_line(done)
    assert "this Python lacks numpy, cv2, yaml, tqdm, noise: run `make .venv/demo`" in line


def test_the_projects_own_packages_are_found_by_a_python_without_any(tmp_path):
    packages = ROOT / ".venv" / "lib" / "python3.11" / "site-packages"
    if not packages.is_dir():
        pytest.skip("needs the project's own .venv, which `make test` sets up")
    done = script("--keys", python=["-I", "-S"])
    assert done.returncode == 0, done.stderr
    assert "--metal.roughness (a number or [low, high]; default [0.28, 0.31])" in done.stdout


def test_a_defect_of_ours_is_a_traceback_and_code_1(tmp_path):
    broken = fake_bpy(tmp_path, "raise ZeroDivisionError('ours')")
    done = script(*arguments(tmp_path / "out"), env=broken)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


BLENDER = shutil.which("blender")
needs_blender = pytest.mark.skipif(
    BLENDER is None, reason="needs the program `blender` (Debian: apt-get install blender)"
)


@needs_blender
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--samples", "many"], "samples: 'many', expected a whole number"),
        (["--metal.roughnes", "0.3"], "unknown key, did you mean roughness?"),
        (["--samples"], "argument --samples: expected one argument"),
        (["--twins", "render", "--workers", "x"], "--workers: x, expected 1 to 256"),
    ],
)
def test_the_command_line_under_blender(tmp_path, words, message):
    output = ["--config", str(TINY), "--output", str(tmp_path / "out")]
    done = run([BLENDER, "-b", "-P", str(GENERATE), "--", *output, *words])
    assert done.returncode == 2
    errors = done.stderr.splitlines()
    assert [line for line in errors if message in line] == [errors[-1]]
    assert errors[-1].startswith("generate: error: ")
    assert "Traceback" not in done.stderr + done.stdout
    assert files(tmp_path) == set()


@needs_blender
def test_a_defect_under_blender_is_not_an_exit_code_of_0(tmp_path):
    text = GENERATE.read_text().replace(
        "def run(argv", "def run(argv, name): 1 / 0\n\ndef _not(argv"
    )
    assert "1 / 0" in text
    for package in ("render", "stainless", "impurities"):
        shutil.copytree(ROOT / package, tmp_path / package)
    script = tmp_path / "render" / "generate.py"
    script.write_text(text)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    done = subprocess.run(
        [BLENDER, "-b", "-P", str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
