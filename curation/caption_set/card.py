"""Write the data card of a caption set: its ``README.md``, from the template ``data_cards/caption_set.md.jinja``.

Hugging Face lists a data set by the card's front matter, and ``datasets`` finds its tables by it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from curation.caption import Reason
from curation.report_language.languages import ENGLISH, UNDETERMINED, counts_by_language
from curation.runtime.digests import file_digest
from curation.runtime.files import write_text
from prompts.templates import render

from .audit_results import AUDIT, MEANINGS, AuditSummary, read_summary
from .manifest import Manifest, Usage
from .records.estimates import Estimate
from .records.omissions import MISSED, OmissionResults
from .set_files import CARD_FILE, SITE_LEXICON_FILE, SITE_ORGANS_FILE
from .shards import source_names
from .stats import STATUSES, TOP_ORGANS, bases_told

SCORE_PLOT = "score.png"
# Beside our packages, and never a folder of the same name elsewhere.
TEMPLATE = Path(__file__).resolve().parents[2] / "data_cards" / "caption_set.md.jinja"
HEADING = b"\n# Organ captions from CT reports\n"
SIZES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")

REASON_TEXTS = {
    Reason.SCHEMA: "is not in the form that was asked for, or empty",
    Reason.UNKNOWN_ORGAN: "is about an organ that the vocabulary does not know",
    Reason.NOT_GROUNDED: "says what no passage of the report says",
    Reason.WRONG_ORGAN: "says it of another organ, part or level than the report",
    Reason.LATERALITY: "says it of another side than the report",
    Reason.NEGATION: "affirms what the report denies, or the other way round",
    Reason.MEASUREMENT: "has a number, unit or comparison that the report has not",
    Reason.MODIFIER: "adds or changes a grade, a time or another qualifier, or drops a doubt",
    Reason.DUPLICATE: "says no more than another one of the same organ",
    Reason.TRUNCATED: "was cut off, as the answer was too long",
    Reason.ENGINE_ERROR: "was never made: the engine failed",
    Reason.LANGUAGE: "was not made: the report, or a part of it, is not English",
    Reason.PHI: "would tell a name, a date or a number of a record (`--drop-phi`)",
    Reason.NOT_UNDERSTOOD: "was not made: the statement rests on words that the rules do not know",
    Reason.MACHINE_TEXT: "rests on text of the report that is meant for a machine that reads it, not for people",
}
"""What each reason says of a refused caption, as the end of "the caption …"."""


def write_card(root: Path, manifest: Manifest, *, ours: bool = False) -> Manifest:
    """Write the card of a caption set, with the results of an audit of its rows where there is one.

    Return the manifest with the card's digest, for the caller to save. A card that was changed by hand, so that it is
    not the one that the manifest tells of, stays as it is; with ``ours`` it is one of a run that was killed.
    """
    path, recorded = root / CARD_FILE, (manifest.files or {}).get(CARD_FILE)
    changed = recorded and not ours and path.exists() and file_digest(path) != recorded
    if changed or is_foreign_card(root):
        return manifest
    score_plot = (root / AUDIT / SCORE_PLOT).exists()
    write_text(path, data_card(manifest, read_summary(root, manifest), score_plot=score_plot))
    return with_file(manifest, path)


def is_foreign_card(root: Path) -> bool:
    """Return whether the ``README.md`` in a folder is none of ours."""
    path = root / CARD_FILE
    return path.exists() and HEADING not in path.read_bytes()


def with_file(manifest: Manifest, path: Path) -> Manifest:
    """Return the manifest with the digest of a file beside the parts. One of an earlier version has none, and stays."""
    if manifest.files is None:
        return manifest
    files = {**manifest.files, path.name: file_digest(path)}
    return manifest.model_copy(update={"files": dict(sorted(files.items()))})


def data_card(manifest: Manifest, results: AuditSummary | None = None, *, score_plot: bool = False) -> str:
    """Return the card's text. ``score_plot`` says whether the audit's plot stands in the set."""
    rows = _rows(manifest)
    values = {
        "front_matter": _front_matter(manifest, rows),
        "manifest": manifest,
        "settings": manifest.settings,
        "rows": rows,
        "empty": [f"`{table}`" for table in ("captions", "rejects") if not rows[table]],
        "languages": _languages_text(manifest),
        **_captions(manifest),
        **_source(manifest),
        "site_words": _site_words(manifest),
        "refusals": _refusals(manifest),
        "bases": bases_told(manifest.counts.bases),
        "cost": _cost(manifest.usage),
        **_audit(results),
        **_cleaned(manifest),
        "score_plot": score_plot,
        "number": _number,
        "code": _code,
        "share": _share,
    }
    return render(TEMPLATE.read_text(encoding="utf-8"), values) + "\n"


def _rows(manifest: Manifest) -> dict[str, int]:
    """Return the number of rows of each table."""
    counts = manifest.counts
    return {
        "captions": sum(sum(statuses.values()) for statuses in counts.captions.values()),
        "rejects": sum(counts.rejects.values()),
        "reports": counts.reports,
        "responses": sum(part.responses for part in manifest.parts),
    }


def _site_words(manifest: Manifest) -> list[tuple[str, str, str]]:
    """Return what a site added to our words: what it is, its file in the set, and the file's digest."""
    settings = manifest.settings
    rows = (
        ("The site's own words", SITE_LEXICON_FILE, settings.site_lexicon),
        ("The site's own organs", SITE_ORGANS_FILE, settings.site_organs),
    )
    return [(name, file, digest) for name, file, digest in rows if digest is not None]


