"""Frozen networks whose weights no package carries: they come from a file that the user gives.

Nothing is ever fetched. A method without its file refuses in one line that says which it needs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import timm
from timm.models import register_model
from torch import nn

from stainless.errors import InputError
from train.backbones.weights import read_state
from train.detectors.anomalib.detector import Adapter

#: timm adds to it what it registers, or makes one that holds nothing else.
__all__ = ["OnWeightFile", "fill", "hub_file", "transformer_from"]

S = TypeVar("S", bound=Any)

_WEIGHTS: ContextVar[Path] = ContextVar("weights")


class OnWeightFile(Adapter[S]):
    """A method whose frozen network needs a weight file."""

    @abstractmethod
    def published(self) -> tuple[str, str]:
        """Return the name of the network, and which published file holds its weights.

        Raises:
            InputError: there is no such network.
        """

    def weight_file(self) -> Path | None:
        """Return the file that was given.

        Raises:
            InputError: none was given, or it is not there.
        """
        network, source = self.published()
        given = self.context.weights or self.settings.weights
        if given is None:
            raise InputError(
                f"{self.NAME}: needs the weights of {network}; download {source} and give it with "
                f"--weights FILE or --{self.NAME}.weights FILE"
            )
        path = Path(given)
        if not path.is_file():
            raise InputError(f"{path}: no such weight file")
        return path

    @property
    def file(self) -> Path:
        """The weight file."""
        assert self.weights is not None
        return self.weights


def hub_file(option: str, architecture: str) -> tuple[str, str]:
    """Return the name of a network of timm's, and the published file of its weights.

    Args:
        option: that named the network.
        architecture: as timm names it.

    Raises:
        InputError: timm knows none of that name.
    """
    if not timm.is_model(architecture):
        raise InputError(f"{option}: {architecture}, expected a network that timm knows")
    known = timm.models.get_pretrained_cfg(architecture)
    if known is None or not known.hf_hub_id:
        return architecture, "a state file of it"
    return architecture, f"model.safetensors of huggingface.co/{known.hf_hub_id}"


def fill(module: nn.Module, path: Path, network: str) -> None:
    """Give a module its tensors from a weight file, which may hold others beside them.

    Raises:
        InputError: the file does not hold them all.
    """
    state, target = read_state(path), module.state_dict()
    for name, tensor in target.items():
        given = state.get(name)
        if given is not None and given.shape == tensor.shape:
            target[name] = given
        elif not name.endswith("num_batches_tracked"):
            raise InputError(f"{path}: does not hold the weights of {network} (at {name})")
    module.load_state_dict(target)


@contextmanager
def transformer_from(encoder: str, path: Path) -> Iterator[str]:
    """Yield a name by which anomalib's models build a transformer with the weights of a file.

    Raises:
        InputError: the file does not hold them.
    """
    name = f"stainless_{encoder}"
    if not timm.is_model(name):

        def build(pretrained: bool = False, pretrained_cfg: Any = None, **options: Any) -> Any:
            del pretrained, pretrained_cfg
            options = {key: value for key, value in options.items() if value is not None}
            file = {"file": str(_WEIGHTS.get())}
            return timm.create_model(
                encoder, pretrained=True, pretrained_cfg_overlay=file, **options
            )

        build.__name__ = name
        register_model(build)
    token = _WEIGHTS.set(path)
    read_state(path)
    try:
        yield name
    except (RuntimeError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: does not hold the weights of {encoder} ({reason})") from None
    finally:
        _WEIGHTS.reset(token)
