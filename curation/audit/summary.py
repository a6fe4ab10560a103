"""The summary of an audit: computes rates of the whole set from the verdicts on its sample."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from curation.caption_set.audit_results import (
    Agreement,
    AuditSummary,
    ScoreBand,
    SecondReader,
    Verdict,
    VerifierQuality,
)
from curation.caption_set.records.estimates import Estimate

from .agreement import HALLUCINATIONS, agreement, consensus
from .intervals import complement, share_of_two
from .omissions.results import omission_results
from .sample import DEFAULT_OVERLAP
from .sampling import DISPUTED_STRATUM
from .sampling_frame import SCORE_EDGES
from .second_reader.set_shares import (
    Halves,
    ReviewedCaption,
    half_factors,
    share_of_group,
    share_of_set,
    shares_by_reader,
)
from .store import AuditStore

_BLIND_VERDICTS = (
    "SELECT count(*) FROM review JOIN event ON event.id = event WHERE blind AND review.verdict IS NOT NULL"
)

_NO_HALVES = Halves(0, 0)


class JudgedCaption(NamedTuple):
    """A caption of the sample that a reviewer has judged, with the verdict of all its reviewers together.

    ``weight`` is how many captions of the set it stands for. ``disputed``: a second reader reads something else.
    """

    item: int
    kind: str
    organ: str
    status: str | None
    engine: str
    basis: str | None
    score: float | None
    reason: str | None
    weight: float
    verdict: Verdict
    corrected: bool
    disputed: bool

    @property
    def hallucinated(self) -> bool:
        """Return whether the caption says what its report does not."""
        return self.verdict in HALLUCINATIONS


def judged_captions(store: AuditStore) -> list[JudgedCaption]:
    """Return all captions that have a verdict, in the order of the sample."""
    strata = {
        (kind, number): (captions / drawn, name == DISPUTED_STRATUM)
        for kind, number, name, captions, drawn in store.rows(
            """SELECT stratum.kind, number, name, captions, count(*) FROM stratum
            JOIN item ON item.kind = stratum.kind AND item.stratum = number GROUP BY stratum.kind, number"""
        )
    }
    verdicts: dict[int, list[Verdict]] = defaultdict(list)
    for item, verdict in store.rows(
        """SELECT item, verdict FROM review JOIN item ON item.id = item
        WHERE verdict IS NOT NULL AND kind <> 'uncovered' ORDER BY item, reviewer"""
    ):
        verdicts[item].append(Verdict(verdict))
    corrected = {
        item
        for (item,) in store.rows(
            "SELECT review.item FROM review JOIN event ON id = event WHERE correction IS NOT NULL"
        )
    }
    query = """SELECT item.id, item.kind, item.organ, item.status, item.engine, model, basis, score, reason, stratum
        FROM item
        JOIN caption ON caption.id = item.caption
        WHERE item.kind <> 'uncovered' AND item.id IN (SELECT item FROM review WHERE verdict IS NOT NULL)
        ORDER BY item.id"""
    judged = [
        JudgedCaption(
            item, kind, organ, status, ", ".join(filter(None, (engine, model))), basis, score, reason,
            strata[kind, stratum][0], consensus(verdicts[item]), item in corrected, strata[kind, stratum][1],
        )
        for item, kind, organ, status, engine, model, basis, score, reason, stratum in store.rows(query)
    ]  # fmt: skip
    if not any(is_disputed for _, is_disputed in strata.values()):
        return judged
    drawn = [
        strata["accepted", number][1] for (number,) in store.rows("SELECT stratum FROM item WHERE kind = 'accepted'")
    ]
    factors = half_factors(drawn, (row.disputed for row in judged if row.kind == "accepted"))
    return [
        row._replace(weight=row.weight * factors[row.disputed]) if row.kind == "accepted" else row for row in judged
    ]


def _halves(store: AuditStore) -> Halves:
    sizes = store.rows("SELECT name = ?, captions FROM stratum WHERE kind = 'accepted'", DISPUTED_STRATUM)
    return Halves(*(sum(size for is_disputed, size in sizes if bool(is_disputed) is half) for half in (True, False)))


def summarise(store: AuditStore, guideline: str, second_readers: Sequence[SecondReader] = ()) -> AuditSummary:
    """Return the results of an audit as it stands. ``guideline`` is the digest of the text that reviewers go by.

    ``second_readers`` are the results of those that have read the whole set.
    """
    rows = judged_captions(store)
    accepted = [row for row in rows if row.kind == "accepted"]
    refused = [row for row in rows if row.kind == "refused"]
    halves = _halves(store)
    hallucination = _share(_decided(accepted), _is_hallucinated, halves)
    wrong_refusal = complement(_share(_decided(refused), _is_hallucinated, _NO_HALVES))
    supported, supported_refused = (
        _share(_decided(part), _has_verdict(Verdict.SUPPORTED), kind_halves)
        for part, kind_halves in ((accepted, halves), (refused, _NO_HALVES))
    )
    sizes = store.fact("accepted"), store.fact("refused")
    return AuditSummary(
        set=store.fact("set"),
        made=store.fact("made"),
        design=store.fact("design"),
        seed=store.fact("seed"),
        captions=sizes[0],
        refused=sizes[1],
        sample=store.sample_size("accepted"),
        sample_refused=store.sample_size("refused"),
        reviewed=len(accepted),
        reviewed_refused=len(refused),
        unsure=sum(row.verdict == Verdict.UNSURE for row in accepted),
        corrected=sum(row.corrected for row in rows),
        reviewers=_reviewers(store),
        overlap=store.fact("overlap", DEFAULT_OVERLAP),
        blind=store.value(_BLIND_VERDICTS),
        guideline=guideline,
        hallucination=hallucination,
        hallucination_with_unsure=_share(
            accepted, lambda row: row.hallucinated or row.verdict == Verdict.UNSURE, halves
        ),
        verdicts={verdict: _share(_decided(accepted), _has_verdict(verdict), halves)
                  for verdict in Verdict if verdict != Verdict.UNSURE},
        by_organ=_by(accepted, lambda row: row.organ, halves),
        by_status=_by(accepted, lambda row: row.status or "", halves),
        by_engine=_by(accepted, lambda row: row.engine, halves),
        by_basis=_by([row for row in accepted if row.basis], lambda row: row.basis or "", halves),
        by_reason=_by(refused, lambda row: row.reason or "", _NO_HALVES),
        by_reviewer=_by_reviewer(store, accepted, halves),
        by_second_reader=shares_by_reader(_observations(_decided(accepted), _is_hallucinated), halves),
        second_readers=tuple(second_readers),
        verifier=VerifierQuality(
            precision=complement(hallucination),
            recall=share_of_two(complement(hallucination), sizes[0], wrong_refusal, sizes[1]),
            recall_of_supported=share_of_two(supported, sizes[0], supported_refused, sizes[1]),
            caught=share_of_two(complement(wrong_refusal), sizes[1], hallucination, sizes[0]),
            rightly_refused=complement(wrong_refusal),
        ),
        agreement=tuple(_between_reviewers(store)),
        judges=tuple(_with_judges(store, rows)),
        calibration=tuple(_calibration(accepted, store.fact("bands"), halves)),
        omissions=omission_results(store),
    )  # fmt: skip


def guideline_digest(path: Path) -> str:
    """Return the SHA-256 of the guideline, "none" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none"


