"""Operators that PyTorch's exporter writes otherwise than PyTorch computes them."""

# Annotations are read by the exporter, so they are none of the kind that is put off.
from onnxscript import INT64
from onnxscript import opset18 as op


def floor_division(left: INT64, right: INT64) -> INT64:
    """Divide downwards as Python does; ONNX divides towards zero."""
    return op.Div(op.Sub(left, op.Mod(left, right)), right)
