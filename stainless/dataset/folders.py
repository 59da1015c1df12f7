"""Pictures in folders named by class, masks in folders beside them: MVTec AD and MVTec LOCO."""

from __future__ import annotations

from pathlib import Path

from stainless.dataset.folder_names import is_like_bad, is_like_good, meant_split
from stainless.dataset.left_masks import is_mask_folder, unmasked
from stainless.dataset.listing import Skipped, files_below, folders, is_image, list_images
from stainless.dataset.sample import GOOD, Sample
from stainless.dataset.text import composed
from stainless.errors import InputError


def pictures(place: Path, skipped: Skipped, deep: bool = True) -> list[Path]:
    """Return the pictures in (`deep`: and below) a folder, none of them a mask.

    Raises:
        InputError: there is no such folder, no picture in it, or a mask beside its picture.
    """
    if not place.is_dir():
        raise InputError(f"{place}: no such folder")
    paths = list_images(place, deep)
    skipped.add_unread(place, deep)
    if not paths:
        raise InputError(f"{place}: has no images (png, jpg, bmp, tif or webp)")
    _refuse_masks(paths)
    return paths


def _refuse_masks(paths: list[Path]) -> None:
    """Refuse masks among pictures: named as one of them with an ending, or in a folder of masks."""
    stems = {path.with_suffix("") for path in paths}
    names = {path.stem for path in paths if not _is_in_masks(path)}
    for path in paths:
        stem = unmasked(path.stem)
        if stem != path.stem and path.with_name(stem) in stems:
            raise InputError(f"{path}: is the mask of {stem}, expected it below ground_truth/")
        if _is_in_masks(path) and names & {stem, path.stem}:
            raise InputError(f"{path}: seems to be a mask, expected it below ground_truth/")


def _is_in_masks(path: Path) -> bool:
    return is_mask_folder(path.parent.name)


def read_plain(root: Path, folder: Path, skipped: Skipped) -> list[Sample]:
    """Return the pictures in and below a folder that has no splits; they are nominal.

    Raises:
        InputError: there are none, there is a dataset below, or masks of them lie beside the
            folder, in `root`.
    """
    paths = pictures(folder, skipped)
    names = {path.stem for path in paths}
    for other in folders(root) if folder != root else ():
        if is_mask_folder(other.name):
            for path in filter(is_image, files_below(other)):
                if names & {path.stem, unmasked(path.stem)}:
                    raise InputError(
                        f"{path}: seems to be the mask of a picture in {folder}, where all "
                        "pictures are taken for nominal; expected train/, test/ and ground_truth/"
                    )
    _refuse_classes(paths, folder)
    return [_sample(path, folder, GOOD, None, "train") for path in paths]


def _refuse_classes(paths: list[Path], folder: Path) -> None:
    """Refuse a plain folder whose folders are named as splits or as good and bad."""
    for path in paths:
        for name in path.relative_to(folder).parts[:-1]:
            if name == "ground_truth" or meant_split(name) is not None:
                raise InputError(
                    f"{path}: lies in a folder {name}/, expected a category or a plain folder of "
                    f"pictures in {folder}"
                )
    inner = {place for path in paths for place in path.parents if folder in place.parents}
    for place in sorted(inner):
        beside = [other for other in inner if other.parent == place.parent and other != place]
        if is_like_bad(place.name) or (is_like_good(place.name) and beside):
            raise InputError(
                f"{place}: seems to be a class of pictures, but all pictures in {folder} are taken "
                f"for nominal; expected {folder / 'train' / GOOD}/ for training and "
                f"{folder / 'test' / place.name}/ for testing"
            )


def read_nominal(place: Path, split: str, skipped: Skipped) -> list[Sample]:
    """Return the pictures of a split that holds nominal ones only: in good/, or right in `place`.

    Raises:
        InputError: there are none, or pictures of another class.
    """
    good = place / GOOD
    for other in folders(place):
        if other != good and list_images(other, deep=True):
            hint = f"; rename it to {GOOD}" if is_like_good(other.name) else ""
            name = "training" if split == "train" else split
            raise InputError(f"{other}: {name} images must be nominal, in {good}{hint}")
    if not good.is_dir():
        return [_sample(path, place, GOOD, None, split) for path in pictures(place, skipped, False)]
    note_loose(place, skipped)
    return [_sample(path, good, GOOD, None, split) for path in pictures(good, skipped)]


def note_stray(folder: Path, beside: tuple[str, ...], skipped: Skipped) -> None:
    """Note the pictures in folders of a category that are none of its splits, nor of `beside`."""
    for other in folders(folder):
        if other.name not in ("train", "test", "validation", "ground_truth", *beside):
            for path in filter(is_image, files_below(other)):
                skipped.add(path, f"it lies in no split of {folder} (train, test, validation)")


