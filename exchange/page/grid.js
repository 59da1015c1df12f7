"use strict";
// The tiles. Only those in sight are in the document, however many pictures there are.

const GAP = 12;
const CAPTION = 30;
const MARGIN_ROWS = 2;

const ratios = DATA.pictures.map(({ size: [width, height] }) => height / width);
ratios.sort((a, b) => a - b);
const RATIO = Math.min(1.6, Math.max(0.6, ratios[ratios.length >> 1] ?? 0.8));
const SEVERAL = new Set(DATA.pictures.map((picture) => picture.category)).size > 1;
const tiles = new Map();
const grid = { columns: 1, width: 200, rowHeight: 200, current: 0 };

function measure() {
  const width = $("grid").clientWidth;
  grid.columns = Math.max(1, Math.floor((width + GAP) / (state.size + GAP)));
  grid.width = (width + GAP) / grid.columns - GAP;
  grid.rowHeight = Math.round(grid.width * RATIO) + CAPTION + GAP;
  const rows = Math.ceil(shown.length / grid.columns);
  $("grid").style.height = `${Math.max(0, rows * grid.rowHeight - GAP)}px`;
}

function tile(picture, at) {
  const frame = element("span", { className: "frame" });
  frame.append(
    element("img", { src: `${picture.url}.jpg`, alt: "", loading: "lazy", draggable: false }),
    ...layers(picture, "small"),
  );
  const marks = picture.labels.map(([index]) => {
    const mark = element("span", { className: "mark" });
    mark.style.setProperty("--colour", CLASSES.get(index).colour);
    return mark;
  });
  const short = picture.name.split("/").pop();
  const where = [...(SEVERAL ? [picture.category] : []), picture.kind].map(spoken).join(" · ");
  const button = element(
    "button",
    { type: "button", className: "tile", tabIndex: at === grid.current ? 0 : -1 },
    frame,
    element(
      "span",
      { className: "caption" },
      element("span", { className: "stem", textContent: short }),
      element("span", { className: "where", textContent: where }),
      element("span", { className: "marks" }, ...marks),
    ),
  );
  const found = picture.labels.map(([index]) => spoken(CLASSES.get(index).name));
  button.ariaLabel = `${picture.name}: ${found.join(", ") || "nothing labelled"}`;
  button.dataset.at = at;
  const item = element("div", { className: "item" }, button);
  item.role = "listitem";
  item.ariaSetSize = shown.length;
  item.ariaPosInSet = at + 1;
  return item;
}

function drawTiles() {
  const top = $("scroll").scrollTop;
  const first = Math.max(0, Math.floor(top / grid.rowHeight) - MARGIN_ROWS);
  const last = Math.ceil((top + $("scroll").clientHeight) / grid.rowHeight) + MARGIN_ROWS;
  const from = first * grid.columns;
  const to = Math.min(shown.length, last * grid.columns);
  for (const [at, item] of tiles) {
    // The tile with the focus stays, or the keyboard would lose its place.
    if ((at < from || at >= to) && !item.contains(document.activeElement)) {
      item.remove();
      tiles.delete(at);
    }
  }
  for (let at = from; at < to; at++) {
    let item = tiles.get(at);
    if (!item) {
      item = tile(shown[at], at);
      tiles.set(at, item);
      $("grid").append(item);
    }
    const column = at % grid.columns;
    const row = Math.floor(at / grid.columns);
    item.style.transform = `translate(${column * (grid.width + GAP)}px, ${row * grid.rowHeight}px)`;
    item.style.width = `${grid.width}px`;
    item.style.height = `${grid.rowHeight - GAP}px`;
  }
}

function redraw() {
  grid.current = Math.min(grid.current, Math.max(0, shown.length - 1));
  $("grid").replaceChildren();
  tiles.clear();
  measure();
  drawTiles();
  $("nothing").hidden = shown.length > 0;
}

