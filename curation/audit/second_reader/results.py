"""The results of second readers: how many captions they read otherwise, and how far they agree with the set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from curation.caption_set.audit_results import ReaderAgreement, SecondReader
from curation.caption_set.manifest import Manifest

from ..agreement import cohen_kappa, gwet_ac1
from .readings import ReadingStore, readings_to_read

STATUSES = 3
"""Statuses that a caption can have: the scale of agreement."""


def second_readers(root: Path, manifest: Manifest) -> list[SecondReader]:
    """Return the results of all second readers that have read the set as it is now."""
    with readings_to_read(root, manifest) as store:
        return [] if store is None else [reader_result(store, name, manifest) for name in store.readers()]


def reader_result(store: ReadingStore, reader: str, manifest: Manifest) -> SecondReader:
    """Return the results of one second reader."""
    captions = sum(part.captions for part in manifest.parts)
    counts = {name: store.count(reader, f"outcome = '{name}'") for name in ("agrees", "disagrees", "unread")}
    organs = store.pairs(reader, "organ")
    return SecondReader(
        reader=reader,
        captions=captions,
        **counts,
        not_asked=captions - sum(counts.values()),
        organ_differs=store.count(reader, "read_organ <> organ"),
        status_differs=store.count(reader, "read_status <> status"),
        not_said=store.count(reader, "said = 0"),
        organ=agreement_on(organs, len({name for pair in organs for name in pair})),
        status=agreement_on(store.pairs(reader, "status"), STATUSES),
    )


def agreement_on(pairs: Counter[tuple[str, str]], categories: int) -> ReaderAgreement:
    """Return how far the set (first of each pair) and a reader agree, on a scale of so many categories."""
    kappa, ac1 = cohen_kappa(pairs), gwet_ac1(pairs, max(categories, 2))
    compared, same = pairs.total(), sum(count for (ours, theirs), count in pairs.items() if ours == theirs)
    return ReaderAgreement(
        compared=compared,
        same=same,
        percent=same / compared if compared else None,
        kappa=kappa.value,
        kappa_low=kappa.low,
        kappa_high=kappa.high,
        ac1=ac1.value,
        ac1_low=ac1.low,
        ac1_high=ac1.high,
    )
