"""What the labels of shapes stand for: defect, impurity, or to be ignored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stainless.dataset.sample import KINDS, AnnotationClass, annotation_classes
from stainless.dataset.text import read_text
from stainless.errors import InputError


def class_map(source: Mapping[str, str] | Path | str) -> tuple[AnnotationClass, ...]:
    """Return what each label stands for, numbered from 1 in alphabetical order.

    Labels in a file are text, whatever they look like: `no`, `01`, `null`.

    Args:
        source: {label: "defect" | "impurity" | "ignore"}, or a YAML or JSON file of it.

    Raises:
        InputError: the file is missing or is no such mapping.
    """
    if isinstance(source, Mapping):
        where, pairs = "class map", [(str(name), kind) for name, kind in source.items()]
    else:
        where, pairs = str(source), _pairs(Path(source))
    if not pairs:
        raise InputError(f"{where}: expected label: {' | '.join(KINDS)}, one a line")
    entries = (
        {"index": index, "name": name, "kind": kind}
        for index, (name, kind) in enumerate(sorted(pairs), 1)
    )
    return tuple(annotation_classes(entries, where))


def _pairs(path: Path) -> list[tuple[str, Any]]:
    try:
        # The base loader knows no types: a key `no` stays what it is.
        node = yaml.compose(read_text(path), Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        raise InputError(f"{path}: is neither YAML nor JSON") from None
    if not isinstance(node, yaml.MappingNode):
        return []
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            label = f"label {key.value!r}" if isinstance(key, yaml.ScalarNode) else "a label"
            raise InputError(f"{path}: {label} is nested, expected label: {' | '.join(KINDS)}")
    return [(str(key.value), str(value.value)) for key, value in node.value]
