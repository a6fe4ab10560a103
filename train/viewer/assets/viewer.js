"use strict";
// The page: loads what it shows, from the server that sent it or from itself, and answers keys and buttons.

const LETTERS = [["R", "L"], ["A", "P"], ["S", "I"]];
const KEYS = [
  ["↑ ↓", "scroll the plane below the pointer; Page up and down by 10"],
  ["1 – 5", "window"],
  ["Space", "show or hide the structure that is marked"],
  ["[ ]", "go to the structure before, or after"],
  ["x", "show the marked structure alone, or all again"],
  ["o", "outlines"],
  ["a c s d m", "axial, coronal, sagittal, 3-D, all"],
  ["t", "dark or light"],
];

let picture, list;

async function start() {
  const content = await describe();
  element("scan").textContent = content.scan;
  document.title = `${content.scan} · ovct view`;
  element("size").textContent = `${content.voxels.join(" × ")} voxels of ${content.spacing_mm.map((mm) => +mm.toPrecision(3)).join(" × ")} mm`;
  element("notices").append(...content.notices.map((notice) => make("li", {}, notice)));
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("this browser has no WebGL 2, which the viewer draws with");
  const scan = await volume("scan"), labels = content.structures.some((structure) => structure.at) ? await volume("labels") : null;
  say("Drawing …");
  await new Promise((done) => setTimeout(done, 30)); // lets the browser show it
  picture = new Picture(content, (place) => tell(place, content), showWindow);
  await picture.open(element("canvas"), scan, labels);
  list = new StructureList(content.structures, (visible) => picture.showStructures(visible), (mm) => picture.goTo(mm));
  addButtons(content);
  document.addEventListener("keydown", (event) => answer(event, content), true);
  const slow = "drawn by the processor alone, as this browser uses no graphics card: large scans are slow, and --max-voxels 8 quicker";
  if (picture.isDrawnSlowly) element("notices").append(make("li", {}, slow));
  say("");
  element("canvas").focus({ preventScroll: true });
  document.body.dataset.ready = "yes";
}

async function describe() {
  const inPage = element("content");
  if (inPage) return JSON.parse(inPage.textContent);
  history.replaceState(null, "", "/"); // the token stays out of the address bar and the history
  return (await ask("content.json")).json();
}

async function volume(name) {
  const inPage = element(`${name}-file`);
  if (!inPage) return download(`${name}.nii`);
  const packed = Uint8Array.from(atob(inPage.textContent), (letter) => letter.charCodeAt(0));
  inPage.remove();
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function ask(path) {
  const answer = await fetch(`/${path}`);
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

// Into one buffer of the right size: chunks that are joined at the end would take the memory twice.
async function download(path) {
  const answer = await ask(path), size = Number(answer.headers.get("content-length"));
  const bytes = new Uint8Array(size), reader = answer.body.getReader();
  let filled = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes.set(part.value, filled);
    filled += part.value.length;
    say(`Loading ${path}: ${Math.floor(100 * filled / size)} %`);
  }
  return bytes.buffer;
}

function addButtons(content) {
  for (const { id, name, key } of PLANES) element("views").append(button(name, key, () => showPlane(id), { plane: id }));
  content.windows.forEach(({ name, low, high }, number) => {
    element("windows").append(button(name, `${number + 1}`, () => picture.setWindow(low, high), { low, high }));
  });
  for (const id of ["level", "width"]) {
    element(id).addEventListener("change", () => {
      const level = Number(element("level").value), width = Math.max(Number(element("width").value), 1e-6);
      picture.setWindow(level - width / 2, level + width / 2);
    });
  }
  element("opacity").addEventListener("input", look);
  element("outline").addEventListener("click", outline);
  element("slice-number").addEventListener("input", () => picture.scroll(Number(element("slice-number").value) - picture.slice.number));
  element("slice-before").addEventListener("click", () => picture.scroll(-1));
  element("slice-after").addEventListener("click", () => picture.scroll(1));
  element("theme-button").addEventListener("click", changeTheme);
  element("help-button").addEventListener("click", () => element("help").showModal());
  element("keys").append(...KEYS.flatMap(([key, what]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, what)]));
  showWindow(content.windows[0].low, content.windows[0].high);
  showPlane("all");
}

