"""The list of files in CONTRIBUTING names what is there, and every folder that is no plug-in's."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TREES = ("stainless", "impurities", "render", "train", "exchange")


def listed(text):
    """Return the paths that the first block of a text lists, and which of them hold plug-ins."""
    paths, plugged, folders = [], set(), {}
    for line in text.split("```")[1].strip("\n").split("\n"):
        depth = (len(line) - len(line.lstrip())) // 2
        names = line.strip().split("  ")[0].split()
        parent = folders.get(depth - 1, Path())
        for name in names:
            if name == "*":
                plugged.add(paths[-1])
                continue
            paths.append(parent / name.rstrip("/"))
            if name.endswith("/"):
                folders[depth] = paths[-1]
    return paths, plugged


def test_all_that_is_listed_is_there():
    paths, plugged = listed(TEXT)
    assert len(paths) > 60
    assert Path("train/detectors") in plugged
    assert [str(path) for path in paths if not (ROOT / path).exists()] == []


def test_no_folder_is_missing():
    paths, plugged = listed(TEXT)
    folders = {
        path.parent.relative_to(ROOT)
        for tree in TREES
        for path in (ROOT / tree).rglob("*")
        if path.suffix in (".py", ".js") and "__pycache__" not in path.parts
    }
    hidden = {folder for folder in folders if plugged & set(folder.parents)}
    assert Path("impurities/sticker") in hidden
    assert sorted(map(str, folders - set(paths) - hidden)) == []


def test_a_listed_file_that_is_gone_and_a_folder_that_is_not_listed_are_found():
    paths, plugged = listed("```\na/ *   what\n  b.py c/   both\n    d.py  e\nf/\n```")
    assert [str(path) for path in paths] == ["a", "a/b.py", "a/c", "a/c/d.py", "f"]
    assert plugged == {Path("a")}
