"""The review in the browser: starts its server on this machine, and ends it with Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.caption_set.audit_results import AUDIT
from curation.caption_set.kept_files import kept_site_words
from curation.caption_set.manifest import load_manifest
from curation.language.site_words import OURS, SiteWords
from curation.report import Section
from curation.report_page.organ_systems import organ_systems
from curation.runtime.errors import InputError
from curation.runtime.local_server.serving import ADDRESS, bind_port, redirect_file, serve
from curation.runtime.progress import Progress
from curation.verification.verifier import Verifier, build_verifier

from .access import ReviewerTokens
from .folder import GUIDELINE_FILE, audit_to_write, finished_set
from .omissions.results import omission_sentence
from .publish import REPORT_FILE, write_results
from .reviewer import Reviewer
from .sample import CAPTION_KINDS, SampleRequest, assign_captions
from .sampling import DISPUTED_STRATUM
from .server import CorrectionCheck, ReviewContext, create_app
from .store import AuditStore
from .tables import rate_sentence

DEFAULT_PORT = 8765
REDIRECT_FILE = "open_review.html"


@dataclass(frozen=True, slots=True)
class ReviewJob:
    """The options of a review. ``port`` 0 takes a free port, ``None`` the usual one if it is free."""

    root: Path
    sample: SampleRequest
    reviewers: tuple[str, ...]
    overlap: float | None = None
    port: int | None = None
    blind: bool = False
    redraw: bool = False
    browser: bool = True


def review(job: ReviewJob, progress: Progress, print_line: Callable[[str], None]) -> None:
    """Serve the review until it is interrupted. ``print_line`` prints a line for the person who started it.

    Raises ``InputError``, ``SetError``, ``AuditStoreError`` and ``ManifestError`` for what that person can put right.
    """
    names = [name.strip() for name in job.reviewers]
    if not all(names) or len(set(names)) < len(names):
        raise InputError("--reviewer: each needs a name of their own")
    finished_set(job.root)
    with bind_port(job.port, DEFAULT_PORT) as listener:
        port = listener.getsockname()[1]
        with audit_to_write(job.root, job.sample, progress, redraw=job.redraw) as store:
            progress.raise_if_interrupted()
            assign_captions(store, names, job.overlap)
            reviewers = [Reviewer(store, name, blind=job.blind) for name in names]
            tokens = ReviewerTokens.create(len(names))
            links = [f"http://{ADDRESS}:{port}/r/{n}/?token={token}" for n, token in enumerate(tokens.tokens, 1)]
            app = create_app(_context(job, store, reviewers, tokens, port))
            for line in _greeting(store, reviewers, links):
                print_line(line)
            with redirect_file(job.root / AUDIT / REDIRECT_FILE, links[0], "The review") as page:
                serve(app, listener, page if job.browser else None, progress.raise_if_interrupted)
            for line in _farewell(job.root, store, reviewers):
                print_line(line)


def _context(
    job: ReviewJob, store: AuditStore, reviewers: list[Reviewer], tokens: ReviewerTokens, port: int
) -> ReviewContext:
    guideline = job.root / AUDIT / GUIDELINE_FILE
    words = kept_site_words(job.root, load_manifest(job.root).settings)
    vocabulary, check = words.vocabulary(), CorrectionVerifier(words).check
    organs, system_of = sorted(vocabulary.organs), organ_systems(vocabulary)
    return ReviewContext(job.root.resolve(), store, reviewers, tokens, port, guideline, organs, check, system_of)


def _greeting(store: AuditStore, reviewers: Sequence[Reviewer], links: Sequence[str]) -> list[str]:
    """Return the sample and each reviewer's link, in lines."""
    sizes = [f"{count:,} {kind}" for kind in CAPTION_KINDS if (count := store.sample_size(kind))]
    uncovered = store.sample_size("uncovered")
    statements = f" and {uncovered:,} statements that no caption covers" if uncovered else ""
    lines = [f"sample: {' and '.join(sizes)} captions{statements}, {store.fact('design')}, seed {store.fact('seed')}"]
    if store.fact("uncovered") == 0:
        lines.append(f"every statement of {store.fact('statement_reports'):,} reports has a caption")
    if disputed := store.sampled_in(DISPUTED_STRATUM):
        lines.append(f"first {disputed:,} that a second reader reads otherwise, then the others")
    for reviewer, link in zip(reviewers, links, strict=True):
        lines.append(f"{reviewer.name}: {reviewer.reviewed():,} of {reviewer.total:,} reviewed; go on at\n  {link}")
    return [*lines, "Ctrl-C ends the review; the same command goes on with it."]


def _farewell(root: Path, store: AuditStore, reviewers: Sequence[Reviewer]) -> Iterator[str]:
    """Yield what was reviewed, then write the results if there are any and yield the rate."""
    for reviewer in reviewers:
        yield f"{reviewer.name}: {reviewer.reviewed():,} of {reviewer.total:,} reviewed, all of it saved"
    if store.value("SELECT 1 FROM review WHERE verdict IS NOT NULL"):
        results = write_results(root, store)
        yield rate_sentence(results)
        if results.omissions:
            yield omission_sentence(results.omissions)
        yield f"`ovct audit {root} --summary` shows more; in {root / AUDIT}: {REPORT_FILE}"


class CorrectionVerifier:
    """Verifies corrected captions against their reports, with the words of a site beside ours.

    The verifier is loaded when it is first needed.
    """

    def __init__(self, words: SiteWords = OURS) -> None:
        self._words = words
        self._verifier: Verifier | None = None

    def check(self, text: str, sections: Sequence[tuple[str, int, int]], organ: str, caption: str) -> CorrectionCheck:
        """Verify a caption against a report, given by its text and the names and bounds of its sections."""
        self._verifier = verifier = self._verifier or build_verifier(self._words)
        report = verifier.read(text, [Section(*section) for section in sections])
        verdict = verifier.verify(report, organ, caption)
        if not verdict.accepted:
            return CorrectionCheck(verdict.detail or str(verdict.reason), verifier.resolve(organ))
        evidence = (verdict.start, verdict.end, verdict.score, verdict.section, verdict.spans)
        return CorrectionCheck(None, verdict.organ, verdict.status, *evidence)
