// The dialogs: keys and guideline, filters, a jump to a number, and the correction of a caption.

import { call } from "./server.js";
import { byId, element } from "./dom.js";
import { state, verdictsOf } from "./page.js";
import { dropCorrection, exclusively, go, judge, setFilters } from "./review.js";

const NAVIGATION_KEYS = [
  ["→ j", "next caption"], ["← k", "previous caption"], ["Enter", "next caption without a verdict"],
  ["]", "later caption of this report, only to look"], ["[", "earlier caption of this report, only to look"],
  ["n", "note (Ctrl Enter or Esc leaves it)"], ["c", "correct the caption"], ["z", "undo the last verdict, note or correction"],
  ["g", "jump to a number"], ["f", "filter"], ["t", "dark or light"], ["?", "this page"],
];

function open(id, focus) {
  byId(id).showModal();
  if (focus) byId(focus).focus();
}

// ---- keys and guideline

export function openHelp() {
  return exclusively(async () => {
    const { text, file } = await call("guideline");
    byId("guideline").textContent = text;
    byId("guideline-file").textContent = file;
    fillKeys();
    open("help");
  });
}

function fillKeys() {
  const verdicts = verdictsOf(state.item).map((verdict, number) => [`${verdict.key} ${number + 1}`, `${verdict.name}: ${verdict.says}`]);
  byId("keys").replaceChildren(...[...verdicts, ...NAVIGATION_KEYS].flatMap(([keys, meaning]) => [
    element("dt", {}, ...keys.split(" ").map((key) => element("kbd", { textContent: key }))),
    element("dd", { textContent: meaning }),
  ]));
}

// ---- filters

export const openFilter = () => open("filter");

// Of both kinds: "unsure" is the same word in both.
function allVerdicts() {
  const { verdicts, omission_verdicts: others, choices } = state.session;
  return choices.kind && !choices.kind.uncovered ? verdicts
    : [...verdicts, ...others.filter((other) => !verdicts.some((verdict) => verdict.id === other.id))];
}

function fillFilters() {
  const withAll = (options) => [element("option", { value: "", textContent: "all" }), ...options];
  const form = byId("filter-form").elements;
  for (const name of ["kind", "organ", "status", "engine"]) {
    const counts = state.session.choices[name];  // none of those that a blind review hides
    form[name].closest("label").hidden = !counts;
    form[name].replaceChildren(...withAll(Object.entries(counts ?? {}).map(
      ([value, count]) => element("option", { value, textContent: `${value} (${count.toLocaleString("en")})` }))));
  }
  form.verdict.replaceChildren(...withAll([element("option", { value: "none", textContent: "none yet" }),
    ...allVerdicts().map((verdict) => element("option", { value: verdict.id, textContent: verdict.name }))]));
}

function clearFilters() {
  byId("filter").close();
  byId("filter-form").reset();
  setFilters({});
}

// ---- a jump to a number

export function openJump() {
  byId("jump-number").max = state.item.total;
  byId("jump-number").value = "";
  open("jump", "jump-number");
}

// ---- the correction of a caption

export function openCorrection() {
  const { review, organ, caption, status, is_omission: isOmission } = state.item;
  const choices = verdictsOf(state.item).filter((verdict) => verdict.worded);
  byId("correction-verdict").replaceChildren(element("option", { value: "", textContent: "choose" }),
    ...choices.map((verdict) => element("option", { value: verdict.id, textContent: verdict.name })));
  byId("correction-title").textContent = isOmission ? "Write the missing caption" : "Correct the caption";
  byId("correction-question").textContent = isOmission ? "What was missed " : "What was wrong ";
  const fields = review.correction || { organ, caption, status: status ?? "" };
  byId("correction-verdict").value = choices.some((verdict) => verdict.id === review.verdict) ? review.verdict : "";
  byId("correction-organ").value = fields.organ;
  byId("correction-caption").value = fields.caption;
  byId("correction-status").value = fields.status;
  byId("correction-drop").hidden = !review.correction;
  byId("correction-check").textContent = "";
  open("correction", "correction-caption");
}

let checkTimer = null;
function checkSoon() {
  clearTimeout(checkTimer);
  checkTimer = setTimeout(checkCorrection, 400);
}

async function checkCorrection() {
  const body = { place: state.item.place, organ: byId("correction-organ").value.trim(), caption: byId("correction-caption").value.trim() };
  if (!body.organ || !body.caption) return;
  const line = byId("correction-check");
  try {
    const { problem, status } = await call("check", body);
    line.className = problem ? "bad" : "good";
    line.textContent = problem ? `The verifier does not find this in the report: ${problem}. It can be saved all the same.`
      : `The report carries this (${status}).`;
  } catch (error) {
    line.className = "bad";
    line.textContent = error.message;
  }
}

function saveCorrection() {
  const correction = {
    organ: byId("correction-organ").value.trim(), caption: byId("correction-caption").value.trim(),
    status: byId("correction-status").value || null,
  };
  return judge(byId("correction-verdict").value, correction, () => byId("correction").close());
}

// ---- filling them, and their buttons

export function prepareDialogs() {
  fillFilters();
  byId("organs").replaceChildren(...state.session.organs.map((name) => element("option", { value: name })));
  for (const button of document.querySelectorAll("dialog .close")) button.onclick = () => button.closest("dialog").close();
  byId("filter-clear").addEventListener("click", clearFilters);
  byId("filter-form").addEventListener("submit", (event) => {
    setFilters(Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value)));
  });
  byId("jump-form").addEventListener("submit", () => go(Number(byId("jump-number").value)));
  byId("correction-drop").addEventListener("click", () => { byId("correction").close(); dropCorrection(); });
  byId("correction-form").addEventListener("submit", (event) => {
    event.preventDefault();  // the dialog stays until it is saved
    saveCorrection();
  });
  byId("correction-form").addEventListener("input", checkSoon);
  byId("correction-form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
  });
}
