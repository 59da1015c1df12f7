"""Typed configuration: one tree of dataclasses is YAML schema, command line and reference.

A tree is read from a YAML file, from the file that one `extends`, and from dotted overrides of the
command line. Every error names where it stands: the file or option, the key, the value and what
was expected. (jsonargparse, the obvious library, lets `light: 4` pass where a tree belongs and
spreads an error over several lines without its file.)

A field with `metadata={"formerly": name}` is read under its former name as well, so that files from
before it was renamed go on being readable.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml

from stainless.errors import InputError
from stainless.files import is_name
from stainless.yaml_text import Repeated, parse

T = TypeVar("T")

EXTENDS = "extends"


#: A dataclass, or a function that returns one for a tree and refuses it by a ValueError that begins
#: with a key.
Schema = type[T] | Callable[[Mapping[str, Any]], type[T]]


def read(schema: Schema[T], path: Path, overrides: Sequence[tuple[str, str]] = ()) -> T:
    """Read a configuration.

    Args:
        schema: a dataclass whose fields all have defaults. Where one key decides which others there
            are, a function that returns the dataclass for a tree: every file is checked against its
            own, and what a file extends may be of another, whose further keys count for nothing.
        path: the YAML file.
        overrides: dotted keys and their values in YAML notation; later ones win.

    Returns:
        An instance of `schema`.

    Raises:
        InputError: a file is missing or unreadable; a key is unknown; a value has a wrong type.
    """
    tree = _load(schema, path, ())
    decided = tree
    for _, branch in _branches(overrides):
        decided = _merge(decided, branch)
    try:
        chosen = _chosen(schema, decided)
    except ValueError as error:
        source = origin(schema, path, overrides, str(error).split(":")[0])
        raise InputError(blamed(source, str(error))) from None
    tree = overridden(chosen, _known(chosen, tree), overrides)
    return typing.cast(T, _convert(chosen, tree, "", str(path)))


def _chosen(schema: Schema[T], tree: Mapping[str, Any]) -> type[T]:
    """Return the dataclass for a tree."""
    return schema if isinstance(schema, type) else schema(tree)


def _known(schema: Any, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tree without the keys at its top that a dataclass does not have."""
    names = {field.name for field in dataclasses.fields(schema)}
    return {key: value for key, value in tree.items() if key in names}


def build(schema: type[T], tree: Mapping[str, Any], source: str) -> T:
    """Return a configuration from a tree of plain values.

    Args:
        schema: a dataclass.
        tree: keys with values.
        source: what the message of an error begins with, such as the file.

    Raises:
        InputError: a key is unknown or missing; a value has a wrong type.
    """
    return typing.cast(T, _convert(schema, dict(tree), "", source))


