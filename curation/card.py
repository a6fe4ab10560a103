"""The data card of a caption set: ``README.md``, with the front matter by which ``datasets`` finds its tables."""

from __future__ import annotations

from .manifest import Manifest

CAPTION_COLUMNS = """\
| column | meaning |
| --- | --- |
| report_id | the input row's id |
| organ | canonical organ name |
| caption | short statement about that organ |
| status | `normal` (stated as unremarkable, or a finding denied), `abnormal` or `uncertain` |
| evidence | the report's own words, verbatim |
| evidence_start, evidence_end | where they stand in the report's `text`, in characters |
| section | section of the report the evidence stands in |
| score | 0 to 100, how much of the caption its evidence covers |
| engine, model, prompt | what made the caption; `prompt` is the prompt file's hash |
"""


def _front_matter(manifest: Manifest) -> str:
    counts = manifest.counts
    rows = {
        "captions": sum(sum(statuses.values()) for statuses in counts.captions.values()),
        "rejects": sum(counts.rejects.values()),
        "reports": counts.reports,
        "responses": sum(part.responses for part in manifest.parts),
    }
    lines = ["---", "tags:", "- radiology", "- ct", "- medical", "configs:"]
    for table, count in rows.items():
        if count:  # a table without rows is left out: load_dataset fails on a split that has none
            lines += [f"- config_name: {table}", f"  data_files: {table}/*.parquet"]
            lines += ["  default: true"] if table == "captions" else []
    return "\n".join([*lines, "---", ""])


def _statuses(manifest: Manifest) -> str:
    totals: dict[str, int] = {}
    for statuses in manifest.counts.captions.values():
        for status, count in statuses.items():
            totals[status] = totals.get(status, 0) + count
    return ", ".join(f"{count:,} {status}" for status, count in sorted(totals.items())) or "none"


def data_card(manifest: Manifest) -> str:
    """The card's text, from what the manifest knows."""
    counts, settings = manifest.counts, manifest.settings
    captions = sum(sum(statuses.values()) for statuses in counts.captions.values())
    refused = "".join(f"\n| {reason} | {count:,} |" for reason, count in counts.rejects.items())
    refusals = f"| reason | captions |\n| --- | ---: |{refused}" if refused else "No caption was refused."
    unused = f"; {manifest.skipped:,} rows not used" if manifest.skipped else ""
    answers = ", `responses` what the model said, and `prompt.yaml` what it was told" if settings.prompt else ""
    return f"""{_front_matter(manifest)}
# Organ captions from CT reports

Each caption is a short statement about one organ, taken from a radiology report and held against the passage that
it rests on.

- **Reports:** {counts.reports:,} (from `{manifest.input.name}`, sha256 `{manifest.input.sha256}`{unused})
- **Captions:** {captions:,} about {len(counts.captions):,} organs ({_statuses(manifest)})
- **Engine:** {settings.engine}; **model:** {settings.model or "none"}; **prompt:** {settings.prompt or "none"}
- **Made with:** ovct {settings.ovct}, vocabulary `{settings.vocabulary[:12]}`
- **Audit:** not audited. Nobody has compared a sample of these captions with their reports yet.

## Tables

`captions` holds the accepted captions, `rejects` the refused ones with the reason, `reports` the texts they come
from{answers}. `manifest.json` records input, settings, versions and counts.

{CAPTION_COLUMNS}
## Refused captions

{refusals}

## Before you share it

The `reports` table holds the full report texts and the columns that came with them. Whether they may leave your
institution, and under which licence, is decided by where they came from; this tool removes no personal data.
"""
