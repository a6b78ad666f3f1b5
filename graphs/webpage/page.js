"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const find = (selector, inside = document) => inside.querySelector(selector);
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const el = (tag, name = "", text = "") => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
};
const first = data.first, last = first + data.steps.length;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");

/* ---- numbers ---- */

const unpacked = new Map();
const numbersOf = (array) => {
  if (!unpacked.has(array)) unpacked.set(array, { texts: array.t.split("|"), fulls: array.f.split("|") });
  return unpacked.get(array);
};
const isOne = (array) => array.r * array.c === 1;
const signed = (text) => (/^[1-9.]|^0\.\d*[1-9]/.test(text) ? "+" + text : { "not a number": "nan", "infinite": "+∞", "−infinite": "−∞" }[text] || text);

let palette = "light";
const channels = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
const colour = (share) => { // of −1 to 1, along the diverging map
  const [low, middle, high] = data.maps[palette].map(channels);
  const end = share < 0 ? low : high, weight = Math.abs(share);
  return middle.map((part, i) => Math.round(part + (end[i] - part) * weight));
};
const luminance = (rgb) => rgb.map((part) => part / 255)
  .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);

/* The levels of an array's cells: 0 is not a number, 1 to 255 run from −max over 0 at 128 to +max. */
const levelsOf = (array) => {
  if (array.m) return Uint8Array.from(atob(array.m), (char) => char.charCodeAt(0));
  if (array.z) return new Uint8Array(array.r * array.c).fill(128); // mere rounding looks as zero does
  const values = numbersOf(array).fulls.map(Number);
  const scale = Math.max(0, ...values.map(Math.abs).filter(Number.isFinite)) || 1;
  return Uint8Array.from(values, (x) => (Number.isNaN(x) ? 0 : 128 + Math.round(127 * Math.max(-1, Math.min(1, x / scale)))));
};
/* A heat map has more pixels than it is shown with, so that no browser blurs its cells; only of more cells than
   there is room for are they mixed. Cells large enough are kept apart by a gap. */
const FINE = 3, APART_FROM = 5; // pixels of a canvas for each that is shown; the least side of such a cell
const paint = (canvas, array) => {
  const levels = levelsOf(array), columns = array.w || array.c, rows = levels.length / columns;
  const width = parseFloat(canvas.style.width), height = parseFloat(canvas.style.height);
  const sides = [width / columns, height / rows].map((side) => (side < 1 ? 1 : Math.ceil(FINE * side)));
  const gap = Math.min(width / columns, height / rows) < APART_FROM ? 0 : FINE;
  canvas.width = columns * sides[0];
  canvas.height = rows * sides[1];
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(one(levels, columns, rows), 0, 0, canvas.width, canvas.height);
  if (!gap) return;
  for (let i = 0; i <= columns; i++) context.clearRect(i * sides[0] - gap / 2, 0, gap, canvas.height);
  for (let i = 0; i <= rows; i++) context.clearRect(0, i * sides[1] - gap / 2, canvas.width, gap);
};
const one = (levels, columns, rows) => { // pixel a cell
  const canvas = el("canvas"), image = new ImageData(columns, rows);
  const table = Array.from({ length: 256 }, (_, level) => (level ? colour((level - 128) / 127) : [128, 128, 128]));
  levels.forEach((level, i) => image.data.set([...table[level], 255], 4 * i));
  canvas.width = columns;
  canvas.height = rows;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
};
const heat = (array, width, height) => {
  const canvas = el("canvas");
  canvas.dataset.of = data.arrays.indexOf(array);
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", spoken(array));
  paint(canvas, array);
  return canvas;
};
const spoken = (array) => {
  const { texts } = numbersOf(array);
  const shape = array.s ? array.s.replaceAll("×", "by") + ", " : "";
  const wrong = array.n ? ", " + array.n + " not finite" : "";
  return array.m ? shape + "from " + texts[0] + " to " + texts[1] + wrong : shape + texts.join(", ");
};
const range = (array) => {
  const { texts, fulls } = numbersOf(array);
  const text = el("span", "range", texts[0] + " … " + texts[1] + (array.n ? ", " + array.n + " not finite" : ""));
  text.title = fulls.join(" … ");
  return text;
};
const cells = (array) => {
  const { texts, fulls } = numbersOf(array), levels = levelsOf(array);
  const table = el("table", "cells"), body = table.appendChild(el("tbody"));
  for (let row = 0; row < array.r; row++) {
    const line = body.appendChild(el("tr"));
    for (let column = 0; column < array.c; column++) {
      const i = row * array.c + column;
      const cell = line.appendChild(el("td", "", signed(texts[i])));
      cell.title = fulls[i];
      cell.dataset.level = levels[i];
      shade(cell);
    }
  }
  return table;
};
const shade = (cell) => {
  const level = Number(cell.dataset.level);
  const rgb = level ? colour((level - 128) / 127) : [128, 128, 128];
  cell.style.background = "rgb(" + rgb + ")";
  cell.style.color = luminance(rgb) < 0.179 ? "#fff" : "#000";
};
const drawn = (array, most = 150) => {
  if (isOne(array)) {
    const text = el("span", "", numbersOf(array).texts[0]);
    text.title = numbersOf(array).fulls[0];
    return [text];
  }
  if (!array.m) return [cells(array)];
  const width = Math.min(most, Math.max(20, 14 * array.c)), height = Math.min(84, Math.max(16, 14 * array.r));
  return [heat(array, width, height), range(array)];
};
const fill = (holder) => {
  const array = data.arrays[Number(holder.dataset.array)];
  holder.replaceChildren(...drawn(array));
  holder.classList.add("drawn", isOne(array) ? "plain" : array.m ? "heat" : "cells-of");
  holder.removeAttribute("data-array");
};

