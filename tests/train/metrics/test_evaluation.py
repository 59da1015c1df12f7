"""The whole evaluation: on arrays against each metric alone, and from files on disk."""

from __future__ import annotations

import csv
import io
import json
import math

import brute_force
import numpy as np
import pytest
from brute_force import flat, images
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.dataset import Annotation, AnnotationClass, load_image, load_mask, read_category
from stainless.errors import InputError
from train.metrics import (
    Record,
    Thresholds,
    compare,
    compare_class,
    csv_text,
    evaluate,
    f1_max,
    format_table,
    read_records,
)

STAIN = {1: AnnotationClass(1, "dent", "defect"), 2: AnnotationClass(2, "stain", "impurity")}


def records_of(found):
    return lambda: (
        Record(f"{n}", f"part{n}", "dent" if mask.any() else "good", scores, mask)
        for n, (scores, mask) in enumerate(found)
    )


@pytest.mark.filterwarnings("error")
@settings(max_examples=60, deadline=None)
@given(images(), st.sampled_from([-2.0, 0.0, 0.25, 1.0, 1e6]))
def test_evaluate_is_every_metric(found, threshold):
    result = evaluate(records_of(found), threshold)
    json.dumps(result, allow_nan=False)
    scores, mask = flat(found)
    flagged = scores >= np.float32(threshold)
    assert result["pixels"]["tp"] == (flagged & mask).sum()
    assert result["pixels"]["fp"] == (flagged & ~mask).sum()
    both = mask.any() and not mask.all()
    expected = {
        ("pixels", "auroc"): brute_force.auroc(scores, mask) if both else None,
        ("regions", "au_pro"): brute_force.au_pro(found) if both else None,
        ("pixels", "f1_max"): brute_force.f1_max(found)[0] if mask.any() else None,
    }
    for (section, key), value in expected.items():
        if value is None:
            assert result[section][key] is None
        else:
            assert result[section][key] == pytest.approx(value, abs=1e-12)
    defective = np.array([mask.any() for _, mask in found])
    tops = np.array([scores.max() for scores, _ in found], float)
    assert [row["score"] for row in result["per_image"]] == tops.tolist()
    if defective.any() and not defective.all():
        value = brute_force.auroc(tops, defective)
        assert result["images"]["auroc"] == pytest.approx(value, abs=1e-12)
        alarms = (tops >= np.float32(threshold))[~defective].mean()
        assert result["images"]["false_alarm_rate"] == pytest.approx(alarms)
    else:
        assert result["images"]["auroc"] is None
    assert result["defects"]["count"] == result["regions"]["count"]
    assert isinstance(format_table(result), str)


def by_hand():
    """Two images: a dent half found beside a stain, and a good one with a false alarm."""
    scores = np.zeros((10, 10), np.float32)
    mask = np.zeros((10, 10), bool)
    mask[0, :4] = True
    scores[0, :2] = 5
    classes, instances = np.zeros((10, 10), np.uint8), np.zeros((10, 10), np.uint16)
    classes[0, :4], instances[0, :4] = 1, 1
    classes[5, :], instances[5, :] = 2, 2
    scores[5, :3] = 4
    good = np.zeros((10, 10), np.float32)
    good[9, 9] = 3
    nothing = Annotation(np.zeros((10, 10), np.uint8), np.zeros((10, 10), np.uint16), STAIN)
    return lambda: iter(
        [
            Record("a", "p", "dent", scores, mask, lambda: Annotation(classes, instances, STAIN)),
            Record("b", "q", "good", good, np.zeros((10, 10), bool), nothing),
        ]
    )


def test_by_hand():
    result = evaluate(by_hand(), 3.0)
    assert result["pixels"] | {} == {
        "tp": 2,
        "fp": 4,
        "fn": 2,
        "tn": 192,
        "precision": pytest.approx(1 / 3),
        "recall": 0.5,
        "f1": pytest.approx(0.4),
        "f1_max": pytest.approx(4 / 6),
        "f1_max_threshold": 5.0,
        "auroc": pytest.approx((2 + 2 * (192 / 196) / 2) / 4),
        "false_alarm_rate": 1.0,
    }
    assert result["images"]["false_alarm_rate"] == 1.0 and result["images"]["auroc"] == 1.0
    stain, dent = result["classes"]["stain"], result["classes"]["dent"]
    assert list(result["classes"]) == ["dent", "stain"]
    assert stain["kind"] == "impurity" and stain["pixel_recall"] == pytest.approx(0.3)
    assert stain["instances"] == 1 and stain["mean_recall"] == pytest.approx(5 / 12)
    assert dent["pixel_recall"] == 0.5 and dent["mean_recall"] == pytest.approx(7 / 12)
    # The stain is nominal: it counts as no defect.
    assert result["defects"]["count"] == 1
    assert result["defects"]["mean_recall"] == pytest.approx(7 / 12)
    first, second = result["per_image"]
    assert first["defect_recall_sum"] == pytest.approx(7 / 12)
    assert first["classes"] == {
        "dent": {"pixels": 4, "found": 2, "instances": 1, "recall_sum": pytest.approx(7 / 12)},
        "stain": {"pixels": 10, "found": 3, "instances": 1, "recall_sum": pytest.approx(5 / 12)},
    }
    assert second["classes"] == {}


