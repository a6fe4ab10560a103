"""The figures of a caption set as one record: what `ovct curate --json` and `ovct stats --json` print."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from curation.readers.description import InputDescription

from .manifest import Manifest, Usage
from .records.privacy_counts import PrivacyCounts
from .stats import SetSummary
from .unknown_words import UnknownWord

MOST_WORDS = 100


class SetFigures(BaseModel):
    """Counts of a caption set, and what made it.

    ``languages`` counts reports by the code of their language, ``captions_by_organ`` accepted captions by organ and
    status, ``refused_by_reason`` refused captions, ``captions_by_basis`` those that do not rest on the verifier's
    reading of the report. ``words_not_understood`` are the words on which most statements were refused, at most
    ``MOST_WORDS``; `ovct curate` counts none. ``skipped_rows`` is None while the set is unfinished. ``modalities``
    counts the reports that were read by what they examine with, also those that ``--modality`` leaves out. ``usage`` is
    there where a language model was asked, ``privacy`` where names, dates and numbers were counted (``--check-phi``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    complete: bool
    engine: str
    model: str | None
    prompt: str | None
    reports: int
    skipped_rows: int | None
    modalities: dict[str, int]
    captions: int
    refused: int
    languages: dict[str, int]
    captions_by_organ: dict[str, dict[str, int]]
    captions_by_basis: dict[str, int]
    refused_by_reason: dict[str, int]
    words_not_understood: tuple[UnknownWord, ...]
    seconds: float
    usage: Usage | None
    privacy: PrivacyCounts | None


class CurationFigures(SetFigures):
    """Figures of a caption set that `ovct curate` has just made, or found complete (``already_done``).

    ``input`` describes how the reports were read; None where shards were merged.
    """

    already_done: bool
    input: InputDescription | None


def set_figures(summary: SetSummary, folder: str) -> SetFigures:
    """Return the figures of a caption set; ``folder`` is what to call its place."""
    manifest: Manifest = summary.manifest
    by_organ: dict[str, dict[str, int]] = {}
    for (organ, status), count in sorted(summary.captions.items()):
        by_organ.setdefault(organ, {})[status] = count
    return SetFigures(
        folder=folder,
        complete=manifest.complete,
        engine=manifest.settings.engine,
        model=manifest.settings.model,
        prompt=manifest.settings.prompt,
        reports=summary.reports,
        skipped_rows=manifest.skipped,
        modalities=manifest.modalities or {},
        captions=summary.captions.total(),
        refused=summary.rejects.total(),
        languages=manifest.counts.languages,
        captions_by_basis=dict(sorted(summary.bases.items())),
        captions_by_organ=by_organ,
        refused_by_reason=dict(sorted(summary.rejects.items())),
        words_not_understood=tuple(summary.unknown_words[:MOST_WORDS]),
        seconds=manifest.seconds,
        usage=manifest.usage,
        privacy=manifest.privacy,
    )