/* The widest maps with which a product keeps to one row. */
const narrow = (product) => {
  const parts = [...product.children];
  for (const width of [150, 116, 96, 80, 66]) {
    product.style.setProperty("--map", width + "px");
    if (parts.every((part) => part.offsetTop < parts[0].offsetTop + parts[0].offsetHeight)) return;
  }
  product.style.removeProperty("--map");
};

/* ---- the place on the timeline ---- */

/* What each node holds is applied and reverted step by step, as in the engine. */
const slotOf = (step) => (step.p === "seed" || step.p === "backward" ? "g" : "v");
const ahead = data.nodes.map((node) => ({ ...node }));
for (const step of data.steps) if ("a" in step) {
  step.b = ahead[step.n][slotOf(step)];
  ahead[step.n][slotOf(step)] = step.a;
}
const nodes = data.nodes.map((node) => ({ ...node }));
let position = first;
const apply = (step) => { if ("a" in step) nodes[step.n][slotOf(step)] = step.a; };
const revert = (step) => { if ("a" in step) nodes[step.n][slotOf(step)] = step.b; };
const stepAt = (at) => (at > first ? data.steps[at - first - 1] : null);

const go = (to, tell = true) => {
  to = Math.max(first, Math.min(last, to));
  while (position < to) apply(data.steps[position++ - first]);
  while (position > to) revert(data.steps[--position - first]);
  show(tell);
};
/* The next place after which `differs` says that something else begins. */
const beyond = (direction, differs) => {
  if (position === (direction > 0 ? last : first)) return position;
  let to = position + direction;
  while (to > first && to < last && !differs(data.steps[to - first - 1], data.steps[to - first])) to += direction;
  return to;
};
const owner = (step) => ("from" in step ? step.from : step.n);
const byNode = (a, b) => owner(a) !== owner(b) || a.p !== b.p;
const byPhase = (a, b) => a.p !== b.p;

/* ---- showing it ---- */

const cards = all(".card"), edges = all(".sheet > .wires .edge"), sheet = find(".sheet"), view = find("#view");
const room = sheet ? { w: sheet.offsetWidth, h: sheet.offsetHeight } : null; // of the graph alone
const scrubber = find("#scrubber");
const boxOf = (item) => ({ x: item.offsetLeft, y: item.offsetTop, w: item.offsetWidth, h: item.offsetHeight });
const boxes = cards.map(boxOf), kinds = cards.map((card) => card.classList[1]);
const slots = cards.map((card) => ({ value: find(".value", card), gradient: find(".gradient", card) }));
const flags = new Map();
let current = null;