def _decided(rows: Iterable[JudgedCaption]) -> list[JudgedCaption]:
    return [row for row in rows if row.verdict != Verdict.UNSURE]


def _is_hallucinated(row: JudgedCaption) -> bool:
    return row.hallucinated


def _has_verdict(verdict: Verdict) -> Callable[[JudgedCaption], bool]:
    return lambda row: row.verdict == verdict


def _observations(rows: Iterable[JudgedCaption], is_hit: Callable[[JudgedCaption], bool]) -> list[ReviewedCaption]:
    return [ReviewedCaption(is_hit(row), row.weight, row.disputed) for row in rows]


def _share(rows: Iterable[JudgedCaption], is_hit: Callable[[JudgedCaption], bool], halves: Halves) -> Estimate:
    return share_of_set(_observations(rows, is_hit), halves)


def _by(rows: Iterable[JudgedCaption], key: Callable[[JudgedCaption], str], halves: Halves) -> dict[str, Estimate]:
    """Return the share of hallucinations for each value of a key, most reviewed first."""
    groups: dict[str, list[JudgedCaption]] = defaultdict(list)
    for row in _decided(rows):
        groups[key(row)].append(row)
    most_reviewed_first = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {
        name: share_of_group(_observations(captions, _is_hallucinated), halves)
        for name, captions in most_reviewed_first
    }


