// The page of `ovct show`: a report with all of its captions, and the way from report to report.

import { byId, element, grouped } from "./dom.js";
import { restoreTheme, turnTheme } from "./theme.js";
import { captionLine, reportText, setSystem, statusOf } from "./report_view.js";
import { PassagePanel } from "./passage_panel.js";
import { isChosen, reportSource } from "./source.js";
import { clearFilter, filter, isFiltered, prepareFilter } from "./filter.js";

const KEY_MEANINGS = [
  ["→ j", "next report"], ["← k", "previous report"], ["]", "next caption of the report"], ["[", "previous caption"],
  ["u", "next sentence without a caption"], ["/", "find words, or a report by its id"], ["o", "find an organ"],
  ["Esc", "show all again"], ["t", "dark or light"], ["?", "this page"],
];
const state = { source: reportSource(), session: null, view: null, place: 0, chosen: [], bareAt: -1, search: 0, panel: null };

// ---- what is shown

function say(text) {
  byId("message").hidden = !text;
  byId("message").textContent = text;
}

const isShown = (caption) => isChosen(caption, filter);

function showReport() {
  const { view } = state;
  byId("report-id").textContent = view.id;
  byId("text").replaceChildren(...reportText(view, { strong: state.chosen, isShown }));
  byId("captions").replaceChildren(...view.captions.map(captionItem));
  const counts = grouped(view.captions, statusOf);
  byId("caption-count").textContent = `${view.captions.length} captions${counts.has("refused") ? `, ${counts.get("refused").length} of them refused` : ""}`;
  byId("bare-line").hidden = !view.bare.length;
  byId("bare-button").replaceChildren(`${view.bare.length} ${view.bare.length === 1 ? "sentence" : "sentences"} without a caption`, element("kbd", {}, "u"));
  markWords();
}

function captionItem(caption, index) {
  const line = element("button", { type: "button", className: "caption-line", onclick: () => choose([index], true) }, ...captionLine(caption, state.view.text));
  const item = element("li", { className: isShown(caption) ? "" : "faded" }, line);
  setSystem(item, caption);
  if (state.chosen.includes(index)) {
    item.classList.add("chosen");
    line.setAttribute("aria-current", "true");
  }
  return item;
}

// Marks the words that were looked for, where the browser can without changing the text.
function markWords() {
  if (!globalThis.Highlight) return;
  const ranges = [];
  const walker = document.createTreeWalker(byId("text"), NodeFilter.SHOW_TEXT);
  while (filter.words.length && walker.nextNode()) {
    const text = walker.currentNode.data.toLowerCase();
    for (const word of filter.words.map((one) => one.toLowerCase())) {
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
        ranges.push(new StaticRange({ startContainer: walker.currentNode, startOffset: at, endContainer: walker.currentNode, endOffset: at + word.length }));
      }
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}

// Chooses captions: their evidence stands out, and they are the marked ones of the list.
function choose(chosen, toText = false) {
  state.chosen = chosen;
  showReport();
  byId("captions").children[chosen[0]]?.scrollIntoView({ block: "nearest" });
  if (toText) byId("text").querySelector("mark")?.scrollIntoView({ block: "nearest" });
}

function stepCaption(by) {
  const shown = state.view.captions.map((caption, index) => index).filter((index) => isShown(state.view.captions[index]));
  if (!shown.length) return;
  const at = shown.indexOf(state.chosen[0]);
  state.panel.hide();
  choose([shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : (at + by + shown.length) % shown.length]], true);
}

function stepBare() {
  const sentences = [...byId("text").querySelectorAll(".bare")];
  if (!sentences.length) return;
  state.bareAt = (state.bareAt + 1) % sentences.length;
  const sentence = sentences[state.bareAt];
  sentence.tabIndex = 0;
  sentence.focus();
  sentence.scrollIntoView({ block: "center" });
}

// ---- from report to report

