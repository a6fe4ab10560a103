// The review's page. All text of reports, captions and notes is put in as text, never as HTML.

const at = (id) => document.getElementById(id);
const api = "api/";
const STEPS = [
  ["→ j", "next caption"], ["← k", "previous caption"], ["Enter", "next caption without a verdict"],
  ["]", "later caption of this report, only to look"], ["[", "earlier caption of this report, only to look"],
  ["n", "note (Ctrl Enter or Esc leaves it)"], ["c", "correct the caption"], ["z", "undo the last verdict, note or correction"],
  ["g", "jump to a number"], ["f", "filter"], ["t", "dark or light"], ["?", "this page"],
];
let session = null;
let item = null;
let filters = {};
let looked = -1;
let busy = false;
let noteSaved = Promise.resolve();

// ---- talking to the server

class Refused extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

async function call(path, body) {
  const request = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(api + path, request);
  } catch {
    throw new Refused(0, "The server does not answer, so nothing is saved. Start `ovct audit` again and open its link.");
  }
  if (answer.ok) return answer.json();
  const found = await answer.json().catch(() => ({}));
  const detail = typeof found.detail === "string" ? found.detail : `the server refused this (${answer.status})`;
  throw new Refused(answer.status, detail);
}

// One thing at a time: a second key must not say a verdict of a caption that has not been seen yet.
async function alone(work) {
  if (busy) return;
  busy = true;
  try {
    await noteSaved;
    await told(work);
  } finally {
    busy = false;
  }
}

// Runs some work; what the server does not take is shown.
async function told(work) {
  try {
    await work();
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    tell(problem.message, { problem: true });
    at("correction-check").className = "bad";
    at("correction-check").textContent = problem.message;
    if (problem.status === 409) await told(() => load(item.place));
  }
}

function tell(text, { problem = false, action = null } = {}) {
  at("message").hidden = !text;
  at("message").classList.toggle("problem", problem);
  at("message-text").textContent = text;
  at("message-button").hidden = !action;
  if (action) {
    at("message-button").textContent = action.name;
    at("message-button").onclick = action.run;
  }
}

// ---- showing a caption

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function load(place) {
  item = await call(`item/${place}`);
  looked = item.captions.findIndex((one) => one.current);
  history.replaceState(null, "", `#${item.place}`);
  show();
}

function show() {
  at("place").textContent = `${item.place.toLocaleString("en")} of ${item.total.toLocaleString("en")}`;
  showTags();
  at("caption").textContent = item.caption;
  showVerifier();
  showSaid();
  showCaptions();
  showReport();
  const mark = at("text").querySelector("mark");
  window.scrollTo(0, 0);
  at("more").scrollTop = at("report").scrollTop = 0;
  if (mark) centre(mark);
}

// Within the report alone: on a phone the page itself must stay where it is.
function centre(mark) {
  const box = at("report").getBoundingClientRect();
  const place = mark.getBoundingClientRect();
  at("report").scrollTop += place.top - box.top - Math.max(0, (box.height - place.height) / 2);
}

function showTags() {
  const refused = item.verifier && item.verifier.kind === "refused";
  const tags = [["organ", item.organ], ["", item.status], ["", item.section], ["refused", refused ? "refused" : null],
    ["", !refused && item.verifier && item.verifier.score != null ? `score ${Math.round(item.verifier.score)}` : null],
    ["", [item.engine, item.model].filter(Boolean).join(", ")]];
  at("tags").replaceChildren(...tags.filter(([, text]) => text).map(
    ([kind, text]) => element("span", { className: `tag ${kind}`, textContent: text })));
}

function verifierSays(view) {
  const found = view.verifier;
  if (!found) return "";
  if (found.kind === "refused") return `The verifier refused it (${found.reason}): ${found.detail}`;
  return session.blind ? "The verifier accepted it." : "";
}

function showVerifier() {
  const text = verifierSays(item);
  at("verifier").hidden = !text;
  at("verifier").textContent = text;
}

function showSaid() {
  const { verdict, note, correction } = item.said;
  for (const button of at("verdicts").children) button.setAttribute("aria-pressed", String(button.value === verdict));
  at("note").value = note;
  at("corrected").hidden = !correction;
  if (correction) {
    const found = correction.found ? "" : " (not found in the report by the verifier)";
    at("corrected").textContent = `Corrected: ${correction.organ}, ${correction.status}: ${correction.caption}${found}`;
  }
  const judges = item.judges || [];
  at("judges").hidden = !judges.length;
  at("judges").replaceChildren(...judges.map((one) => element("li", { textContent: judgeSays(one) })));
}

