"""What the documents point to is there: files, modules that are run, scenes and experiments."""

import re

import pytest
from support.tracked import ROOT, project_files

DOCUMENTS = project_files(".md")


def pointed(text):
    """Return what a document points to, as paths relative to it and to the project."""
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    beside = {link for link in links if link and "://" not in link}
    modules = re.findall(r"python -m ((?:stainless|impurities|render|train|exchange)[\w.]*)", text)
    below = {module.replace(".", "/") + ".py" for module in modules}
    below |= set(re.findall(r"\b(?:scenes|train|render)/[\w/]+\.(?:yaml|py)\b", text))
    return beside, below


def missing(path, text):
    """Return what a document points to in vain."""
    beside, below = pointed(text)
    # A package is run by its `__main__`.
    gone = {
        name
        for name in below
        if not (ROOT / name).exists()
        and not (ROOT / name.removesuffix(".py") / "__main__.py").exists()
    }
    return gone | {link for link in beside if not (path.parent / link).exists()}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_points_to_what_is_there(path):
    assert missing(path, path.read_text(encoding="utf-8")) == set()


def test_what_is_gone_is_found():
    text = "[a](docs/none.md) [b](https://x.y/z) `python -m train.none --config scenes/none.yaml`"
    assert missing(ROOT / "README.md", text) == {
        "docs/none.md",
        "train/none.py",
        "scenes/none.yaml",
    }
    assert missing(ROOT / "README.md", "`python -m render.generate` [c](docs#d)") == set()