const show = (tell) => {
  const step = stepAt(position);
  showArticle();
  if (sheet) showGraph(step);
  showTransport(step);
  showKnown();
  if (tell) remember();
};
const showArticle = () => {
  if (current) current.classList.remove("current");
  current = document.getElementById("step=" + position);
  current.classList.add("current");
  all("[data-array]", current).forEach(fill);
  all(".product", current).forEach(narrow);
  find("#said").textContent = find(".place", current).textContent + ". " + find(".sentence", current).textContent;
};
const showTransport = (step) => {
  const phase = step ? step.p : "start";
  scrubber.value = position;
  scrubber.setAttribute("aria-valuetext", "step " + position + " of " + data.total + ", " + phase);
  const share = last > first ? (position - first) / (last - first) : 0;
  scrubber.style.setProperty("--at", "calc(var(--thumb) / 2 + (100% - var(--thumb)) * " + share + ")");
  scrubber.style.setProperty("--now", step ? "var(--" + phase + ")" : "var(--muted)");
  const where = find("#where");
  where.replaceChildren("step ", el("b", "", String(position)), " of " + data.total + " · ", el("b", phase, phase));
  for (const [id, edge] of [["start", first], ["back", first], ["end", last], ["ahead", last]]) {
    find("#" + id).setAttribute("aria-disabled", String(position === edge));
  }
};
const showGraph = (step) => {
  const reads = new Set(step && step.r ? step.r : []), feeds = new Set();
  edges.forEach((edge, i) => {
    const [source, target, back] = data.edges[i];
    const feeding = step && step.p === "forward" && step.n === target;
    if (feeding) feeds.add(source);
    setClass(edge, "edge", nodes[target].v >= 0 && "done", back > 0 && back <= position && "came",
      feeding && "now-f", step && step.e === i && "now-b");
  });
  cards.forEach((card, i) => showCard(card, i, step, reads.has(i), feeds.has(i)));
  showReading(step);
  showLane(step);
  follow(step);
};
/* Sets classes only where they are others than before: of a thousand cards, a step changes a few. */
const setClass = (item, ...names) => {
  const all = names.filter(Boolean).join(" ");
  if (item.getAttribute("class") !== all) item.setAttribute("class", all);
};
const showCard = (card, i, step, read, feeds) => {
  const node = nodes[i], sets = step && step.n === i;
  const state = sets ? "now " + step.p : feeds ? "taking forward" : step && step.from === i ? "taking backward" : "";
  setClass(card, "card", kinds[i], state, node.v < 0 && "future");
  showSlot(slots[i].value, node.v);
  showSlot(slots[i].gradient, node.g);
  showFlag(i, read);
  showBadge(i);
};
/* The update of a parameter below the graph; only its own steps show it, and the sheet has room for it then. */
const lanes = new Map(all(".lane").map((lane) => [Number(lane.dataset.of), {
  lane, ...data.lanes[lane.dataset.of], boxes: all(".tile", lane), edges: all(".edge", lane), fitted: false,
}]));
let shownLane = null;
const showLane = (step) => {
  const found = step && step.p === "update" ? lanes.get(step.n) : null;
  if (shownLane && shownLane !== found) shownLane.lane.hidden = true;
  if (found) showTiles(found);
  if (shownLane === found) return;
  shownLane = found;
  const box = found ? boxOf(found.lane) : { x: 0, y: 0, w: 0, h: 0 };
  sheet.style.width = Math.max(room.w, box.x + box.w + 12) + "px";
  sheet.style.height = Math.max(room.h, box.y + box.h + 16) + "px";
  setScale(scale);
};
const showTiles = (found) => {
  found.lane.hidden = false;
  if (!found.fitted) fitTexts(found.boxes.map((tile) => [tile, tile.offsetWidth - 24]));
  found.fitted = true;
  const since = (tile) => (tile < 0 ? 0 : found.tiles[tile][1]);
  const at = (arrow) => since(arrow[1] < 0 ? arrow[0] : arrow[1]);
  const read = new Set(found.arrows.filter((arrow) => at(arrow) === position).map(([from]) => from));
  found.boxes.forEach((tile, i) => {
    const [array, place] = found.tiles[i];
    const state = place === position ? "now" : place > position ? "future" : read.has(i) ? "taking" : "";
    setClass(tile, "tile", tile.classList[1], state);
    showSlot(find(".slot", tile), place <= position ? array : -1);
  });
  found.edges.forEach((edge, i) => {
    const place = at(found.arrows[i]);
    setClass(edge, "edge", edge.classList[1], place <= position && "done", place === position && "now-f");
  });
};
const showSlot = (slot, at) => {
  if (!slot || slot.shows === at) return;
  slot.shows = at;
  slot.classList.toggle("held", at >= 0);
  if (at < 0) { slot.replaceChildren(); return; }
  const array = data.arrays[at];
  if (isOne(array)) {
    const { texts, fulls } = numbersOf(array);
    slot.replaceChildren(slot.classList.contains("gradient") ? "∂ " + texts[0] : texts[0]);
    slot.title = fulls[0];
  } else {
    slot.replaceChildren(heat(array, parseFloat(slot.style.width), parseFloat(slot.style.height)));
    slot.title = spoken(array);
  }
};
const SVG = "http://www.w3.org/2000/svg";
const place = (item, x, y) => { item.style.left = x + "px"; item.style.top = y + "px"; };
const showFlag = (i, read) => {
  const kept = Boolean(data.nodes[i].stored) && nodes[i].v >= 0;
  let flag = flags.get(i);
  if (kept && !flag) {
    const box = { x: boxes[i].x + boxes[i].w - 28, y: boxes[i].y - 9, w: 13, h: 18 };
    flag = Object.assign(document.createElementNS(SVG, "svg"), { box });
    flag.setAttribute("viewBox", "0 0 13 18");
    flag.innerHTML = '<title>stored for backward</title><path d="M1 1h11v15l-5.5-4-5.5 4z"/>';
    place(flag, box.x, box.y);
    sheet.append(flag);
    flags.set(i, flag);
  }
  if (flag) setClass(flag, "flag", read && "read", !kept && "gone");
};
const badges = new Map();
const arrivals = data.nodes.map(() => []);
data.edges.forEach(([source, , back]) => { if (back) arrivals[source].push(back); });
const showBadge = (i) => {
  const { expected } = data.nodes[i];
  if (expected < 2) return;
  const arrived = arrivals[i].filter((back) => back <= position).length;
  let badge = badges.get(i);
  if (!badge) {
    badge = sheet.appendChild(el("span", "badge"));
    badge.title = "contributions to the gradient that have arrived";
    badges.set(i, badge);
    place(badge, boxes[i].x + boxes[i].w - 8, boxes[i].y + boxes[i].h - 9);
  }
  const text = arrived + " of " + expected;
  if (badge.textContent !== text) badge.textContent = text;
  setClass(badge, "badge", !arrived && "gone");
};

