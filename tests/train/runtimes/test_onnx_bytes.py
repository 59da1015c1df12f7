import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.runtimes.onnx_bytes import joined, split

onnx = pytest.importorskip("onnx")
TEXTS = st.dictionaries(st.text(max_size=20), st.text(max_size=300), max_size=3)


def network(entries):
    """A file as the library writes it."""
    helper = onnx.helper
    value = helper.make_tensor_value_info("x", 1, ["n"])
    node = helper.make_node("Identity", ["x"], ["y"])
    other = helper.make_tensor_value_info("y", 1, ["n"])
    model = helper.make_model(helper.make_graph([node], "g", [value], [other]))
    helper.set_model_props(model, entries)
    return model.SerializeToString()


@given(TEXTS)
def test_entries_are_read_as_the_library_wrote_them(entries):
    assert split(network(entries)) == (network({}), entries)


@given(TEXTS)
def test_entries_are_written_as_the_library_reads_them(entries):
    model = onnx.load_from_string(joined(network({}), entries))
    assert {entry.key: entry.value for entry in model.metadata_props} == entries
    onnx.checker.check_model(model)


@given(st.integers(1, 40))
def test_a_truncated_file_is_none(missing):
    data = joined(network({}), {"key": "x" * 50})
    with pytest.raises(ValueError):
        split(data[:-missing])
