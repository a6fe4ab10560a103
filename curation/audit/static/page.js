// Shows a caption beside its report. All text of reports, captions and notes is put in as text, never as HTML.

// `session` and `item` are as the server sends them; `previewed` is the index of the caption that is only looked at.
export const state = { session: null, item: null, previewed: -1 };

export const byId = (id) => document.getElementById(id);
export const nameOf = (verdict) => state.session.verdicts.find((choice) => choice.id === verdict)?.name ?? verdict;

export function element(name, properties = {}, ...children) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...children);
  return created;
}

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
  showVerifier(item);
  showReview(item);
  showCaptions();
  showReport();
  const mark = byId("text").querySelector("mark");
  window.scrollTo(0, 0);
  byId("more").scrollTop = byId("report").scrollTop = 0;
  if (mark) centre(mark);
}

// Scrolls within the report alone: on a phone the page itself must stay where it is.
function centre(mark) {
  const box = byId("report").getBoundingClientRect();
  const place = mark.getBoundingClientRect();
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

function showReview(item) {
  const { verdict, note, correction } = item.review;
  for (const button of byId("verdicts").children) button.setAttribute("aria-pressed", String(button.value === verdict));
  byId("note").value = note;
  byId("corrected").hidden = !correction;
  if (correction) {
    const remark = correction.found ? "" : " (not found in the report by the verifier)";
    byId("corrected").textContent = `Corrected: ${correction.organ}, ${correction.status}: ${correction.caption}${remark}`;
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
    const details = [caption.status, caption.kind === "refused" ? `refused: ${caption.reason}` : ""].filter(Boolean).join(", ");
    const text = element("button", { type: "button", onclick: () => preview(number) },
      element("strong", { textContent: caption.organ }), `: ${caption.caption} `, element("span", { className: "details", textContent: details }));
    const line = element("li", { className: caption.current ? "current" : number === state.previewed ? "preview" : "" }, text);
    if (caption.current) text.setAttribute("aria-current", "true");
    if (caption.place && !caption.current) {
      line.append(element("button", { type: "button", className: "go", value: caption.place, textContent: `go to ${caption.place}` }));
    }
    return line;
  }));
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

// The text is cut at every place where a section, the evidence or the passage of the previewed caption begins or ends.
function showReport() {
  const { report, captions, marks } = state.item;
  const { text } = report;
  byId("report-id").textContent = `Report ${report.id}`;
  const previewed = captions[state.previewed];
  const previewMarks = previewed && !previewed.current ? previewed.marks : [];
  const headings = new Map(report.sections.filter(([name, start]) => !hasHeading(text, name, start)).map(([name, start]) => [start, name]));
  const bounds = [...headings.keys(), ...marks.flat(), ...previewMarks.flat(), text.length];
  const cuts = [...new Set([0, ...bounds])].filter((cut) => cut <= text.length).sort((a, b) => a - b);
  const within = (spans, from) => spans.some(([start, end]) => start <= from && from < end);
  const pieces = [];
  cuts.forEach((from, number) => {
    if (headings.has(from)) {
      const heading = element("span", { className: "section" });
      heading.dataset.name = headings.get(from);
      pieces.push(heading);
    }
    let piece = document.createTextNode(text.slice(from, cuts[number + 1] ?? text.length));
    if (within(previewMarks, from)) piece = element("span", { className: "preview" }, piece);
    if (within(marks, from)) piece = element("mark", {}, piece);
    pieces.push(piece);
  });
  byId("text").replaceChildren(...pieces);
}

// Whether the report itself has a heading there.
function hasHeading(text, name, start) {
  return text.slice(Math.max(0, start - 40), start + name.length + 4).toLowerCase().includes(name.toLowerCase());
}

export function showProgress({ total, reviewed }) {
  Object.assign(state.session, { total, reviewed });
  byId("count").textContent = `${reviewed.toLocaleString("en")} / ${total.toLocaleString("en")}`;
  byId("track").setAttribute("aria-valuemax", total);
  byId("track").setAttribute("aria-valuenow", reviewed);
  byId("bar").style.width = `${total ? 100 * reviewed / total : 0}%`;
}
