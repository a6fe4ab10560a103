// Saves reviews, and goes from caption to caption.

import { call, ServerError } from "./server.js";
import { byId } from "./dom.js";
import { judgeSays, nameOf, showItem, showMessage, showProgress, state, verdictsOf, verifierSays } from "./page.js";

const ALL_REVIEWED = "All captions have your verdict. `ovct audit --summary` shows the result.";
let filters = {};
let busy = false;
let noteSaved = Promise.resolve();

// ---- one action at a time

// Runs an action unless another one is running: a second key must not judge a caption that has not been seen yet.
export async function exclusively(action) {
  if (busy) return;
  busy = true;
  try {
    await noteSaved;
    await reportingErrors(action);
  } finally {
    busy = false;
  }
}

// Runs an action, and shows what the server refuses.
async function reportingErrors(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    showMessage(error.message, { problem: true });
    byId("correction-check").className = "bad";
    byId("correction-check").textContent = error.message;
    if (error.status === 409) await reportingErrors(() => load(state.item.place));
  }
}

export async function load(place) {
  showItem(await call(`item/${place}`));
}

// ---- saving

const allReviewed = () => state.session.reviewed >= state.session.total;

async function save(verdict, correction = state.item.review.correction) {
  const dropped = verdict && !verdictsOf(state.item).find((choice) => choice.id === verdict).worded && verdict !== "unsure";
  const saved = dropped || !correction ? null
    : { organ: correction.organ, caption: correction.caption, status: correction.status };
  const { place, review } = state.item;
  const body = { place, last_event: review.event, verdict, note: byId("note").value, correction: saved };
  const answer = await call("review", body);
  state.item.review = answer.review;
  showProgress(answer);
}

async function saveNote() {
  const { item } = state;
  if (item && byId("note").value.trim() !== item.review.note) await save(item.review.verdict);
}

// A verdict takes the note with it, and a step saves it first; otherwise it is saved when the cursor leaves it.
export function leaveNote() {
  if (!busy) noteSaved = reportingErrors(saveNote);
}

// Saves a verdict, goes to the next caption without one, and shows what others say of the caption that was judged.
export function judge(verdict, correction, onSaved = () => {}) {
  return exclusively(async () => {
    await save(verdict, correction);
    onSaved();
    const { place } = state.item;
    const judged = await call(`item/${place}`);
    await step(1, { verdict: "none", ...filters }, true);
    const lines = [`${place}: ${nameOf(verdict)}.`, state.session.blind ? verifierSays(judged) : "",
      ...(judged.judges || []).map(judgeSays), allReviewed() ? ALL_REVIEWED : ""];
    showMessage(lines.filter(Boolean).join(" "), { action: { name: "Undo", run: undo } });
  });
}

export function dropCorrection() {
  return exclusively(async () => {
    await save(state.item.review.verdict, null);
    await load(state.item.place);
  });
}

export function undo() {
  return exclusively(async () => {
    const answer = await call("undo", {});
    showProgress(answer);
    if (answer.place === null) return showMessage("There is nothing to undo.");
    await load(answer.place);
    showMessage(`Taken back at ${answer.place}.`);
  });
}

// ---- going from caption to caption

// Loads the next caption that passes some filters, from the beginning again with `wrap`; false where there is none.
async function step(by, filter, wrap = false) {
  const query = (place) => new URLSearchParams({ ...filter, place, step: by });
  let { place } = await call(`find?${query(state.item.place)}`);
  if (place === null && wrap) ({ place } = await call(`find?${query(0)}`));
  if (place !== null) return load(place).then(() => true);
  await load(state.item.place);
  return false;
}

function move(by, filter, wrap = false) {
  return exclusively(async () => {
    await saveNote();
    showMessage("");
    if (await step(by, filter, wrap)) return;
    showMessage(allReviewed() && filter.verdict === "none" ? ALL_REVIEWED
      : Object.keys(filter).length ? "No other caption passes the filter." : "There is no other caption on this side.");
  });
}

export const next = () => move(1, filters);
export const previous = () => move(-1, filters);
export const nextWithoutVerdict = () => move(1, { ...filters, verdict: "none" }, true);

export function go(place) {
  return exclusively(async () => {
    await saveNote();
    showMessage("");
    await load(place);
  });
}

export function setFilters(chosen) {
  filters = chosen;
  const values = Object.values(filters).join(", ").replaceAll("_", " ");
  byId("filter-button").firstChild.textContent = values ? `Filter: ${values}` : "Filter";
  return exclusively(async () => {
    await saveNote();
    showMessage("");
    const { place } = await call(`find?${new URLSearchParams({ ...filters, place: 0, step: 1 })}`);
    if (place === null) return showMessage("No caption passes the filter.");
    await load(place);
  });
}
