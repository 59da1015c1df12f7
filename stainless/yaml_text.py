"""YAML as configurations are written in it: plain values, every key once."""

from __future__ import annotations

from typing import Any

import yaml


class Repeated(yaml.constructor.ConstructorError):
    """A key is given twice in one mapping."""


class _Loader(yaml.SafeLoader):
    """Reads what PyYAML reads, except for repeated keys, of which that takes the last."""

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if (key.tag, key.value) in seen:
                problem = f"{key.value}: is given twice, expected once"
                raise Repeated(None, None, problem, key.start_mark)
            seen.add((key.tag, key.value))
        return node


def parse(text: str) -> Any:
    """Return what a text in YAML notation says."""
    return yaml.load(text, _Loader)