/* ---- the factor on its wire, and what it reads ---- */

const labels = [];
const overlap = (a, b, gap = 4) =>
  Math.max(0, Math.min(a.x + a.w, b.x + b.w) + gap - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.h, b.y + b.h) + gap - Math.max(a.y, b.y));
/* Of several places for a box, the first that covers nothing, else that which covers the least. */
const best = (size, places, obstacles) => {
  const room = { w: sheet.offsetWidth, h: sheet.offsetHeight };
  let found = null, least = Infinity;
  for (const [x, y] of places) {
    const box = { x: x - size.w / 2, y: y - size.h / 2, ...size };
    const outside = Math.max(0, -box.x) + Math.max(0, -box.y) + Math.max(0, box.x + box.w - room.w) + Math.max(0, box.y + box.h - room.h);
    const covered = obstacles.reduce((sum, other) => sum + overlap(box, other), 1000 * outside);
    if (covered < least) { least = covered; found = box; }
    if (!covered) break;
  }
  return [found, least];
};
/* Along the wires, for words not to stand on them; of many wires none, as that would take long. */
const wiring = edges.length > 60 ? [] : edges.flatMap((edge) => all(".line", edge)).flatMap((line) => {
  const length = line.getTotalLength();
  return Array.from({ length: Math.floor(length / 9) }, (_, i) => line.getPointAtLength(9 * i + 4))
    .map(({ x, y }) => ({ x: x - 2, y: y - 2, w: 4, h: 4 }));
});
const SHARES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8];
/* Places beside a wire, the near ones first; distances are from the wire to the box, − on its other side. */
const beside = (line, size, distances) => {
  const length = line.getTotalLength() + 10; // with the arrow's head
  const spots = SHARES.map((share) => [line.getPointAtLength(length * share), line.getPointAtLength(length * share + 1)]);
  return distances.flatMap((distance) => spots.map(([at, next]) => {
    const level = Math.abs(next.x - at.x) > Math.abs(next.y - at.y);
    const far = distance + Math.sign(distance) * (level ? size.h : size.w) / 2;
    return level ? [at.x, at.y + far] : [at.x + far, at.y];
  }));
};
const NEAR = [7, -21, 33, -47], FAR = [60, -74, 85, -99, 110, -124, 140, -154, 180, -194];
const showReading = (step) => {
  labels.splice(0).forEach((item) => item.remove());
  if (!step || step.e === undefined || !edges[step.e] || !data.formulas[step.f]) return;
  const line = find(".b .line", edges[step.e]);
  const label = sheet.appendChild(el("div", "factor"));
  label.innerHTML = data.formulas[step.f];
  labels.push(label);
  const middle = line.getPointAtLength(line.getTotalLength() / 2);
  const near = (box) => Math.abs(box.x - middle.x) < 900 && Math.abs(box.y - middle.y) < 700;
  const obstacles = [...boxes, ...[...flags.values()].map(({ box }) => box)].filter(near);
  let size = { w: label.offsetWidth, h: label.offsetHeight };
  let [box, covered] = best(size, beside(line, size, NEAR), obstacles);
  if (covered) {
    label.classList.add("smaller");
    size = { w: label.offsetWidth, h: label.offsetHeight };
    box = best(size, beside(line, size, [...NEAR, ...FAR]), obstacles)[0];
  }
  place(label, box.x, box.y);
  obstacles.push(box);
  (step.r || []).forEach((i) => showArc(i, box, obstacles));
};
/* Of several curves from a card's flag to the factor, that which runs over the least. */
const showArc = (i, box, obstacles) => {
  const card = boxes[i];
  const start = [card.x + card.w - 21.5, card.y - 10];
  const middle = [box.x + box.w / 2, box.y + box.h / 2];
  const ends = [
    [[middle[0], box.y - 2], [0, -1]], [[middle[0], box.y + box.h + 2], [0, 1]],
    [[box.x - 2, middle[1]], [-1, 0]], [[box.x + box.w + 2, middle[1]], [1, 0]],
  ];
  let least = Infinity, chosen = null;
  for (const [end, away] of ends) for (const lift of [34, 60, 100, 150, 240]) for (const reach of [24, 60, 110, 200]) {
    const curve = [start, [start[0], start[1] - lift], [end[0] + away[0] * reach, end[1] + away[1] * reach], end];
    const cost = costOf(curve, obstacles);
    if (cost < least) { least = cost; chosen = [curve, away]; }
  }
  const [curve, [dx, dy]] = chosen, [x, y] = curve[3];
  const line = svgPath("reading", "M" + curve[0] + "C" + curve.slice(1).join(" "));
  const wings = [1, -1].map((side) => [x + 8 * dx - 4 * side * dy, y + 8 * dy + 4 * side * dx]);
  const head = svgPath("reading-head", "M" + [x, y] + "L" + wings.join("L") + "Z");
  const words = sheet.appendChild(el("div", "reads", "reads stored "));
  words.append(find(".name math", cards[i]).cloneNode(true));
  labels.push(line, head, words);
  const size = { w: words.offsetWidth, h: words.offsetHeight };
  const offsets = [-12, 0, 12, size.h + 8, -size.h - 8, 2 * size.h, -2 * size.h];
  const places = offsets.flatMap((off) => SHARES.flatMap((share) => {
    const [px, py] = pointOf(curve, share), aside = size.w / 2 + 8;
    return [0, aside, -aside, aside + 20, -aside - 20].map((across) => [px + across, py + off]);
  }));
  places.push([start[0] + 12 + size.w / 2, start[1] - 4], [start[0] - 12 - size.w / 2, start[1] - 4]);
  const [found] = best(size, places, [...obstacles, ...wiring]);
  place(words, found.x, found.y);
  obstacles.push(found);
};
const svgPath = (name, d) => {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", name);
  path.setAttribute("d", d);
  return find(".over").appendChild(path);
};
const pointOf = ([a, b, c, d], t) => [0, 1].map((i) =>
  (1 - t) ** 3 * a[i] + 3 * (1 - t) ** 2 * t * b[i] + 3 * (1 - t) * t * t * c[i] + t ** 3 * d[i]);
