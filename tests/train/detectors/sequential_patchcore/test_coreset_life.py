"""What a coreset does beside deciding: epochs, certificates, melding, saving, refusing."""

import json

import numpy as np
import pytest
import torch

from stainless.errors import InputError, explain
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.covering import covering_radius
from train.detectors.sequential_patchcore.melding import meld

IDENTITY = {"backbone": "efficientnet_lite0", "stages": [3, 4], "mean": [0.498]}


def patches(count=600, dimension=8, seed=0):
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.normal(size=(count, dimension)).astype(np.float32))


def origin(count, source=0, image=0):
    rows = np.full((count, 3), (source, image, 0), np.int32)
    rows[:, 2] = np.arange(count)
    return rows


def brute(features, members):
    difference = features.double()[:, None] - members.double()[None]
    return difference.norm(dim=2)


def fitted(seed=0, size=40, epochs=30, name="plates"):
    coreset = Coreset(size, identity=IDENTITY)
    source = coreset.sources.add(name, [f"{seed}/000.png", f"{seed}/001.png"])
    shown = patches(seed=seed)
    stream = [
        (shown[:300], origin(300, source, 0)),
        (shown[300:], origin(300, source, 1)),
    ]
    coreset.fit(lambda: stream, epochs)
    return coreset, shown


def test_epochs_end_with_a_certificate_that_holds():
    coreset = Coreset(40, identity=IDENTITY)
    shown = patches()
    heard = []
    records = coreset.fit(lambda: [(shown, None)], 50, on_epoch=heard.append)
    assert heard == records and 2 < len(records) < 50
    last = records[-1]
    assert last.converged and not any(record.converged for record in records[:-1])
    assert records[0].added == 40 and records[0].patches == 600
    separations = [record.separation for record in records]
    assert separations == sorted(separations)
    distances = brute(shown, coreset.members)
    assert last.farthest == pytest.approx(float(distances.amin(1).max()), rel=1e-6)
    assert last.farthest == pytest.approx(covering_radius(coreset, [shown]), rel=1e-6)
    assert last.farthest <= last.separation == pytest.approx(closest(coreset.members), rel=1e-12)
    again = coreset.fit(lambda: [(shown, None)], 1)[0]
    assert again.farthest == last.farthest and again.converged
    assert "certified" in str(last) and "certified" not in str(records[0])
    assert json.loads(json.dumps(coreset.history))[-1]["replacements"] == 0


def closest(members):
    distances = brute(members, members)
    distances.fill_diagonal_(torch.inf)
    return float(distances.min())


def test_early_stop_can_be_switched_off():
    coreset = Coreset(5, identity=IDENTITY)
    shown = patches(6)
    assert len(coreset.fit(lambda: [(shown, None)], 9, early_stop=False)) == 9


def test_too_few_patches_make_a_smaller_coreset():
    coreset = Coreset(40, identity=IDENTITY)
    shown = torch.cat([patches(12), patches(12)])
    records = coreset.fit(lambda: [(shown, None)], 5)
    assert [(r.added, r.replacements) for r in records] == [(12, 0), (0, 0)]
    assert len(coreset) == 12 and torch.equal(coreset.members, shown[:12])
    assert records[-1].farthest == 0 and records[-1].members == 12
    assert coreset.separation == pytest.approx(closest(shown[:12]), rel=1e-12)
    distance, index = coreset.nearest(shown)
    assert torch.equal(index, torch.arange(24) % 12) and not distance.any()


@pytest.mark.parametrize("size", [2, 31, 64, 70])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_nearest_equals_brute_force(size, offset):
    coreset = Coreset(size, identity=IDENTITY)
    coreset.update(patches(300) + offset)
    queries = torch.cat([patches(1100, seed=1) + offset, coreset.members])
    distance, index = coreset.nearest(queries)
    wanted = brute(queries, coreset.members)
    assert distance.dtype == torch.float32 and index.dtype == torch.int64
    np.testing.assert_allclose(distance, wanted.amin(1), rtol=2e-6)
    np.testing.assert_allclose(wanted.gather(1, index[:, None])[:, 0], distance, rtol=2e-6)


def test_nearest_follows_later_updates():
    coreset = Coreset(40, identity=IDENTITY)
    for start in range(0, 600, 20):
        coreset.update(patches()[start : start + 20])
        queries = patches(50, seed=start)
        wanted = brute(queries, coreset.members).amin(1)
        np.testing.assert_allclose(coreset.nearest(queries)[0], wanted, rtol=2e-6)


@pytest.mark.parametrize("count", [1, 25, 400])
def test_a_loaded_coreset_continues_as_if_never_saved(tmp_path, count):
    shown = patches()
    kept = Coreset(40, identity=IDENTITY)
    source = kept.sources.add("plates", ["a.png"])
    kept.start_epoch()
    kept.update(shown[:count], origin(count, source))
    kept.end_epoch()
    kept.save(tmp_path / "x.safetensors")
    with torch.inference_mode():
        loaded = Coreset.load(tmp_path / "x.safetensors")
    assert loaded.history == kept.history and loaded.identity == kept.identity
    for _ in range(3):
        for start in range(0, 600, 60):
            part = shown[start : start + 60]
            rows = origin(60, source, 1)
            assert loaded.update(part, rows) == kept.update(part, rows)
            assert torch.equal(loaded.members, kept.members)
            assert np.array_equal(loaded.provenance, kept.provenance)
            assert loaded.separation == kept.separation


