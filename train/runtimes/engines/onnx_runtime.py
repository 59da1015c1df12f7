"""ONNX Runtime on the processor."""

from __future__ import annotations

import numpy as np

from train.runtimes.engine import Engine, Run
from train.runtimes.exported_file import INPUT

#: Of the runtime's own messages: those of errors only.
ERRORS = 3


def load(network: bytes) -> Run:
    """Return what runs a network."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])

    def run(pictures: np.ndarray) -> list[np.ndarray]:
        found: list[np.ndarray] = session.run(None, {INPUT: pictures})
        return found

    return run


def version() -> str:
    """Return what is installed."""
    import onnxruntime

    return str(onnxruntime.__version__)


ENGINE = Engine("onnxruntime", load, version)