const costOf = (curve, obstacles) => {
  let cost = 0, before = curve[0];
  for (let n = 1; n <= 30; n++) {
    const at = pointOf(curve, n / 30);
    const inside = obstacles.some((o) => at[0] > o.x - 3 && at[0] < o.x + o.w + 3 && at[1] > o.y - 3 && at[1] < o.y + o.h + 3);
    cost += Math.hypot(at[0] - before[0], at[1] - before[1]) * (inside && n < 30 ? 12 : 1);
    if (at[1] < 4 || at[0] < 4 || at[0] > sheet.offsetWidth - 4) cost += 200;
    before = at;
  }
  return cost;
};

/* Formulas are measured with one font and set in whatever is there: those that are too wide become smaller. */
const SMALLEST = 10;
const shrink = () => fitTexts(cards.map((card, i) => [card, boxes[i].w - 24 - (card.classList.contains("parameter") ? 5 : 0)]));
const fitTexts = (places) => {
  const fitting = places.flatMap(([card, wide]) => all(".name, .formula", card).map((item) => {
    const aside = item.nextElementSibling && item.nextElementSibling.classList.contains("size") ? item.nextElementSibling.offsetWidth + 5 : 0;
    return [item, (wide - aside) / (item.firstElementChild.getBoundingClientRect().width / scale)];
  }));
  for (const [item, share] of fitting) {
    const size = parseFloat(item.style.fontSize);
    if (share < 1) item.style.fontSize = Math.max(Math.min(size, SMALLEST), size * share) + "px";
    item.classList.toggle("cut", size * share < SMALLEST);
  }
};

