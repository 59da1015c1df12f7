"""Where the cells of a network's stages lie on the picture, and which layers follow one another.

A network runs once on a picture without values (torch's meta device: shapes only) while every
operation passes on which pixels a cell sees. What convolutions, pooling and padding do to that is
known exactly; an operation that keeps the grid passes it on; one that loses the grid, such as
attention, ends it. A gate that is one number a channel (squeeze-and-excitation) scales a cell and
is not counted as seeing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

#: Height and width of the picture without values: whole cells of every stage, and unlikely to be
#: taken for a number of channels.
PROBE = (32 * 11, 32 * 13)


@dataclass(frozen=True)
class Reach:
    """What the first cell of a grid sees along one axis.

    Attributes:
        low: its first pixel; negative within what the network pads.
        high: its last pixel.
        pitch: pixels between a cell and the next.
    """

    low: int
    high: int
    pitch: int

    def window(self, kernel: int, stride: int, before: int, dilation: int) -> Reach:
        """Return what a convolution's or a pooling's cell sees, with `before` cells padded."""
        return Reach(
            self.low - before * self.pitch,
            self.high + ((kernel - 1) * dilation - before) * self.pitch,
            self.pitch * stride,
        )

    def padded(self, before: int) -> Reach:
        """Return the reach after cells were put in front."""
        return Reach(self.low - before * self.pitch, self.high - before * self.pitch, self.pitch)

    @property
    def side(self) -> int:
        """Number of pixels."""
        return self.high - self.low + 1

    @property
    def centre(self) -> float:
        """Pixel coordinate of its middle."""
        return (self.low + self.high) / 2


#: Along the rows and along the columns.
Reaches = tuple[Reach, Reach]


@dataclass
class _Record:
    """What happened while a network ran: which outputs of convolutions were used how often."""

    uses: dict[str, int] = field(default_factory=dict)
    normalised: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Geometry:
    """What one run has shown.

    Attributes:
        stages: reach of each stage's first cell; None where its grid is lost.
        cells: rows and columns of each stage on a picture of `PROBE`.
        pairs: name of a convolution's weight to the name of the running mean of the batch
            normalisation which alone uses its output.
    """

    stages: list[Reaches | None]
    cells: list[tuple[int, ...]]
    pairs: dict[str, str]


class _Traced(Tensor):
    """A tensor that knows where its cells lie."""

    reaches: Reaches | None
    grid: tuple[int, ...]
    source: str | None
    record: _Record
    names: Mapping[int, str]

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = super().__torch_function__(func, types, args, kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            _follow(getattr(func, "__name__", ""), args, kwargs, result)
        return result


def trace(network: nn.Module) -> Geometry:
    """Run a network that returns a list of stages, and return what its cells see.

    Raises:
        Exception: whatever the network raises that cannot take a picture of this size.
    """
    state = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    shapes = {name: tensor.detach().to("meta") for name, tensor in state.items()}
    picture = torch.empty(1, 3, *PROBE, device="meta").as_subclass(_Traced)
    picture.reaches, picture.grid = (Reach(0, 0, 1),) * 2, PROBE
    picture.source, picture.record = None, _Record()
    picture.names = {id(tensor): name for name, tensor in shapes.items()}
    with torch.no_grad():
        outputs = torch.func.functional_call(network, shapes, (picture,))
    record = picture.record
    pairs = {weight: mean for weight, mean in record.normalised.items() if record.uses[weight] == 1}
    stages = [getattr(output, "reaches", None) for output in outputs]
    return Geometry(stages, [tuple(output.shape[-2:]) for output in outputs], pairs)


def _follow(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    """Tell the results of an operation where their cells lie."""
    inputs = [item for item in _tensors((args, kwargs)) if hasattr(item, "record")]
    outputs = [item for item in _tensors(result) if isinstance(item, _Traced)]
    if not inputs or not outputs:
        return
    record, names = inputs[0].record, inputs[0].names
    source = None
    for item in inputs:
        if item.source is not None:
            record.uses[item.source] = record.uses.get(item.source, 0) + 1
    if name == "batch_norm" and inputs[0].source is not None:
        mean = _argument(args, kwargs, 1, "running_mean", None)
        if id(mean) in names:
            record.normalised[inputs[0].source] = names[id(mean)]
    if name == "conv2d":
        source = names.get(id(_argument(args, kwargs, 1, "weight", None)))
        if source in record.uses:  # two convolutions share a weight
            record.uses[source] += 1
    moves = name in ("conv2d", "max_pool2d", "avg_pool2d", "pad")
    reaches = _window(name, args, kwargs, inputs[0].reaches) if moves else _union(inputs)
    grids = [item.grid for item in inputs if not _is_gate(item)]
    for output in outputs:
        output.record, output.names, output.source = record, names, source
        output.grid = tuple(output.shape[-2:]) if moves else (grids or [()])[0]
        # Axes may change their order; where both are still there, so are the cells.
        kept = moves or all(size in output.shape[1:] for size in output.grid)
        output.reaches = reaches if kept else None


def _window(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], reaches: Reaches | None
) -> Reaches | None:
    """Return where the cells of a convolution, a pooling or a padding lie."""
    if reaches is None:
        return None
    if name == "pad":
        sides = [*_argument(args, kwargs, 1, "pad", None), 0, 0][:4]
        return reaches[0].padded(sides[2]), reaches[1].padded(sides[0])
    if name == "conv2d":
        kernel = tuple(_argument(args, kwargs, 1, "weight", None).shape[-2:])
        places = {"stride": 3, "padding": 4, "dilation": 5}
    else:
        kernel = _pair(_argument(args, kwargs, 1, "kernel_size", None))
        places = {"stride": 2, "padding": 3, "dilation": 4 if name == "max_pool2d" else 99}
    stride = _argument(args, kwargs, places["stride"], "stride", None)
    padding = _argument(args, kwargs, places["padding"], "padding", 0)
    dilation = _pair(_argument(args, kwargs, places["dilation"], "dilation", 1))
    if not stride:  # a convolution's is one, a pooling's its kernel
        stride = 1 if name == "conv2d" else kernel
    if padding == "same":
        padding = [d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True)]
    padding = 0 if padding == "valid" else padding
    axes = zip(reaches, kernel, _pair(stride), _pair(padding), dilation, strict=True)
    rows, columns = (reach.window(*numbers) for reach, *numbers in axes)
    return rows, columns


def _union(inputs: list[_Traced]) -> Reaches | None:
    """Return what a cell sees that is made of the cells of several grids at its place."""
    grids = [item for item in inputs if not _is_gate(item)]
    if not grids or len({item.grid for item in grids}) > 1:
        return None
    axes = []
    for axis in (0, 1):
        reaches = [item.reaches[axis] for item in grids if item.reaches is not None]
        if len(reaches) < len(grids) or len({reach.pitch for reach in reaches}) > 1:
            return None
        low, high = min(r.low for r in reaches), max(r.high for r in reaches)
        axes.append(Reach(low, high, reaches[0].pitch))
    return axes[0], axes[1]


def _is_gate(item: Tensor) -> bool:
    """Return whether a tensor has one number a channel."""
    return sum(size > 1 for size in item.shape[1:]) <= 1


def _argument(
    args: tuple[Any, ...], kwargs: dict[str, Any], position: int, key: str, default: Any
) -> Any:
    return args[position] if len(args) > position else kwargs.get(key, default)


def _pair(value: Any) -> tuple[int, int]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    return values[0], values[-1]


def _tensors(tree: Any) -> list[Any]:
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, (tuple, list)):
        return [item for branch in tree for item in _tensors(branch)]
    return []
