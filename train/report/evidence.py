"""Which test pictures stand behind each number of the tables, in the order of interest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stainless.dataset import GOOD
from train.report.results import Method, Results

Row = Mapping[str, Any]

#: Metric of a whole method: which pictures a click on it shows, and in which order.
RULES = {
    "precision": "Pictures with false positives, most of them first.",
    "recall": "Defective pictures, lowest pixel recall first.",
    "f1": "Pictures with anything to find or flagged, lowest pixel F1 first.",
    "mean_defect_recall": "Defective pictures, lowest mean defect-wise recall first.",
    "f1_max": "Pictures with anything to find or flagged, lowest pixel F1 first; the overlay is at "
    "the method's own threshold, not at the one of this number.",
    "pixel_auroc": "No single picture has this number; lowest pixel F1 first.",
    "au_pro": "No single picture has this number; defective pictures, lowest pixel recall first.",
    "image_auroc": "Pictures that are ranked wrongly: for a good one the share of defective ones "
    "with a lower score, and the other way round, largest share first.",
    "false_alarm_rate": "Good pictures on which anything is flagged, most pixels first.",
}


def evidence(results: Results, chosen: Sequence[int]) -> dict[str, Any]:
    """Return, ready for JSON, what the page needs to show the pictures behind a number.

    Args:
        results: of the experiment.
        chosen: places of the embedded pictures in results["images"].

    Returns:
        "methods": by slug its name and, an entry an embedded picture, its "numbers"; "orders": by
        slug and metric (of a class: "pixel_recall:scratch") "all", the number of pictures
        concerned, and "shown", indices into the embedded pictures; "rules": by metric.
    """
    names = [image["name"] for image in results["images"]]
    index = {names[place]: at for at, place in enumerate(chosen)}
    methods, orders = {}, {}
    for method in results["methods"]:
        rows = {row["name"]: row for row in method["per_image"]}
        methods[method["slug"]] = {
            "name": method["name"],
            "numbers": [_numbers(rows[names[place]]) for place in chosen],
        }
        found = {metric: order(method, metric) for metric in RULES}
        for name, kind in results["classes"].items():
            for metric in ("pixel_recall", "mean_recall"):
                found[f"{metric}:{name}"] = class_order(method, metric, name, kind)
        orders[method["slug"]] = {
            metric: {"all": len(ranked), "shown": [index[one] for one in ranked if one in index]}
            for metric, ranked in found.items()
        }
    return {
        "methods": methods,
        "orders": orders,
        "rules": RULES | _class_rules(results),
        "kinds": results["classes"],
        "repeats": {m["slug"]: [r.get("seed") for r in m["repeats"]] for m in results["methods"]},
    }


def _class_rules(results: Results) -> dict[str, str]:
    rules = {}
    for name, kind in results["classes"].items():
        end = "lowest" if kind == "defect" else "highest"
        rules[f"pixel_recall:{name}"] = (
            f"Pictures that contain this class (outlined), {end} share of its pixels flagged first."
        )
        rules[f"mean_recall:{name}"] = (
            f"Pictures that contain this class (outlined), {end} mean recall of it first."
        )
    return rules


def _numbers(row: Row) -> dict[str, Any]:
    keys = ("score", "pixel_tp", "pixel_fp", "pixel_fn", "defects", "defects_found")
    classes = {
        name: [one.get(key) for key in ("pixels", "found", "instances", "recall_sum")]
        for name, one in (row.get("classes") or {}).items()
        if one.get("pixels")
    }
    return {**{key: row.get(key) for key in keys}, "classes": classes}


def count(row: Row, key: str) -> float:
    """Return a count of a row, 0 where it is undefined."""
    return row.get(key) or 0


def share(part: float | None, whole: float | None) -> float | None:
    """Return part / whole, None where that is undefined."""
    return None if part is None or not whole else part / whole


def order(method: Method, metric: str) -> list[str]:
    """Return the names of the pictures concerned by a metric of a method, see RULES."""
    rows = method["per_image"]
    if metric in ("recall", "au_pro"):
        return _ranked(rows, _recall)
    if metric == "precision":
        return _ranked(rows, lambda row: -count(row, "pixel_fp") or None)
    if metric == "mean_defect_recall":
        return _ranked(rows, lambda row: _mean_recall(method, row))
    if metric == "image_auroc":
        wrong = _misranked(rows)
        return _ranked(rows, lambda row: -wrong[row["name"]] if wrong[row["name"]] else None)
    if metric == "false_alarm_rate":
        good = [row for row in rows if row["label"] == GOOD]
        return _ranked(good, lambda row: -count(row, "pixel_fp") if row.get("flagged") else None)
    return _ranked(rows, _f1)


def class_order(method: Method, metric: str, name: str, kind: str) -> list[str]:
    """Return the names of the pictures that contain a class, the worst of a method first."""
    keys = ("found", "pixels") if metric == "pixel_recall" else ("recall_sum", "instances")
    sign = 1 if kind == "defect" else -1

    def value(row: Row) -> float | None:
        one = (row.get("classes") or {}).get(name) or {}
        found = share(one.get(keys[0]), one.get(keys[1]))
        return None if found is None else sign * found

    return _ranked(method["per_image"], value)


def _ranked(rows: Sequence[Row], value: Callable[[Row], float | None]) -> list[str]:
    """Return the names of the rows that have a value, smallest first, then by name."""
    known = [(found, row["name"]) for row in rows if (found := value(row)) is not None]
    return [name for _, name in sorted(known)]


def _recall(row: Row) -> float | None:
    found = count(row, "pixel_tp")
    return share(found, found + count(row, "pixel_fn"))


def _f1(row: Row) -> float | None:
    twice = 2 * count(row, "pixel_tp")
    return share(twice, twice + count(row, "pixel_fp") + count(row, "pixel_fn"))


def _mean_recall(method: Method, row: Row) -> float | None:
    kinds = {name: one.get("kind") for name, one in method["classes"].items()}
    of = [
        one
        for name, one in (row.get("classes") or {}).items()
        if kinds.get(name, "defect") == "defect"
    ]
    return share(
        sum(one.get("recall_sum") or 0.0 for one in of),
        sum(one.get("instances") or 0 for one in of),
    )


def _misranked(rows: Sequence[Row]) -> dict[str, float]:
    """Return, by name, the share of the other kind's pictures on the wrong side; ties half."""
    scores: dict[bool, list[float]] = {True: [], False: []}
    for row in rows:
        if row.get("score") is not None:
            scores[row["label"] == GOOD].append(row["score"])
    wrong = {}
    for row in rows:
        good, score = row["label"] == GOOD, row.get("score")
        others = scores[not good]
        if score is None or not others:
            wrong[row["name"]] = 0.0
            continue
        beyond = sum((one < score) if good else (one > score) for one in others)
        ties = sum(one == score for one in others)
        wrong[row["name"]] = (beyond + ties / 2) / len(others)
    return wrong
