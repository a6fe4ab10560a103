// The filter: organs by their systems, and statuses, each with how many captions there are.

import { byId, element, grouped } from "./dom.js";
import { glyph, STATUSES } from "./report_view.js";

export const filter = { organs: new Set(), statuses: new Set(), words: [] };
const boxes = new Map();
let changed = () => {};

export const isFiltered = () => Boolean(filter.organs.size || filter.statuses.size || filter.words.length);

function toggle(set, values) {
  const all = values.every((value) => set.has(value));
  for (const value of values) if (all) set.delete(value); else set.add(value);
  mark();
  changed();
}

function mark() {
  for (const [organ, button] of boxes) button.setAttribute("aria-pressed", String(filter.organs.has(organ)));
  for (const button of byId("statuses").children) button.setAttribute("aria-pressed", String(filter.statuses.has(button.value)));
  byId("all").hidden = !filter.organs.size && !filter.statuses.size;
  const names = [...filter.statuses, ...filter.organs];
  byId("filter-button").textContent = names.length ? `Filter: ${names.slice(0, 2).join(", ")}${names.length > 2 ? " …" : ""}` : "Filter";
}

export function clearFilter() {
  filter.organs.clear();
  filter.statuses.clear();
  byId("words").value = "";
  filter.words = [];
  mark();
  changed();
}

const counted = (count) => element("span", { className: "count" }, count.toLocaleString("en"));

function statusButton(status, count) {
  const button = element("button", { type: "button", value: status, onclick: () => toggle(filter.statuses, [status]) },
    glyph(status), status, counted(count));
  return button;
}

function organButton({ organ, captions }) {
  const button = element("button", { type: "button", onclick: () => toggle(filter.organs, [organ]) }, element("span", {}, organ), counted(captions));
  boxes.set(organ, button);
  return element("li", {}, button);
}

function systemGroup(system, organs) {
  const names = organs.map(({ organ }) => organ);
  const head = element("button", { type: "button", className: "system", onclick: () => toggle(filter.organs, names) },
    element("span", {}, system), counted(organs.reduce((sum, { captions }) => sum + captions, 0)));
  const group = element("li", {}, head, element("ul", {}, ...organs.map(organButton)));
  group.dataset.system = system;
  return group;
}

function findOrgans() {
  const words = byId("organ-words").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const [organ, button] of boxes) button.parentElement.hidden = !words.every((word) => organ.toLowerCase().includes(word));
  for (const group of byId("organs").children) group.hidden = ![...group.querySelectorAll("li")].some((line) => !line.hidden);
}

export function prepareFilter(session, onChange) {
  changed = onChange;
  byId("statuses").replaceChildren(...STATUSES.map((status) => statusButton(status, session.statuses[status] ?? 0)));
  const groups = grouped(session.organs, ({ system }) => system);
  byId("organs").replaceChildren(...session.systems.filter((system) => groups.has(system)).map((system) => systemGroup(system, groups.get(system))));
  byId("organ-words").addEventListener("input", findOrgans);
  byId("all").addEventListener("click", clearFilter);
  mark();
}