// In a frame of a notebook a page has no address of its own.
function setAddress(address) {
  if (location.protocol !== "about:") history.replaceState(null, "", address);
}

async function load(place) {
  state.view = await state.source.report(place);
  Object.assign(state, { place, chosen: [], bareAt: -1 });
  setAddress(`#${place}`);
  byId("place").textContent = `${place.toLocaleString("en")} of ${state.session.total.toLocaleString("en")}`;
  state.panel.hide();
  showReport();
  byId("report").scrollTop = byId("list").scrollTop = 0;
  window.scrollTo(0, 0);
}

// Goes to the next report that passes the filter, from the first of these places behind which there is one.
async function go(places, step, otherwise) {
  const search = ++state.search;
  const isWanted = () => search === state.search;
  const tell = (reached) => say(`Searched up to report ${reached.toLocaleString("en")} of ${state.session.total.toLocaleString("en")} …`);
  try {
    let found = null;
    for (const place of places) found ??= await state.source.find(place, step, filter, tell, isWanted);
    if (!isWanted()) return;
    if (found && found !== state.place) await load(found);
    say(found ? "" : otherwise);
  } catch (error) {
    say(error.message);
  }
}

const noMore = () => isFiltered() ? "No other report on this side passes the filter." : "There is no other report on this side.";
const next = () => go([state.place], 1, noMore());
const previous = () => go([state.place], -1, noMore());

// A changed filter keeps the report that is shown where it passes; else the next one is shown, or one before it.
async function applyFilter() {
  await go([state.place - 1, 0], 1, "No report passes the filter.");
  if (state.view) showReport();
}

// ---- keys and buttons

const KEYS = {
  ArrowRight: next, j: next, ArrowLeft: previous, k: previous, "]": () => stepCaption(1), "[": () => stepCaption(-1), u: stepBare,
  "/": () => byId("words").focus(), o: findOrgan, t: turnTheme, "?": () => byId("help").showModal(), Escape: leave,
};

function findOrgan() {
  document.body.classList.add("filtering");
  byId("organ-words").focus();
}

function leave() {
  if (state.panel.isShown) return state.panel.hide();
  if (isFiltered()) return clearFilter();
  if (state.chosen.length) choose([]);
}

function onKey(event) {
  if (!state.view || document.querySelector("dialog[open]") || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target.closest("input")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

let typed = null;
function wordsSoon() {
  clearTimeout(typed);
  typed = setTimeout(() => {
    filter.words = byId("words").value.split(/\s+/).filter(Boolean);
    applyFilter();
  }, 250);
}

function connect() {
  const buttons = {
    previous, next, "theme-button": turnTheme, "help-button": KEYS["?"], "bare-button": stepBare,
    "filter-button": () => byId("filter-button").setAttribute("aria-expanded", String(document.body.classList.toggle("filtering"))),
  };
  for (const [id, action] of Object.entries(buttons)) byId(id).addEventListener("click", () => action());
  byId("words").addEventListener("input", wordsSoon);
  byId("keys").replaceChildren(...KEY_MEANINGS.flatMap(([keys, meaning]) => [
    element("dt", {}, ...keys.split(" ").map((key) => element("kbd", {}, key))), element("dd", {}, meaning)]));
  state.panel = new PassagePanel(byId("text"), () => state.view.captions, (chosen) => choose(chosen));
  document.addEventListener("keydown", onKey);
}

async function start() {
  restoreTheme();
  const place = Number(location.hash.slice(1));
  if (location.protocol !== "file:") setAddress(location.pathname);  // without the token
  state.session = await state.source.session();
  const { set, total, notices } = state.session;
  document.title = `${set}: reports and captions`;
  byId("set").textContent = set;
  prepareFilter(state.session, applyFilter);
  connect();
  if (!total) return say("There is no report.");
  await load(place >= 1 && place <= total ? place : 1);
  say(notices.join(" "));
}

start().catch((error) => say(error.message));
