"""Thresholds of areas and of products, from the command line to verdicts."""

import json
import shutil

import numpy as np
import pytest
from support.command_lines import HEIGHT, WIDTH, brushed, refused, run, write

from train.detectors.model_file import Model

SMALL = ("--size", 20, "--epochs", 1, "--pool-stride", 4)
PARTS = 5


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """Parts of two pictures, each with two areas; one tested part has a scratch on the left."""
    root = tmp_path_factory.mktemp("products")
    rows = ["image,part_group"]
    areas = np.ones((HEIGHT, WIDTH), np.uint8)
    areas[:, WIDTH // 2 :] = 2
    for tree, folder in (("metal", "train"), ("validation/metal", "test"), ("metal", "test")):
        for number in range(2 * PARTS):
            name = f"{tree}/{folder}/good/{number:02}"
            defective = (tree, folder, number) == ("metal", "test", 0)
            picture = brushed(len(rows))
            if defective:
                name = f"{tree}/{folder}/scratch/{number:02}"
                picture[40:60, 10:30] = 255
                mask = np.where(picture == 255, 255, 0).astype(np.uint8)
                mask[:, WIDTH // 2 :] = 0
                write(root / f"metal/ground_truth/scratch/{number:02}_mask.png", mask)
            write(root / f"{name}.png", picture)
            where = root / "annotations" / name
            write(where.with_name(f"{where.name}_class.png"), np.zeros_like(areas))
            write(where.with_name(f"{where.name}_instance.png"), np.zeros(areas.shape, np.uint16))
            write(where.with_name(f"{where.name}_area.png"), areas)
            above = "../" if tree.startswith("validation") else ""
            inside = name.removeprefix("metal/")
            rows.append(f"{above}{inside}.png,{tree}{folder}{number // 2}")
    (root / "annotations/classes.json").write_text('{"classes": []}')
    names = [{"index": 1, "name": "left"}, {"index": 2, "name": "right"}]
    (root / "annotations/areas.json").write_text(json.dumps({"areas": names}))
    (root / "metal/groups.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(scope="module")
def where(products, one_thread):
    from stainless import cli

    model = products / "model.safetensors"
    data = ("--data", products, "--category", "metal")
    assert cli.main([*map(str, ("fit", *data, "--out", model, *SMALL))]) == 0
    return (*data, "--model", model)


def test_areas_and_products_have_thresholds_and_figures(products, where, tmp_path, capsys):
    code, lines, _ = run(capsys, "threshold", *where, "--guarantee", 0.2, "--areas")
    assert code == 0
    told = "at most 20.00% false alarms promised by 5 independent good scores"
    for kind in ("product", "area left", "area right"):
        assert any(f"{kind} threshold" in line and told in line for line in lines)
    code, lines, _ = run(capsys, "evaluate", *where, "--out", tmp_path / "e")
    assert code == 0
    found = json.loads((tmp_path / "e/metrics.json").read_text())
    assert found["products"]["good"] == PARTS - 1 and found["products"]["defective"] == 1
    assert (found["areas"]["left"]["defective"], found["areas"]["right"]["defective"]) == (1, 0)
    assert found["areas"]["left"]["found"] == 1 and found["products_by_areas"]["found"] == 1
    assert any(line.startswith("area left at ") for line in lines)
    picture = products / "metal/test/scratch/00.png"
    areas = products / "annotations/metal/test/good/02_area.png"
    words = ("score", "--model", where[-1], picture, "--out", tmp_path / "s")
    code, lines, _ = run(capsys, *words, "--areas", areas)
    verdicts = json.loads(lines[0])["areas"]
    assert code == 0 and verdicts["left"]["verdict"] == "anomalous"
    limits = Model.load(where[-1]).thresholds
    assert verdicts["right"]["threshold"] == pytest.approx(limits["area right"]["value"], rel=1e-5)
    code, lines, notes = run(capsys, *words)
    assert code == 0 and "areas" not in json.loads(lines[0])
    assert any("has thresholds of areas" in note for note in notes)


def test_bad_input(where, data, model, tmp_path, capsys):
    # Five products promise one in six, not one in ten.
    line = refused(capsys, "threshold", *where, "--guarantee", 0.1, "--areas")
    assert "needs 9 good scores" in line and "there are 5" in line
    # A part that was learned from promises nothing.
    shared = tmp_path / "shared"
    shutil.copytree(where[1], shared)
    groups = shared / "metal/groups.csv"
    groups.write_text(groups.read_text().replace("validation/metaltest0", "metaltrain0"))
    words = ("--data", shared, "--category", "metal", "--model", where[-1])
    line = refused(capsys, "threshold", *words, "--guarantee", 0.2)
    assert "is of group metaltrain0, which" in line and "has learned from" in line
    plain = ("--model", model, "--data", data, "--category", "plate")
    assert "areas: no picture has any" in refused(capsys, "threshold", *plain, "--areas")
    words = ("score", "--model", model, data / "plate/test/good", "--out", tmp_path / "s")
    line = refused(capsys, *words, "--areas", tmp_path / "none_area.png")
    assert "has no threshold of an area" in line
