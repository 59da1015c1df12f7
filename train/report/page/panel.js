"use strict";
// The pictures behind a number: each test picture with what a method flags on it.

const $ = (id) => document.getElementById(id);
const PAGE_OF_TILES = 24;
const COLOURS = { found: [22, 178, 84], wrong: [230, 38, 44], impurity: [255, 150, 20], missed: [36, 100, 255] };
const OPACITY = 0.6;

let data = null;
let panel = null; // { method, metric, label, name: of a class or null, shown, count }
const pixels = new Map();

// The data are large: they are read when the first panel opens.
const all = () => (data ??= JSON.parse($("data").textContent));

const percent = (amount, whole) => (whole ? `${((100 * amount) / whole).toFixed(1)} %` : "–");
const spoken = (name) => name.replaceAll("_", " ");

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

async function load(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function canvasOf([width, height]) {
  const canvas = element("canvas", { width, height });
  return [canvas, canvas.getContext("2d", { willReadFrequently: true })];
}

// A mask as one byte a pixel; an empty one is not stored.
async function mask(url, size) {
  if (!url) return new Uint8Array(size[0] * size[1]);
  const [, context] = canvasOf(size);
  context.drawImage(await load(url), 0, 0);
  const values = context.getImageData(0, 0, ...size).data;
  return Uint8Array.from({ length: size[0] * size[1] }, (_, at) => values[4 * at] > 127);
}

async function truthOf(picture, name) {
  const key = `${picture.name}/${name ?? ""}`;
  if (!pixels.has(key)) {
    const { size } = picture;
    pixels.set(key, Promise.all([
      load(picture.picture),
      mask(picture.defect, size),
      mask(picture.impurity, size),
      mask(name && picture.classes[name], size),
    ]));
  }
  return pixels.get(key);
}

function outlined(inside, [width, height], at) {
  if (inside[at]) return false;
  const x = at % width;
  for (const [dx, dy] of [[-1, 0], [1, 0], [0, -1], [0, 1]]) {
    const [column, row] = [x + dx, (at - x) / width + dy];
    if (column >= 0 && column < width && row >= 0 && row < height && inside[row * width + column]) {
      return true;
    }
  }
  return false;
}

async function paint(canvas, picture, slug, name, tint) {
  const { size } = picture;
  const [[photo, defect, impurity, marked], flagged] = await Promise.all([
    truthOf(picture, name),
    mask(picture.flagged[slug], size),
  ]);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(photo, 0, 0, ...size);
  const image = context.getImageData(0, 0, ...size);
  for (let at = 0; tint && at < defect.length; at += 1) {
    let colour = null;
    if (defect[at]) colour = flagged[at] ? COLOURS.found : COLOURS.missed;
    else if (flagged[at]) colour = impurity[at] ? COLOURS.impurity : COLOURS.wrong;
    for (let channel = 0; colour && channel < 3; channel += 1) {
      const value = image.data[4 * at + channel];
      image.data[4 * at + channel] = (1 - OPACITY) * value + OPACITY * colour[channel];
    }
    if (!colour && name && outlined(marked, size, at)) image.data.fill(255, 4 * at, 4 * at + 3);
  }
  context.putImageData(image, 0, 0);
  canvas.dataset.painted = tint ? "overlay" : "bare";
}

function counted(picture, slug, at) {
  const row = all().methods[slug].numbers[at];
  if (panel.name) {
    const [count, found, instances, recalls] = row.classes[panel.name] ?? [0, 0, 0, 0];
    const mean = instances ? (recalls / instances).toFixed(3) : "–";
    return `${found} of ${count} pixels flagged (${percent(found, count)}); ${instances} ${instances === 1 ? "instance" : "instances"}, mean recall ${mean}`;
  }
  const { pixel_tp: tp, pixel_fp: fp, pixel_fn: fn, score } = row;
  const phrases = [`${fp} false positive pixels`];
  if (tp + fn) phrases.unshift(`${tp} of ${tp + fn} defect pixels found (${percent(tp, tp + fn)})`);
  if (row.defects) phrases.push(`${row.defects_found} of ${row.defects} defects touched`);
  if (score !== null && score !== undefined) phrases.push(`score ${Number(score).toPrecision(4)}`);
  return phrases.join(", ");
}

function view(picture, slug, at) {
  const [canvas] = canvasOf(picture.size);
  canvas.dataset.method = slug;
  canvas.dataset.at = at;
  const { name } = all().methods[slug];
  canvas.role = "img";
  canvas.ariaLabel = `${name} on ${picture.name}`;
  return element("div", { className: "view" }, canvas,
    element("p", { className: "counted" }, element("b", { textContent: $("beside").value ? `${name}: ` : "" }),
      counted(picture, slug, at)));
}

function tile(at) {
  const picture = all().pictures[at];
  const slugs = [panel.method, $("beside").value].filter(Boolean);
  const where = [picture.label, picture.group].filter((one) => one !== null && one !== undefined && one !== "");
  const node = element("article", { className: "tile" },
    element("h3", { textContent: picture.name }),
    element("p", { className: "where", textContent: where.join(" · ") }),
    element("div", { className: "views" }, ...slugs.map((slug) => view(picture, slug, at))));
  const enlarge = element("button", { type: "button", className: "enlarge", textContent: "Enlarge" });
  enlarge.onclick = () => {
    enlarge.textContent = node.classList.toggle("large") ? "Smaller" : "Enlarge";
  };
  node.prepend(enlarge);
  return node;
}

async function repaint() {
  const jobs = [...$("tiles").querySelectorAll("canvas")].map((canvas) =>
    paint(canvas, all().pictures[canvas.dataset.at], canvas.dataset.method, panel.name, $("tint").checked));
  await Promise.all(jobs);
}

function draw() {
  const places = panel.shown.slice(0, panel.count);
  $("tiles").classList.toggle("double", $("beside").value !== "");
  $("tiles").replaceChildren(...places.map(tile));
  const rest = panel.shown.length - places.length;
  $("more").hidden = rest === 0;
  $("more").textContent = `Show ${Math.min(rest, PAGE_OF_TILES)} more of ${rest}`;
  return repaint();
}

function open(button) {
  const { method, metric, label } = button.dataset;
  const known = all().methods[method];
  const { all: count, shown } = all().orders[method][metric];
  const name = metric.includes(":") ? metric.slice(metric.indexOf(":") + 1) : null;
  panel = { method, metric, name, shown, count: PAGE_OF_TILES };
  $("panel-title").textContent = `${known.name}: ${label} ${button.firstChild.textContent}`;
  const seeds = all().repeats[method];
  const phrases = [all().rules[metric]];
  if (shown.length < count) phrases.push(`${shown.length} of ${count} such pictures are in this page.`);
  else phrases.push(count === 1 ? "One picture." : `${count} pictures.`);
  if (seeds.length > 1) phrases.push(`They are of the first of ${seeds.length} repeats, the number is the mean of all.`);
  phrases.push("A thin mark looks wider here, since any marked pixel shows at this size.");
  $("panel-rule").textContent = phrases.join(" ");
  $("panel-outline").textContent = name ? spoken(name) : "";
  $("panel-outline").hidden = !name;
  $("beside").replaceChildren(element("option", { value: "", textContent: "nothing" }),
    ...Object.entries(all().methods).filter(([slug]) => slug !== method)
      .map(([slug, one]) => element("option", { value: slug, textContent: one.name })));
  $("panel").showModal();
  $("panel").scrollTop = 0;
  draw();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.open");
  if (button) open(button);
});
$("close").onclick = () => $("panel").close();
$("panel").addEventListener("close", () => {
  $("tiles").replaceChildren();
  pixels.clear();
});
$("panel").addEventListener("click", (event) => {
  if (event.target === $("panel")) $("panel").close();
});
$("more").onclick = () => {
  panel.count += PAGE_OF_TILES;
  draw();
};
$("tint").onchange = repaint;
$("beside").onchange = draw;
$("panel").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target === $("beside")) return;
  if (event.key.toLowerCase() === "o") $("tint").click();
});
