"use strict";
// One picture at full size, its overlays and all that is known of it.

const byName = new Map(DATA.pictures.map((picture) => [picture.name, picture]));
const viewKey = ({ split, kind, name }) => `${split}/${kind}/${name.split("/").pop()}`;
const twins = new Map();
for (const picture of DATA.pictures) {
  const key = viewKey(picture);
  twins.set(key, [...(twins.get(key) ?? []), picture]);
}

function openViewer(picture) {
  const changed = state.open !== picture.name || !$("viewer").open;
  state.open = picture.name;
  writeAddress();
  hideCard();
  if (!changed) return;
  drawPicture(picture);
  $("viewer-name").textContent = picture.name.split("/").pop();
  $("viewer-place").textContent = `${spoken(picture.category)} · ${picture.split} · ${spoken(picture.kind)}`;
  $("viewer-overlays").replaceChildren(
    ...DATA.classes.flatMap((one, place) =>
      picture.labels.some(([index]) => index === one.index) ? [overlaySwitch(one, place)] : [],
    ),
  );
  drawTwins(picture);
  $("viewer-metadata").replaceChildren(metadataTable(picture));
  const at = shown.indexOf(picture);
  $("previous").disabled = at <= 0;
  $("next").disabled = at < 0 || at >= shown.length - 1;
  if (!$("viewer").open) $("viewer").showModal();
  $("stage").focus();
}

function drawPicture(picture) {
  const [width, height] = picture.size;
  const full = element("img", {
    src: picture.copy ? `${picture.url}.full.png` : `${DATA.root}/${picture.file}`,
    alt: `${picture.name} at full size`,
    draggable: false,
    // Where the picture has moved away, or the browser knows no such format.
    onerror: () => {
      full.onerror = null;
      full.src = `${picture.url}.jpg`;
    },
  });
  const canvas = $("full");
  canvas.style.setProperty("--width", width);
  canvas.style.setProperty("--height", height);
  canvas.style.backgroundImage = `url("${picture.url}.jpg")`;
  canvas.replaceChildren(full, ...layers(picture, "full", true));
}

function drawTwins(picture) {
  const family = twins.get(viewKey(picture));
  $("twins").hidden = family.length < 2;
  $("twin-list").replaceChildren(
    ...family.map((twin) => {
      const button = element("button", {
        type: "button",
        textContent: spoken(twin.category),
        onclick: () => openViewer(twin),
      });
      button.ariaPressed = String(twin === picture);
      return button;
    }),
  );
}

function step(by) {
  const next = shown[shown.indexOf(byName.get(state.open)) + by];
  if (shown.includes(byName.get(state.open)) && next) openViewer(next);
}

function stepTwin(by) {
  const family = twins.get(viewKey(byName.get(state.open)));
  const at = family.indexOf(byName.get(state.open)) + by;
  openViewer(family[(at + family.length) % family.length]);
}

function zoom(event) {
  const stage = $("stage");
  const box = $("full").getBoundingClientRect();
  const inside = event?.clientX !== undefined && event.detail;
  const x = inside ? (event.clientX - box.left) / box.width : 0.5;
  const y = inside ? (event.clientY - box.top) / box.height : 0.5;
  const close = stage.classList.toggle("close");
  $("zoom").ariaPressed = String(close);
  if (close) {
    stage.scrollLeft = x * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = y * stage.scrollHeight - stage.clientHeight / 2;
  }
}

function syncViewer() {
  const picture = byName.get(state.open);
  if (picture) openViewer(picture);
  else if ($("viewer").open) $("viewer").close();
}

$("previous").onclick = () => step(-1);
$("next").onclick = () => step(1);
$("zoom").onclick = () => zoom();
$("full").onclick = zoom;
$("close").onclick = () => $("viewer").close();
$("viewer").addEventListener("close", () => {
  const at = shown.indexOf(byName.get(state.open));
  state.open = null;
  writeAddress();
  reach(at < 0 ? grid.current : at);
});
$("viewer").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const close = $("stage").classList.contains("close");
  const actions = { z: () => zoom(), Z: () => zoom() };
  // Close up, the arrows move over the picture.
  if (!close && !(event.target instanceof HTMLInputElement)) {
    Object.assign(actions, {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      ArrowUp: () => stepTwin(-1),
      ArrowDown: () => stepTwin(1),
    });
  }
  if (!(event.key in actions)) return;
  event.preventDefault();
  actions[event.key]();
});
addEventListener("hashchange", show);
show();
