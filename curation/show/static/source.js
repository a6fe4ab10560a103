// Where the reports come from: the server, which reads them from the set, or the page itself, which was written with them.

import { byId } from "./dom.js";

async function ask(path) {
  let answer;
  try {
    answer = await fetch(`api/${path}`);
  } catch {
    throw new Error("The server does not answer. Start `ovct show` again and open its link.");
  }
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  throw new Error(typeof content.detail === "string" ? content.detail : `the server refused this (${answer.status})`);
}

class ServedReports {
  async session() { return ask("session"); }

  async report(place) { return ask(`report/${place}`); }

  // The place of the next report that passes, null where there is none. Of a long search it is told how far it is.
  async find(place, step, filter, tell, isWanted) {
    let from = place;
    while (isWanted()) {
      const query = new URLSearchParams({ place: from, step });
      for (const organ of filter.organs) query.append("organ", organ);
      for (const status of filter.statuses) query.append("status", status);
      for (const word of filter.words) query.append("word", word);
      const found = await ask(`find?${query}`);
      if (found.place || found.finished) return found.place;
      from = found.reached;
      tell(from);
    }
    return null;
  }
}

class WrittenReports {
  constructor(content) { Object.assign(this, content); }

  async session() { return this.about; }

  async report(place) { return this.reports[place - 1]; }

  async find(place, step, filter) {
    for (let at = place + step; at >= 1 && at <= this.reports.length; at += step) {
      if (passes(this.reports[at - 1], filter)) return at;
    }
    return null;
  }
}

export function isChosen(caption, { organs, statuses }) {
  const status = caption.kind === "refused" ? "refused" : caption.status;
  return (!organs.size || organs.has(caption.organ)) && (!statuses.size || statuses.has(status));
}

function passes(report, filter) {
  if ((filter.organs.size || filter.statuses.size) && !report.captions.some((caption) => isChosen(caption, filter))) return false;
  const texts = [report.id, report.text, ...report.captions.flatMap(({ organ, caption }) => [organ, caption])].map((text) => text.toLowerCase());
  return filter.words.every((word) => texts.some((text) => text.includes(word.toLowerCase())));
}

export function reportSource() {
  const content = byId("content");
  return content ? new WrittenReports(JSON.parse(content.textContent)) : new ServedReports();
}
