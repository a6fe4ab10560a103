// The captions of a passage, in a panel beside it: while the pointer or the keyboard is on it, on a phone when it is tapped.

import { element } from "./dom.js";
import { captionLine, setSystem } from "./report_view.js";

const GAP = 8;

export class PassagePanel {
  // `text` holds the report; `captionsOf` returns its captions; `choose` gets the numbers of those of a clicked passage.
  constructor(text, captionsOf, choose) {
    Object.assign(this, { text, captionsOf, choose });
    this.list = element("ol");
    this.panel = element("section", { className: "passage-panel", hidden: true, ariaLabel: "Captions of this passage" }, this.list,
      element("button", { type: "button", ariaLabel: "Close", onclick: () => this.hide() }, "✕"));
    document.body.append(this.panel);
    const whileMouse = (action) => (event) => { if (event.pointerType === "mouse") action(event); };
    text.addEventListener("pointerover", whileMouse((event) => this.show(event.target.closest(".evidence"))));
    text.addEventListener("pointerout", whileMouse(() => this.hide()));
    text.addEventListener("focusin", (event) => this.show(event.target.closest(".evidence")));
    text.addEventListener("focusout", () => this.hide());
    text.addEventListener("click", (event) => this.click(event.target.closest(".evidence")));
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " " || !event.target.closest(".evidence")) return;
      event.preventDefault();
      event.stopPropagation();
      this.click(event.target.closest(".evidence"));
    });
  }

  get isShown() { return !this.panel.hidden; }

  hide() { this.panel.hidden = true; }

  // The text is drawn anew when captions are chosen; the passage keeps its place in it, and the focus.
  click(piece) {
    if (!piece) return this.hide();
    const place = [...this.text.querySelectorAll(".evidence")].indexOf(piece);
    this.choose(numbersOf(piece));
    const anew = this.text.querySelectorAll(".evidence")[place];
    anew?.focus({ preventScroll: true });
    this.show(anew);
  }

  show(piece) {
    if (!piece) return;
    const captions = this.captionsOf();
    this.list.replaceChildren(...numbersOf(piece).map((number) => setSystem(
      element("li", { className: "caption-line" }, ...captionLine(captions[number])), captions[number])));
    this.panel.hidden = false;
    const lines = piece.getClientRects(), first = lines[0], last = lines[lines.length - 1];
    const { offsetWidth, offsetHeight, style } = this.panel;
    const hasRoom = last.bottom + GAP + offsetHeight < window.innerHeight;
    style.left = `${Math.max(GAP, Math.min(last.left, window.innerWidth - offsetWidth - GAP))}px`;
    style.top = `${hasRoom ? last.bottom + GAP : Math.max(GAP, first.top - offsetHeight - GAP)}px`;
  }
}

const numbersOf = (piece) => piece.dataset.captions.split(" ").map(Number);
