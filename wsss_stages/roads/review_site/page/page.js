"use strict";
// The page of a review. Everything from the run is put in as text; addresses are relative, so that a forwarded port works too.
const UNKNOWN = 255, EDGE = 0xffffffff, ROW = 84, PAGE = 100, HANDLE = 9, UNDO = 30;
const STATES = { accept: "accepted", fix: "to be fixed", skip: "skipped", open: "not seen" };
const $ = (id) => document.getElementById(id);
const page = {
  run: null, image: null, number: 0, total: 0, mask: null, shown: null, undo: [], tool: "look", box: -1, drag: null,
  pages: new Map(), saving: Promise.resolve(), waiting: 0, generation: 0, failed: false, busy: false,
};

async function ask(path, content, kind) {
  const options = content === undefined ? {} : { method: "POST", body: content, headers: { "Content-Type": kind } };
  const answer = await fetch(path, { cache: "no-store", ...options });
  if (answer.ok) return answer;
  const found = await answer.json().catch(() => ({}));
  throw new Error(found.error || `the server answered ${answer.status}`);
}
const json = async (path) => (await ask(path)).json();
const classes = async (path) => new Uint8Array(await (await ask(path)).arrayBuffer());

function tell(text, bad) {
  $("saved").textContent = text;
  $("saved").className = bad ? "bad" : "";
}

// Saves go out one after the other, in the order of what was done.
function save(path, content, kind) {
  const generation = page.generation;
  page.waiting += 1;
  tell("saving …");
  page.saving = page.saving.then(async () => {
    try {
      const body = typeof content === "function" ? await content() : content;
      const found = await (await ask(path, body, kind)).json();
      if (generation === page.generation && page.waiting === 1 && !page.drag) { page.image = found; about(); boxes(); }
      page.failed = false;
      return found;
    } catch (error) {
      page.failed = true;
      tell(`NOT SAVED: ${error.message || "the server does not answer"}`, true);
      return null;
    } finally {
      page.waiting -= 1;
      if (!page.waiting && !page.failed) tell("saved");
    }
  });
  return page.saving;
}

