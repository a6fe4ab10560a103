// The review's page: its keys and buttons, and its start.

import { call } from "./server.js";
import { byId } from "./dom.js";
import { restoreTheme, turnTheme } from "./theme.js";
import { connectPassages, preview, showProgress, state, verdictsOf } from "./page.js";
import { exclusively, go, judge, leaveNote, load, next, nextWithoutVerdict, previous, undo } from "./review.js";
import { openCorrection, openFilter, openHelp, openJump, prepareDialogs } from "./dialogs.js";

const KEYS = {
  ArrowRight: next, j: next, ArrowLeft: previous, k: previous, Enter: nextWithoutVerdict,
  "]": () => preview(state.previewed + 1), "[": () => preview(state.previewed - 1),
  n: () => byId("note").focus(), c: openCorrection, z: undo, t: turnTheme, f: openFilter, g: openJump, "?": openHelp,
};
const BUTTONS = {
  "previous": previous, "next": next, "correct-button": openCorrection, "undo-button": undo,
  "filter-button": openFilter, "jump-button": openJump, "theme-button": turnTheme, "help-button": openHelp,
};

function onKey(event) {
  if (!state.item || document.querySelector("dialog[open]")) return;
  const writing = event.target.closest("textarea, input, select");
  const control = event.ctrlKey || event.metaKey;
  if (writing) {
    if (event.key === "Escape" || (control && event.key === "Enter")) event.target.blur();
    return;
  }
  if (event.altKey || (control && event.key !== "z") || event.repeat && !event.key.startsWith("Arrow")) return;
  if (event.key === "Enter" && event.target.closest("button")) return;
  const verdict = verdictsOf(state.item).find(({ key }, number) => event.key === key || event.key === String(number + 1));
  const action = verdict && !control ? () => judge(verdict.id) : KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function connect() {
  byId("verdicts").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) judge(button.value);
  });
  for (const [id, action] of Object.entries(BUTTONS)) byId(id).addEventListener("click", () => action());
  byId("captions").addEventListener("click", (event) => {
    const button = event.target.closest(".go");
    if (button) go(Number(button.value));
  });
  byId("note").addEventListener("blur", leaveNote);
  connectPassages();
  document.addEventListener("keydown", onKey);
}

async function start() {
  restoreTheme();
  const place = Number(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);  // without the token
  state.session = await call("session");
  const { set, reviewer, blind, total } = state.session;
  document.title = `${set}: audit`;
  byId("set").textContent = set;
  byId("reviewer").textContent = reviewer + (blind ? ", blind" : "");
  connect();
  prepareDialogs();
  showProgress(state.session);
  await load(place >= 1 && place <= total ? place : state.session.place);
}

exclusively(start);
