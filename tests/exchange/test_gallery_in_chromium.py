"""The gallery as a person meets it: in a browser, from disk, with mouse or keyboard."""

from __future__ import annotations

import json

import browser
import cv2
import exchange_data
import numpy as np
import pytest
from exchange_data import SIZE, write
from PIL import Image

from stainless.cli import main

pytestmark = pytest.mark.skipif(
    browser.find() is None, reason="needs Chromium: apt-get install chromium"
)

NAMES = "[...document.querySelectorAll('.tile')].map(tile => tile.ariaLabel.split(':')[0]).sort()"
VISIBLE = "getComputedStyle(document.querySelector('{}')).display !== 'none'"
LOADED = "[...document.images].every(one => one.complete && one.naturalWidth > 0)"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The gallery of the dataset of these tests, at a path that a URL has to escape."""
    folder = tmp_path_factory.mktemp("a #1 50% gallery")
    root = exchange_data.make(folder / "data & more")
    assert main(["gallery", "--data", str(root), "--out", str(folder / "out")]) == 0
    return folder / "out/index.html"


@pytest.fixture
def tab(chromium):
    """The browser; afterwards no page may have complained, nor asked for anything outside."""
    chromium.resize(1366, 768)
    chromium.scheme("light")
    yield chromium
    assert not chromium.complaints


def is_visible(tab, selector):
    return tab.run(VISIBLE.format(selector))


def test_all_pictures_load_from_disk(page, tab):
    tab.open(page)
    tab.wait(LOADED)
    assert len(tab.run(NAMES)) == 10
    assert tab.run("document.getElementById('count').textContent") == "10 pictures"
    assert tab.run("document.getElementById('notes').innerText") == "not real"
    assert tab.run("document.title") == "data & more · gallery"
    assert tab.run("document.querySelectorAll('.overlay').length") == 4 * 2 + 3 * 3


@pytest.mark.parametrize(
    "fragment, expected",
    [
        (
            "class=scratch",
            ["stained/test/bad/002", "stained/validation/bad/010", "stained_x2/test/bad/002"],
        ),
        ("class=scratch&light=hexagon_x2", ["stained_x2/test/bad/002"]),
        ("category=stained&split=train", ["stained/train/good/000"]),
        (
            "split=train&split=validation&light=hexagon",
            ["clean/train/good/000", "stained/train/good/000"],
        ),
        ("kind=bad&split=validation", ["stained/validation/bad/010"]),
        ("class=nothing&split=train", ["clean/train/good/000"]),
        ("class=nothing&kind=bad", []),
    ],
)
def test_filters_of_the_address(page, tab, fragment, expected):
    tab.open(page, fragment)
    assert tab.run(NAMES) == expected
    assert tab.run("!document.getElementById('nothing').hidden") == (not expected)


def test_filters_by_hand_are_kept_in_the_address(page, tab):
    tab.open(page)
    tab.point("[data-value='class=scratch']", click=True)
    assert len(tab.run(NAMES)) == 3
    tab.point("[data-value='light=hexagon_x2']", click=True)
    assert tab.run(NAMES) == ["stained_x2/test/bad/002"]
    numbers = "document.querySelector(\"[data-value='category=stained']\").parentNode.innerText"
    assert tab.run(numbers).split() == ["stained", "0"]
    fragment = tab.run("location.hash.slice(1)")
    tab.open(page, fragment)
    assert tab.run(NAMES) == ["stained_x2/test/bad/002"]
    tab.run("location.hash = 'split=train'")
    tab.wait(f"{NAMES}.length === 3")
    tab.run("document.getElementById('reset').click()")
    assert len(tab.run(NAMES)) == 10


def test_overlays_are_switched_per_class(page, tab):
    tab.open(page, "hide=water_stain")
    assert not is_visible(tab, ".overlay.c1") and is_visible(tab, ".overlay.c2")
    tab.point("[data-overlay=water_stain]", click=True)
    assert is_visible(tab, ".overlay.c1")
    tab.press("2")
    assert is_visible(tab, ".overlay.c1") and not is_visible(tab, ".overlay.c2")
    assert tab.run("location.hash") == "#hide=scratch"
    assert not tab.run("document.querySelector('[data-overlay=scratch]').checked")
    tab.press("0")
    assert not any(is_visible(tab, f".overlay.c{index}") for index in (1, 2, 5))
    tab.press("0")
    assert all(is_visible(tab, f".overlay.c{index}") for index in (1, 2, 5))


def test_an_overlay_is_seen_where_its_class_is(page, tab):
    """Pixels of the screen: coloured under the label, grey elsewhere, grey when switched off."""

    def colourful():
        tab.wait(LOADED)
        shot = cv2.imdecode(np.frombuffer(tab.screenshot(), np.uint8), -1)[..., :3]
        box = tab.run(
            "(({x, y, width, height}) => [x, y, width, height])("
            "document.getElementById('full').getBoundingClientRect())"
        )
        x, y, width, height = (round(value) for value in box)
        patch = shot[y : y + height, x : x + width].astype(int)
        spread = (patch.max(axis=2) - patch.min(axis=2)).astype(np.float32)
        return cv2.resize(spread, SIZE[::-1], interpolation=cv2.INTER_AREA) > 40

    classes, _ = exchange_data.labels(2, True)
    tab.open(page, "open=stained/test/bad/002&hide=border&hide=water_stain")
    seen = colourful()
    assert seen[classes == 2].mean() > 0.9 and not seen[classes != 2].any()
    tab.press("2")
    assert not colourful().any()


def test_hovering_tells_the_parameters(page, tab):
    tab.open(page, "class=scratch&light=hexagon_x2")
    assert tab.run("document.getElementById('card').hidden")
    tab.point(".tile")
    text = tab.run("document.getElementById('card').innerText")
    assert "stained_x2/test/bad/002" in text
    pairs = tab.run(
        "Object.fromEntries([...document.querySelectorAll('#card dt')]"
        ".map(one => [one.textContent, one.nextSibling.textContent]))"
    )
    assert pairs["reflectance"] == "0.7" and pairs["Light"] == "hexagon x2"
    assert pairs["scratch"].startswith("2 · ")
    # What all pictures share is told of the opened picture only.
    assert "roughness" not in pairs
    headings = "[...document.querySelectorAll('{} h4')].map(one => one.textContent)"
    assert tab.run(headings.format("#card")) == ["Metal"]
    tab.press("Escape")
    assert tab.run("document.getElementById('card').hidden")
    tab.point("h1")
    tab.point(".tile")
    assert not tab.run("document.getElementById('card').hidden")
    tab.point("h1")
    assert tab.run("document.getElementById('card').hidden")


def test_the_order_follows_a_parameter_or_a_class(page, tab):
    first = "document.querySelector('[data-at=\"{}\"]').ariaLabel.split(':')[0]"
    tab.open(page, "sort=Metal%3A%20reflectance&category=stained")
    order = [tab.run(first.format(at)) for at in range(4)]
    # What the manifest does not know comes last.
    assert order == [
        "stained/train/good/000",
        "stained/test/good/001",
        "stained/test/bad/002",
        "stained/validation/bad/010",
    ]
    tab.open(page, "sort=most%20scratch&category=stained")
    assert "bad" in tab.run(first.format(0)) and "good" in tab.run(first.format(3))


def test_a_click_opens_the_full_picture(page, tab):
    tab.open(page, "category=stained")
    tab.point("[data-at='0']", click=True)
    tab.wait("document.getElementById('viewer').open")
    tab.wait(LOADED)
    told = "document.getElementById('viewer-metadata').innerText.split('\\n')"
    assert {"Metal", "roughness", "Impurities", "Light", "Sensor", "height, mm"} <= set(
        tab.run(told)
    )
    source = "decodeURIComponent(document.querySelector('#full img').src)"
    assert tab.run(source).endswith("/data & more/stained/train/good/000.png")
    assert tab.run("document.querySelectorAll('#full .overlay').length") == 2
    close = "document.getElementById('full').offsetWidth"
    fit = tab.run(close)
    tab.point("#full", click=True)
    assert tab.run(close) > 1.5 * fit
    tab.press("z")
    assert tab.run(close) == fit
    tab.point("#close", click=True)
    assert not tab.run("document.getElementById('viewer').open")


def test_everything_by_keyboard(page, tab):
    tab.open(page, "split=train&split=test")
    focused = "document.activeElement.ariaLabel?.split(':')[0]"
    tab.press("Tab")
    assert tab.run("document.activeElement.id") == "skip"
    tab.press("Enter")
    assert tab.run(focused) == "clean/train/good/000"
    assert not tab.run("document.getElementById('card').hidden")
    for key, name in [
        ("ArrowRight", "clean/test/good/001"),
        ("End", "stained_x2/test/good/001"),
        ("ArrowLeft", "stained_x2/test/bad/002"),
        ("Home", "clean/train/good/000"),
        ("ArrowLeft", "clean/train/good/000"),
    ]:
        tab.press(key)
        assert tab.run(focused) == name, key
    tab.press("ArrowDown")
    assert tab.run("document.activeElement.dataset.at") == str(tab.run("grid.columns"))
    tab.press("Home")
    tab.press("Enter")
    opened = "state.open"
    assert tab.run(opened) == "clean/train/good/000"
    assert tab.run("document.getElementById('viewer').contains(document.activeElement)")
    tab.press("ArrowRight")
    assert tab.run(opened) == "clean/test/good/001"
    tab.press("ArrowDown")
    assert tab.run(opened) == "stained/test/good/001"
    tab.press("ArrowUp")
    tab.press("Escape")
    # A dialog first gives the focus back to where it came from, then it says that it has closed.
    tab.wait(f"{focused} === 'clean/test/good/001'")
    assert not tab.run("document.getElementById('viewer').open")
    assert "open" not in tab.run("location.hash")


def test_a_picture_that_has_moved_away_shows_small(tmp_path, tab):
    root = exchange_data.make(tmp_path / "data")
    out = tmp_path / "out"
    assert main(["gallery", "--data", str(root), "--out", str(out)]) == 0
    (root / "stained/test/bad/002.png").unlink()
    tab.open(out / "index.html", "open=stained/test/bad/002")
    tab.wait(LOADED)
    assert tab.run("document.querySelector('#full img').src").endswith("bad/002.jpg")
    assert all("002.png" in complaint for complaint in tab.complaints)
    tab.complaints.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("fragment", ["", "open=stained/test/bad/002"])
def test_text_is_legible_in_both_schemes(page, tab, scheme, fragment):
    tab.scheme(scheme)
    tab.open(page, fragment)
    ratios = tab.run(
        """(() => {
          const channels = (text) => text.match(/[\\d.]+/g).map(Number);
          const light = (rgb) => rgb.slice(0, 3)
            .map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
          const ground = (node) => {
            for (; node; node = node.parentElement) {
              const found = channels(getComputedStyle(node).backgroundColor);
              if (found.length === 3 || found[3] > 0.5) return found;
            }
            return [255, 255, 255];
          };
          const found = [];
          for (const node of document.querySelectorAll("body *")) {
            const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
            if (!own || !node.checkVisibility() || node.disabled) continue;
            const [a, b] = [light(channels(getComputedStyle(node).color)), light(ground(node))];
            found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.textContent]);
          }
          return found.sort((one, other) => one[0] - other[0]);
        })()"""
    )
    assert len(ratios) > 20 and ratios[0][0] >= 4.5, ratios[0]
    dark = tab.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("width, height", [(1366, 768), (600, 800)])
def test_nothing_is_cut_off(page, tab, width, height):
    tab.resize(width, height)
    for fragment in ("", "open=stained/test/bad/002"):
        tab.open(page, fragment)
        assert tab.run("document.documentElement.scrollWidth") <= width
        aside = "document.querySelector('aside')"
        assert tab.run(f"{aside}.scrollWidth <= {aside}.clientWidth")


def test_only_what_is_in_sight_is_in_the_document(tmp_path, tab):
    root = tmp_path / "data"
    write(root / "plate/train/good/0000.png", np.full(SIZE, 90, np.uint8))
    out = tmp_path / "out"
    assert main(["gallery", "--data", str(root), "--out", str(out)]) == 0
    text = (out / "data.js").read_text()
    data = json.loads(text.removeprefix("const DATA = ").removesuffix(";\n"))
    one = data["pictures"][0]
    data["pictures"] = [one | {"name": f"plate/train/good/{i:05d}"} for i in range(20_000)]
    (out / "data.js").write_text(f"const DATA = {json.dumps(data)};\n")
    tab.open(out / "index.html")
    assert 10 < tab.run(f"{NAMES}.length") < 120
    tab.run("document.getElementById('skip').click()")
    tab.press("End")
    assert tab.run("document.activeElement.dataset.at") == "19999"
    last = "document.querySelector('[data-at=\"19999\"]').getBoundingClientRect()"
    assert 0 < tab.run(f"{last}.top") < tab.run(f"{last}.bottom") <= 768
    tab.wait(f"{NAMES}.length < 120")


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
def test_turned_pictures_are_shown_as_their_overlays_are(tab, tmp_path, ending):
    exif = Image.Exif()
    exif[0x112] = 6
    path = tmp_path / f"data/plate/test/dent/0{ending}"
    path.parent.mkdir(parents=True)
    stored = np.full((60, 30), 90, np.uint8)
    Image.fromarray(stored).save(path, exif=exif)
    write(tmp_path / "data/plate/ground_truth/dent/0_mask.png", np.full((30, 60), 255, np.uint8))
    out = tmp_path / "out"
    assert main(["gallery", "--data", str(tmp_path / "data"), "--out", str(out)]) == 0
    tab.open(out / "index.html", "open=plate/test/dent/0")
    tab.wait(LOADED)
    sizes = (
        "[...document.querySelectorAll('#full img')].map(i => [i.naturalWidth, i.naturalHeight])"
    )
    assert tab.run(sizes) == [[60, 30], [60, 30]]
    assert "jpg" not in tab.run("document.querySelector('#full img').src") or ending == ".jpg"
