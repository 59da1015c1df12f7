"""YAML as configurations are written in it: plain values, every key once, nothing in excess."""

from __future__ import annotations

from typing import Any

import yaml

from stainless.limits import MOST_CONFIGURATION, MOST_DEPTH, MOST_VALUES


class Repeated(yaml.constructor.ConstructorError):
    """A key is given twice in one mapping."""


class Excessive(yaml.constructor.ConstructorError):
    """A text that a configuration cannot be: too long, too deep, or of itself."""


class _Loader(yaml.SafeLoader):
    """Reads what PyYAML reads, except for repeated keys, of which that takes the last."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            mark = self.peek_event().start_mark
            raise Excessive(None, None, f"is nested more than {MOST_DEPTH} deep", mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if (key.tag, key.value) in seen:
                problem = f"{key.value}: is given twice, expected once"
                raise Repeated(None, None, problem, key.start_mark)
            seen.add((key.tag, key.value))
        return node

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None:
            _count(node, {})
        return node


def _count(node: yaml.Node, known: dict[int, int | None]) -> int:
    """Return how many values a node stands for, each alias counted in full.

    Raises:
        Excessive: there are more than a configuration has, or the node holds itself.
    """
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in known:
        count = known[id(node)]
        if count is None:
            raise Excessive(None, None, "an alias stands for what it is in", node.start_mark)
        return count
    known[id(node)] = None
    pairs = node.value if isinstance(node, yaml.MappingNode) else [(item,) for item in node.value]
    total = 1 + sum(_count(inner, known) for pair in pairs for inner in pair)
    if total > MOST_VALUES:
        raise Excessive(None, None, f"has more than {MOST_VALUES} values", node.start_mark)
    known[id(node)] = total
    return total


def parse(text: str) -> Any:
    """Return what a text in YAML notation says.

    Raises:
        yaml.YAMLError: it is no YAML, repeats a key, or is more than a configuration can be.
        ValueError: a value looks like a date, but is none.
    """
    if len(text) > MOST_CONFIGURATION:
        problem = f"has {len(text)} characters, expected up to {MOST_CONFIGURATION}"
        raise Excessive(None, None, problem, None)
    return yaml.load(text, _Loader)
