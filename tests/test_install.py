"""The project is used from its checkout, and its console script from any folder."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BACKEND = "sys.path.insert(0, '.ci'); import editable_only"


def run(*command, cwd):
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("made", ["wheel", "sdist"])
def test_what_would_leave_the_checkout_is_refused_in_one_line(made, tmp_path):
    pytest.importorskip("setuptools")
    script = f"import sys; {BACKEND}; editable_only.build_{made}({str(tmp_path)!r})"
    done = run(sys.executable, "-c", script, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr == (
        "stainless is used from its checkout: pip install --editable '.[render,train]'\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_console_script_renders_from_any_folder(tmp_path):
    console = Path(sys.executable).with_name("stainless")
    scene = ROOT / "scenes" / "plate_small.yaml"
    done = run(console, "render", "--config", scene, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # What is written lies below the folder that the command is given in.
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {name for name in written if "/." not in name} == {"datasets/plate_small/plan.json"}
    assert all(name.startswith("datasets/plate_small/") for name in written)


def test_an_experiment_finds_the_scenes_of_the_project_from_any_folder(tmp_path):
    console = Path(sys.executable).with_name("stainless")
    demo = ROOT / "train" / "experiments" / "sim_to_real" / "demo.yaml"
    words = {
        "--real.data": str(ROOT / "tests" / "first_edition" / "dataset"),
        "--real.scene": "null",
        "--synthetic.scene": "tests/render/tiny.yaml",
        "--synthetic.scale": "1",
        "--synthetic.samples": "1",
    }
    options = [word for pair in words.items() for word in pair]
    done = run(console, "experiment", "--config", demo, "--until", "render", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "datasets/plate_small/clean/train/good").glob("*.png"))
