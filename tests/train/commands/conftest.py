"""What the tests of the commands share; the model and the dataset are only read."""

import pytest
import torch
from support.command_lines import brushed, write, write_test_split

from stainless import cli


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small images on several threads wait for each other more than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for number in range(3):
        write(root / f"plate/train/good/{number}.png", brushed(number))
        write(root / f"turned/train/good/{number}.png", brushed(50 + number).T)
    write_test_split(root / "plate", 100)
    write_test_split(root / "validation/plate", 200)
    return root


@pytest.fixture(scope="session")
def model(data, one_thread, tmp_path_factory):
    """A model with a threshold, as the commands make it."""
    path = tmp_path_factory.mktemp("model") / "plate.safetensors"
    where = ["--data", str(data), "--category", "plate"]
    assert cli.main(["fit", *where, "--out", str(path), "--size", "200", "--epochs", "3"]) == 0
    assert cli.main(["threshold", "--model", str(path), *where, "--split", "validation"]) == 0
    return path
