"""Opens an audit for its exchange with another program: to hand its sample out, and to take reviews in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from curation.audit.folder import audit_to_read, audit_to_write, finished_set, has_sample
from curation.audit.publish import write_results
from curation.audit.review import CorrectionVerifier
from curation.audit.reviewer import Reviewer
from curation.audit.sample import SampleRequest, assign_captions
from curation.audit.store import AuditStore, AuditStoreError
from curation.caption_set.audit_results import AUDIT
from curation.caption_set.kept_files import kept_site_words
from curation.caption_set.work_folder import SetError
from curation.report_page.organ_systems import organ_systems
from curation.runtime.errors import InputError
from curation.runtime.files import PRIVATE_FILE, write_text
from curation.runtime.progress import Progress

from .returned import AddedCaption, Answers, SavedReviews, checked_reviews, save_reviews
from .shapes import reviewer_names

SystemOf = Callable[[str], str]


class HandedOut(NamedTuple):
    """An audit that is open to be handed out, with the reviewer whose verdicts are filled in, None for nobody."""

    store: AuditStore
    system_of: SystemOf
    reviewer: Reviewer | None


class TakenIn(NamedTuple):
    """What came of a file: saved reviews by reviewer, what was no review, and the file of captions that were added."""

    reviews: dict[str, SavedReviews]
    left: dict[str, int]
    added: int
    added_file: Path | None

    def lines(self) -> list[str]:
        """Return all of it as sentences for a person."""
        lines = []
        for name, done in self.reviews.items():
            facts = [f"{done.saved:,} reviews saved, {done.corrected:,} of them with a correction"]
            facts += [f"{done.same:,} stood already"] if done.same else []
            facts += [f"{done.untouched:,} captions came without an answer"] if done.untouched else []
            lines.append(f"{name}: {'; '.join(facts)}")
        if left := [f"{count:,} {what}" for what, count in self.left.items() if count]:
            lines.append(f"not taken: {', '.join(left)}")
        if self.added_file:
            lines.append(
                f"{self.added:,} that annotators have added are about no caption of the sample; they are in "
                f"{self.added_file}"
            )
        return lines


@contextmanager
def audit_to_hand_out(root: Path, sample: int | None, reviewer: str | None, progress: Progress) -> Iterator[HandedOut]:
    """Open the audit of a set to be exported; its sample is drawn where there is none, or made larger.

    Raises ``SetError`` where the set has changed since, ``InputError`` for a reviewer whom the audit does not know.
    """
    manifest = finished_set(root)
    system_of = organ_systems(kept_site_words(root, manifest.settings).vocabulary())
    if sample is not None or not has_sample(root):
        with audit_to_write(root, SampleRequest(accepted=sample), progress):
            pass
    with audit_to_read(root) as store:
        if store.fact("set") != manifest.identity():
            raise SetError(
                f"{root} has changed since its sample was drawn ({store.fact('made')}): `ovct audit {root} --redraw` "
                "draws a new one and keeps the verdicts under another name"
            )
        yield HandedOut(store, system_of, _reviewer(store, reviewer))


def _reviewer(store: AuditStore, name: str | None) -> Reviewer | None:
    if name is None:
        return None
    try:
        return Reviewer(store, name)
    except LookupError:
        known = [found for (found,) in store.rows("SELECT name FROM reviewer ORDER BY id")]
        who = f"there are {', '.join(known)}" if known else "nobody has reviewed yet"
        raise InputError(f"--reviewer {name}: the audit knows no such reviewer; {who}") from None


def take_in(
    root: Path,
    path: Path,
    read: Callable[[Path, AuditStore, SystemOf], Answers],
    given_names: Sequence[str],
    progress: Progress,
) -> TakenIn:
    """Take the reviews of a file into the audit of a set. All of it is checked before anything is written.

    Raises ``AuditStoreError`` for a set without a sample, ``InputError`` for a file that does not fit.
    """
    manifest = finished_set(root)
    if not has_sample(root):
        raise AuditStoreError(f"{root} has no sample: export it first, and import what came of that")
    words = kept_site_words(root, manifest.settings)
    interrupt = progress.raise_if_interrupted
    with audit_to_write(root, SampleRequest(), progress) as store:
        answers = read(path, store, organ_systems(words.vocabulary()))
        names = reviewer_names(answers.items, given_names)
        if not answers.items:
            left = ", ".join(f"{count:,} {what}" for what, count in answers.left.items() if count) or "no entries"
            raise InputError(f"{path}: nobody has submitted an annotation ({left}); nothing was taken from it")
        returned = {names[person]: items for person, items in answers.items.items()}
        reviews = checked_reviews(path, returned, CorrectionVerifier(words).check, interrupt)
        assign_captions(store, list(reviews))
        saved = {name: save_reviews(Reviewer(store, name), pairs, interrupt) for name, pairs in reviews.items()}
        added_file = _write_added(root, path, names, answers.added) if answers.added else None
        any_saved = any(done.saved for done in saved.values())
        if any_saved and store.value("SELECT 1 FROM review WHERE verdict IS NOT NULL"):
            write_results(root, store)
    return TakenIn(saved, dict(answers.left), len(answers.added), added_file)


def _write_added(root: Path, path: Path, names: dict[str, str], added: Sequence[AddedCaption]) -> Path:
    """Write what annotators have added to the audit's folder, so that no work is lost; offsets count characters."""
    out = root / AUDIT / f"added-{path.stem}.jsonl"
    rows = ({**one._asdict(), "reviewer": names[one.reviewer]} for one in added)
    write_text(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), PRIVATE_FILE)
    return out
