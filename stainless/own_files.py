"""A command replaces no file but those that an earlier run of it has written and nobody changed.

A folder of results keeps a record, `.stainless-<command>.jsonl`, with the length and the SHA-256
of every file that the command has written there. What is not in it, or is no longer what was
written, is somebody else's.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from stainless.errors import DataWarning, InputError
from stainless.files import is_below, naming, replacing, write_text
from stainless.json_text import parse

_CHUNK = 1 << 20


class OwnFiles:
    """The files of a command in a folder of results.

    Args:
        folder: of the results; it need not be there yet.
        command: name of the command.
        source: what the files are made of, where those of another source stay as well.

    Raises:
        InputError: the folder is a file.
    """

    def __init__(self, folder: Path, command: str, source: str | None = None) -> None:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"--out: {folder} is a file, expected a folder")
        self.folder = folder
        self.command = command
        self.source = source
        self._record = folder / f".stainless-{command}.jsonl"
        self._known: dict[str, list[dict[str, Any]]] = {}
        self._opened = False
        for entry in _entries(self._record):
            self._known.setdefault(entry["name"], []).append(entry)

    def owns(self, name: str) -> bool:
        """Tell whether a file may be replaced: it is not there, or the command wrote it so."""
        path = self.folder / name
        if not path.exists() and not path.is_symlink():
            return True
        own = (e for e in self._known.get(name, ()) if e.get("source") == self.source)
        return path.is_file() and any(_fits(path, entry) for entry in own)

    def require(self, names: Iterable[str]) -> None:
        """Refuse to replace what is not the command's own.

        Args:
            names: of the files to be written, as paths from the folder.

        Raises:
            InputError: names the first file that is somebody else's.
        """
        for name in names:
            if not self.owns(name):
                source = f" of {self.source}" if self.source is not None else ""
                raise InputError(
                    f"{self.folder / name}: was not written by an earlier `{self.command}`{source},"
                    " or was changed since, so it is not replaced; move it away or choose another "
                    "folder"
                )

    def remove(self, name: str) -> None:
        """Remove a file of an earlier run, if it is there; raises as `require`."""
        self.require([name])
        (self.folder / name).unlink(missing_ok=True)

    def adopt(self, names: Iterable[str]) -> None:
        """Take files that are there for the command's own, if the folder has no record yet.

        For a folder that is known to be the command's, from before it kept a record.

        Args:
            names: of the files.
        """
        if self._record.exists():
            return
        for name in names:
            if (self.folder / name).is_file():
                size, digest = _measured(self.folder / name)
                self._known[name] = [{"name": name, "size": size, "sha256": digest}]

    def clear(self, keep: Iterable[str]) -> None:
        """Remove the files of earlier runs that this one does not write.

        What was changed since stays, and a `DataWarning` tells it.

        Args:
            keep: names of this run's files.
        """
        for name in sorted({*self._known} - {*keep}):
            path = self.folder / name
            if not self.owns(name):
                warnings.warn(
                    f"{path}: is of an earlier `{self.command}`, not of this one, but was changed "
                    "since, so it stays",
                    DataWarning,
                    stacklevel=2,
                )
                continue
            path.unlink(missing_ok=True)
            del self._known[name]
            for folder in path.parents:
                if folder == self.folder or not folder.is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()

    @contextmanager
    def replacing(self, path: Path) -> Iterator[Path]:
        """Do as `stainless.files.replacing` with a file in the folder; raises as `require`."""
        name = path.relative_to(self.folder).as_posix()
        self.require([name])
        with replacing(path) as beside:
            yield beside
            size, digest = _measured(beside)
            # Before the file takes its place: a run that is killed between knows it all the same.
            self._note({"name": name, "size": size, "sha256": digest})

    def write_text(self, name: str, text: str) -> None:
        """Write a file atomically, as `stainless.files.write_text`; raises as `require`."""
        self.write_bytes(name, text.encode(errors="backslashreplace"))

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a file atomically; raises as `require`."""
        with self.replacing(self.folder / name) as beside:
            beside.write_bytes(data)

    @contextmanager
    def growing(self, name: str) -> Iterator[Callable[[str], None]]:
        """Yield what adds a line to a new file; each is on disk for others before it returns.

        A file of an earlier run is removed at once. It is known again by its first line, since a
        run may be killed after any.

        Raises:
            InputError: as `require`.
        """
        self.remove(name)
        file: BinaryIO | None = None

        def add(line: str) -> None:
            nonlocal file
            data = f"{line}\n".encode()
            path = self.folder / name
            with naming(path):
                if file is None:
                    digest = hashlib.sha256(data).hexdigest()
                    self._note({"name": name, "size": len(data), "sha256": digest, "grows": True})
                    file = path.open("xb", buffering=0)
                file.write(data)

        try:
            yield add
        finally:
            if file is not None:
                file.close()

    def _note(self, entry: dict[str, Any]) -> None:
        if self.source is not None:
            entry["source"] = self.source
        known = self._known.setdefault(entry["name"], [])
        if known[-1:] == [entry]:
            return
        known.append(entry)
        # The file is what was noted last or, after a kill before it took its place, before that.
        del known[:-2]
        if not self._opened:
            # What a killed run has left may end in the middle of a line.
            lines = [_line(known) for entries in self._known.values() for known in entries]
            write_text(self._record, "".join(lines))
            self._opened = True
            return
        with naming(self._record), self._record.open("ab") as record:
            record.write(_line(entry).encode())


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry) + "\n"


def _entries(record: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of a record; a line that is none, such as half a line, is passed over."""
    if not record.is_file():
        return
    for line in record.read_bytes().splitlines():
        try:
            entry = parse(line)
            known = {key: entry[key] for key in ("name", "size", "sha256")}
            is_ours = is_below(known["name"]) and type(known["size"]) is int
        except (ValueError, KeyError, TypeError):
            continue
        if not is_ours:
            # The folder may be a stranger's, who would have us remove what is not in it.
            continue
        yield known | {key: entry[key] for key in ("grows", "source") if key in entry}


def _fits(path: Path, entry: dict[str, Any]) -> bool:
    """Tell whether a file is what an entry says, or begins with it if it grows."""
    size = path.stat().st_size
    if size < entry["size"] or (size > entry["size"] and not entry.get("grows")):
        return False
    return _measured(path, entry["size"])[1] == str(entry["sha256"])


def _measured(path: Path, limit: int | None = None) -> tuple[int, str]:
    """Return length and SHA-256 of a file, or of its first bytes."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK if limit is None else min(_CHUNK, limit - size)):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