function judgeSays(one) {
  return `${one.judge}: ${nameOf(one.verdict)}. ${one.why}${one.passage ? ` (“${one.passage}”)` : ""}`;
}

function showCaptions() {
  at("captions").replaceChildren(...item.captions.map((one, number) => {
    const what = [one.status, one.kind === "refused" ? `refused: ${one.reason}` : ""].filter(Boolean).join(", ");
    const look = element("button", { type: "button", onclick: () => lookAt(number) },
      element("strong", { textContent: one.organ }), `: ${one.caption} `, element("span", { className: "what", textContent: what }));
    const line = element("li", { className: one.current ? "current" : number === looked ? "preview" : "" }, look);
    if (one.current) look.setAttribute("aria-current", "true");
    if (one.place && !one.current) {
      line.append(element("button", { type: "button", className: "go", textContent: `go to ${one.place}`, onclick: () => go(one.place) }));
    }
    return line;
  }));
}

function lookAt(number) {
  if (number < 0 || number >= item.captions.length) return;
  looked = number;
  showCaptions();
  showReport();
  const mark = at("text").querySelector(item.captions[number].current ? "mark" : ".preview");
  if (mark) centre(mark);
  at("captions").children[number].scrollIntoView({ block: "nearest" });
}

// The text is cut at every place where a section, the evidence or the caption that is looked at begins or ends.
function showReport() {
  at("report-id").textContent = `Report ${item.report.id}`;
  const text = item.report.text;
  const other = item.captions[looked] && !item.captions[looked].current ? item.captions[looked].mark : null;
  const heads = new Map(item.report.sections.filter(([name, start]) => !headed(text, name, start)).map(([name, start]) => [start, name]));
  const ends = [...heads.keys(), ...(item.mark || []), ...(other || []), text.length];
  const cuts = [...new Set([0, ...ends])].filter((one) => one <= text.length).sort((a, b) => a - b);
  const within = (span, from) => span && span[0] <= from && from < span[1];
  const pieces = [];
  cuts.forEach((from, number) => {
    if (heads.has(from)) {
      const head = element("span", { className: "section" });
      head.dataset.name = heads.get(from);
      pieces.push(head);
    }
    let piece = document.createTextNode(text.slice(from, cuts[number + 1] ?? text.length));
    if (within(other, from)) piece = element("span", { className: "preview" }, piece);
    if (within(item.mark, from)) piece = element("mark", {}, piece);
    pieces.push(piece);
  });
  at("text").replaceChildren(...pieces);
}

// Whether the report itself has a heading there.
function headed(text, name, start) {
  return text.slice(Math.max(0, start - 40), start + name.length + 4).toLowerCase().includes(name.toLowerCase());
}

function showProgress({ total, reviewed }) {
  Object.assign(session, { total, reviewed });
  at("count").textContent = `${reviewed.toLocaleString("en")} / ${total.toLocaleString("en")}`;
  at("track").setAttribute("aria-valuemax", total);
  at("track").setAttribute("aria-valuenow", reviewed);
  at("bar").style.width = `${total ? 100 * reviewed / total : 0}%`;
}

// ---- saying something

const nameOf = (verdict) => session.verdicts.find((one) => one.id === verdict)?.name ?? verdict;

function asAsked(correction) {
  return correction && { organ: correction.organ, caption: correction.caption, status: correction.status };
}

async function say(verdict, correction = item.said.correction) {
  const kept = verdict === "supported" ? null : asAsked(correction);
  const body = { place: item.place, seen: item.said.event, verdict, note: at("note").value, correction: kept };
  const answer = await call("review", body);
  item.said = answer.said;
  showProgress(answer);
}

async function saveNote() {
  if (item && at("note").value.trim() !== item.said.note) await say(item.said.verdict);
}

function judge(verdict, correction, saved = () => {}) {
  return alone(async () => {
    await say(verdict, correction);
    saved();
    const { place } = item;
    const shown = await call(`item/${place}`);
    const more = [session.blind ? verifierSays(shown) : "", ...(shown.judges || []).map(judgeSays)].filter(Boolean);
    await step(1, { verdict: "none", ...filters }, true);
    const undone = { name: "Undo", run: undo };
    tell([`${place}: ${nameOf(verdict)}.`, ...more].join(" "), { action: undone });
  });
}

