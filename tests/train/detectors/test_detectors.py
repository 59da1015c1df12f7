"""Every method that is discovered holds to the protocol; a new one is tried unasked."""

import pytest
import torch
from support.check_detector import check_detector, one_line, small_context

from train.detectors.detector import method, methods
from train.detectors.model_file import Model


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small pictures on several threads wait for each other more than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", methods())
def test_a_method_keeps_what_it_promises(name, tmp_path):
    settings = method(name).settings(**method(name).small)
    try:
        Model.new(name, settings, small_context())
    except Exception:
        # Its weights are not on this machine: it says which file to give, and is tried with one
        # of its own tests' making.
        assert "--weights" in one_line(lambda: Model.new(name, settings, small_context()))
        pytest.skip(f"{name} needs a weight file")
    check_detector(name, tmp_path)