/* ---- how large the graph is, and what of it is seen ---- */

let scale = 1, fitted = true;
const LEAST = 0.2, MOST = 2.5;
const readable = () => (view.clientWidth < 600 ? 0.8 : 0.66);
const setScale = (to) => {
  if (!sheet) return;
  scale = Math.max(LEAST, Math.min(MOST, to));
  sheet.style.transform = "scale(" + scale + ")";
  const sizer = find(".sizer");
  const w = sheet.offsetWidth * scale, h = sheet.offsetHeight * scale;
  sizer.style.width = Math.max(w, view.clientWidth) + "px";
  sizer.style.height = Math.max(h, view.clientHeight) + "px";
  sheet.style.left = Math.max(0, (view.clientWidth - w) / 2) + "px";
  const above = (view.clientHeight - room.h * scale) / 2; // also with an update below, as far as there is room
  sheet.style.top = Math.max(0, Math.min(above, view.clientHeight - h)) + "px";
};
const whole = () => Math.min(view.clientWidth / sheet.offsetWidth, view.clientHeight / sheet.offsetHeight, 1.25);
const fit = (everything = false) => {
  if (!sheet) return;
  fitted = true;
  setScale(Math.max(whole(), everything ? LEAST : readable()));
};
const zoom = (by) => {
  fitted = false;
  const middle = [view.scrollLeft + view.clientWidth / 2, view.scrollTop + view.clientHeight / 2].map((at) => at / scale);
  setScale(scale * by);
  view.scrollTo(middle[0] * scale - view.clientWidth / 2, middle[1] * scale - view.clientHeight / 2);
};
const tileBox = (tile) => {
  const { x, y } = boxOf(tile.parentElement), own = boxOf(tile);
  return { ...own, x: x + own.x, y: y + own.y };
};
const follow = (step) => {
  const tile = shownLane && shownLane.boxes.find((item) => item.classList.contains("now"));
  const around = step ? [boxes[step.n], boxes[step.from], tile && tileBox(tile), ...labels.filter((l) => l.offsetWidth).map(boxOf)] : [boxes[0]];
  const seen = around.filter(Boolean);
  if (!seen.length) return;
  const left = Math.min(...seen.map((b) => b.x)), right = Math.max(...seen.map((b) => b.x + b.w));
  const top = Math.min(...seen.map((b) => b.y)), bottom = Math.max(...seen.map((b) => b.y + b.h));
  const to = (low, high, own, at, room) => {
    low = low * scale - 16; high = high * scale + 16;
    if (low >= at && high <= at + room) return at;
    return high - low > room ? own * scale - room / 2 : (low + high - room) / 2;
  };
  const x = to(left, right, seen[0].x + seen[0].w / 2, view.scrollLeft, view.clientWidth);
  const y = to(top, bottom, seen[0].y + seen[0].h / 2, view.scrollTop, view.clientHeight);
  if (x !== view.scrollLeft || y !== view.scrollTop) view.scrollTo({ left: x, top: y, behavior: still.matches ? "auto" : "smooth" });
};

