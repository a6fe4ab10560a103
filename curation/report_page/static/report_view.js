// A report's text with the evidence of all its captions, and a caption in a list: the same in `ovct show` and the review.
//
// A view is what report_view.py sends: text, sections, captions with their passages, and statements without a caption.

import { element } from "./dom.js";

// Without a status, as in a blind review, a caption has the mark of none.
export const STATUSES = ["abnormal", "normal", "uncertain", "refused"];
export const statusOf = (caption) => caption.kind === "refused" ? "refused" : caption.status ?? "unknown";
const MOST_LINES = 3;
// Gives an element the colour of the organ system of a caption.
export function setSystem(target, caption) {
  target.dataset.system = caption.system;
  return target;
}

const within = (spans, place) => spans.some(([start, end]) => start <= place && place < end);

export function glyph(status) {
  const made = element("span", { className: `glyph ${status}` });
  made.setAttribute("aria-hidden", "true");
  return made;
}

// ---- the text

// The text is cut at every place where a section, a passage or a statement without a caption begins or ends. `strong`
// are the numbers of the captions whose evidence stands out; `looked` of those that are only looked at; `statement` are
// spans that stand out by themselves; `isShown` tells whether a caption passes the filter.
export function reportText(view, { strong = [], looked = [], statement = [], isShown = () => true } = {}) {
  const { text, captions } = view;
  const headings = new Map(view.sections.filter(([name, start]) => !hasHeading(text, name, start)).map((section) => [section[1], section]));
  const spans = [...captions.flatMap(({ marks }) => marks), ...statement, ...view.bare, ...view.sections.map(([, start, end]) => [start, end])];
  const cuts = [...new Set([0, ...spans.flat(), text.length])].filter((cut) => cut <= text.length).sort((first, second) => first - second);
  const nodes = [];
  let mark = null;
  cuts.forEach((from, number) => {
    const to = cuts[number + 1];
    if (headings.has(from)) { nodes.push(sectionHeading(headings.get(from))); mark = null; }
    if (to === undefined) return;
    const held = captions.map((caption, index) => index).filter((index) => within(captions[index].marks, from));
    const piece = held.length ? evidence(view, held, from, to, isShown) : plainText(view, from, to);
    const isStrong = held.some((index) => strong.includes(index)) || within(statement, from);
    const kind = isStrong ? "mark" : held.some((index) => looked.includes(index)) ? "looked" : "";
    if (!kind) { mark = null; nodes.push(piece); return; }
    if (mark?.kind !== kind) {
      mark = { kind, node: kind === "mark" ? element("mark") : element("span", { className: "preview" }) };
      nodes.push(mark.node);
    }
    mark.node.append(piece);
  });
  return nodes;
}

function sectionHeading([name, , , isRead]) {
  const heading = element("span", { className: "section" });
  heading.dataset.name = isRead ? name : `${name} (no captions are taken from it)`;
  return heading;
}

// Whether the report itself has a heading there.
function hasHeading(text, name, start) {
  return text.slice(Math.max(0, start - 40), start + name.length + 4).toLowerCase().includes(name.toLowerCase());
}

function plainText(view, from, to) {
  const words = view.text.slice(from, to);
  const section = view.sections.find(([, start, end]) => start <= from && from < end);
  const kind = !section ? "outside" : !section[3] ? "unread" : within(view.bare, from) ? "bare" : "";
  return kind && words.trim() ? element("span", { className: kind }, words) : document.createTextNode(words);
}

// The colour is that of the first caption's system, with a line below in the colour of each; before a passage stands the
// mark of each status.
function evidence(view, held, from, to, isShown) {
  const { captions } = view;
  const shown = held.filter((index) => isShown(captions[index]));
  const coloured = (shown.length ? shown : held).map((index) => captions[index]);
  const accepted = coloured.filter((caption) => caption.kind !== "refused");
  const statuses = new Set(coloured.map(statusOf));
  const piece = element("span", { className: "evidence", tabIndex: 0 });
  setSystem(piece, accepted[0] ?? coloured[0]);
  piece.classList.toggle("faded", !shown.length);
  piece.classList.toggle("only-refused", !accepted.length);
  piece.classList.toggle("bare", within(view.bare, from));
  piece.dataset.line = STATUSES.find((status) => statuses.has(status)) ?? "unknown";
  piece.dataset.captions = held.join(" ");
  piece.setAttribute("role", "button");
  piece.setAttribute("aria-description", held.map((index) => captionSays(captions[index])).join("; "));
  const begins = coloured.filter(({ marks }) => marks.some(([start]) => start === from));
  const glyphs = new Map(begins.map((caption) => [`${caption.system} ${statusOf(caption)}`, caption]));
  for (const caption of glyphs.values()) piece.append(setSystem(glyph(statusOf(caption)), caption));
  const systems = [...new Map(accepted.map((caption) => [caption.system, caption])).values()].slice(1, MOST_LINES);
  piece.append(systems.reduce((inner, caption) => setSystem(element("span", { className: "under" }, inner), caption), view.text.slice(from, to)));
  piece.classList.toggle("several", systems.length > 0);
  return piece;
}

// ---- a caption

export function captionSays(caption) {
  const status = statusOf(caption);
  return `${caption.organ}: ${caption.caption}${status === "unknown" ? "" : ` (${status})`}${caption.kind === "refused" ? `, ${caption.detail || caption.reason}` : ""}`;
}

// The words of a caption. Of a refused one they are struck through, and those that its report does not carry stand out.
export function captionWords(caption) {
  if (caption.kind !== "refused") return element("span", { className: "words" }, caption.caption);
  const words = element("s", { className: "words" });
  let at = 0;
  for (const [start, end] of caption.wrong ?? []) {
    if (start < at) continue;
    words.append(caption.caption.slice(at, start), element("b", { className: "wrong" }, caption.caption.slice(start, end)));
    at = end;
  }
  words.append(caption.caption.slice(at));
  return words;
}

// A caption as the content of a list's line: status, organ, words and, of a refused one, why; with the report's text also
// the passage that comes nearest to that.
export function captionLine(caption, text = "") {
  const status = statusOf(caption);
  const head = element("span", { className: "head" }, setSystem(element("strong", { className: "organ" }, caption.organ), caption),
    element("span", { className: "details" }, [status === "unknown" ? "" : status, caption.reason?.replaceAll("_", " ")].filter(Boolean).join(": ")));
  const line = [setSystem(glyph(status), caption), element("span", { className: "caption" }, head, captionWords(caption))];
  if (caption.kind !== "refused") return line;
  if (caption.detail) line[1].append(element("span", { className: "why" }, caption.detail));
  const nearest = caption.marks.map(([start, end]) => text.slice(start, end)).filter(Boolean);
  if (nearest.length) line[1].append(element("span", { className: "nearest" }, `“${nearest.join(" … ")}”`));
  return line;
}