def test_a_class_is_compared_by_its_own_pixels():
    strict, lax = evaluate(by_hand(), 4.5), evaluate(by_hand(), 3.0)
    found = compare_class(strict["per_image"], lax["per_image"], "stain", 0, 50)
    assert found["pixel_recall"].difference == pytest.approx(0.3)
    assert found["mean_recall"].difference == pytest.approx(5 / 12)
    assert compare_class(strict["per_image"], lax["per_image"], "dent", 0, 50)["pixel_recall"] == (
        0,
        0,
        0,
    )


def test_table_and_csv():
    result = evaluate(by_hand(), 3.0)
    rows = list(csv.DictReader(io.StringIO(csv_text(result))))
    assert [row["name"] for row in rows] == ["a", "b"]
    assert rows[1]["flagged"] == "1" and rows[1]["defective"] == "0" and rows[0]["pixel_fn"] == "2"
    lines = format_table(result).splitlines()
    assert lines[0] == "2 images, 1 of them good; threshold 3, best on these images 5"
    head = lines[2].replace("mean recall", "mean-recall").replace("false alarms", "false-alarms")
    cells = dict(zip(head.split(), lines[3].split()[1:], strict=False))
    assert lines[3].startswith("pixels") and cells["precision"] == "0.333"
    assert cells["recall"] == "0.500" and cells["F1"] == "0.400" and "0.667" in lines[3]
    assert lines[3].split()[-1] == "1.000"
    decided = evaluate(by_hand(), Thresholds(3.0, 4.5))
    assert format_table(decided).splitlines()[0].endswith("; picture threshold 4.5")
    stain = next(line for line in lines if line.startswith("stain")).split()
    assert stain[1:5] == ["impurity", "1", "0.300", "0.417"] and len(stain) == 5 + 12
    nothing = evaluate(records_of([(np.zeros((3, 3), np.float32), np.zeros((3, 3), bool))]), 1.0)
    assert " - " in format_table(nothing) and "nan" not in format_table(nothing)


def test_from_files(annotated, tmp_path):
    samples = read_category(annotated, "plate", "test")

    def score(sample):
        return np.where(load_mask(sample), 2, load_image(sample.image)[..., 0] / 255).astype("f4")

    for sample in samples:
        path = tmp_path / "maps" / f"{sample.name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, score(sample))
    stored = read_records(samples, lambda sample: tmp_path / "maps" / f"{sample.name}.npy")
    best = f1_max(lambda: (record.pixels() for record in stored()))
    assert tuple(best) == (1.0, 2.0)
    result = evaluate(stored, best.threshold)
    assert result == evaluate(read_records(samples, score), best.threshold)
    assert result["pixels"]["auroc"] == 1.0
    assert result["regions"]["au_pro"] == pytest.approx(1.0)
    assert result["classes"]["water_stain"]["pixel_recall"] == 0.0
    assert "edge" not in result["classes"]
    ignored = 2 * 24
    total = sum(result["pixels"][key] for key in ("tp", "fp", "fn", "tn"))
    assert total == len(samples) * 24 * 32 - ignored
    assert compare(result["per_image"], result["per_image"], 0, 20)["f1"] == (0, 0, 0)


def test_pictures_are_decided_by_their_own_threshold():
    by_pixel, by_picture = evaluate(by_hand(), 3.0), evaluate(by_hand(), Thresholds(3.0, 4.5))
    assert by_pixel["pixels"] == by_picture["pixels"]
    assert by_pixel["defects"] == by_picture["defects"]
    assert [row["flagged"] for row in by_pixel["per_image"]] == [True, True]
    assert [row["flagged"] for row in by_picture["per_image"]] == [True, False]
    assert by_pixel["images"]["false_alarm_rate"] == 1.0
    assert by_picture["images"]["false_alarm_rate"] == 0.0
    assert by_picture["pixels"]["false_alarm_rate"] == 1.0
    assert by_picture["images"]["auroc"] == by_pixel["images"]["auroc"]
    assert (by_picture["threshold"], by_picture["picture_threshold"]) == (3.0, 4.5)
    assert by_pixel["picture_threshold"] is None


def scored(name, label, value, scores=None, mask=None, ignore=None):
    return Record(name, name, label, scores, mask, ignore=ignore, value=value)