def note_loose(place: Path, skipped: Skipped) -> None:
    """Note the pictures that lie beside the folders of classes or splits."""
    for path in list_images(place):
        skipped.add(path, f"it lies in no folder of {place}")


def read_labelled(
    place: Path, truth: Path, split: str, skipped: Skipped, defects: Path | None
) -> list[Sample]:
    """Return the pictures in the folders of `place`, each with its mask in `truth`, if any.

    Args:
        place: its folders are classes; pictures may lie deeper.
        truth: its folders are classes; the mask of <class>/a/000.png is <class>/a/000_mask.png or
            <class>/a/000.png, or a folder <class>/a/000/ of masks. Where it holds no masks at all,
            defects are known by picture only.
        split: what the samples' names begin with.
        skipped: told of the pictures that are left out.
        defects: MVTec LOCO's defects_config.json.

    Raises:
        InputError: there are no pictures, or masks and pictures are not one to one.
    """
    if not place.is_dir():
        raise InputError(f"{place}: no such folder, so there is no {split} split")
    masks = _Masks(truth)
    samples = []
    for label_folder in folders(place):
        paths = list_images(label_folder, deep=True)
        skipped.add_unread(label_folder)
        _refuse_masks(paths)
        for path in paths:
            mask = masks.take(label_folder, path)
            if mask is None and label_folder.name != GOOD:
                _checkunmasked(path, label_folder, masks)
            samples.append(_sample(path, label_folder, label_folder.name, mask, split, defects))
    note_loose(place, skipped)
    masks.refuse_left(place)
    names = {sample.image.stem for sample in samples if not is_mask_folder(sample.label)}
    for sample in samples:
        is_class = sample.mask is not None or not is_mask_folder(sample.label)
        if not is_class and names & {sample.image.stem, unmasked(sample.image.stem)}:
            raise InputError(f"{sample.image}: seems to be a mask, expected it below {truth}")
    if not samples:
        raise InputError(f"{place}: has no images in folders named by class (good, ...)")
    return samples


def _checkunmasked(path: Path, label_folder: Path, masks: _Masks) -> None:
    like_good = is_like_good(label_folder.name)
    hint = f"if its pictures have no defect, rename {label_folder} to {GOOD}"
    if masks.any:
        wanted = masks.truth / path.relative_to(label_folder.parent).with_suffix("")
        raise InputError(
            f"{path}: has no mask; expected {wanted}_mask.png" + (f"; {hint}" if like_good else "")
        )
    if like_good:
        raise InputError(f"{label_folder}: counts as a class of defects; {hint}")


class _Masks:
    """The masks below a folder, each to be taken by its picture."""

    def __init__(self, truth: Path) -> None:
        self.truth = truth
        self._files: dict[str, list[Path]] = {}
        for path in files_below(truth) if truth.is_dir() else ():
            if is_image(path):
                self._files.setdefault(self._key(path.with_suffix("")), []).append(path)
        self.any = bool(self._files)
        self._in: dict[str, list[str]] = {}
        for key in self._files:
            self._in.setdefault(key.rpartition("/")[0], []).append(key)

    def _key(self, path: Path) -> str:
        return composed(path.relative_to(self.truth).as_posix())

    def take(self, label_folder: Path, picture: Path) -> Path | None:
        """Return the mask, or folder of masks, of a picture; None without one."""
        below = picture.relative_to(label_folder.parent).with_suffix("").as_posix()
        name = composed(below)
        found: list[Path] = []
        for key in (f"{name}_mask", name):
            found += self._files.pop(key, [])
        inside = [path for key in self._in.get(name, ()) for path in self._files.pop(key, ())]
        if inside:
            found.append(inside[0].parent)
        if len(found) > 1:
            raise InputError(f"{picture}: has two masks, {found[0]} and {found[1]}; expected one")
        return found[0] if found else None

    def refuse_left(self, place: Path) -> None:
        """Refuse masks that no picture took."""
        if self._files:
            mask = min(path for paths in self._files.values() for path in paths)
            where = place / mask.relative_to(self.truth).parent
            raise InputError(f"{mask}: mask without an image of its name in {where}")


def _sample(
    image: Path,
    folder: Path,
    label: str,
    mask: Path | None,
    split: str,
    defects: Path | None = None,
) -> Sample:
    name = f"{split}/{label}/{image.relative_to(folder).with_suffix('').as_posix()}"
    return Sample(image, label, mask, name, name, defects=defects if mask is not None else None)