function reach(at) {
  if (!shown.length) return;
  at = Math.min(shown.length - 1, Math.max(0, at));
  const before = tiles.get(grid.current)?.firstChild;
  if (before) before.tabIndex = -1;
  grid.current = at;
  const top = Math.floor(at / grid.columns) * grid.rowHeight;
  const view = $("scroll");
  if (top < view.scrollTop) view.scrollTop = top;
  const below = top + grid.rowHeight - view.clientHeight + 2 * GAP;
  if (below > view.scrollTop) view.scrollTop = below;
  drawTiles();
  const button = tiles.get(at).firstChild;
  button.tabIndex = 0;
  button.focus({ preventScroll: true });
}

function showCard(button) {
  const picture = shown[Number(button.dataset.at)];
  const card = $("card");
  card.replaceChildren(
    element("strong", { textContent: picture.name }),
    metadataTable(picture, (at) => VARYING[at]),
  );
  card.hidden = false;
  const place = button.getBoundingClientRect();
  const right = place.right + GAP + card.offsetWidth <= innerWidth;
  card.style.left = `${Math.max(GAP, right ? place.right + GAP : place.left - GAP - card.offsetWidth)}px`;
  const lowest = innerHeight - card.offsetHeight - GAP;
  card.style.top = `${Math.max(GAP, Math.min(place.top, lowest))}px`;
}

function hideCard() {
  $("card").hidden = true;
}

function update() {
  choose();
  writeAddress();
  drawFacets();
  $("scroll").scrollTop = 0;
  grid.current = 0;
  redraw();
}

function show() {
  readAddress();
  choose();
  for (const id of ["strength", "size", "sort"]) $(id).value = state[id];
  drawFacets();
  applyOverlays();
  redraw();
  syncViewer();
}

document.title = `${DATA.title} · gallery`;
$("title").textContent = DATA.title;
$("notes").textContent = DATA.notes.join(" · ");
$("notes").hidden = !DATA.notes.length;
document.head.append(element("style", { id: "overlay-rules" }));
drawOverlaySwitches();
$("sort").append(
  ...[...SORTS.keys()].map((name) => element("option", { value: name, textContent: name })),
);

$("strength").oninput = () => {
  state.strength = Number($("strength").value);
  applyOverlays();
  writeAddress();
};
$("size").oninput = () => {
  state.size = Number($("size").value);
  writeAddress();
  redraw();
};
$("sort").onchange = () => {
  state.sort = $("sort").value;
  update();
};
$("reset").onclick = () => {
  for (const values of Object.values(state.filters)) values.clear();
  update();
};
$("skip").onclick = (event) => {
  event.preventDefault();
  reach(grid.current);
};
$("scroll").addEventListener("scroll", () => {
  hideCard();
  drawTiles();
});
$("grid").addEventListener("click", (event) => {
  const button = event.target.closest(".tile");
  if (!button) return;
  reach(Number(button.dataset.at));
  openViewer(shown[grid.current]);
});
$("grid").addEventListener("keydown", (event) => {
  const page = Math.max(1, Math.floor($("scroll").clientHeight / grid.rowHeight)) * grid.columns;
  const steps = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -grid.columns,
    ArrowDown: grid.columns,
    PageUp: -page,
    PageDown: page,
    Home: -Infinity,
    End: Infinity,
  };
  if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  reach(grid.current + steps[event.key]);
});
const CARD = { mouseover: showCard, focusin: showCard, mouseout: hideCard, focusout: hideCard };
for (const [name, act] of Object.entries(CARD)) {
  $("grid").addEventListener(name, (event) => {
    const button = event.target.closest(".tile");
    if (button && (name !== "focusin" || button.matches(":focus-visible"))) act(button);
  });
}
document.addEventListener("keydown", overlayKey);
document.addEventListener("keydown", (event) => event.key === "Escape" && hideCard());
new ResizeObserver(() => {
  measure();
  drawTiles();
}).observe($("scroll"));
