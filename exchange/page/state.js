"use strict";
// What is shown: filters, overlays, order. All of it is in the address, behind the #, so that a
// view can be kept and sent on.

const NOTHING = "nothing";
const CLASSES = new Map(DATA.classes.map((one) => [one.index, one]));
const $ = (id) => document.getElementById(id);
const spoken = (name) => name.replaceAll("_", " ");

// A facet: how its values are found on a picture.
const FACETS = {
  category: (picture) => [picture.category],
  split: (picture) => [picture.split],
  kind: (picture) => [picture.kind],
  class: (picture) =>
    picture.labels.length ? picture.labels.map(([index]) => CLASSES.get(index).name) : [NOTHING],
  light: (picture) => (picture.light ? [picture.light] : []),
};

const state = {
  filters: Object.fromEntries(Object.keys(FACETS).map((facet) => [facet, new Set()])),
  hidden: new Set(),
  strength: 100,
  sort: "dataset",
  size: 220,
  open: null,
};
let shown = DATA.pictures;

DATA.pictures.forEach((picture, at) => (picture.at = at));
const SORTS = new Map([["dataset", () => 0]]);
DATA.classes.forEach((one) => {
  const label = (picture) => picture.labels.find(([index]) => index === one.index);
  SORTS.set(`most ${spoken(one.name)}`, (picture) => -(label(picture)?.[2] ?? 0));
});
// What is the same for all pictures orders nothing, and tells nothing of one of them.
const DESCRIBED = DATA.pictures.filter((picture) => picture.metadata.length);
const VARYING = DATA.metadata.map(
  (_, at) => new Set(DESCRIBED.map((picture) => picture.metadata[at])).size > 1,
);
DATA.metadata.forEach((name, at) => {
  if (VARYING[at]) SORTS.set(name, (picture) => picture.metadata[at]);
});

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const list = (key) => new Set(given.getAll(key));
  for (const facet in FACETS) state.filters[facet] = list(facet);
  state.hidden = list("hide");
  const number = (key, least, most, otherwise) => {
    const value = given.has(key) ? Number(given.get(key)) : NaN;
    return value >= least && value <= most ? value : otherwise;
  };
  state.strength = number("strength", 0, 100, 100);
  state.size = number("size", 120, 480, 220);
  state.sort = SORTS.has(given.get("sort")) ? given.get("sort") : "dataset";
  state.open = given.get("open");
}

function writeAddress() {
  const parts = [];
  const put = (key, value) => value && parts.push(`${key}=${encodeURIComponent(value)}`);
  for (const facet in FACETS) state.filters[facet].forEach((value) => put(facet, value));
  state.hidden.forEach((name) => put("hide", name));
  if (state.strength !== 100) put("strength", String(state.strength));
  if (state.sort !== "dataset") put("sort", state.sort);
  if (state.size !== 220) put("size", String(state.size));
  put("open", state.open);
  history.replaceState(null, "", `#${parts.join("&")}`);
}

const passes = (picture, facet) =>
  !state.filters[facet].size || FACETS[facet](picture).some((one) => state.filters[facet].has(one));

function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return 1;
  if (other === null || other === undefined) return -1;
  return one < other ? -1 : 1;
}