function button(name, key, onClick, data) {
  const made = make("button", { type: "button" }, name, make("kbd", {}, key));
  made.setAttribute("aria-keyshortcuts", key);
  Object.assign(made.dataset, data);
  made.addEventListener("click", onClick);
  return made;
}

function showPlane(id) {
  picture.show(id);
  element("slice").hidden = id === "render";
  tellSlice();
  for (const made of element("views").children) made.setAttribute("aria-pressed", made.dataset.plane === id);
}

function showWindow(low, high) {
  const digits = high - low > 20 ? 0 : 3;
  element("level").value = ((low + high) / 2).toFixed(digits);
  element("width").value = (high - low).toFixed(digits);
  for (const made of element("windows").children) {
    made.setAttribute("aria-pressed", Number(made.dataset.low) === low && Number(made.dataset.high) === high);
  }
}

function outline() {
  const isOutline = element("outline").getAttribute("aria-pressed") !== "true";
  element("outline").setAttribute("aria-pressed", isOutline);
  element("opacity").value = isOutline ? 1 : 0.45;
  look();
}

function look() {
  picture.setLook(Number(element("opacity").value), element("outline").getAttribute("aria-pressed") === "true");
}

function changeTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
}

function tellSlice() {
  const { number, count } = picture.slice, plane = PLANES.find(({ id }) => id === picture.scrolled).name;
  Object.assign(element("slice-number"), { min: 1, max: count, value: number });
  element("slice-told").textContent = `${plane} ${number} / ${count}`;
}

function tell(place, content) {
  tellSlice();
  const where = [0, 1, 2].map((axis) => `${LETTERS[axis][place.mm[axis] < 0 ? 1 : 0]} ${Math.abs(place.mm[axis]).toFixed(1)}`).join("  ");
  const value = place.values[0]?.value;
  const parts = [`${where} mm`, `${value === undefined ? "" : +value.toFixed(Math.abs(value) < 20 && !content.unit ? 3 : 0)} ${content.unit}`.trim()];
  const name = content.structures[(place.values[1]?.value ?? 0) - 1]?.name;
  element("readout").textContent = [...parts, ...(name ? [name] : [])].join("  ·  ");
}

function answer(event, content) {
  if (event.ctrlKey || event.metaKey || event.altKey || element("help").open) return;
  if (event.target.matches("input:not([type=checkbox]):not([type=range])")) return;
  if (event.target.type === "range" && event.key.startsWith("Arrow")) return;
  const window = /^[1-9]$/.test(event.key) ? content.windows[event.key - 1] : undefined;
  const plane = PLANES.find(({ key }) => key === event.key);
  const isOnButton = event.target.matches("button, summary") && (event.key === " " || event.key === "Enter");
  const actions = {
    ArrowUp: () => picture.scroll(1), ArrowDown: () => picture.scroll(-1), ArrowRight: () => picture.scroll(1), ArrowLeft: () => picture.scroll(-1),
    PageUp: () => picture.scroll(10), PageDown: () => picture.scroll(-10),
    "[": () => list.step(-1), "]": () => list.step(1), x: only, t: changeTheme, "?": () => element("help").showModal(),
    ...(isOnButton || event.target.type === "checkbox" ? {} : { " ": () => list.toggle() }),
    ...(picture.labels ? { o: outline } : {}),
  };
  const action = window ? () => picture.setWindow(window.low, window.high) : plane ? () => showPlane(plane.id) : actions[event.key];
  if (!action) return;
  event.preventDefault();
  event.stopPropagation(); // NiiVue has keys of its own
  action();
}

function only() {
  const isAlone = list.shown.size === 1 && list.shown.has(list.current);
  if (list.current !== undefined) list.show(isAlone ? list.present.map((structure) => structure.label) : [list.current]);
}

function say(text, isProblem = false) {
  element("message").hidden = !text;
  element("message").textContent = text;
  element("message").classList.toggle("problem", isProblem);
}

start().catch((error) => say(`The scan cannot be shown: ${error.message}`, true));
