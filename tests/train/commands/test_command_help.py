"""Help and lists need nothing heavy; a wrong command line is one line."""

import subprocess
import sys

import pytest
from support.command_lines import refused

COMMANDS = [
    "fit",
    "methods",
    "meld",
    "threshold",
    "evaluate",
    "score",
    "members",
    "forget",
    "promise",
    "strip",
    "cover",
]


def test_help_imports_neither_torch_nor_bpy():
    code = (
        "import sys\n"
        "from stainless import cli\n"
        f"for words in [[], *[[name] for name in {COMMANDS}]]:\n"
        "    try:\n"
        "        cli.main([*words, '--help'])\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0\n"
        "assert cli.main(['methods']) == 0\n"
        "assert cli.main(['fit', '--method', 'sequential_patchcore', '--keys']) == 0\n"
        "heavy = {'torch', 'bpy', 'anomalib', 'timm', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"usage: stainless {name}" in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_module_form_is_the_same_command(name):
    words = [sys.executable, "-m", f"train.commands.{name}", "--help"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0 and f"usage: stainless {name}" in done.stdout


def test_a_wrong_command_line_is_one_line(capsys):
    assert "required: command" in refused(capsys)
    assert "--category" in refused(capsys, "fit", "--data", "x", "--out", "y")
    assert "invalid choice" in refused(capsys, "paint")