function choose() {
  const facets = Object.keys(FACETS);
  shown = DATA.pictures.filter((picture) => facets.every((facet) => passes(picture, facet)));
  const key = SORTS.get(state.sort);
  shown.sort((a, b) => compare(key(a), key(b)) || a.at - b.at);
  const all = DATA.pictures.length;
  $("count").textContent =
    shown.length === all ? `${all} pictures` : `${shown.length} of ${all} pictures`;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Values of a facet with the number of pictures that the other facets leave to each.
function tally(facet) {
  const others = Object.keys(FACETS).filter((other) => other !== facet);
  const counts = new Map();
  for (const picture of DATA.pictures) {
    const counted = others.every((other) => passes(picture, other)) ? 1 : 0;
    for (const value of FACETS[facet](picture)) {
      counts.set(value, (counts.get(value) ?? 0) + counted);
    }
  }
  return [...counts].sort(([a], [b]) => (a === NOTHING) - (b === NOTHING) || compare(a, b));
}

function drawFacets() {
  const focused = document.activeElement?.dataset?.value;
  $("facets").replaceChildren();
  for (const facet in FACETS) {
    const values = tally(facet);
    if (values.length < 2 && !state.filters[facet].size) continue;
    const box = element("fieldset", {}, element("legend", { textContent: facet }));
    for (const [value, count] of values) {
      const input = element("input", {
        type: "checkbox",
        checked: state.filters[facet].has(value),
        onchange: () => {
          state.filters[facet][input.checked ? "add" : "delete"](value);
          update();
        },
      });
      input.dataset.value = `${facet}=${value}`;
      const row = element("label", { className: "option" }, input);
      row.append(element("span", { textContent: spoken(value), className: "name" }));
      row.append(element("span", { textContent: count, className: "number" }));
      row.classList.toggle("empty", !count);
      box.append(row);
    }
    $("facets").append(box);
  }
  if (focused) document.querySelector(`[data-value="${CSS.escape(focused)}"]`)?.focus();
  $("reset").hidden = Object.values(state.filters).every((values) => !values.size);
}

function overlaySwitch(one, place) {
  const input = element("input", {
    type: "checkbox",
    checked: !state.hidden.has(one.name),
    onchange: () => toggleOverlay(one.name),
  });
  input.dataset.overlay = one.name;
  const swatch = element("span", { className: "swatch" });
  swatch.style.setProperty("--colour", one.colour);
  return element(
    "label",
    { className: "option" },
    input,
    swatch,
    element("span", { textContent: spoken(one.name), className: "name" }),
    element("span", { textContent: place < 9 ? place + 1 : "", className: "number key" }),
  );
}

function drawOverlaySwitches() {
  $("overlays").replaceChildren(...DATA.classes.map(overlaySwitch));
}

function applyOverlays() {
  const rules = DATA.classes
    .filter((one) => state.hidden.has(one.name))
    .map((one) => `.overlay.c${one.index} { display: none }`);
  $("overlay-rules").textContent = rules.join("\n");
  document.documentElement.style.setProperty("--strength", state.strength / 100);
  for (const input of document.querySelectorAll("[data-overlay]")) {
    input.checked = !state.hidden.has(input.dataset.overlay);
  }
}

function toggleOverlay(name) {
  if (!state.hidden.delete(name)) state.hidden.add(name);
  applyOverlays();
  writeAddress();
}

// Keys that mean the same in the grid and in the viewer.
function overlayKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || !/^[0-9]$/.test(event.key)) return;
  if (event.key === "0") {
    const any = DATA.classes.some((one) => !state.hidden.has(one.name));
    state.hidden = new Set(any ? DATA.classes.map((one) => one.name) : []);
    applyOverlays();
    writeAddress();
  } else {
    const one = DATA.classes[Number(event.key) - 1];
    if (one) toggleOverlay(one.name);
  }
}

function layers(picture, size, eager = false) {
  return picture.labels.map(([index]) =>
    element("img", {
      className: `overlay c${index}`,
      src: `${picture.url}.${index}.${size}.png`,
      alt: "",
      loading: eager ? "eager" : "lazy",
      draggable: false,
    }),
  );
}

// Names and values below the headings of their groups, which all labels begin with.
function metadataTable(picture, chosen = () => true) {
  const table = element("div", { className: "metadata" });
  let heading = "";
  let list = null;
  const put = (group, name, value) => {
    if (list === null || group !== heading) {
      if (group) table.append(element("h4", { textContent: group }));
      list = element("dl");
      table.append(list);
      heading = group;
    }
    list.append(
      element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value })),
    );
  };
  const inside = (share) => `${(100 * share).toPrecision(2)} %`;
  for (const [index, count, share] of picture.labels) {
    const name = spoken(CLASSES.get(index).name);
    put("", name, count ? `${count} · ${inside(share)}` : inside(share));
  }
  if (picture.light) put("", "Light", spoken(picture.light));
  picture.metadata.forEach((value, at) => {
    if (value === null || !chosen(at)) return;
    const [group, ...names] = DATA.metadata[at].split(": ");
    put(names.length ? group : "", names.length ? names.join(": ") : group, value);
  });
  return table;
}