async function packed(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

function saveMask() {
  const copy = page.mask.slice();
  return save(`api/mask/${page.image.key}`, () => packed(copy), "application/octet-stream").then((found) => found && refresh());
}

function saveBoxes() {
  const content = JSON.stringify({ boxes: page.image.boxes, classes: page.image.box_classes });
  return save(`api/boxes/${page.image.key}`, content, "application/json").then((found) => found && refresh());
}

// The list: rows are made for what can be seen.
async function chunk(number) {
  const state = $("filter").value;
  if (!page.pages.has(number)) {
    page.pages.set(number, json(`api/images?start=${number * PAGE}&count=${PAGE}&state=${state}`));
  }
  const pages = page.pages, found = await pages.get(number).catch((error) => { pages.delete(number); throw error; });
  if (pages === page.pages) {
    page.total = found.total;
    $("rows").style.height = `${found.total * ROW}px`;
    const c = found.counts, parts = Object.entries(STATES).map(([state, text]) => `${c[state] || 0} ${text}`);
    $("counts").textContent = parts.join(" · ");
  }
  return found.images;
}

async function entry(number) {
  const images = await chunk(Math.floor(number / PAGE));
  return images[number % PAGE];
}

async function list() {
  const first = Math.max(0, Math.floor($("list").scrollTop / ROW) - 2), pages = page.pages;
  const last = first + Math.ceil($("list").clientHeight / ROW) + 5;
  await chunk(Math.floor(first / PAGE));
  const entries = [];
  for (let n = first; n < Math.min(last, page.total); n += 1) entries.push([n, await entry(n)]);
  if (pages !== page.pages) return;
  $("rows").replaceChildren(...entries.filter(([, e]) => e).map(([n, e]) => row(n, e)));
}

function row(number, found) {
  const button = document.createElement("button"), picture = document.createElement("img"), text = document.createElement("span");
  const state = document.createElement("b");
  button.type = "button";
  button.className = `entry ${found.state}`;
  button.style.top = `${number * ROW}px`;
  button.setAttribute("aria-current", String(page.image !== null && page.image.key === found.key));
  picture.src = `thumbnail/${found.key}?${found.state}`;
  picture.alt = "";
  state.className = "state";
  state.textContent = STATES[found.state];
  text.append(state, found.id, found.score === null ? "" : ` · score ${found.score.toFixed(2)} of 1`);
  button.append(picture, text);
  button.addEventListener("click", () => go(number));
  return button;
}

async function refresh() {
  page.pages = new Map();
  await list();
}

async function go(number) {
  if (page.busy || page.drag) return;
  page.busy = true;
  try {
    await page.saving;
    await chunk(0);
    if (!page.total) { nothing(); return; }
    page.number = Math.min(Math.max(0, number), page.total - 1);
    await open((await entry(page.number)).key);
    const top = page.number * ROW, view = $("list");
    if (top < view.scrollTop || top + ROW > view.scrollTop + view.clientHeight) view.scrollTop = Math.max(0, top - ROW);
    await list();
  } catch (error) {
    tell(`The server does not answer: ${error.message}`, true);
  } finally {
    page.busy = false;
  }
}

function nothing() {
  $("about").textContent = "No image here. Choose other images at the left.";
  $("rows").replaceChildren();
  page.image = null;
}

async function open(key) {
  const picture = new Image();
  picture.src = `photo/${key}`;
  const [found, mask] = await Promise.all([json(`api/image/${key}`), classes(`mask/${key}`), picture.decode()]);
  page.generation += 1;
  Object.assign(page, { image: found, mask, shown: mask, undo: [], box: -1, drag: null });
  for (const id of ["photo", "label"]) Object.assign($(id), { width: found.width, height: found.height });
  $("photo").getContext("2d").drawImage(picture, 0, 0, found.width, found.height);
  $("step").value = "";
  const held = found.tags.length ? found.tags[0] : 1;
  if (!found.tags.includes(Number($("class").value))) $("class").value = String(held);
  fit(); about(); label(); step();
}

function about() {
  const i = page.image, who = i.state === "open" ? "" : ` by ${i.who || "somebody"}, ${i.when.slice(0, 16).replace("T", " ")}`;
  const score = i.score === null ? "" : `, score ${i.score.toFixed(2)} of 1`;
  $("about").textContent = `${page.number + 1} of ${page.total}: ${i.id}${score} — ${STATES[i.state]}${who}${i.corrected ? "; corrected in an earlier round" : ""}`;
  for (const id of ["accept", "fix", "skip"]) $(id).setAttribute("aria-pressed", "false");
  const kind = i.painted && i.state === "fix" ? "Accepting takes the label as you painted it."
    : i.boxed && !i.painted ? "Accepting takes your boxes: the label is made again from them in the next run."
      : i.state === "accept" ? "Accepted: it will be the label of this image." : "Accepting takes the label as it is shown.";
  $("meaning").textContent = page.run.read_only ? "You only look." : kind;
  const seen = new Set([...i.tags, ...page.mask].filter((c) => c > 0 && c < UNKNOWN));
  $("legend").replaceChildren(...[...seen].sort((a, b) => a - b).map((c) => {
    const line = document.createElement("li"), mark = document.createElement("i");
    mark.style.background = page.run.colours[c];
    line.append(mark, page.run.classes[c]);
    return line;
  }));
}

const rgb = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
const scale = () => $("boxes").width / page.image.width;

function label(box) {
  const { width, height } = page.image, context = $("label").getContext("2d");
  let [x0, y0, x1, y1] = box || [0, 0, width, height];
  [x0, y0] = [Math.max(0, x0 - 1), Math.max(0, y0 - 1)];
  if (x1 <= x0 || y1 <= y0) return;
  const pixels = context.createImageData(x1 - x0, y1 - y0), data = new Uint32Array(pixels.data.buffer);
  const last = width * height - 1;
  for (let y = y0, at = 0; y < y1; y += 1) for (let x = x0; x < x1; x += 1, at += 1) {
    const n = y * width + x, c = page.shown[n], edge = (x + 1 < width && page.shown[n + 1] !== c) || page.shown[Math.min(last, n + width)] !== c && y + 1 < height;
    data[at] = edge ? EDGE : page.colours[c];
  }
  context.putImageData(pixels, x0, y0);
}

const toScreen = (box) => {
  const i = page.image, k = scale();
  return [box[0] * i.width / i.full_width * k, box[1] * i.height / i.full_height * k, box[2] * i.width / i.full_width * k, box[3] * i.height / i.full_height * k];
};

function boxes() {
  const context = $("boxes").getContext("2d"), canvas = $("boxes");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!$("show-boxes").checked && page.tool !== "box") return;
  const k = scale();
  context.font = "12px system-ui, sans-serif";
  page.image.boxes.forEach((box, n) => {
    const [x0, y0, x1, y1] = toScreen(box), name = page.run.classes[page.image.box_classes[n]];
    for (const [style, width] of [["#000", 4], [n === page.box ? "#fff" : page.run.colours[page.image.box_classes[n]], 2]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
    context.fillStyle = "#000";
    context.fillRect(x0, y0, context.measureText(name).width + 6, 16);
    context.fillStyle = "#fff";
    context.fillText(name, x0 + 3, y0 + 12);
    if (n === page.box) for (const [x, y] of [[x0, y0], [x1, y0], [x0, y1], [x1, y1]]) context.fillRect(x - 4, y - 4, 8, 8);
  });
  for (const [x, y, c] of page.image.points) {
    context.beginPath();
    context.arc((x + 0.5) * k, (y + 0.5) * k, 5, 0, 7);
    context.fillStyle = page.run.colours[c];
    context.strokeStyle = "#fff";
    context.fill();
    context.stroke();
  }
}

function fit() {
  const view = $("view"), i = page.image, room = matchMedia("(max-width: 800px)").matches ? innerHeight * 0.55 : view.clientHeight;
  const whole = Math.min(view.clientWidth / i.width, room / i.height) * Number($("zoom").value);
  const [width, height] = [i.width, i.height].map((side) => Math.max(1, Math.floor(side * whole)));
  Object.assign($("canvas-box").style, { width: `${width}px`, height: `${height}px` });
  Object.assign($("boxes"), { width, height });
  boxes();
}

async function step() {
  const title = $("step").value, generation = page.generation;
  $("take").hidden = !title || page.run.read_only;
  try {
    const found = title ? await classes(`step/${page.image.key}/${encodeURIComponent(title)}`) : page.mask;
    if (generation === page.generation && title === $("step").value) { page.shown = found; label(); }
  } catch (error) { tell(error.message, true); }
}

function choose(tool) {
  if (page.run.read_only) tool = "look";
  page.tool = tool;
  $("boxes").className = tool;
  if (tool === "brush" || tool === "erase") { $("step").value = ""; page.shown = page.mask; if (page.image) { label(); step(); } }
  document.querySelectorAll("[data-tool]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.tool === tool)));
  if (tool !== "box") page.box = -1;
  if (page.image) boxes();
}

function at(event) {
  const area = $("boxes").getBoundingClientRect(), i = page.image;
  return [(event.clientX - area.left) / area.width * i.width, (event.clientY - area.top) / area.height * i.height];
}

function dab(from, to) {
  const { width, height } = page.image, r = Number($("size").value) / 2, value = page.tool === "erase" ? 0 : Number($("class").value);
  const far = Math.hypot(to[0] - from[0], to[1] - from[1]), count = Math.max(1, Math.ceil(far / Math.max(1, r / 3)));
  const area = [width, height, 0, 0];
  for (let n = 0; n <= count; n += 1) {
    const cx = from[0] + (to[0] - from[0]) * n / count, cy = from[1] + (to[1] - from[1]) * n / count;
    const x0 = Math.max(0, Math.floor(cx - r)), x1 = Math.min(width, Math.ceil(cx + r) + 1);
    const y0 = Math.max(0, Math.floor(cy - r)), y1 = Math.min(height, Math.ceil(cy + r) + 1);
    for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) {
      const inside = (x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 <= r * r || (x === Math.floor(cx) && y === Math.floor(cy));
      if (inside) page.mask[y * width + x] = value;
    }
    area[0] = Math.min(area[0], x0); area[1] = Math.min(area[1], y0); area[2] = Math.max(area[2], x1); area[3] = Math.max(area[3], y1);
  }
  label(area);
}

function remember() {
  page.undo.push({ mask: page.mask.slice(), boxes: structuredClone(page.image.boxes), classes: [...page.image.box_classes] });
  if (page.undo.length > UNDO) page.undo.shift();
}

function undo() {
  if (page.run.read_only || page.busy || page.drag || !page.undo.length) return;
  const before = page.undo.pop();
  const painted = before.mask.some((value, n) => value !== page.mask[n]);
  const drawn = JSON.stringify(before.boxes) !== JSON.stringify(page.image.boxes);
  page.mask = before.mask;
  page.image.boxes = before.boxes;
  page.image.box_classes = before.classes;
  page.box = -1;
  $("step").value = "";
  page.shown = page.mask;
  label(); boxes();
  if (painted) saveMask();
  if (drawn) saveBoxes();
}

const full = ([x, y]) => [Math.round(x * page.image.full_width / page.image.width), Math.round(y * page.image.full_height / page.image.height)];

function grab(point) {
  const area = $("boxes").getBoundingClientRect(), near = HANDLE * page.image.width / area.width;
  const there = page.image.boxes.map((box) => toScreen(box).map((v) => v / scale()));
  const order = there.map((_, n) => n).sort((a, b) => (b === page.box) - (a === page.box));
  for (const n of order) {
    const box = there[n];
    for (const [cx, cy] of [[0, 1], [2, 1], [0, 3], [2, 3]]) {
      if (Math.hypot(box[cx] - point[0], box[cy] - point[1]) <= near) return { n, cx, cy };
    }
  }
  const within = order.filter((n) => there[n][0] <= point[0] && point[0] < there[n][2] && there[n][1] <= point[1] && point[1] < there[n][3]);
  within.sort((a, b) => (there[a][2] - there[a][0]) * (there[a][3] - there[a][1]) - (there[b][2] - there[b][0]) * (there[b][3] - there[b][1]));
  return within.length ? { n: within[0], cx: -1, cy: -1 } : null;
}

function down(event) {
  if (!page.image || page.busy || page.tool === "look" || event.button > 0) return;
  event.preventDefault();
  $("boxes").setPointerCapture(event.pointerId);
  const point = at(event);
  if (page.tool === "box") {
    const found = grab(point);
    page.drag = { kind: "box", from: point, grabbed: found, moved: false };
    page.box = found ? found.n : -1;
    boxes();
  } else {
    remember();
    page.drag = { kind: "paint", last: point };
    dab(point, point);
  }
}

function move(event) {
  if (!page.drag) return;
  const point = at(event), drag = page.drag;
  if (drag.kind === "paint") { dab(drag.last, point); drag.last = point; return; }
  if (!drag.moved && Math.hypot(point[0] - drag.from[0], point[1] - drag.from[1]) < 2) return;
  const inside = [Math.min(Math.max(0, point[0]), page.image.width), Math.min(Math.max(0, point[1]), page.image.height)];
  if (!drag.moved) {
    remember();
    if (!drag.grabbed || drag.grabbed.cx < 0) {
      const [x, y] = full(drag.from);
      page.image.boxes.push([x, y, x, y]);
      page.image.box_classes.push(Number($("class").value));
      drag.grabbed = { n: page.image.boxes.length - 1, cx: 2, cy: 3 };
    }
    drag.moved = true;
    page.box = drag.grabbed.n;
  }
  const box = page.image.boxes[drag.grabbed.n];
  [box[drag.grabbed.cx], box[drag.grabbed.cy]] = full(inside);
  boxes();
}

function up() {
  const drag = page.drag;
  page.drag = null;
  if (!drag) return;
  if (drag.kind === "paint") { saveMask(); about(); return; }
  if (!drag.moved) return;
  const box = page.image.boxes[page.box], [x0, y0, x1, y1] = box;
  box.splice(0, 4, Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1));
  if (box[2] - box[0] < 2 || box[3] - box[1] < 2) {
    const before = page.undo.pop();
    page.image.boxes = before.boxes;
    page.image.box_classes = before.classes;
    page.box = -1;
    boxes();
    return;
  }
  boxes();
  saveBoxes();
}

function deleteBox() {
  if (page.run.read_only || page.tool !== "box" || page.box < 0 || page.busy || page.drag) return;
  remember();
  page.image.boxes.splice(page.box, 1);
  page.image.box_classes.splice(page.box, 1);
  page.box = -1;
  boxes();
  saveBoxes();
}

async function decide(state) {
  if (page.run.read_only || !page.image || page.busy || page.drag) return;
  const filtered = $("filter").value !== "all", found = await save(`api/verdict/${page.image.key}`, JSON.stringify({ state }), "application/json");
  if (!found) return;
  await refresh();
  if (state === "open") await open(page.image.key);
  else if (filtered && found.state !== $("filter").value) await go(page.number);
  else if (page.number + 1 < page.total) await go(page.number + 1);
  else about();
}

function take() {
  remember();
  page.mask = page.shown.slice();
  page.shown = page.mask;
  $("step").value = "";
  step();
  saveMask();
}

const KEYS = {
  ArrowRight: () => go(page.number + 1), ArrowLeft: () => go(page.number - 1), j: () => go(page.number + 1), k: () => go(page.number - 1),
  a: () => decide("accept"), f: () => decide("fix"), s: () => decide("skip"), b: () => choose("brush"), e: () => choose("erase"), x: () => choose("box"),
  Escape: () => choose("look"), z: undo, Delete: deleteBox, Backspace: deleteBox, "?": () => $("help").showModal(),
  "[": () => size(-4), "]": () => size(4), h: () => { $("label").hidden = !$("label").hidden; },
};

function size(change) {
  $("size").value = String(Number($("size").value) + change);
  $("size-text").textContent = `${$("size").value} pixels`;
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || event.target.matches("select, input[type=text]")) return;
  const handle = KEYS[event.key];
  if (handle) { event.preventDefault(); handle(); return; }
  const number = "123456789".indexOf(event.key) + 1;
  if (number && number < page.run.classes.length) $("class").value = String(page.image.tags[number - 1] || number);
}

async function start() {
  page.run = await json("api/run");
  page.colours = new Uint32Array(256);
  page.run.colours.forEach((text, c) => { const [r, g, b] = rgb(text); page.colours[c] = c ? (255 << 24 | b << 16 | g << 8 | r) >>> 0 : 0; });
  page.colours[UNKNOWN] = 0xffe0e0e0;
  document.title = `Review of ${page.run.dataset}`;
  $("title").textContent = `Review of ${page.run.dataset}, ${page.run.weak} labels`;
  $("order").textContent = page.run.scored ? "The most doubtful labels first." : "In the order of the dataset: this run has no scores of doubt.";
  $("banner").hidden = !page.run.read_only;
  $("banner").textContent = page.run.busy || "This page only shows the labels.";
  for (const id of ["accept", "fix", "skip", "undo", "delete-box", "reset", "take"]) $(id).disabled = page.run.read_only;
  $("tools").disabled = page.run.read_only;
  $("step").append(new Option("final label", ""), ...page.run.steps.map((title) => new Option(`step: ${title}`, title)));
  $("class").append(...page.run.classes.map((name, c) => new Option(name, String(c))).slice(1));
  $("opacity").addEventListener("input", () => { $("label").style.opacity = String(Number($("opacity").value) / 100); });
  $("label").style.opacity = "0.55";
  size(0);
  $("size").addEventListener("input", () => size(0));
  $("zoom").addEventListener("input", fit);
  $("show-boxes").addEventListener("change", boxes);
  $("step").addEventListener("change", () => { if ($("step").value) choose("look"); step(); });
  $("filter").addEventListener("change", () => { page.pages = new Map(); $("list").scrollTop = 0; go(0); });
  $("list").addEventListener("scroll", () => list().catch(() => {}));
  for (const [id, state] of [["accept", "accept"], ["fix", "fix"], ["skip", "skip"], ["reset", "open"]]) $(id).addEventListener("click", () => decide(state));
  $("previous").addEventListener("click", () => go(page.number - 1));
  $("next").addEventListener("click", () => go(page.number + 1));
  $("undo").addEventListener("click", undo);
  $("delete-box").addEventListener("click", deleteBox);
  $("take").addEventListener("click", take);
  $("help-button").addEventListener("click", () => $("help").showModal());
  $("help-close").addEventListener("click", () => $("help").close());
  document.querySelectorAll("[data-tool]").forEach((b) => b.addEventListener("click", () => choose(b.dataset.tool)));
  for (const [name, handle] of [["pointerdown", down], ["pointermove", move], ["pointerup", up], ["pointercancel", up]]) $("boxes").addEventListener(name, handle);
  addEventListener("keydown", key);
  addEventListener("resize", () => { if (page.image) fit(); list().catch(() => {}); });
  addEventListener("beforeunload", (event) => { if (page.waiting || page.failed) event.preventDefault(); });
  choose("look");
  await go(0);
}

start().catch((error) => tell(`The page cannot be shown: ${error.message}`, true));