def test_the_score_of_a_picture_is_the_methods_own():
    scores, mask = np.zeros((2, 3), np.float32), np.zeros((2, 3), bool)
    scores[0] = 5
    found = evaluate(lambda: iter([scored("a", "good", 0.25, scores, mask)]), Thresholds(9.0, 0.25))
    assert found["per_image"][0]["score"] == 0.25 and found["per_image"][0]["flagged"]
    # Where it is the highest pixel, one that is ignored does not count.
    ignore = scores > 0
    found = evaluate(lambda: iter([scored("a", "good", 5.0, scores, mask, ignore)]), 9.0)
    assert found["per_image"][0]["score"] == 0.0


@pytest.mark.parametrize(
    ("scores", "reason"),
    [(None, "the method gives no anomaly map"), (np.ones((2, 3)), "there are no masks")],
)
def test_without_maps_or_masks_pictures_alone_are_measured(scores, reason):
    clean = None if scores is None else np.zeros((2, 3), bool)
    made = [scored("a", "good", 0.1, scores, clean), scored("b", "dent", 0.7, scores)]
    made.append(scored("c", "dent", 0.3, scores))
    result = evaluate(lambda: iter(made), Thresholds(0.5, 0.5))
    json.dumps(result, allow_nan=False)
    images = result["images"]
    assert (images["count"], images["tp"], images["fn"], images["tn"]) == (3, 1, 1, 1)
    assert images["auroc"] == 1.0
    assert set(result["missing"]) == {"pixels", "regions", "defects", "classes"}
    assert set(result["missing"].values()) == {reason}
    assert result["pixels"]["f1"] is None and result["regions"]["au_pro"] is None
    assert all(row.keys() == {*ROW} for row in result["per_image"])
    lines = format_table(result).splitlines()
    assert f"not measured, since {reason}: " in lines[-1] and "pixels" in lines[-1]
    assert csv_text(result).splitlines()[0] == ",".join(ROW)
    found = compare(result["per_image"], result["per_image"], 0, 5)
    assert math.isnan(found["f1"].difference) and found["image_auroc"].difference == 0


ROW = ("name", "group", "label", "defective", "score", "flagged")


def test_a_map_of_few_pictures_is_a_map_of_none():
    masked = scored("a", "dent", 1.0, np.ones((2, 3)), np.ones((2, 3), bool))
    for made in ([masked, scored("b", "dent", 0.7)], [scored("b", "dent", 0.7), masked]):
        result = evaluate(lambda made=made: iter(made), Thresholds(0.5, 0.8))
        assert result["missing"] and result["pixels"]["f1"] is None
        assert result["images"]["tp"] == 1


def test_a_picture_without_a_map_needs_a_threshold_of_its_own():
    with pytest.raises(InputError, match="b: has no anomaly map, so that pictures need"):
        evaluate(lambda: iter([scored("b", "dent", 0.7)]), 0.5)
    with pytest.raises(InputError, match="b: has neither a score nor an anomaly map"):
        evaluate(lambda: iter([scored("b", "dent", None)]), Thresholds(None, 0.5))


def record(name="a", scores=None, **more):
    scores = np.zeros((3, 4), np.float32) if scores is None else scores
    return Record(name, "p", "good", scores, np.zeros((3, 4), bool), **more)


@pytest.mark.parametrize(
    ("made", "line"),
    [
        ([], "there is no image to evaluate"),
        ([record(), record()], "a: the name occurs twice"),
        ([record(scores=np.full((3, 4), np.nan))], "a: anomaly map has NaN"),
        ([record(scores=np.zeros((4, 4)))], r"a: anomaly map is \(4, 4\), ground truth \(3, 4\)"),
        ([record(ignore=np.ones((3, 4), bool))], "a: every pixel is ignored"),
        (
            [
                record(
                    annotation=Annotation(np.ones((3, 4), np.uint8), np.ones((3, 4), np.uint16), {})
                )
            ],
            "a: class 1 has no name",
        ),
        (
            [
                record(
                    annotation=Annotation(np.ones((2, 4), np.uint8), np.ones((2, 4), np.uint16), {})
                )
            ],
            "a: annotation and ground truth differ in size",
        ),
    ],
)
def test_bad_records(made, line):
    with pytest.raises(InputError, match=line):
        evaluate(lambda: iter(made), 1.0)


def test_bad_score_files_are_named(tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(InputError, match=r"a\.npy: no such file"):
        evaluate(lambda: iter([record(scores=path)]), 1.0)
    np.save(path, np.zeros((3, 4)))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"a\.npy: is no \.npy file, or a truncated one"):
        evaluate(lambda: iter([record(scores=path)]), 1.0)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="truncated"):
        evaluate(lambda: iter([record(scores=path)]), 1.0)


@pytest.mark.parametrize("threshold", [math.nan, math.inf])
def test_the_threshold_must_be_a_number(threshold):
    with pytest.raises(InputError, match="expected a finite number"):
        evaluate(by_hand(), threshold)
