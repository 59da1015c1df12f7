"""Models that a method combines: read from files, or fitted on the spot, and kept in its own state.

A file is fitted once, by itself, and serves every model that is made of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from stainless.config import plain
from stainless.errors import InputError
from train.detectors.detector import Arrays, Context, Metadata, Pretrained, Trainset
from train.detectors.fitting import fit_file
from train.detectors.member_words import chosen, is_model_file
from train.detectors.model_file import Model, Stored, read
from train.detectors.request import describe


@dataclass(frozen=True)
class Member:
    """One model among those that are combined.

    Attributes:
        name: its method, with a number where several are of it.
        model: what it has learned.
        origin: SHA-256 of its file, or the word by which it was fitted on the spot.
    """

    name: str
    model: Model
    origin: str


@dataclass(frozen=True)
class Candidate:
    """A model that is to be combined, before anything is fitted.

    Attributes:
        word: that names it.
        method: name of its method.
        stored: what its file holds; None of one that is fitted on the spot.
    """

    word: str
    method: str
    stored: Stored | None


def gather(
    words: Sequence[str],
    trainsets: Sequence[Trainset],
    context: Context,
    key: str,
    require: Callable[[Candidate], None],
) -> list[Member]:
    """Return the models of a setting `members`; those that are not there yet are fitted.

    Args:
        words: see `member_words`.
        trainsets: what is learned from.
        context: of the whole fit; an interrupted one goes on among the members, too.
        key: what the setting is below, for messages.
        require: raises an InputError for what cannot be combined, before hours of work.

    Raises:
        InputError: a file that is no model or was fitted to other categories, or as a fit.
    """
    listing = describe(trainsets, context)["listing"]
    candidates = [_candidate(word, key) for word in words]
    for candidate in candidates:
        require(candidate)
        if candidate.stored is not None:
            _compare_pictures(candidate.stored, listing, trainsets, context)
    folder = context.checkpoint
    members: list[Member] = []
    with TemporaryDirectory() if folder is None else nullcontext(folder) as kept:
        for number, candidate in enumerate(candidates):
            own = _own(context, number, candidate.word)
            stored, origin = candidate.stored, candidate.word
            if stored is None:
                name, settings = chosen(candidate.word, key)
                path = Path(kept) / f"member_{number}.safetensors"
                fit_file(path, name, settings, trainsets, own)
                stored = read(path)
            else:
                origin = hashlib.sha256(stored.path.read_bytes()).hexdigest()
            name = _numbered(candidate.method, members)
            members.append(Member(name, stored.open(own), origin))
    return members


def _candidate(word: str, key: str) -> Candidate:
    if not is_model_file(word):
        return Candidate(word, chosen(word, key)[0], None)
    if not Path(word).is_file():
        raise InputError(f"{key}.members: {word}, no such file")
    stored = read(Path(word))
    return Candidate(word, stored.method, stored)


def _compare_pictures(
    stored: Stored, listing: str, trainsets: Sequence[Trainset], context: Context
) -> None:
    """Refuse a model of other categories than what is learned from; warn of one of other pictures.

    Other pictures of the same category are no mistake where a member takes every Nth of them.
    """
    fits = stored.metadata.get("fits", [])
    if not fits or any(fit.get("listing") == listing for fit in fits):
        return
    before = fits[-1]
    names = [trainset.name for trainset in trainsets]
    then, now = ", ".join(before["datasets"]), ", ".join(names)
    if set(before["datasets"]) != set(names):
        raise InputError(
            f"{stored.path}: was fitted to {then}, expected {now}, which the ensemble learns from"
        )
    learned = sum(len(trainset.samples) for trainset in trainsets)
    context.warn(
        f"{stored.path}: was fitted to other pictures of {then} ({sum(before['images'])}) than "
        f"the ensemble learns from ({learned})"
    )


def _own(context: Context, number: int, name: str) -> Context:
    """Return the context of a member."""
    return replace(
        context,
        features=None,
        checkpoint=None,
        save=lambda: None,
        warn=lambda line: context.warn(f"{name}: {line}"),
        base=None,
        log=context.log / f"member_{number}" if context.log is not None else None,
    )


def _numbered(name: str, members: Sequence[Member]) -> str:
    """Return a name that no member has yet."""
    same = sum(member.model.method == name for member in members)
    return f"{name} {same + 1}" if same else name


def packed(members: Sequence[Member]) -> tuple[Arrays, list[Metadata]]:
    """Return members as a state: arrays, and what JSON can hold."""
    arrays: Arrays = {}
    described = []
    for number, member in enumerate(members):
        model = member.model
        own, state = model.detector.state()
        arrays |= {f"member_{number}.{name}": array for name, array in own.items()}
        described.append(
            {
                "name": member.name,
                "origin": member.origin,
                "method": model.method,
                "settings": plain(asdict(model.settings)),
                "state": state,
                "metadata": model.metadata,
                "thresholds": model.thresholds,
                "calibration": model.calibration,
            }
        )
    return arrays, described


def unpacked(arrays: Arrays, described: Sequence[Metadata], context: Context) -> list[Member]:
    """Return the members of a state.

    Raises:
        InputError: it is damaged, or a member needs weights that are not here.
    """
    members = []
    for number, entry in enumerate(described):
        start = f"member_{number}."
        own = {
            name.removeprefix(start): array
            for name, array in arrays.items()
            if name.startswith(start)
        }
        known = {key: entry[key] for key in entry if key not in ("name", "origin")}
        stored = Stored(path=Path(entry["name"]), arrays=own, **known)
        model = stored.open(_own(context, number, entry["name"]))
        members.append(Member(entry["name"], model, entry["origin"]))
    return members


def pretrained(members: Sequence[Member]) -> list[Metadata]:
    """Return the published weights that members need, each once."""
    found: list[Metadata] = []
    for member in members:
        detector = member.model.detector
        if isinstance(detector, Pretrained):
            found += [weights for weights in detector.pretrained() if weights not in found]
    return found