def test_members_know_where_they_were_seen(tmp_path):
    coreset, shown = fitted()
    coreset.save(tmp_path / "x.safetensors")
    for found in (coreset, Coreset.load(tmp_path / "x.safetensors")):
        for member, row in enumerate(found.provenance):
            seen = found.origin(member)
            assert seen.dataset == "plates" and seen.image == f"0/00{row[1]}.png"
            assert torch.equal(found.members[member], shown[300 * row[1] + seen.position])
    without = Coreset(40, identity=IDENTITY)
    without.update(shown)
    assert without.origin(3) is None


def test_a_full_size_file_is_about_a_megabyte(tmp_path):
    coreset = Coreset(identity=IDENTITY)
    source = coreset.sources.add("plates", [f"train/good/{i:05}.png" for i in range(100_000)])
    coreset.update(patches(3000, 152), origin(3000, source))
    coreset.save(tmp_path / "x.safetensors")
    assert len(coreset) == 2048
    assert (tmp_path / "x.safetensors").stat().st_size < 1.35e6


def test_an_empty_coreset_saves_and_loads(tmp_path):
    Coreset(40, dimension=8, identity=IDENTITY).save(tmp_path / "x.safetensors")
    loaded = Coreset.load(tmp_path / "x.safetensors")
    assert len(loaded) == 0 and loaded.dimension == 8
    with pytest.raises(InputError, match="empty"):
        loaded.nearest(patches())


def test_damaged_files_are_refused_in_one_line(tmp_path):
    coreset, _ = fitted()
    path = tmp_path / "x.safetensors"
    coreset.save(path)
    data = path.read_bytes()
    at = data.index(b"plates")
    damaged = [b"", data[:4], data[:100], data[:-1], data + b"x", b"{}" * 50]
    damaged += [data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]]
    damaged += [data[:at] + b"slates" + data[at + 6 :]]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(InputError) as raised:
            Coreset.load(path)
        assert str(path) in explain(raised.value) and "\n" not in str(raised.value)


def test_melding_covers_what_the_parts_cover(tmp_path):
    parts = [fitted(seed, name=f"line {seed}")[0] for seed in range(3)]
    before = [part.members for part in parts]
    melded = meld(parts, 60)
    assert len(melded) == 60 and melded.history[0]["converged"]
    union = torch.cat(before)
    assert covering_radius(melded, [union]) <= melded.separation
    assert all(torch.equal(part.members, old) for part, old in zip(parts, before, strict=True))
    assert [source["members"] for source in melded.history[0]["sources"]] == [40, 40, 40]
    melded.save(tmp_path / "y.safetensors")
    for found in (melded, Coreset.load(tmp_path / "y.safetensors")):
        assert {found.origin(k).dataset for k in range(60)} == {"line 0", "line 1", "line 2"}
        for member in range(60):
            seed = int(found.origin(member).dataset[-1])
            half = int(found.origin(member).image[-5])
            seen = patches(seed=seed)[300 * half + found.origin(member).position]
            assert torch.equal(found.members[member], seen)


def test_melding_more_room_than_members_keeps_all():
    parts = [fitted(seed)[0] for seed in range(2)]
    melded = meld(parts, 200)
    assert len(melded) == 80
    assert torch.equal(melded.members, torch.cat([part.members for part in parts]))


def test_strangers_are_refused_by_the_first_key_that_differs():
    coreset, _ = fitted()
    stranger = Coreset(40, identity={**IDENTITY, "stages": [2, 3]})
    with pytest.raises(InputError, match=r"coreset 2 of 2: stages is \[2, 3\].* has \[3, 4\]"):
        meld([coreset, stranger])
    with pytest.raises(InputError, match="mean is null"):
        coreset.require({"backbone": "efficientnet_lite0", "stages": [3, 4]}, "model")
    coreset.require({**IDENTITY, "stages": (3, 4)}, "model")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e16])
@pytest.mark.parametrize("before", [0, 10, 100])
def test_values_that_are_no_features_change_nothing(bad, before):
    coreset = Coreset(40, identity=IDENTITY)
    coreset.update(patches()[:before])
    members = coreset.members
    spoiled = patches(60, seed=9)
    spoiled[31, 5] = bad
    with pytest.raises(InputError, match="NaN, infinity"):
        coreset.update(spoiled)
    assert torch.equal(coreset.members, members)
    with pytest.raises(InputError, match="NaN, infinity" if before else "empty"):
        coreset.nearest(spoiled)


def test_other_input_that_cannot_be_used():
    with pytest.raises(InputError, match="size 1"):
        Coreset(1, identity=IDENTITY)
    coreset = Coreset(40, dimension=9, identity=IDENTITY)
    with pytest.raises(InputError, match="length 8, the coreset has 9"):
        coreset.update(patches())
    with pytest.raises(InputError, match="no patches"):
        coreset.fit(lambda: [])
    with pytest.raises(ValueError, match="provenance"):
        coreset.update(patches(dimension=9), np.zeros((3, 3), np.int32))


def test_features_may_come_from_inference_and_mixed_precision():
    plain, odd = (Coreset(40, identity=IDENTITY) for _ in range(2))
    plain.update(patches())
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        odd.update(patches() + 0)
        assert torch.equal(odd.nearest(patches())[0], plain.nearest(patches())[0])
    assert torch.equal(plain.members, odd.members)
    more = patches(300, seed=4) * 2
    assert odd.update(more) == plain.update(more) > 0
    assert torch.equal(odd.nearest(more)[1], plain.nearest(more)[1])
    grown = Coreset(40, identity=IDENTITY)
    grown.update(patches().requires_grad_())
    grown.update(more)
    assert torch.equal(plain.members, grown.members)