/* ---- what is known so far ---- */

const known = find("#known");
const showKnown = () => {
  const values = nodes.filter((n) => n.v >= 0).length, gradients = nodes.filter((n) => n.g >= 0).length;
  find("summary", known).textContent = "Values and gradients so far: " + values + " and " + gradients;
  if (!known.open) return;
  nodes.forEach((node, i) => {
    rows[i] ||= newRows(i);
    showKnownCell(rows[i][0], node.v);
    showKnownCell(rows[i][1], node.g);
  });
};
const rows = [];
/* Two rows a node, its value and its gradient; returns their cells. */
const newRows = (i) => ["value", "gradient"].map((what, n) => {
  const row = find("#table tbody").appendChild(el("tr", n ? "" : "first"));
  if (!n) {
    const head = row.appendChild(el("th"));
    head.rowSpan = 2;
    head.scope = "rowgroup";
    if (cards[i]) head.append(find(".name math", cards[i]).cloneNode(true));
    else head.textContent = data.nodes[i].name;
  }
  row.appendChild(el("th", what, what)).scope = "row";
  return row.appendChild(el("td", what));
});
const showKnownCell = (cell, at) => {
  if (cell.dataset.shows === String(at)) return;
  cell.dataset.shows = at;
  cell.classList.toggle("later", at < 0);
  if (at < 0) cell.replaceChildren("not yet");
  else cell.replaceChildren(...drawn(data.arrays[at], 104));
};
known.addEventListener("toggle", showKnown);
known.open = matchMedia("(min-width: 861px)").matches && nodes.length <= 100;

/* ---- playing ---- */

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
let speed = 2, timer = 0;
const playing = () => timer !== 0;
const halt = () => {
  clearInterval(timer);
  timer = 0;
  showPlay();
};
const play = () => {
  if (playing()) { halt(); return; }
  if (position === last) go(first);
  timer = setInterval(() => { if (position >= last) halt(); else go(position + 1); }, 1000 / SPEEDS[speed]);
  showPlay();
};
const faster = (by) => {
  speed = Math.max(0, Math.min(SPEEDS.length - 1, speed + by));
  if (playing()) { clearInterval(timer); timer = 0; play(); }
  showPlay();
};
const showPlay = () => {
  const button = find("#play");
  button.classList.toggle("playing", playing());
  button.setAttribute("aria-label", playing() ? "Pause" : "Play");
  find("#speed").textContent = SPEEDS[speed] + (SPEEDS[speed] === 1 ? " step" : " steps") + " a second";
};

/* ---- the address ---- */

/* The address follows when stepping has paused: browsers allow so many changes in a while, some none in a file. */
let remembering = 0;
const remember = () => {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    try { history.replaceState(null, "", "#step=" + position); } catch { /* then it stays as it was opened */ }
  }, 150);
};
const asked = () => {
  const found = /^#step=(\d+)$/.exec(location.hash);
  return found ? Number(found[1]) : null;
};
addEventListener("hashchange", () => { if (asked() !== null) go(asked()); });

/* ---- theme ---- */

