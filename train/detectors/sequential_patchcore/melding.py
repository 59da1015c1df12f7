"""One coreset of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.epoch import Epoch


def meld(
    coresets: Sequence[Coreset],
    size: int | None = None,
    *,
    passes: int = 100,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Coreset:
    """Return a coreset of the members of others; these stay as they are.

    The members are the stream, in the order of the arguments, shown until nothing changes.

    Args:
        coresets: one or more of the same identity.
        size: of the result; None for the size of the first one.
        passes: largest number of passes.
        on_epoch: called after each pass.

    Raises:
        InputError: a coreset of another identity, or nothing to meld.
    """
    first = coresets[0]
    for number, coreset in enumerate(coresets):
        first.require(coreset.identity, f"coreset {number + 1} of {len(coresets)}")
    melded = Coreset(
        first.size if size is None else size, identity=first.identity, device=first.device
    )
    stream = [
        (coreset.members, *melded.notes.include(coreset.notes, len(coreset)))
        for coreset in coresets
    ]
    melded.notes.weights = dict(first.notes.weights)
    records = melded.fit(lambda: stream, passes, on_epoch=on_epoch)
    melded.history = [
        {
            "event": "meld",
            "sources": [
                {"members": len(coreset), "history": coreset.history} for coreset in coresets
            ],
            "passes": [asdict(record) for record in records],
            "converged": records[-1].converged,
        }
    ]
    return melded
