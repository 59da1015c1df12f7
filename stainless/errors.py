"""Bad input is one clear line and exit code 2, never a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

INTERRUPTED = 130

#: What a shell reports of a program that SIGPIPE ended.
CUT_SHORT = 141

#: What a write to a full, limited, read-only or broken disk says.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line that names the file, the key, the value and what was expected.
    """


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
