"""Exit codes, and one line for what the user can mend."""

import errno
import os
import subprocess
import sys
import warnings

import pytest

from stainless.errors import DataWarning, InputError, guarded


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_a_commands_own_exit_code(returned, code, capsys):
    assert guarded(lambda: returned) == code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            InputError("a.yaml: seed: 'x',\n  expected\ta number"),
            "a.yaml: seed: 'x', expected a number",
        ),
        (FileNotFoundError(2, "No such file or directory", "a"), "a: no such file or directory"),
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y: permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), "cannot write: no space left on device"),
        (OSError(errno.EFBIG, "File too large"), "cannot write: file too large"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_code_2(error, line, capsys):
    assert guarded(raising(error), "tool") == 2
    assert capsys.readouterr() == ("", f"tool: error: {line}\n")


@pytest.mark.parametrize("error", [ValueError("ours"), OSError(errno.EBADF, "Bad descriptor")])
def test_a_defect_of_ours_is_not_hidden(error):
    with pytest.raises(type(error)):
        guarded(raising(error))


def test_an_interrupt_is_code_130(capsys):
    assert guarded(raising(KeyboardInterrupt()), "tool") == 130
    assert capsys.readouterr().err == "tool: interrupted; the same command resumes\n"


@pytest.mark.parametrize(("raised", "code"), [(None, 0), (0, 0), (5, 5), ("said", 1)])
def test_a_system_exit_becomes_a_code(raised, code):
    assert guarded(raising(SystemExit(raised))) == code


def test_a_reader_that_has_seen_enough_is_no_crash():
    script = (
        "import sys; from stainless.errors import guarded\n"
        "def speak():\n"
        "    while True: print('x' * 1000, flush=True)\n"
        "sys.exit(guarded(speak))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "gr\u00fcn\udcff \u4f60.png".encode(errors="surrogateescape")),
        ("cp1252", "gr\u00fcn".encode("cp1252") + b"\xff \\u4f60.png"),
        ("ascii", b"gr\\xfcn\xff \\u4f60.png"),
    ],
)
def test_output_never_dies_of_a_character(encoding, expected):
    code = (
        "import sys\nfrom stainless.errors import InputError, guarded\n"
        "name = b'gr\\xc3\\xbcn\\xff \\xe4\\xbd\\xa0.png'.decode(errors='surrogateescape')\n"
        "def command():\n    print(name)\n    raise InputError(name)\n"
        "sys.exit(guarded(command))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 2
    assert done.stdout == expected + b"\n"
    assert done.stderr == b"stainless: error: " + expected + b"\n"


def test_a_data_warning_is_one_line_and_said_once(capsys):
    def command():
        for _ in range(2):
            warnings.warn("plate: one page\n of two", DataWarning, stacklevel=1)
        warnings.warn("not ours", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="not ours") as others:
        assert guarded(command) == 0
    assert len(others) == 1
    assert capsys.readouterr().err == "stainless: warning: plate: one page of two\n"
