"""From a detector's module of torch to an ONNX network, free in the number and size of pictures."""

from __future__ import annotations

import contextlib
import io
import operator
import warnings

import torch

from stainless.errors import InputError
from train.detectors.exportable import Graph
from train.runtimes.exported_file import INPUT
from train.runtimes.onnx_bytes import split

#: Version of ONNX's set of operators; the first whose padding takes axes.
OPSET = 18

#: Sizes of the traced picture, beyond the smallest: no multiples of anything, so that nothing that
#: holds for this size alone is taken for a rule.
BEYOND = (49, 71)


def to_onnx(graph: Graph, method: str) -> bytes:
    """Return the network of a detector.

    Raises:
        InputError: it cannot be traced; names the method.
    """
    try:
        from train.runtimes.operators import bicubic, floor_division
    except ImportError as missing:
        raise InputError(f"export needs {missing.name}: pip install -e '.[export]'") from None
    height, width = graph.size or (graph.smallest + BEYOND[0], graph.smallest + BEYOND[1])
    example = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    example += torch.arange(width, dtype=torch.uint8)[:, None]
    free = {0: "batch"} if graph.size else {0: "batch", 1: "height", 2: "width"}
    silent = contextlib.redirect_stdout(io.StringIO())
    try:
        with silent, warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                graph.module,
                (example,),
                dynamo=True,
                dynamic_shapes=(free,),
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=list(graph.outputs),
                custom_translation_table={
                    operator.floordiv: floor_division,
                    torch.ops.aten._upsample_bicubic2d_aa.default: bicubic,
                },
                verbose=False,
            )
    except Exception as error:  # the exporter fails in many ways of its own
        raise InputError(f"a model of {method} cannot be exported: {_reason(error)}") from None
    assert program is not None
    network, _ = split(program.model_proto.SerializeToString())
    return network


def _reason(error: BaseException) -> str:
    """Return the first line of what went wrong first."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