def _reviewers(store: AuditStore) -> dict[str, int]:
    query = """SELECT name, count(verdict) FROM reviewer LEFT JOIN review ON reviewer = id GROUP BY id ORDER BY id"""
    return dict(store.rows(query))


def _by_reviewer(store: AuditStore, accepted: Iterable[JudgedCaption], halves: Halves) -> dict[str, Estimate]:
    """Return the share of hallucinations by each reviewer's own verdicts; nothing where there is just one reviewer."""
    judged = {row.item: row for row in accepted}
    reviewed: dict[str, list[tuple[JudgedCaption, Verdict]]] = defaultdict(list)
    query = """SELECT name, item, verdict FROM review JOIN reviewer ON reviewer.id = review.reviewer
        WHERE verdict IS NOT NULL ORDER BY reviewer.id"""
    for name, item, verdict in store.rows(query):
        if item in judged:
            reviewed[name].append((judged[item], Verdict(verdict)))
    decided = {name: rows for name, rows in reviewed.items() if any(row[1] != Verdict.UNSURE for row in rows)}
    if len(decided) < 2:
        return {}
    return {name: _share_of_reviewer(rows, judged.values(), halves) for name, rows in decided.items()}


def _share_of_reviewer(
    rows: Sequence[tuple[JudgedCaption, Verdict]], judged: Iterable[JudgedCaption], halves: Halves
) -> Estimate:
    """Return one reviewer's share; the captions of each half stand for those that all reviewers have judged of it."""
    factors = half_factors((row.disputed for row in judged), (row.disputed for row, _ in rows))
    observations = [
        ReviewedCaption(verdict in HALLUCINATIONS, row.weight * factors[row.disputed], row.disputed)
        for row, verdict in rows
        if verdict != Verdict.UNSURE
    ]
    return share_of_set(observations, halves)


def _between_reviewers(store: AuditStore) -> Iterable[Agreement]:
    """Yield the agreement of each two reviewers who have captions in common."""
    names = dict(store.rows("SELECT id, name FROM reviewer ORDER BY id"))
    query = """SELECT one.verdict, two.verdict FROM review AS one JOIN review AS two ON one.item = two.item
        JOIN item ON item.id = one.item AND kind <> 'uncovered'
        WHERE one.reviewer = ? AND two.reviewer = ? AND one.verdict IS NOT NULL AND two.verdict IS NOT NULL"""
    for first, second in combinations(names, 2):
        pairs = [(Verdict(left), Verdict(right)) for left, right in store.rows(query, first, second)]
        if pairs:
            yield agreement(names[first], names[second], pairs)


def _with_judges(store: AuditStore, rows: Iterable[JudgedCaption]) -> Iterable[Agreement]:
    """Yield the agreement of each judge with what the reviewers say together."""
    verdicts = {row.item: row.verdict for row in rows}
    for (judge,) in store.rows("SELECT DISTINCT judge FROM judgement ORDER BY judge"):
        judgements = store.rows("SELECT item, verdict FROM judgement WHERE judge = ?", judge)
        pairs = [(verdicts[item], Verdict(verdict)) for item, verdict in judgements if item in verdicts]
        if pairs:
            yield agreement("reviewers", judge, pairs)


def _calibration(accepted: Iterable[JudgedCaption], bands: Sequence[int], halves: Halves) -> Iterable[ScoreBand]:
    """Yield the hallucinations by band of the score; bands that the set has no caption in are left out."""
    rows = _decided(accepted)
    for above, upto, captions in zip(SCORE_EDGES, SCORE_EDGES[1:], bands, strict=False):
        within = [row for row in rows if row.score is not None and _is_in(round(row.score, 1), above, upto)]
        if captions:
            share = share_of_group(_observations(within, _is_hallucinated), halves)
            yield ScoreBand(above=above, upto=upto, captions=captions, hallucinated=share)


def _is_in(score: float, above: float, upto: float) -> bool:
    return above < score <= upto or score == above == SCORE_EDGES[0]