def _front_matter(manifest: Manifest, rows: dict[str, int]) -> str:
    """Return YAML. A table without rows gets no configuration: ``load_dataset`` fails on a split that has none."""
    configs: list[dict[str, object]] = [
        {"config_name": table, "data_files": f"{table}/*.parquet"} for table, count in rows.items() if count
    ]
    if rows["captions"]:
        configs[0]["default"] = True
    front_matter = {
        "license": _line(manifest.license or "unknown"),
        "language": _languages(manifest),
        "size_categories": [size_category(rows["captions"])],
        "pretty_name": _line(f"Organ captions from {manifest.input.name}"),
        "tags": ["radiology", "ct", "medical"],
        "configs": configs,
    }
    return yaml.safe_dump(front_matter, sort_keys=False, allow_unicode=True, width=10_000)


def _languages(manifest: Manifest) -> list[str]:
    """Return the codes of the reports' languages, the most frequent first; a set that counted none was English."""
    counts = Counter(manifest.counts.languages)
    return [code for code, _ in counts.most_common() if code != UNDETERMINED] or [ENGLISH]


def _languages_text(manifest: Manifest) -> str:
    """Return the numbers of reports by language as the end of a sentence; "" where they were not counted."""
    counts = Counter(manifest.counts.languages)
    return f": {counts_by_language(counts)}" if counts else ", in English"


def size_category(rows: int) -> str:
    """Return Hugging Face's name for the size of a data set."""
    index = sum(rows >= 1000 * 10**power for power in range(len(SIZES)))
    if index == len(SIZES):
        return f"n>{SIZES[-1]}"
    return f"{SIZES[index - 1]}<n<{SIZES[index]}" if index else f"n<{SIZES[0]}"


def _captions(manifest: Manifest) -> dict[str, Any]:
    """Return the numbers of captions by status, and the table of the organs with most captions."""
    by_organ = manifest.counts.captions
    most = sorted(by_organ, key=lambda organ: (-sum(by_organ[organ].values()), organ))
    shown, rest = most[:TOP_ORGANS], most[TOP_ORGANS:]
    table = [_organ_row(_cell(organ), [by_organ[organ]]) for organ in shown]
    if rest:
        table.append(_organ_row(f"{len(rest):,} more", [by_organ[organ] for organ in rest]))
    totals = _totals(by_organ.values())
    return {
        "organs": table,
        "organ_count": len(by_organ),
        "status_names": STATUSES,
        "statuses": ", ".join(f"{totals[status]:,} {status}" for status in STATUSES),
    }


