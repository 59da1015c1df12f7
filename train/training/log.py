"""Scalars for TensorBoard, if they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stainless.errors import InputError


class Log:
    """Writes scalars to a folder; without a folder it does nothing and imports nothing.

    Args:
        folder: of the event files; None for none.
        step: what a continued training begins with: what an interrupted one wrote beyond is void.

    Raises:
        InputError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path | None, step: int) -> None:
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise InputError("scalars for TensorBoard: pip install tensorboard") from None
        self._writer = SummaryWriter(str(folder), purge_step=step or None)

    def write(self, step: int, group: str, numbers: Mapping[str, float]) -> None:
        """Write the numbers of a step below the name of their group."""
        if self._writer is not None:
            for name, value in numbers.items():
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()
