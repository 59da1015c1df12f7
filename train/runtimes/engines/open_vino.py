"""OpenVINO on the processor."""

from __future__ import annotations

import numpy as np

from train.runtimes.engine import Engine, Run

#: Unless it is asked, OpenVINO computes in bfloat16 where the processor can: two digits are left.
OPTIONS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "ACCURACY",
    "PERFORMANCE_HINT": "LATENCY",
}


def load(network: bytes) -> Run:
    """Return what runs a network."""
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(core.read_model(network, b""), "CPU", OPTIONS)
    request = compiled.create_infer_request()

    def run(pictures: np.ndarray) -> list[np.ndarray]:
        request.infer({0: pictures})
        return [request.get_output_tensor(i).data.copy() for i in range(len(compiled.outputs))]

    return run


def version() -> str:
    """Return what is installed."""
    import openvino

    return str(openvino.__version__).partition("-")[0]


ENGINE = Engine("openvino", load, version)
