// Shows a caption beside its report. All text of reports, captions and notes is put in as text, never as HTML.

import { byId, element } from "./dom.js";
import { captionLine, reportText, setSystem } from "./report_view.js";
import { PassagePanel } from "./passage_panel.js";

// `session` and `item` are as the server sends them; `previewed` is the index of the caption that is only looked at.
export const state = { session: null, item: null, previewed: -1 };

export const verdictsOf = (item) => item?.is_omission ? state.session.omission_verdicts : state.session.verdicts;
export const nameOf = (verdict) => [...state.session.verdicts, ...state.session.omission_verdicts]
  .find((choice) => choice.id === verdict)?.name ?? verdict;

export function showMessage(text, { problem = false, action = null } = {}) {
  byId("message").hidden = !text;
  byId("message").classList.toggle("problem", problem);
  byId("message-text").textContent = text;
  byId("message-button").hidden = !action;
  if (action) {
    byId("message-button").textContent = action.name;
    byId("message-button").onclick = action.run;
  }
}

export function showItem(item) {
  state.item = item;
  state.previewed = item.captions.findIndex((caption) => caption.current);
  history.replaceState(null, "", `#${item.place}`);
  byId("place").textContent = `${item.place.toLocaleString("en")} of ${item.total.toLocaleString("en")}`;
  showTags(item);
  byId("caption").textContent = item.caption;
  byId("question").textContent = item.is_omission ? "No caption rests on this statement. Should there have been one?"
    : `Does the report say this, and of the ${item.organ}?`;
  byId("correct-button").firstChild.textContent = item.is_omission ? "Write caption" : "Edit caption";
  showVerifier(item);
  showReview(item);
  showCaptions();
  showReport();
  const mark = byId("text").querySelector("mark");
  window.scrollTo(0, 0);
  byId("more").scrollTop = byId("report").scrollTop = 0;
  if (mark) centre(mark);
}

// Scrolls within the report alone, and only to what is not seen: on a phone the page itself must stay where it is.
function centre(mark) {
  const box = byId("report").getBoundingClientRect();
  const place = mark.getBoundingClientRect();
  if (place.top >= box.top && place.bottom <= box.bottom) return;
  byId("report").scrollTop += place.top - box.top - Math.max(0, (box.height - place.height) / 2);
}

function showTags(item) {
  const refused = item.verifier && item.verifier.kind === "refused";
  const hasScore = !refused && item.verifier && item.verifier.score != null;
  const tags = [["organ", item.organ], ["", item.status], ["", item.section], ["refused", refused ? "refused" : null],
    ["", hasScore ? `score ${Math.round(item.verifier.score)}` : null],
    ["", [item.engine, item.model].filter(Boolean).join(", ")],
    ["", item.basis && item.basis !== "rules" ? `rests on a ${item.basis}` : null]];
  byId("tags").replaceChildren(...tags.filter(([, text]) => text).map(
    ([kind, text]) => element("span", { className: `tag ${kind}`, textContent: text })));
  const organ = byId("tags").querySelector(".organ");
  if (organ) setSystem(organ, item.captions.find(({ current }) => current) ?? item);
}

export function verifierSays({ verifier }) {
  if (!verifier) return "";
  if (verifier.kind === "refused") return `The verifier refused it (${verifier.reason}): ${verifier.detail}`;
  return state.session.blind ? "The verifier accepted it." : "";
}

function showVerifier(item) {
  const text = verifierSays(item);
  byId("verifier").hidden = !text;
  byId("verifier").textContent = text;
}

function verdictButton({ id, key, name, says }) {
  const button = element("button", { type: "button", value: id, title: says }, name, element("kbd", { textContent: key }));
  button.setAttribute("aria-keyshortcuts", key);
  return button;
}

function showReview(item) {
  const { verdict, note, correction } = item.review;
  if (byId("verdicts").dataset.omission !== String(item.is_omission)) {  // else the focus would be lost at each caption
    byId("verdicts").dataset.omission = item.is_omission;
    byId("verdicts").replaceChildren(...verdictsOf(item).map(verdictButton));
  }
  for (const button of byId("verdicts").children) button.setAttribute("aria-pressed", String(button.value === verdict));
  byId("note").value = note;
  byId("corrected").hidden = !correction;
  if (correction) {
    const remark = correction.found ? "" : " (not found in the report by the verifier)";
    byId("corrected").textContent = `${item.is_omission ? "Caption written" : "Corrected"}: ${correction.organ}, ${correction.status}: ${correction.caption}${remark}`;
  }
  const judges = item.judges || [];
  byId("judges").hidden = !judges.length;
  byId("judges").replaceChildren(...judges.map((judge) => element("li", { textContent: judgeSays(judge) })));
}

export function judgeSays({ judge, verdict, why, passage }) {
  return `${judge}: ${nameOf(verdict)}. ${why}${passage ? ` (“${passage}”)` : ""}`;
}

function showCaptions() {
  byId("captions").replaceChildren(...state.item.captions.map((caption, number) => {
    const text = element("button", { type: "button", className: "caption-line", onclick: () => preview(number) }, ...captionLine(caption));
    const line = setSystem(element("li", { className: caption.current ? "current" : number === state.previewed ? "preview" : "" }, text), caption);
    if (caption.current) text.setAttribute("aria-current", "true");
    if (caption.place && !caption.current) {
      line.append(element("button", { type: "button", className: "go", value: caption.place, textContent: `go to ${caption.place}` }));
    }
    return line;
  }));
}

// A click on a passage looks at the first other caption that rests on it.
export function connectPassages() {
  new PassagePanel(byId("text"), () => state.item.captions, (numbers) => {
    const other = numbers.find((number) => !state.item.captions[number].current);
    if (other !== undefined) preview(other);
  });
}

// Marks the passage of another caption of the report, without going to it.
export function preview(number) {
  const { captions } = state.item;
  if (number < 0 || number >= captions.length) return;
  state.previewed = number;
  showCaptions();
  showReport();
  const mark = byId("text").querySelector(captions[number].current ? "mark" : ".preview");
  if (mark) centre(mark);
  byId("captions").children[number].scrollIntoView({ block: "nearest" });
}

// The evidence of all captions is marked; that of the caption to be judged, or the statement, stands out.
// Blind, those of the others are not marked: their passages are guesses.
function showReport() {
  const { report, captions, statement } = state.item;
  const strong = captions.flatMap(({ current }, number) => current ? [number] : []);
  const looked = captions[state.previewed]?.current === false ? [state.previewed] : [];
  byId("report-id").textContent = `Report ${report.id}`;
  const isMarked = (number) => !state.session.blind || strong.includes(number) || looked.includes(number);
  const marked = captions.map((caption, number) => isMarked(number) ? caption : { ...caption, marks: [] });
  byId("text").replaceChildren(...reportText({ ...report, captions: marked }, { strong, looked, statement }));
}

export function showProgress({ total, reviewed }) {
  Object.assign(state.session, { total, reviewed });
  byId("count").textContent = `${reviewed.toLocaleString("en")} of ${total.toLocaleString("en")} reviewed`;
  byId("track").setAttribute("aria-valuemax", total);
  byId("track").setAttribute("aria-valuenow", reviewed);
  byId("bar").style.width = `${total ? 100 * reviewed / total : 0}%`;
}
