"""Proposals of words: each candidate that saves refused captions, by how many it saves.

A candidate is tried as a site's file with it would be: checked beside ours, and the refused captions that it comes from
are verified again. What saves none is dropped, and so is what contradicts our words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from curation.caption_set.kept_files import kept_site_words
from curation.caption_set.manifest import load_manifest
from curation.caption_set.resuming import check_parts, lacks_digests
from curation.caption_set.unknown_words import UnknownWord, unknown_words
from curation.language.lexicon.site_lexicon import our_words
from curation.language.site_words import OURS, SiteWords, check_site_words, problems_beside_ours
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress
from curation.verification.verifier import Verifier, build_verifier

from .candidates import Candidate, CandidateKind, candidates_of
from .refused_captions import RefusedCaptionOfReport, refused_captions

MOST_REFUSED = 20_000
"""Refused captions that are read: what is said again and again stands among the first."""
MOST_TRIED = 300
"""Candidates that are tried, the most frequent first."""
EXAMPLES = 3


class ExampleOfRefusal(BaseModel):
    """A refused caption that a proposal would save, and the passage of its report that would then be the evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    report_id: str
    organ: str
    caption: str
    evidence: str


class WordProposal(BaseModel):
    """Two phrases that may mean the same.

    ``refused`` counts the refused captions that they come from, ``saved`` those of them that are accepted with both
    phrases in one group, ``reports`` the different reports of these.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: CandidateKind
    phrases: tuple[str, str]
    refused: int
    saved: int
    reports: int
    examples: tuple[ExampleOfRefusal, ...]


class WordSuggestions(BaseModel):
    """What `ovct lexicon suggest --json` prints.

    ``refused`` counts the refused captions of the set that were read, ``accepted_today`` those of them that today's
    verifier accepts. ``tried`` of the ``candidates`` were verified again. ``not_understood`` are the words on which the
    rules refused most statements. ``files`` are those that were written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    refused: int
    accepted_today: int
    candidates: int
    tried: int
    proposals: tuple[WordProposal, ...]
    not_understood: tuple[UnknownWord, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(slots=True)
class _Refusals:
    """Refused captions, each once, and by candidate the numbers of those that it may be behind."""

    claims: list[RefusedCaptionOfReport] = field(default_factory=list)
    by_candidate: dict[Candidate, list[int]] = field(default_factory=lambda: defaultdict(list))
    accepted_today: int = 0


def suggest_words(
    root: Path, progress: Progress | None = None, *, top: int = 20, limit: int = MOST_REFUSED, words: SiteWords = OURS
) -> WordSuggestions:
    """Return the words that would save most of a set's refused captions, at most ``top``.

    The words of a site that the set was made with are known already; a file of ``words`` takes the place of one of
    them. Raises ``ManifestError``, ``SetError`` and ``InputError``.
    """
    progress = progress or Progress()
    manifest = load_manifest(root)
    check_parts(root, manifest, ("reports", "rejects"), check=progress.raise_if_interrupted)
    if note := lacks_digests(root, manifest):
        progress.warning(note)
    base = kept_site_words(root, manifest.settings, words)
    verifier = build_verifier(base)
    progress.start(min(sum(manifest.counts.rejects.values()), limit), 0)
    rows = islice(refused_captions(root, manifest, progress.raise_if_interrupted), limit)
    refusals = _collect(verifier, rows, progress)
    candidates = _in_order(refusals.by_candidate)
    proposals, tried = _try(candidates, refusals, base, top, progress)
    return WordSuggestions(
        folder=str(root),
        refused=len(refusals.claims) + refusals.accepted_today,
        accepted_today=refusals.accepted_today,
        candidates=len(candidates),
        tried=tried,
        proposals=tuple(proposals),
        not_understood=tuple(unknown_words(root, len(manifest.parts))[:top]),
    )


def _collect(verifier: Verifier, rows: Iterable[RefusedCaptionOfReport], progress: Progress) -> _Refusals:
    refusals, seen = _Refusals(), set[tuple[str, str, str]]()
    for row in rows:
        progress.advance()
        if (key := (row.text, row.organ, row.caption)) in seen:
            continue
        seen.add(key)
        report = verifier.read(row.text, row.sections)
        if verifier.verify(report, row.organ, row.caption).accepted:
            refusals.accepted_today += 1
            continue
        for candidate in candidates_of(verifier, report, row.organ, row.caption):
            refusals.by_candidate[candidate].append(len(refusals.claims))
        refusals.claims.append(row)
    return refusals


def _in_order(by_candidate: Mapping[Candidate, list[int]]) -> list[tuple[Candidate, list[int]]]:
    """Return candidates whose words have the same stems as one, with the form that is written most, the most first."""
    stems = our_words().stems
    forms: dict[tuple[str, ...], Counter[Candidate]] = defaultdict(Counter)
    numbers: dict[tuple[str, ...], dict[int, None]] = defaultdict(dict)
    for candidate, found in by_candidate.items():
        key = (candidate.kind, *(" ".join(stems(phrase)) for phrase in candidate[1:]))
        forms[key][candidate] += len(found)
        numbers[key].update(dict.fromkeys(found))
    rows = [(forms[key].most_common(1)[0][0], list(numbers[key])) for key in forms]
    return sorted(rows, key=lambda row: (-len(row[1]), row[0]))


def _try(
    candidates: Sequence[tuple[Candidate, list[int]]],
    refusals: _Refusals,
    base: SiteWords,
    top: int,
    progress: Progress,
) -> tuple[list[WordProposal], int]:
    """Return the proposals that save most, and how many candidates were tried for them.

    A candidate saves no more captions than it comes from, so the search ends where no other can save as many as the
    last of the proposals.
    """
    saving: list[WordProposal] = []
    proposals: list[WordProposal] = []
    tried = 0
    for candidate, numbers in candidates:
        progress.raise_if_interrupted()
        full = len(proposals) >= top
        if tried >= MOST_TRIED or (full and proposals[top - 1].saved >= len(numbers)):
            break
        verifier = _verifier_with(candidate, base)
        if verifier is None:
            continue
        tried += 1
        progress.set_status(f"{tried:,} candidates tried, {len(proposals):,} proposals")
        proposal = _proposal(candidate, [refusals.claims[number] for number in numbers], verifier)
        if proposal.saved:
            saving.append(proposal)
            saving.sort(key=lambda proposal: (-proposal.saved, -_words_of(proposal), proposal.phrases))
            proposals = _compatible(saving, base)
    return proposals[:top], tried


def _words_of(proposal: WordProposal) -> int:
    """Return the number of words of both phrases: of a phrase and a part of it, the phrase is meant."""
    return sum(len(phrase.split()) for phrase in proposal.phrases)


def _compatible(proposals: Iterable[WordProposal], base: SiteWords) -> list[WordProposal]:
    """Return the proposals that can all be taken: of two that contradict each other, the one that saves more.

    A word that stands for "mass" in most reports is not also a fracture.
    """
    compatible: list[WordProposal] = []
    together = base
    for proposal in proposals:
        words = words_with(Candidate(proposal.kind, *proposal.phrases), together)
        if not problems_beside_ours(words):
            compatible.append(proposal)
            together = words
    return compatible


def _verifier_with(candidate: Candidate, base: SiteWords) -> Verifier | None:
    """Return a verifier that knows a candidate, None where it cannot stand beside ours."""
    words = words_with(candidate, base)
    try:
        check_site_words(words, "the candidate", "the candidate")
    except InputError:
        return None
    return build_verifier(words)


def words_with(candidate: Candidate, base: SiteWords) -> SiteWords:
    """Return a site's words with one candidate more."""
    if candidate.kind == "synonyms":
        content = _content(base.lexicon_source)
        content["synonyms"] = [*(content.get("synonyms") or []), [candidate.first, candidate.second]]
        return SiteWords(_source(content), base.organs_source)
    content = _content(base.organs_source)
    entry = dict(content.get(candidate.first) or {})
    entry["terms"] = [*entry.get("terms", []), candidate.second]
    return SiteWords(base.lexicon_source, _source({**content, candidate.first: entry}))


def _content(source: bytes | None) -> dict[str, Any]:
    return {} if source is None else dict(yaml.safe_load(source))


def _source(content: dict[str, Any]) -> bytes:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False).encode()


def _proposal(candidate: Candidate, claims: Sequence[RefusedCaptionOfReport], verifier: Verifier) -> WordProposal:
    saved, reports = 0, set[str]()
    examples: dict[str, ExampleOfRefusal] = {}  # by report: three reports tell more than one
    for claim in claims:
        verification = verifier.verify(verifier.read(claim.text, claim.sections), claim.organ, claim.caption)
        if verification.accepted:
            saved += 1
            reports.add(claim.text)
            evidence = " ".join(claim.text[verification.start : verification.end].split())
            example = ExampleOfRefusal(
                report_id=claim.report_id, organ=claim.organ, caption=claim.caption, evidence=evidence
            )
            examples.setdefault(claim.text, example)
    return WordProposal(
        kind=candidate.kind,
        phrases=(candidate.first, candidate.second),
        refused=len(claims),
        saved=saved,
        reports=len(reports),
        examples=tuple(examples.values())[:EXAMPLES],
    )