def _totals(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    totals = Counter[str]()
    for statuses in counts:
        totals.update(statuses)
    return totals


def _organ_row(name: str, counts: Iterable[Mapping[str, int]]) -> list[str]:
    totals = _totals(counts)
    return [name, *(_number(totals[status]) for status in STATUSES), _number(totals.total())]


def _source(manifest: Manifest) -> dict[str, Any]:
    """Return the columns of the input, as they are called there and in ``reports``, and the engine's options."""
    names = source_names(manifest.source_columns)
    carried = [_code(name) + (f" (as {_code(stored)})" if stored != name else "") for name, stored in names.items()]
    rows = [[_cell(_code(stored)), f"column {_cell(_code(name))} of the input"] for name, stored in names.items()]
    options = [f"{name} {_code(str(value))}" for name, value in manifest.settings.options.items()]
    return {"carried": carried, "source_rows": rows, "options": options}


def _refusals(manifest: Manifest) -> list[list[str]]:
    counts = sorted(manifest.counts.rejects.items(), key=lambda item: (-item[1], item[0]))
    texts = {str(reason): text for reason, text in REASON_TEXTS.items()}
    return [[_cell(_code(reason)), _number(count), texts.get(reason, "")] for reason, count in counts]


def _cost(usage: Usage | None) -> str:
    if usage is None or usage.cost is None or usage.prices is None:
        return ""
    prompt, completion = usage.prices
    return f"; at {prompt:g} and {completion:g} for a million of them that is {usage.cost:,.4g}"


def _audit(results: AuditSummary | None) -> dict[str, Any]:
    """Return the results of an audit; a sample without any decision yet counts as no audit."""
    if results is None or not results.hallucination.reviewed:
        return {"audited": False, "results": None, "omissions": None}
    readers = len(results.reviewers)
    names = {str(verdict): meaning.name for verdict, meaning in MEANINGS.items()}
    order = {name: index for index, name in enumerate(names)}
    verdicts = sorted(results.verdicts.items(), key=lambda item: order.get(item[0], len(order)))
    return {
        "audited": True,
        "results": results,
        "readers": "one reader" if readers == 1 else f"{readers} readers",
        "verdicts": [[_cell(names.get(verdict, verdict)), *_shares(estimate)] for verdict, estimate in verdicts],
        "omissions": _omissions(results.omissions),
    }


def _omissions(omissions: OmissionResults | None) -> str | None:
    """Return what was missed, in a sentence; None where nobody has looked."""
    if omissions is None or omissions.without_caption.rate is None:
        return None
    share, missed = omissions.without_caption, omissions.missed
    rate, low, high = map(_percent, (share.rate or 0.0, share.low, share.high))
    return (
        f"{rate} % (95 % interval {low} to {high} %) of the statements worth a caption have none: {missed.hits:,} of "
        f"{missed.reviewed:,} that were reviewed, of {_number(omissions.uncovered)} without one."
    )


def _cleaned(manifest: Manifest) -> dict[str, Any]:
    """Return what was changed after an audit of the set that this one was made from."""
    audit = manifest.audit
    if audit is None:
        return {}
    removed = sum(change.after is None for change in audit.changes)
    rate = "an unknown share" if audit.rate is None else f"{_percent(audit.rate)} %"
    rate_text = f"{rate} (95 % interval {_percent(audit.low)} to {_percent(audit.high)} %)"
    added = sum(change.verdict in MISSED for change in audit.changes)
    right = len(audit.changes) - removed - added
    return {"cleaned_out": removed, "cleaned_right": right, "cleaned_added": added, "cleaned_rate": rate_text}


def _shares(estimate: Estimate) -> list[str]:
    rate = "" if estimate.rate is None else f"{_percent(estimate.rate)} %"
    return [_number(estimate.hits), rate, f"{_percent(estimate.low)} to {_percent(estimate.high)} %"]


def _share(estimate: Estimate) -> str:
    """Return an estimate in words, such as "0 of 100 reviewed captions, 0.0 % (95 % interval 0.0 to 3.7 %)"."""
    if estimate.rate is None:
        return "not known"
    rate, low, high = map(_percent, (estimate.rate, estimate.low, estimate.high))
    return f"{estimate.hits:,} of {estimate.reviewed:,} reviewed captions, {rate} % (95 % interval {low} to {high} %)"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _number(count: int) -> str:
    return f"{count:,}"


def _line(text: str) -> str:
    """Return any text as one line without control characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _code(text: str) -> str:
    """Return any text as Markdown code, fenced by more backticks than stand in it in a row."""
    line = _line(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    pad = " " if not line or "`" in (line[0], line[-1]) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _cell(text: str) -> str:
    """Return any text as a cell of a Markdown table, in which a bar would end the cell, also within code."""
    return _line(text).replace("|", "\\|")
