"""Files of a command are replaced by the same command alone, and only as it has left them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.errors import DataWarning, InputError
from stainless.own_files import OwnFiles


def written(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".stainless-")
    }


def refuses(own, name):
    with pytest.raises(InputError, match="was not written by an earlier `score`"):
        own.require([name])
    before = (own.folder / name).read_bytes()
    with pytest.raises(InputError), own.replacing(own.folder / name) as beside:
        beside.write_text("never")
    with pytest.raises(InputError):
        own.remove(name)
    with pytest.raises(InputError), own.growing(name):
        pass
    assert (own.folder / name).read_bytes() == before


def test_a_later_run_replaces_what_an_earlier_one_wrote(tmp_path):
    for text in ("one", "two", "two"):
        own = OwnFiles(tmp_path / "out", "score")
        own.require(["table.txt", "lot/a.png"])
        own.write_text("table.txt", text)
        own.write_text("lot/a.png", text)
    assert written(tmp_path / "out") == {"table.txt": "two", "lot/a.png": "two"}


def test_what_somebody_else_wrote_stays(tmp_path):
    (tmp_path / "a.png").write_text("mine")
    (tmp_path / "b.png").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere")
    own = OwnFiles(tmp_path, "score")
    refuses(own, "a.png")
    assert not own.owns("b.png") and not own.owns("link.png") and own.owns("c.png")


@pytest.mark.parametrize("change", ["changed", "wrote", "wrote and more", ""])
def test_what_was_changed_since_is_somebody_elses(tmp_path, change):
    OwnFiles(tmp_path, "score").write_text("a.png", "wrote!")
    (tmp_path / "a.png").write_text(change)
    refuses(OwnFiles(tmp_path, "score"), "a.png")


def test_a_file_of_another_command_stays(tmp_path):
    OwnFiles(tmp_path, "evaluate").write_text("table.txt", "a table")
    refuses(OwnFiles(tmp_path, "score"), "table.txt")


def test_the_same_content_elsewhere_is_not_its_own(tmp_path):
    OwnFiles(tmp_path, "score").write_text("a.png", "")
    (tmp_path / "b.png").write_text("")
    refuses(OwnFiles(tmp_path, "score"), "b.png")


def test_a_failed_write_leaves_the_older_file(tmp_path):
    own = OwnFiles(tmp_path, "score")
    own.write_text("a.png", "old")
    with pytest.raises(KeyboardInterrupt), own.replacing(tmp_path / "a.png") as beside:
        beside.write_text("new")
        raise KeyboardInterrupt
    assert written(tmp_path) == {"a.png": "old"}
    assert OwnFiles(tmp_path, "score").owns("a.png")


def test_a_growing_file_is_there_line_by_line_and_replaces_the_older_at_once(tmp_path):
    for run in ("first", "second"):
        own = OwnFiles(tmp_path, "score")
        with own.growing("verdicts.jsonl") as add:
            assert not (tmp_path / "verdicts.jsonl").exists()
            for number in range(3):
                add(f"{run} {number}")
                lines = (tmp_path / "verdicts.jsonl").read_text().splitlines()
                assert lines == [f"{run} {n}" for n in range(number + 1)]


def test_a_growing_file_that_was_cut_off_is_still_known(tmp_path):
    own = OwnFiles(tmp_path, "score")
    with pytest.raises(KeyboardInterrupt), own.growing("verdicts.jsonl") as add:
        add("one")
        add("two")
        raise KeyboardInterrupt
    assert written(tmp_path) == {"verdicts.jsonl": "one\ntwo\n"}
    with OwnFiles(tmp_path, "score").growing("verdicts.jsonl") as add:
        add("three")
    (tmp_path / "verdicts.jsonl").write_text("thr")
    refuses(OwnFiles(tmp_path, "score"), "verdicts.jsonl")


def test_a_record_that_was_cut_off_forgets_no_more_than_its_end(tmp_path):
    own = OwnFiles(tmp_path, "score")
    for name in ("a", "b", "c"):
        own.write_text(name, name)
    record = tmp_path / ".stainless-score.jsonl"
    record.write_bytes(record.read_bytes()[:-9] + b"\xff")
    own = OwnFiles(tmp_path, "score")
    assert [own.owns(name) for name in ("a", "b", "c")] == [True, True, False]
    own.write_text("a", "new")
    lines = record.read_text().splitlines()
    assert sorted(json.loads(line)["name"] for line in lines) == ["a", "a", "b"]
    for damage in (b"", b"[]\n3\nnull\n{}\n", b"\x00" * 40):
        record.write_bytes(damage)
        assert not OwnFiles(tmp_path, "score").owns("a")


def test_a_record_does_not_grow_with_the_runs(tmp_path):
    for number in range(9):
        OwnFiles(tmp_path, "score").write_text("a", str(number))
    record = (tmp_path / ".stainless-score.jsonl").read_text()
    assert len(record.splitlines()) == 2 and OwnFiles(tmp_path, "score").owns("a")


def test_a_name_that_is_no_utf8_is_known_again(tmp_path):
    name = b"sch\xf6n.png".decode(errors="surrogateescape")
    OwnFiles(tmp_path, "score").write_text(name, "x")
    assert OwnFiles(tmp_path, "score").owns(name)
    assert (tmp_path / name).is_file()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match=r"--out: .* is a file, expected a folder"):
        OwnFiles(tmp_path / "out", "score")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=40)), max_size=12))
def test_any_order_of_writing_is_remembered(tmp_path_factory, writes):
    folder = tmp_path_factory.mktemp("own")
    last = {}
    for name, data in writes:
        own = OwnFiles(folder, "score")
        with own.replacing(folder / name) as beside:
            beside.write_bytes(data)
        last[name] = data
    assert {name: (folder / name).read_bytes() for name in last} == last
    assert all(OwnFiles(folder, "score").owns(name) for name in "abc")


def test_what_a_run_does_not_write_goes_and_what_was_changed_stays(tmp_path):
    own = OwnFiles(tmp_path, "score")
    for name in ("a.png", "lot/1/b.png", "lot/c.png", "d.png"):
        own.write_text(name, name)
    (tmp_path / "lot/c.png").write_text("changed")
    (tmp_path / "mine.png").write_text("mine")
    (tmp_path / "d.png").unlink()
    again = OwnFiles(tmp_path, "score")
    with pytest.warns(DataWarning, match=r"c.png: is of an earlier `score`.* so it stays") as told:
        again.clear(["a.png"])
    assert len(told) == 1
    assert written(tmp_path) == {"a.png": "a.png", "lot/c.png": "changed", "mine.png": "mine"}
    assert not (tmp_path / "lot/1").exists()


def test_files_of_another_source_stay(tmp_path):
    OwnFiles(tmp_path, "export", "one").write_text("a.json", "1")
    for source in ("two", None):
        other = OwnFiles(tmp_path, "export", source)
        assert not other.owns("a.json") and other.owns("b.json")
    with pytest.raises(InputError, match="by an earlier `export` of two, or was changed since"):
        OwnFiles(tmp_path, "export", "two").require(["a.json"])
    OwnFiles(tmp_path, "export", "two").write_text("b.json", "2")
    OwnFiles(tmp_path, "export", "one").write_text("a.json", "3")
    assert written(tmp_path) == {"a.json": "3", "b.json": "2"}
