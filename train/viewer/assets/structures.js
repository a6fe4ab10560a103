"use strict";
// The list of structures: each with its colour, name and volume, and whether it is seen.

const SEARCHED_FROM = 12;

function element(id) { return document.getElementById(id); }

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, attributes);
  made.append(...children);
  return made;
}

function inMillilitres(ml) {
  const digits = ml >= 100 ? 0 : ml >= 1 ? 1 : ml >= 0.01 ? 2 : 3;
  return `${ml.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ml`;
}

class StructureList {
  constructor(structures, onShow, onGo) {
    this.present = structures.filter((structure) => structure.at);
    this.shown = new Set(this.present.map((structure) => structure.label));
    this.onShow = onShow;
    this.onGo = onGo;
    this.rows = new Map();
    const largest = [...this.present].sort((first, second) => second.ml - first.ml)[0];
    this.current = largest?.label;
    this.fill(structures.filter((structure) => !structure.at));
  }

  fill(absent) {
    element("mask-tools").hidden = !this.present.length;
    for (const structure of this.present) element("structures").append(this.row(structure));
    element("search").hidden = this.present.length < SEARCHED_FROM;
    element("search").addEventListener("input", () => this.find());
    element("all").addEventListener("click", () => this.show(this.present.map((structure) => structure.label)));
    element("none").addEventListener("click", () => this.show([]));
    element("only").addEventListener("click", () => this.show([this.current]));
    element("absent").hidden = !absent.length;
    if (absent.length) {
      element("absent").querySelector("summary").textContent = `${absent.length} without a voxel`;
      element("absent").querySelector("p").textContent = absent.map((structure) => structure.name).join(", ");
    }
    this.mark();
  }

  row(structure) {
    const box = make("input", { type: "checkbox", checked: true, ariaLabel: `Show ${structure.name}`, title: "Show or hide it" });
    box.addEventListener("change", () => { this.current = structure.label; this.toggle(structure.label); });
    const name = make("button", { type: "button", title: "Mark it, and go to it" }, structure.name);
    if (structure.prompt) name.append(make("small", {}, structure.prompt));
    name.addEventListener("click", () => this.go(structure));
    const item = make("li", {}, box, swatch(structure.colour), name, make("span", { className: "ml" }, inMillilitres(structure.ml)));
    this.rows.set(structure.label, { item, box, structure });
    return item;
  }

  go(structure) {
    this.current = structure.label;
    this.mark();
    this.onGo(structure.at);
  }

  step(steps) {
    const listed = this.present.filter((structure) => !this.rows.get(structure.label).item.hidden);
    const place = listed.findIndex((structure) => structure.label === this.current);
    const next = listed[(place + steps + listed.length) % listed.length];
    if (!next) return;
    this.go(next);
    this.rows.get(next.label).item.scrollIntoView({ block: "nearest" });
  }

  toggle(label = this.current) {
    if (label === undefined) return;
    const shown = new Set(this.shown);
    if (!shown.delete(label)) shown.add(label);
    this.show(shown);
  }

  show(labels) {
    this.shown = new Set(labels);
    this.mark();
    this.onShow(this.shown);
  }

  mark() {
    for (const [label, { item, box }] of this.rows) {
      box.checked = this.shown.has(label);
      item.classList.toggle("current", label === this.current);
    }
    element("shown").textContent = `${this.shown.size} of ${this.present.length} shown`;
  }

  find() {
    const words = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { item, structure } of this.rows.values()) {
      const text = `${structure.name} ${structure.prompt}`.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
  }
}

function swatch(colour) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg"), square = document.createElementNS(namespace, "rect");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("viewBox", "0 0 10 10");
  for (const [name, value] of Object.entries({ width: 10, height: 10, rx: 2, fill: `rgb(${colour.join(" ")})` })) square.setAttribute(name, value);
  svg.append(square);
  return svg;
}
