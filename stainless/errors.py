"""Bad input is one clear line and exit code 2, never a traceback."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

INTERRUPTED = 130

#: What a shell reports of a program that SIGPIPE ended.
CUT_SHORT = 141

#: What a write to a full, limited, read-only or broken disk says.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line that names the file, the key, the value and what was expected.
    """


class DataWarning(UserWarning):
    """What the user gave can be used, but perhaps not as it was meant; one line, as an error's."""


def _survive(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write a character that an encoding lacks: a byte of a file name as itself, else escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


#: How text is written that must not fail: names that are no UTF-8 come out as they are on disk.
SURVIVE = "stainless.survive"
codecs.register_error(SURVIVE, _survive)


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Let no output die of a character, and show a `DataWarning` as one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SURVIVE)
    with warnings.catch_warnings():
        warnings.simplefilter("default", DataWarning)
        show = warnings.showwarning

        def show_line(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, DataWarning):
                print(f"{name}: warning: {' '.join(str(message).split())}", file=sys.stderr)
            else:
                show(message, category, filename, lineno, file, line)

        warnings.showwarning = show_line
        yield


def explain(error: BaseException) -> str | None:
    """Return the one line for an error that the user can mend, or None for a defect of ours."""
    if isinstance(error, InputError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or type(error).__name__).lower()}"
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return f"cannot write: {(error.strerror or '').lower()}"
    if isinstance(error, MemoryError):
        return f"not enough memory: {' '.join(str(error).split()).lower() or 'ask for less'}"
    return None


def guarded(command: Callable[[], int | None], name: str = "stainless") -> int:
    """Run a command and turn what the user can mend into one line on stderr.

    Args:
        command: the work; returns an exit code, None meaning 0.
        name: what the line starts with.

    Returns:
        The exit code: the command's own, 2 for bad input, 130 for an interrupt, 141 where nobody
        reads what it prints.
    """
    try:
        with speaking(name):
            return command() or 0
    except SystemExit as end:
        # Blender goes on after a SystemExit and quits with 0: a code is returned, never raised.
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        print(f"{name}: interrupted; the same command resumes", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python's own last flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return CUT_SHORT
    except (InputError, OSError, MemoryError) as error:
        line = explain(error)
        if line is None:
            raise
        print(f"{name}: error: {line}", file=sys.stderr)
        return 2
