"""Operators that PyTorch's exporter writes otherwise than PyTorch computes them."""

# Annotations are read by the exporter, so they are none of the kind that is put off.
from onnxscript import FLOAT, INT64
from onnxscript import opset18 as op


def floor_division(left: INT64, right: INT64) -> INT64:
    """Divide downwards as Python does; ONNX divides towards zero."""
    return op.Div(op.Sub(left, op.Mod(left, right)), right)


def bicubic(
    images: FLOAT,
    output_size: INT64,
    align_corners: bool,
    scales_h: float | None = None,
    scales_w: float | None = None,
) -> FLOAT:
    """Scale (B, C, h, w) as PyTorch's antialiased bicubic interpolation does, by two matrices.

    So position embeddings are interpolated. ONNX has an operator for it, which OpenVINO computes
    with another filter.
    """
    del align_corners, scales_h, scales_w  # which timm leaves as they are
    down, across = (
        _weights(op.Shape(images, start=axis, end=axis + 1), op.Gather(output_size, [axis - 2]))
        for axis in (2, 3)
    )
    return op.MatMul(op.MatMul(down, images), op.Transpose(across, perm=[1, 0]))


def _weights(old: INT64, new: INT64) -> FLOAT:
    """Return (new, old) weights of an axis: Keys' filter of a = -0.5, rows summing to 1."""
    length, count = op.Squeeze(old), op.Squeeze(new)
    scale = op.Div(op.Cast(old, to=FLOAT.dtype), op.Cast(new, to=FLOAT.dtype))
    centres = op.Mul(_middles(count), scale)
    apart = op.Abs(op.Sub(_middles(length), op.Unsqueeze(centres, [1])))
    x = op.Div(apart, op.Max(scale, 1.0))
    near = op.Add(op.Mul(op.Mul(x, x), op.Sub(op.Mul(x, 1.5), 2.5)), 1.0)
    far = op.Add(op.Mul(x, op.Sub(op.Mul(x, op.Sub(2.5, op.Mul(x, 0.5))), 4.0)), 2.0)
    weights = op.Where(op.Less(x, 1.0), near, op.Where(op.Less(x, 2.0), far, 0.0))
    return op.Div(weights, op.ReduceSum(weights, [1], keepdims=1))


def _middles(count: INT64) -> FLOAT:
    """Return the coordinates of the middles of so many pixels."""
    return op.Add(op.Cast(op.Range(0, count, 1), to=FLOAT.dtype), 0.5)
