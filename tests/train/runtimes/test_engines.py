"""The same scores by every runtime, whatever the size of pictures and batches."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.check_detector import samples

from stainless.errors import InputError
from train.anomaly_map import _traced, smoothing_matrix
from train.detectors.exportable import Exportable
from train.detectors.model_file import Model
from train.regions import explained_regions
from train.runtimes import engine as engine_module
from train.runtimes.contract import Comparison
from train.runtimes.detector import open_exported
from train.runtimes.engine import engine, engines
from train.runtimes.references import texture
from train.verdicts.decision import decide

EXAMPLES = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def both(request, model, exported):
    """The model by PyTorch, and by a runtime."""
    pytest.importorskip(request.param)
    return Model.load(model), open_exported(exported, request.param)


@EXAMPLES
@given(st.integers(40, 150), st.integers(40, 150), st.integers(1, 5), st.integers(0, 1 << 30))
def test_the_contract_is_kept_for_any_size_and_batch(both, height, width, count, seed):
    torch_model, exported_model = both
    pictures = [texture(height, width, seed + number) for number in range(count)]
    comparison = Comparison(decide(torch_model.thresholds))
    expected = torch_model.detector.score(pictures)
    for wanted, found in zip(expected, exported_model.detector.score(pictures), strict=True):
        comparison.add(wanted, found)
        assert found.map.shape == (height, width) and found.map.dtype == np.float32
    assert comparison.held and comparison.map_share <= 1, comparison.line()
    assert comparison.pictures == count


def test_a_picture_that_was_learned_is_near_to_nothing(both):
    picture = samples([0])[0].load()
    (wanted,), (found,) = (m.detector.score([picture]) for m in both)
    learned = wanted.detail["distances"] == 0
    # Features differ by their last digits; a formula that cancels would be off by a hundred times.
    assert learned.sum() > 100
    assert found.detail["distances"][learned].max() < 1e-4


def test_regions_are_explained_alike(both):
    picture = texture(70, 90, 5)
    regions = []
    for known in both:
        (score,) = known.detector.score([picture])
        regions.append(explained_regions(known.detector, score, float(score.map.max()) * 0.9))
    assert [r["nearest"]["image"] for r in regions[0]] == [
        r["nearest"]["image"] for r in regions[1]
    ]
    assert list(regions[0][0]["nearest"]) == list(regions[1][0]["nearest"])
    assert regions[0][0]["nearest"]["patch"] == regions[1][0]["nearest"]["patch"]
    assert regions[1][0]["nearest"]["distance"] == pytest.approx(
        regions[0][0]["nearest"]["distance"], rel=1e-4
    )


def test_batches_of_several_sizes_keep_their_order(both):
    sizes = [(60, 70)] * 10 + [(44, 50), (60, 70)]
    pictures = [texture(*size, seed) for seed, size in enumerate(sizes)]
    scores = [known.detector.score(pictures) for known in both]
    assert np.allclose([s.value for s in scores[0]], [s.value for s in scores[1]], rtol=1e-4)
    assert [s.map.shape for s in scores[1]] == sizes


def test_pictures_that_are_too_small_are_one_line(both):
    least = both[1].detector.file.smallest
    for known in both:
        with pytest.raises(InputError, match=f"too small.*{least} pixels"):
            known.detector.score([texture(least - 1, 90, 0)])


@given(
    st.integers(1, 90),
    st.integers(1, 12),
    st.sampled_from([-3.5, 0.0, 7.5, 15.5]),
    st.sampled_from([1, 4, 8, 14, 5.3]),
    st.sampled_from([1, 2, 15, 16, 33]),
)
def test_the_traced_matrix_is_the_one_of_numpy(pixels, cells, first, pitch, kernel_px):
    wanted = smoothing_matrix(pixels, cells, first, pitch, 2.5, kernel_px)
    found = _traced(pixels, cells, first, pitch, 2.5, kernel_px).numpy()
    assert np.abs(found - wanted).max() < 3e-7 * 32


def test_runtimes_are_found_and_missing_ones_are_one_line(monkeypatch):
    assert list(engines()) == ["onnxruntime", "openvino"]
    with pytest.raises(InputError, match="--runtime: tensorrt, expected one of onnxruntime, openv"):
        engine("tensorrt")
    monkeypatch.setattr(engine_module, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="--runtime: openvino is not installed; pip install openv"):
        engine("openvino")


def test_the_detector_says_that_it_can_be_exported(model):
    assert isinstance(Model.load(model).detector, Exportable)
