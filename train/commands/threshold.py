"""Fit a model's thresholds, of pixels and of whole pictures, to a split of a dataset.

Each is found by a rule. Without options: where pixels are marked as defective the pixel threshold
is that of the highest pixel F1, and where some pictures are defective and some good the picture
threshold is that of the highest balanced accuracy; a split of good pictures alone gives those at
which at most 5 % of them raise a false alarm. With --false-alarms, defects are not asked, and with
--guarantee the share of false alarms is promised.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stainless.errors import InputError
from train.commands.common import add_model, open_model
from train.commands.splits import (
    add_data,
    add_hold_out,
    check_truth,
    fingerprints,
    labelled_split,
    require_other_groups,
    require_unlearned,
)
from train.verdicts import (
    PICTURE,
    PIXEL,
    PRODUCT,
    Fitted,
    Rule,
    all_rules,
    fit_areas,
    rule_named,
)
from train.verdicts.choice import lacks, usual_rule

if TYPE_CHECKING:
    from stainless.dataset import Sample
    from train.metrics import Records

#: Option with the rule of each kind of threshold.
OPTIONS = {PIXEL: "--rule", PICTURE: "--picture-rule"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)
    add_data(parser)
    parser.add_argument(
        "--split",
        choices=["train", "validation", "test"],
        default="validation",
        help="what the thresholds are fitted to (default: validation); never evaluate on the same; "
        "train stands for what fit --hold-out has kept from learning",
    )
    for kind, option in OPTIONS.items():
        able = [rule for rule in all_rules().values() if kind in rule.of]
        parser.add_argument(
            option,
            choices=[rule.name for rule in able],
            help=f"of the {kind} threshold: "
            + "; ".join(f"{rule.name}: {rule.summary}" for rule in able),
        )
    for rule in all_rules().values():
        if rule.parameter is not None:
            parser.add_argument(
                f"--{rule.name}",
                type=float,
                metavar=rule.parameter,
                help=f"use the rule {rule.name} with this number (default: {rule.default:g})",
            )
    parser.add_argument(
        "--areas",
        action="store_true",
        help="a threshold for each area of the product as well (annotations/areas.json), by the "
        "rule of pictures",
    )
    add_hold_out(parser)


def run(args: argparse.Namespace) -> int:
    """Score the split, find the thresholds, write them into the model."""
    from train.scoring import at_models_depth, scored_records
    from train.verdicts.areas import AREA
    from train.verdicts.fitting import fit_thresholds

    samples = labelled_split(args)
    chosen = _rules(args, samples)
    check_truth(samples)
    model = open_model(args)
    if args.split == "train":
        require_unlearned(args, model)
    elif any(rule.promises for rule in chosen.values()):
        require_other_groups(args, model, samples)
    samples = at_models_depth(model, samples)
    with scored_records(model, samples, args.model.absolute().parent) as records:
        fitted = fit_thresholds(records, chosen, {k.name: _given(args, k) for k in chosen.values()})
        if args.areas:
            found = _fit_areas(args, chosen, records, samples)
            fitted |= {f"{AREA}{name}": fit for name, fit in found.items()}
    if not fitted:
        raise InputError(
            f"{args.model}: a model of {model.method} gives no anomaly maps, so no threshold of "
            "pixels can be fitted"
        )
    origin: dict[str, Any] = {
        "dataset": args.category,
        "split": args.split,
        "images": len(samples),
        "fingerprints": fingerprints(args.category, samples),
    }
    model.thresholds.clear()
    model.thresholds.update({kind: {**fit.entry(), **origin} for kind, fit in fitted.items()})
    model.save(args.model)
    good = sum(sample.is_good for sample in samples)
    used = f"{len(samples)} {args.split} images of {args.category}, {good} of them good"
    _tell(args, fitted, used)
    return 0


def _fit_areas(
    args: argparse.Namespace, chosen: dict[str, Rule], records: Records, samples: Sequence[Sample]
) -> dict[str, Fitted]:
    """Return the threshold of each area, by the rule of pictures.

    Raises:
        InputError: there are no areas, no rule for them, or the rule finds no threshold of one.
    """
    from stainless.dataset import load_areas
    from train.verdicts.areas import labelled_areas, read_areas

    if PICTURE not in chosen:
        raise InputError("--areas: expected a rule of pictures, which areas go by")
    rule, shown = chosen[PICTURE], {sample.name: sample for sample in samples}
    known = labelled_areas(read_areas(records, lambda name: load_areas(shown[name])))
    given = _given(args, rule)
    return fit_areas(rule.name, known, rule.default if given is None else given)


def _rules(args: argparse.Namespace, samples: Sequence[Sample]) -> dict[str, Rule]:
    """Return the rule of each threshold that can be fitted to the samples.

    Raises:
        InputError: a rule that was asked for cannot, or none can.
    """
    asked = [rule for rule in all_rules().values() if _given(args, rule) is not None]
    chosen = {}
    for kind, option in OPTIONS.items():
        name = getattr(args, option[2:].replace("-", "_"))
        explicit = name is not None or any(kind in rule.of for rule in asked)
        if name is None:
            rule = next((rule for rule in asked if kind in rule.of), usual_rule(kind, samples))
        else:
            rule = rule_named(name, kind)
        missing = lacks(rule, samples)
        if missing is None:
            chosen[kind] = rule
        elif explicit:
            raise InputError(
                f"{args.data / args.category}: {missing} of the {args.split} split, which the rule "
                f"{rule.name} needs"
            )
    # Products have no usual rule: a threshold of theirs comes with a rule that serves them.
    for rule in asked:
        if PRODUCT in rule.of:
            chosen[PRODUCT] = rule
    if not chosen:
        raise InputError(
            f"{args.data / args.category}: no threshold can be fitted to the {args.split} split"
        )
    return chosen


def _given(args: argparse.Namespace, rule: Rule) -> float | None:
    value: float | None = getattr(args, rule.name.replace("-", "_"), None)
    return value


def _tell(args: argparse.Namespace, fitted: dict[str, Fitted], used: str) -> None:
    areas = [kind for kind in fitted if kind not in (PIXEL, PICTURE, PRODUCT)]
    for kind in (PIXEL, PICTURE, PRODUCT, *areas):
        title = "threshold" if kind == PIXEL else f"{kind} threshold"
        found = fitted.get(kind)
        if found is None and kind == PRODUCT:
            continue
        if found is None:
            print(f"{args.model}: no {title} can be fitted to the {used}")
            continue
        print(f"{args.model}: {title} {found.value:.6g}, {found.line} ({found.rule}) on the {used}")
    for caution in dict.fromkeys(fit.caution for fit in fitted.values() if fit.caution):
        print(f"warning: {caution}", file=sys.stderr)


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["threshold", *sys.argv[1:]]))