function undo() {
  return alone(async () => {
    const answer = await call("undo", {});
    showProgress(answer);
    if (answer.place === null) return tell("There is nothing to undo.");
    await load(answer.place);
    tell(`Taken back at ${answer.place}.`);
  });
}

// ---- going from caption to caption

async function step(by, wanted, wrap = false) {
  const query = (place) => new URLSearchParams({ ...wanted, place, step: by });
  let { place } = await call(`find?${query(item.place)}`);
  if (place === null && wrap) ({ place } = await call(`find?${query(0)}`));
  if (place !== null) return load(place).then(() => true);
  await load(item.place);
  return false;
}

function move(by, wanted = filters, wrap = false) {
  return alone(async () => {
    await saveNote();
    tell("");
    if (await step(by, wanted, wrap)) return;
    const done = session.reviewed >= session.total && wanted.verdict === "none";
    tell(done ? "All captions have your verdict. `ovct audit --summary` shows the result."
      : Object.keys(wanted).length ? "No other caption passes the filter." : "There is no other caption on this side.");
  });
}

function go(place) {
  return alone(async () => {
    await saveNote();
    tell("");
    await load(place);
  });
}

// ---- dialogs

function open(id, focus) {
  at(id).showModal();
  if (focus) at(focus).focus();
}

function openHelp() {
  return alone(async () => {
    const { text, file } = await call("guideline");
    at("guideline").textContent = text;
    at("guideline-file").textContent = file;
    open("help");
  });
}

function fillKeys() {
  const verdicts = session.verdicts.map((one, number) => [`${one.key} ${number + 1}`, `${one.name}: ${one.says}`]);
  at("keys").replaceChildren(...[...verdicts, ...STEPS].flatMap(([keys, what]) => [
    element("dt", {}, ...keys.split(" ").map((key) => element("kbd", { textContent: key }))),
    element("dd", { textContent: what }),
  ]));
}

function fillFilters() {
  const options = (values) => [element("option", { value: "", textContent: "all" }), ...values];
  const form = at("filter-form").elements;
  for (const name of ["kind", "organ", "status", "engine"]) {
    const counts = session.choices[name];  // none of what is judged blind
    form[name].closest("label").hidden = !counts;
    form[name].replaceChildren(...options(Object.entries(counts ?? {}).map(
      ([value, count]) => element("option", { value, textContent: `${value} (${count.toLocaleString("en")})` }))));
  }
  form.verdict.replaceChildren(...options([element("option", { value: "none", textContent: "none yet" }),
    ...session.verdicts.map((one) => element("option", { value: one.id, textContent: one.name }))]));
}

function useFilters(wanted) {
  filters = wanted;
  at("filter-button").firstChild.textContent = Object.keys(filters).length ? `Filter: ${Object.values(filters).join(", ").replaceAll("_", " ")}` : "Filter";
  return alone(async () => {
    await saveNote();
    tell("");
    const { place } = await call(`find?${new URLSearchParams({ ...filters, place: 0, step: 1 })}`);
    if (place === null) return tell("No caption passes the filter.");
    await load(place);
  });
}

function openCorrection() {
  const { verdict, correction } = item.said;
  const now = correction || { organ: item.organ, caption: item.caption, status: item.status ?? "" };
  at("correction-verdict").value = verdict && verdict !== "supported" && verdict !== "unsure" ? verdict : "";
  at("correction-organ").value = now.organ;
  at("correction-caption").value = now.caption;
  at("correction-status").value = now.status;
  at("correction-drop").hidden = !correction;
  at("correction-check").textContent = "";
  open("correction", "correction-caption");
}

let waiting = null;
function checkSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(checkCorrection, 400);
}

async function checkCorrection() {
  const body = { place: item.place, organ: at("correction-organ").value.trim(), caption: at("correction-caption").value.trim() };
  if (!body.organ || !body.caption) return;
  const shown = at("correction-check");
  try {
    const { problem, status } = await call("check", body);
    shown.className = problem ? "bad" : "good";
    shown.textContent = problem ? `The verifier does not find this in the report: ${problem}. It can be saved all the same.`
      : `The report carries this (${status}).`;
  } catch (problem) {
    shown.className = "bad";
    shown.textContent = problem.message;
  }
}