const THEMES = [["", "as the system"], ["light", "light"], ["dark", "dark"]];
let theme = 0;
const showTheme = () => {
  const [name, text] = THEMES[theme];
  if (name) root.dataset.theme = name; else delete root.dataset.theme;
  find("#theme").setAttribute("aria-label", "Theme: " + text);
  find("#theme").title = "Theme: " + text;
  repaint(name || (dark.matches ? "dark" : "light"));
};
const repaint = (name) => {
  if (name === palette) return;
  palette = name;
  all("canvas[data-of]").forEach((canvas) => paint(canvas, data.arrays[canvas.dataset.of]));
  all(".cells td").forEach(shade);
};
dark.addEventListener("change", showTheme);

/* ---- keys, buttons, fingers ---- */

const dialog = find("#keys");
const KEYS = {
  ArrowRight: (event) => go(event.shiftKey ? beyond(1, byNode) : event.ctrlKey ? beyond(1, byPhase) : position + 1),
  ArrowLeft: (event) => go(event.shiftKey ? beyond(-1, byNode) : event.ctrlKey ? beyond(-1, byPhase) : position - 1),
  PageDown: () => go(position + 1),
  PageUp: () => go(position - 1),
  Home: () => go(first),
  End: () => go(last),
  " ": play,
  "+": () => faster(1),
  "=": () => faster(1),
  "-": () => faster(-1),
  f: () => fit(true),
  F: () => fit(true),
  "?": () => dialog.showModal(),
};
addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || dialog.open || !(event.key in KEYS)) return;
  if (event.ctrlKey && !event.key.startsWith("Arrow")) return;
  if (event.key === " " && event.target.closest("button, summary, a")) return;
  event.preventDefault();
  if (event.key !== " ") { if (playing() && event.key !== "+" && event.key !== "-" && event.key !== "=") halt(); }
  KEYS[event.key](event);
});
const click = (id, act) => find("#" + id).addEventListener("click", act);
click("start", () => { halt(); go(first); });
click("back", () => { halt(); go(position - 1); });
click("play", play);
click("ahead", () => { halt(); go(position + 1); });
click("end", () => { halt(); go(last); });
click("smaller", () => zoom(1 / 1.25));
click("larger", () => zoom(1.25));
click("fit", () => fit(true));
click("help", () => dialog.showModal());
click("close", () => dialog.close());
click("theme", () => { theme = (theme + 1) % THEMES.length; showTheme(); });
scrubber.addEventListener("input", () => { halt(); go(Number(scrubber.value)); });

const fingers = new Map();
view.addEventListener("pointerdown", (event) => fingers.set(event.pointerId, event));
view.addEventListener("pointermove", (event) => {
  if (!fingers.has(event.pointerId)) return;
  const before = apart();
  fingers.set(event.pointerId, event);
  if (fingers.size === 2 && before) zoom(apart() / before);
});
const apart = () => {
  const [a, b] = [...fingers.values()];
  return b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0;
};
for (const name of ["pointerup", "pointercancel", "pointerleave"]) view.addEventListener(name, (event) => fingers.delete(event.pointerId));
view.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
}, { passive: false });

/* Numbers are copied in full, in rows and columns as in a spreadsheet. */
addEventListener("copy", (event) => {
  const chosen = getSelection();
  const rows = all(".cells tr").filter((row) => chosen.containsNode(row, true));
  if (!rows.length || chosen.isCollapsed) return;
  const text = rows.map((row) => [...row.cells].filter((cell) => chosen.containsNode(cell, true)).map((cell) => cell.title).join("\t"));
  event.clipboardData.setData("text/plain", text.join("\n"));
  event.preventDefault();
});

addEventListener("resize", () => { if (fitted) fit(); else setScale(scale); });
addEventListener("beforeprint", () => {
  repaint("print");
  if (!sheet) return;
  sheet.dataset.scale = scale;
  setScale(Math.min(1, 690 / sheet.offsetWidth));
  find(".sizer").style.width = "690px";
  find(".sizer").style.height = sheet.offsetHeight * scale + "px";
  sheet.style.left = sheet.style.top = "0";
});
addEventListener("afterprint", () => {
  showTheme();
  if (sheet) setScale(Number(sheet.dataset.scale));
});

showTheme();
showPlay();
shrink();
fit();
go(asked() ?? data.position, false);
const toTop = () => { find("#panel").scrollTop = 0; find("main").scrollTop = 0; scrollTo(0, 0); };
addEventListener("load", () => requestAnimationFrame(toTop)); // a browser goes to what the address names by itself
toTop();
})();