def overridden(
    schema: Any, tree: Mapping[str, Any], overrides: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return a tree with dotted keys, and their values in YAML notation, put in; later ones win.

    Raises:
        InputError: a key is unknown; a value has a wrong type.
    """
    merged = dict(tree)
    for key, branch in _branches(overrides):
        current = _current(schema, branch)
        _convert(schema, current, "", f"--{key}")
        merged = _merge(merged, current)
    return merged


def _branches(overrides: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    """Yield each override's key and the tree that has nothing but its value."""
    for key, text in overrides:
        try:
            value = parse(text)
        except Repeated as error:
            raise InputError(f"--{key}: {error.problem}") from None
        except (yaml.YAMLError, ValueError):
            raise InputError(
                f"--{key}: {_shown(text)}, expected a value in YAML notation"
            ) from None
        yield key, _branch(key, value)


def origin(schema: Any, path: Path, overrides: Sequence[tuple[str, str]], key: str) -> str:
    """Return what gave a key its value: an override's option, or the file that holds the key.

    Args:
        schema: what `read` was given, or what came of it, which knows the former names of keys.
        path: a file that `read` has read.
        overrides: as given to `read`.
        key: dotted; what follows a bracket or a blank does not count.
    """
    names = key.split("[")[0].split(" ")[0].split(".")
    for option, text in reversed(overrides):
        if _holds(_current(schema, _branch(option, parse(text))), names):
            return f"--{option}"
    file: Path | None = path
    while file is not None:
        tree = parse(file.read_text(encoding="utf-8")) or {}
        if _holds(_current(schema, tree), names):
            return str(file)
        base = tree.get(EXTENDS)
        file = file.parent / base if base is not None else None
    return str(path)


def blamed(source: str, message: str) -> str:
    """Return a message with what it blames in front, an option's key only once.

    Args:
        source: a file or an option, as `origin` returns it.
        message: begins with a key.
    """
    if source.startswith("--") and re.match(re.escape(source[2:]) + r"[:.\[]", message):
        return f"--{message}"
    return f"{source}: {message}"


def _holds(tree: Any, names: Sequence[str]) -> bool:
    """Return whether a tree has a value at a path of keys."""
    for name in names:
        if not isinstance(tree, dict) or name not in tree:
            return False
        tree = tree[name]
    return True


def _branch(key: str, value: Any) -> Any:
    """Return the tree that has nothing but a value at a dotted key."""
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


class Key(NamedTuple):
    """A leaf of a schema: its dotted name, type and default, and what it means."""

    name: str
    kind: Any
    default: Any
    meaning: str


def keys(schema: Any, prefix: str = "") -> Iterator[Key]:
    """Yield every leaf below a schema; meanings come from the docstrings' "Attributes:"."""
    hints = typing.get_type_hints(schema)
    meanings = _meanings(schema)
    default = schema()
    for field in dataclasses.fields(schema):
        inner = _tree_type(hints[field.name])
        key = prefix + field.name
        if inner is not None:
            yield from keys(inner, key + ".")
        else:
            kind, value = hints[field.name], getattr(default, field.name)
            yield Key(key, kind, value, meanings.get(field.name, ""))


def _meanings(schema: Any) -> dict[str, str]:
    """Return what a dataclass and its bases say of its attributes, in a line each."""
    meanings: dict[str, str] = {}
    for kind in reversed(schema.__mro__):
        _, _, listed = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
        entries = re.findall(r"^    (\w+(?:, \w+)*): (.*(?:\n {5,}.*)*)", listed, re.MULTILINE)
        for names, text in entries:
            meaning = re.sub(r"\bNone\b", "null", " ".join(text.split())).rstrip(".")
            meanings |= dict.fromkeys(names.split(", "), meaning)
    return meanings


def plain(value: Any) -> Any:
    """Return a tree of what YAML knows: dataclasses become mappings, tuples lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def notation(value: Any) -> str:
    """Return a value as a scene file or the command line gives it, in one line."""
    text = yaml.safe_dump(plain(value), default_flow_style=True, width=math.inf, sort_keys=False)
    return text.removesuffix("...\n").strip()


def _load(schema: Any, path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """Return the tree of a file, merged over the one it extends; check each file on its own."""
    if path.resolve() in seen:
        raise InputError(f"{path}: {EXTENDS}: the files extend one another in a circle")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({type(error).__name__})") from None
    try:
        tree = parse(text)
    except (yaml.YAMLError, ValueError) as error:
        # A date that is none is a ValueError to PyYAML.
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{path}: {where}{problem}") from None
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise InputError(f"{path}: expected keys with values, got {_shown(tree)}")
    base = tree.pop(EXTENDS, None)
    if base is not None and not (isinstance(base, str) and is_name(base)):
        raise InputError(f"{path}: {EXTENDS}: {_shown(base)}, expected the name of a YAML file")
    below = _load(schema, path.parent / base, (*seen, path.resolve())) if base is not None else {}
    try:
        chosen = _chosen(schema, _merge(below, tree))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    tree = _current(chosen, tree)
    _convert(chosen, tree, "", str(path))
    return _merge(_known(chosen, below), tree)


def _current(schema: Any, tree: Any) -> Any:
    """Return a tree in which fields that have been renamed bear their present name."""
    if not isinstance(tree, dict) or not dataclasses.is_dataclass(schema):
        return tree
    former = {
        field.metadata["formerly"]: field.name
        for field in dataclasses.fields(schema)
        if "formerly" in field.metadata and field.name not in tree
    }
    renamed = {former.get(name, name): value for name, value in tree.items()}
    for name, kind in typing.get_type_hints(schema).items():
        inner = _tree_type(kind)
        if inner is not None and name in renamed:
            renamed[name] = _current(inner, renamed[name])
    return renamed


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tree with the values of `above` where it has any, else those of `below`."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(value, dict) and isinstance(old, dict)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _convert(kind: Any, value: Any, key: str, origin: str) -> Any:
    """Return `value` as an instance of the annotated type `kind`."""
    if dataclasses.is_dataclass(kind):
        return _convert_tree(kind, value, key, origin)
    arguments = typing.get_args(kind)
    family = typing.get_origin(kind)
    if family in (typing.Union, types.UnionType):
        for option in arguments:
            if dataclasses.is_dataclass(option) and isinstance(value, dict):
                return _convert_tree(option, value, key, origin)
        for option in arguments:
            try:
                return _convert(option, value, key, origin)
            except InputError:
                continue
    elif family is typing.Literal:
        if value in arguments:
            return value
    elif family in (tuple, list) and isinstance(value, (list, tuple)):
        if family is list or arguments[-1] is Ellipsis:
            arguments = (arguments[0],) * len(value)
        if len(arguments) == len(value):
            return family(
                _convert(a, v, f"{key}[{i}]", origin)
                for i, (a, v) in enumerate(zip(arguments, value, strict=True))
            )
    elif kind is type(None) and value is None:
        return None
    elif kind is float and not isinstance(value, bool):
        # YAML 1.1 reads 1e-3, without a dot, as text.
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    elif isinstance(kind, type) and type(value) is kind:
        return value
    raise InputError(blamed(origin, f"{key}: {_shown(value)}, expected {described(kind)}"))


def _convert_tree(schema: Any, value: Any, key: str, origin: str) -> Any:
    """Return a mapping as an instance of a dataclass."""
    if not isinstance(value, dict):
        raise InputError(blamed(origin, f"{key}: {_shown(value)}, expected keys with values"))
    hints = typing.get_type_hints(schema)
    prefix = key + "." if key else ""
    for name in value:
        if name not in hints:
            hint = nearest(name, hints)
            raise InputError(blamed(origin, f"{prefix}{name}: unknown key{hint}"))
    for field in dataclasses.fields(schema):
        needed = field.default is field.default_factory is dataclasses.MISSING
        if needed and field.name not in value:
            raise InputError(blamed(origin, f"{prefix}{field.name}: missing"))
    return schema(
        **{name: _convert(hints[name], v, prefix + name, origin) for name, v in value.items()}
    )


def _tree_type(kind: Any) -> Any:
    """Return the dataclass that a field holds, alone or as an option, or None."""
    for option in (kind, *typing.get_args(kind)):
        if dataclasses.is_dataclass(option) and typing.get_origin(kind) not in (list, tuple):
            return option
    return None


def nearest(name: Any, known: Collection[str]) -> str:
    """Return a hint at what was meant by an unknown name, to go on a message with."""
    near = difflib.get_close_matches(str(name), list(known), 1, 0.5)
    if near:
        return f", did you mean {near[0]}?"
    return f", expected one of {', '.join(known)}"


def _shown(value: Any) -> str:
    """Return a value as a message shows it, in one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def described(kind: Any) -> str:
    """Return a type in a user's words."""
    simple = {
        float: "a number",
        int: "a whole number",
        str: "a text",
        bool: "true or false",
        dict: "keys with values",
        type(None): "null",
    }
    if kind in simple:
        return simple[kind]
    arguments, family = typing.get_args(kind), typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return "keys with values"
    if family in (typing.Union, types.UnionType):
        # What follows a list would seem to be about its items.
        options = sorted(arguments, key=lambda a: typing.get_origin(a) is list)
        interval = float in arguments and tuple[float, float]
        return " or ".join("[low, high]" if a == interval else described(a) for a in options)
    if family is typing.Literal:
        return "one of " + ", ".join(map(str, arguments))
    if family is list or arguments[-1] is Ellipsis:
        return f"a list, each item {described(arguments[0])}"
    return f"[{', '.join(described(a).removeprefix('a ') for a in arguments)}]"
