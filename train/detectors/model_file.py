"""One file for a model of any method: what was learned, and all that is needed to use it.

A safetensors file. Its arrays are those of the detector's state; its one metadata entry is JSON:
format, method, settings, the rest of the state, what it was fitted to, the thresholds, the
calibration, and a checksum over all of it and the arrays. There is nothing in it that could run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from stainless import config
from stainless.errors import InputError
from stainless.files import escaped, write_bytes
from stainless.json_text import parse
from train.detectors.detector import (
    Arrays,
    Context,
    Detector,
    Meldable,
    Metadata,
    Pretrained,
    Remembering,
    method,
    methods,
    named,
)

#: What the content has, and of what type each is; a calibration may be missing.
KEYS = {
    "method": str,
    "settings": dict,
    "state": dict,
    "metadata": dict,
    "thresholds": dict,
    "calibration": dict,
}

#: Key of the metadata entry, and the version of what is in it.
FORMAT, VERSION = "stainless model", 1


@dataclass(frozen=True)
class Stored:
    """What a model file holds; to read it imports no detector.

    Attributes:
        path: of the file.
        method: name of the method.
        settings: plain values of its settings.
        arrays: of the detector's state.
        state: the rest of the detector's state.
        metadata: of the model, see `Model`.
        thresholds: of the model.
        calibration: of the model.
    """

    path: Path
    method: str
    settings: Metadata
    arrays: Arrays
    state: Metadata
    metadata: Metadata = field(default_factory=dict)
    thresholds: dict[str, Metadata] = field(default_factory=dict)
    calibration: Metadata = field(default_factory=dict)

    def typed_settings(self) -> Any:
        """Return the settings as the method's dataclass.

        Raises:
            InputError: the method is unknown here, or has no such settings.
        """
        known = methods()
        if self.method not in known:
            raise InputError(
                f"{self.path}: was made by the method {self.method}, "
                f"expected one of {', '.join(known)}"
            )
        return config.build(known[self.method].settings, self.settings, str(self.path))

    def open(self, context: Context, settings: Any = None) -> Model:
        """Return the model.

        Args:
            context: for the detector.
            settings: of the detector; None for those of the file.

        Raises:
            InputError: an unknown method, or as the detector's `from_state`; names the file.
        """
        used = self.typed_settings() if settings is None else settings
        kind = method(self.method).load()
        try:
            detector = kind.from_state(used, self.arrays, self.state, context)
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # Whoever made the file can give its state any content.
            raise InputError(f"{self.path}: holds no state of {self.method}: {error}") from error
        return Model(self.method, used, detector, self.metadata, self.thresholds, self.calibration)


@dataclass
class Model:
    """A detector with everything that belongs to it.

    Attributes:
        method: name of its method.
        settings: of that method.
        detector: what scores pictures.
        metadata: "fits", what it was fitted to, one entry a fit (see `fitting.fit_file`);
            "weights", which published weights its features need; of a melded model "melded", the
            metadata of its sources; "forgotten", classes that were taken out since.
        thresholds: "pixel" and "picture", each {"value", "rule", ... how it was found}.
        calibration: record of a `train.calibration.Calibration`; empty without one.
    """

    method: str
    settings: Any
    detector: Detector
    metadata: Metadata = field(default_factory=dict)
    thresholds: dict[str, Metadata] = field(default_factory=dict)
    calibration: Metadata = field(default_factory=dict)

    @classmethod
    def new(cls, name: str, settings: Any, context: Context) -> Self:
        """Return a model that has learned nothing.

        Raises:
            InputError: an unknown method, or settings or weights that cannot be used.
        """
        return cls(name, settings, method(name).load()(settings, context))

    @classmethod
    def load(cls, path: Path, context: Context | None = None) -> Model:
        """Read a model.

        Args:
            path: of its file.
            context: for the detector; None for the processor and the published weights.

        Raises:
            InputError: as `read` and `Stored.open`.
            OSError: the file cannot be read.
        """
        return read(path).open(Context() if context is None else context)

    def record_pretrained(self) -> None:
        """Put into the metadata, under "weights", which published weights the features need."""
        if isinstance(self.detector, Pretrained):
            self.metadata["weights"] = self.detector.pretrained()

    def save(self, path: Path) -> None:
        """Write the model atomically; what is read from the file is equal to it.

        Raises:
            OSError: the file cannot be written.
        """
        from safetensors.numpy import save

        state, description = self.detector.state()
        arrays = {name: np.ascontiguousarray(array) for name, array in state.items()}
        content: Metadata = {
            "format": FORMAT,
            "version": VERSION,
            "method": self.method,
            "settings": config.plain(asdict(self.settings)),
            "state": description,
            "metadata": self.metadata,
            "thresholds": self.thresholds,
        }
        if self.calibration:
            content["calibration"] = self.calibration
        content["sha256"] = _checksum(arrays, content)
        # A single entry: safetensors does not write several in an order that is always the same.
        write_bytes(path, save(arrays, {FORMAT: _text(content)}))

    def forget(self, names: Sequence[str]) -> tuple[Model, str]:
        """Return this model without members of classes, and in a line how exact that is.

        It has no threshold, since scores are others.

        Raises:
            InputError: a method without members, or as `Remembering.forget`.
        """
        detector, line = self.remembering().forget(names)
        metadata = {**self.metadata, "forgotten": [*self.metadata.get("forgotten", []), *names]}
        return Model(self.method, detector.settings, detector, metadata), line

    def remembering(self) -> Any:
        """Return the detector as one that is `Remembering`.

        Raises:
            InputError: it is none.
        """
        if not isinstance(self.detector, Remembering):
            raise InputError(f"a model of {self.method} has no members that know what they are")
        return self.detector

    def meld(
        self, others: Sequence[Model], settings: Any, names: Sequence[str] | None = None
    ) -> Model:
        """Return the melding of this model and others, in this order; it has no threshold yet.

        Args:
            others: models of the same method.
            settings: of the result.
            names: of all models, for messages.

        Raises:
            InputError: the method does not meld, or the models hold features of different kinds or
                have learned pictures of different depth.
        """
        from stainless.dataset import melded_depth

        if not isinstance(self.detector, Meldable):
            raise InputError(f"a model of {self.method} cannot be melded")
        sources = [source.metadata for source in (self, *others)]
        names = names or [f"model {number}" for number in range(1, len(sources) + 1)]
        depth = melded_depth(list(zip(names, sources, strict=True)))
        melded = self.detector.meld([other.detector for other in others], settings)
        metadata: Metadata = {"melded": sources}
        if depth is not None:
            metadata["depth"] = depth.record()
        return Model(self.method, settings, melded, metadata)


def read(path: Path) -> Stored:
    """Return what is in a model file.

    Raises:
        InputError: not a model file, of a newer format, truncated or altered.
        OSError: the file cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = path.read_bytes()
    try:
        arrays = load(data)
        length = int.from_bytes(data[:8], "little")
        entries = parse(data[8 : 8 + length]).get("__metadata__", {})
        content = parse(entries.get(FORMAT, "{}"))
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: not a model file, or truncated: {error}") from None
    if FORMAT not in entries:
        return _read_older(path, entries)
    version = content.get("version")
    if type(version) is not int or version > VERSION:
        raise InputError(
            f"{path}: is of version {version} of the model format, "
            f"this program reads versions up to {VERSION}"
        )
    if content.pop("sha256", None) != _checksum(arrays, content):
        raise InputError(f"{path}: checksum does not match, the file was altered or damaged")
    for key, kind in KEYS.items():
        if not isinstance(content.get(key, {} if key == "calibration" else None), kind):
            raise InputError(f"{path}: has no {key}, so no program of this format wrote it")
    chosen = {key: content[key] for key in KEYS if key in content}
    return Stored(path, arrays=arrays, **chosen)


def _read_older(path: Path, entries: Mapping[str, str]) -> Stored:
    """Return what is in a file of a format that a method had for itself."""
    for owner in methods().values():
        if entries.get("format") in owner.formats:
            stored: Stored = named(owner.formats[entries["format"]])(path)
            return stored
    raise InputError(f"{path}: is no model file, format {entries.get('format')!r}")


def _text(content: Metadata) -> str:
    """Return JSON that is the same for the same content."""
    return escaped(json.dumps(content, sort_keys=True, ensure_ascii=False))


def _checksum(arrays: Arrays, content: Metadata) -> str:
    """Return the SHA-256 (hex) of the content and the arrays' names, types, shapes and values."""
    digest = hashlib.sha256(_text(content).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