function saveCorrection() {
  const correction = {
    organ: at("correction-organ").value.trim(), caption: at("correction-caption").value.trim(),
    status: at("correction-status").value || null,
  };
  return judge(at("correction-verdict").value, correction, () => at("correction").close());
}

function dropCorrection() {
  at("correction").close();
  return alone(async () => {
    await say(item.said.verdict, null);
    await load(item.place);
  });
}

function turnTheme() {
  const order = ["", "dark", "light"];
  setTheme(order[(order.indexOf(document.documentElement.dataset.theme ?? "") + 1) % 3]);
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  localStorage.setItem("ovct-theme", theme);
}

// ---- keys and buttons

const KEYS = {
  ArrowRight: () => move(1), j: () => move(1), ArrowLeft: () => move(-1), k: () => move(-1),
  Enter: () => move(1, { ...filters, verdict: "none" }, true),
  "]": () => lookAt(looked + 1), "[": () => lookAt(looked - 1),
  n: () => at("note").focus(), c: openCorrection, z: undo, t: turnTheme, f: () => open("filter"), "?": openHelp,
  g: () => openJump(),
};

function openJump() {
  at("jump-number").max = item.total;
  at("jump-number").value = "";
  open("jump", "jump-number");
}

function onKey(event) {
  if (!item || document.querySelector("dialog[open]")) return;
  const writing = event.target.closest("textarea, input, select");
  const control = event.ctrlKey || event.metaKey;
  if (writing) {
    if (event.key === "Escape" || (control && event.key === "Enter")) event.target.blur();
    return;
  }
  if (event.altKey || (control && event.key !== "z") || event.repeat && !event.key.startsWith("Arrow")) return;
  if (event.key === "Enter" && event.target.closest("button")) return;
  const verdict = session.verdicts.find((one, number) => event.key === one.key || event.key === String(number + 1));
  const action = verdict && !control ? () => judge(verdict.id) : KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function connect() {
  at("verdicts").replaceChildren(...session.verdicts.map((one) => {
    const button = element("button", { type: "button", value: one.id, title: one.says, onclick: () => judge(one.id) },
      one.name, element("kbd", { textContent: one.key }));
    button.setAttribute("aria-keyshortcuts", one.key);
    return button;
  }));
  at("correction-verdict").replaceChildren(element("option", { value: "", textContent: "choose" }),
    ...session.verdicts.filter((one) => one.id !== "supported" && one.id !== "unsure")
      .map((one) => element("option", { value: one.id, textContent: one.name })));
  at("organs").replaceChildren(...session.organs.map((name) => element("option", { value: name })));
  const clicks = {
    "previous": () => move(-1), "next": () => move(1), "correct-button": openCorrection, "undo-button": undo,
    "filter-button": () => open("filter"), "jump-button": openJump, "theme-button": turnTheme, "help-button": openHelp,
    "filter-clear": () => { at("filter").close(); at("filter-form").reset(); useFilters({}); }, "correction-drop": dropCorrection,
  };
  for (const [id, action] of Object.entries(clicks)) at(id).addEventListener("click", action);
  for (const button of document.querySelectorAll("dialog .close")) button.onclick = () => button.closest("dialog").close();
  at("note").addEventListener("blur", () => {
    if (!busy) noteSaved = told(saveNote);  // a verdict takes the note with it, and a step saves it first
  });
  at("jump-form").addEventListener("submit", () => go(Number(at("jump-number").value)));
  at("filter-form").addEventListener("submit", (event) => {
    useFilters(Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value)));
  });
  at("correction-form").addEventListener("submit", (event) => {
    event.preventDefault();  // the dialog stays until it is saved
    saveCorrection();
  });
  at("correction-form").addEventListener("input", checkSoon);
  at("correction-form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
  });
  document.addEventListener("keydown", onKey);
}

async function start() {
  setTheme(localStorage.getItem("ovct-theme") ?? "");
  const asked = Number(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);  // without the token
  session = await call("session");
  document.title = `${session.set}: audit`;
  at("set").textContent = session.set;
  at("reviewer").textContent = session.reviewer + (session.blind ? ", blind" : "");
  connect();
  fillKeys();
  fillFilters();
  showProgress(session);
  await load(asked >= 1 && asked <= session.total ? asked : session.place);
}

alone(start);
