"""From a model to an exported file, compared with PyTorch before it is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stainless import config
from stainless.errors import InputError
from train.detectors.detector import Metadata, Pretrained
from train.detectors.exportable import Exportable, Graph
from train.detectors.model_file import Model
from train.runtimes.contract import ABSOLUTE, RELATIVE, Comparison
from train.runtimes.detector import ExportedDetector
from train.runtimes.engine import engines
from train.runtimes.exported_file import ExportedFile
from train.runtimes.licences import UNKNOWN, licence_class
from train.runtimes.references import COUNT, stored, textures
from train.runtimes.trace import OPSET, to_onnx
from train.verdicts.decision import decide

#: Textures that every runtime of this machine is compared with PyTorch on.
COMPARED = 7


def exported(model: Model, runtime: str, source: Path | None = None) -> ExportedFile:
    """Return the file of a model.

    Args:
        model: of a detector that is `Exportable`.
        runtime: name of the runtime that will score with it unless another is asked for.
        source: the model's file, whose SHA-256 is kept.

    Raises:
        InputError: a method, or a setting, that cannot be exported.
    """
    detector = model.detector
    if not isinstance(detector, Exportable):
        raise InputError(f"a model of {model.method} cannot be exported: it has no graph to trace")
    graph = detector.graph()
    pictures = textures(graph, COMPARED)
    scores = detector.score(pictures)
    grid = graph.grid
    file = ExportedFile(
        network=to_onnx(graph, model.method),
        runtime=runtime,
        method=model.method,
        settings=config.plain(model.settings),
        metadata=model.metadata,
        thresholds=model.thresholds,
        calibration=model.calibration,
        outputs=list(graph.outputs),
        smallest=graph.smallest,
        size=None if graph.size is None else list(graph.size),
        members=list(graph.members),
        grid=None if grid is None else {"first": grid.first, "pitch": grid.pitch},
        weights=_weights(model),
        fitted_on=_digest(model.metadata),
        model=None if source is None else hashlib.sha256(source.read_bytes()).hexdigest(),
        references=stored(pictures[:COUNT], scores[:COUNT]),
    )
    return replace(file, report=_report(file, graph, model, pictures, scores))


def _report(
    file: ExportedFile, graph: Graph, model: Model, pictures: Sequence[np.ndarray], scores: Any
) -> Metadata:
    """Return what was converted by what, what was compared, and what cannot be held."""
    compared: Metadata = {}
    notes = list(graph.notes)
    for engine in engines().values():
        if not engine.installed:
            notes.append(f"not compared by {engine.name}, which is not installed here")
            continue
        comparison = Comparison(decide(model.thresholds))
        try:
            for expected, found in zip(
                scores, ExportedDetector(file, engine).score(pictures), strict=True
            ):
                comparison.add(expected, found)
        except Exception as error:  # a runtime that lacks an operator says so in its own way
            reason = " ".join(str(error).split())[:300]
            compared[engine.name] = {"version": engine.version(), "held": False, "error": reason}
            notes.append(f"{engine.name} cannot run it: {reason}")
            continue
        compared[engine.name] = {"version": engine.version(), **comparison.record()}
        if not comparison.held:
            notes.append(f"{engine.name} does not keep the contract: {comparison.line()}")
    size = "any" if graph.size is None else "x".join(map(str, reversed(graph.size)))
    return {
        "contract": {"absolute": ABSOLUTE, "relative": RELATIVE, "flipped_verdicts": 0},
        "torch": torch.__version__,
        "opset": OPSET,
        "picture_size": size,
        "batch_size": "any",
        "compared": compared,
        "cannot_be_held": notes,
    }


def report_lines(file: ExportedFile) -> Iterator[str]:
    """Yield the conversion report for people."""
    report = file.report
    yield (
        f"{file.method}: torch {report['torch']} to ONNX operators {report['opset']}, "
        f"{len(file.network) / 1e6:.1f} MB; pictures of size {report['picture_size']}"
        f"{'' if file.size else f' from {file.smallest} pixels'}, batches of any size"
    )
    for name, entry in report["compared"].items():
        if "error" not in entry:
            yield (
                f"{name} {entry['version']}: {entry['pictures']} textures, largest deviation "
                f"{entry['deviation']:.3g}, {entry['share_of_allowed']:.1%} of what is allowed"
                + ("" if entry["held"] else ": BROKEN")
            )
    for entry in file.weights:
        yield f"weights {entry['name']}: licence {entry['licence']} ({entry['licence_class']})"
    if not file.thresholds:
        yield "no threshold in the model: scores without verdicts"
    for note in report["cannot_be_held"]:
        yield f"cannot be held: {note}"


def held(file: ExportedFile) -> bool:
    """Return whether the runtime that the file was exported to keeps the contract, or is absent."""
    entry = file.report["compared"].get(file.runtime)
    return entry is None or bool(entry["held"])


def _weights(model: Model) -> list[Metadata]:
    """Return name, origin and licence of the pretrained networks."""
    detector = model.detector
    known = detector.pretrained() if isinstance(detector, Pretrained) else []
    return [
        {
            **entry,
            "licence": entry.get("licence") or UNKNOWN,
            "licence_class": licence_class(entry.get("licence")),
        }
        for entry in known
    ]


def _digest(metadata: Metadata) -> str:
    """Return the SHA-256 of what a model was fitted to: names and bytes of its pictures are in."""
    kept = {key: metadata[key] for key in ("fits", "melded") if key in metadata}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
