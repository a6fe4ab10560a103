"""From verdicts to numbers about the whole set."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from curation.caption_set.audit_results import Agreement, AuditResults, Estimate, ScoreBand, Verdict, VerifierQuality

from .agreement import agreement
from .dealing import OVERLAP
from .frame import SCORE_EDGES
from .intervals import complement, estimate, share_of_two
from .store import Store
from .verdicts import HALLUCINATIONS, consensus

_BLIND = "SELECT count(*) FROM review JOIN event ON event.id = event WHERE blind AND review.verdict IS NOT NULL"


class Judged(NamedTuple):
    """A caption of the sample that somebody has judged, with the verdict that counts.

    ``weight`` is how many captions of the set it stands for.
    """

    item: int
    kind: str
    organ: str
    status: str | None
    engine: str
    score: float | None
    reason: str | None
    weight: float
    verdict: Verdict
    corrected: bool

    @property
    def hallucinated(self) -> bool:
        """Whether the caption says what its report does not."""
        return self.verdict in HALLUCINATIONS


def judged(store: Store) -> list[Judged]:
    """All captions that have a verdict, in the order of the sample."""
    weights = {
        (kind, number): captions / drawn
        for kind, number, captions, drawn in store.rows(
            """SELECT stratum.kind, number, captions, count(*) FROM stratum
            JOIN item ON item.kind = stratum.kind AND item.stratum = number GROUP BY stratum.kind, number"""
        )
    }
    said: dict[int, list[Verdict]] = defaultdict(list)
    for item, verdict in store.rows(
        "SELECT item, verdict FROM review WHERE verdict IS NOT NULL ORDER BY item, reviewer"
    ):
        said[item].append(Verdict(verdict))
    corrected = {
        item
        for (item,) in store.rows(
            "SELECT review.item FROM review JOIN event ON id = event WHERE correction IS NOT NULL"
        )
    }
    query = """SELECT item.id, item.kind, item.organ, item.status, item.engine, model, score, reason, stratum FROM item
        JOIN caption ON caption.id = item.caption
        WHERE item.id IN (SELECT item FROM review WHERE verdict IS NOT NULL) ORDER BY item.id"""
    return [
        Judged(
            item, kind, organ, status, ", ".join(filter(None, (engine, model))), score, reason,
            weights[kind, stratum], consensus(said[item]), item in corrected,
        )
        for item, kind, organ, status, engine, model, score, reason, stratum in store.rows(query)
    ]  # fmt: skip


def summarise(store: Store, guideline: str) -> AuditResults:
    """The results of an audit as it stands. ``guideline`` is the digest of the text that reviewers are told."""
    rows = judged(store)
    accepted = [row for row in rows if row.kind == "accepted"]
    refused = [row for row in rows if row.kind == "refused"]
    hallucination, wrong_refusal = share(accepted), complement(share(refused))
    sizes = store.fact("accepted"), store.fact("refused")
    return AuditResults(
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
        overlap=store.fact("overlap", OVERLAP),
        blind=store.value(_BLIND),
        guideline=guideline,
        hallucination=hallucination,
        hallucination_with_unsure=estimate(
            (row.hallucinated or row.verdict == Verdict.UNSURE, row.weight) for row in accepted
        ),
        verdicts={verdict: estimate((row.verdict == verdict, row.weight) for row in _decided(accepted))
                  for verdict in Verdict if verdict != Verdict.UNSURE},
        by_organ=_by(accepted, lambda row: row.organ),
        by_status=_by(accepted, lambda row: row.status or ""),
        by_engine=_by(accepted, lambda row: row.engine),
        by_reason=_by(refused, lambda row: row.reason or ""),
        by_reviewer=_by_reviewer(store, accepted),
        verifier=VerifierQuality(
            precision=complement(hallucination),
            recall=share_of_two(complement(hallucination), sizes[0], wrong_refusal, sizes[1]),
            recall_of_supported=share_of_two(_supported(accepted), sizes[0], _supported(refused), sizes[1]),
            caught=share_of_two(complement(wrong_refusal), sizes[1], hallucination, sizes[0]),
            rightly_refused=complement(wrong_refusal),
        ),
        agreement=tuple(_between_reviewers(store)),
        judges=tuple(_with_judges(store, rows)),
        calibration=tuple(_calibration(accepted, store.fact("bands"))),
    )  # fmt: skip


def guideline_digest(path: Path) -> str:
    """SHA-256 of the guideline, "none" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none"


def _decided(rows: Iterable[Judged]) -> list[Judged]:
    return [row for row in rows if row.verdict != Verdict.UNSURE]


def share(rows: Iterable[Judged]) -> Estimate:
    """The share of hallucinations among captions about which somebody is sure."""
    return estimate((row.hallucinated, row.weight) for row in _decided(rows))


def _supported(rows: Iterable[Judged]) -> Estimate:
    return estimate((row.verdict == Verdict.SUPPORTED, row.weight) for row in _decided(rows))


def _by(rows: Iterable[Judged], what: Callable[[Judged], str]) -> dict[str, Estimate]:
    """The share of hallucinations for each value, most reviewed first."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for row in _decided(rows):
        groups[what(row)].append(row)
    return {name: share(group) for name, group in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0]))}


def _reviewers(store: Store) -> dict[str, int]:
    query = """SELECT name, count(verdict) FROM reviewer LEFT JOIN review ON reviewer = id GROUP BY id ORDER BY id"""
    return dict(store.rows(query))


def _by_reviewer(store: Store, accepted: Iterable[Judged]) -> dict[str, Estimate]:
    """What each reviewer alone would say; nothing where there is just one."""
    weights = {row.item: row.weight for row in accepted}
    said: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    query = """SELECT name, item, verdict FROM review JOIN reviewer ON reviewer.id = review.reviewer
        WHERE verdict IS NOT NULL ORDER BY reviewer.id"""
    for name, item, verdict in store.rows(query):
        if item in weights and verdict != Verdict.UNSURE:
            said[name].append((verdict in HALLUCINATIONS, weights[item]))
    return {name: estimate(seen) for name, seen in said.items()} if len(said) > 1 else {}


def _between_reviewers(store: Store) -> Iterable[Agreement]:
    names = dict(store.rows("SELECT id, name FROM reviewer ORDER BY id"))
    query = """SELECT one.verdict, two.verdict FROM review AS one JOIN review AS two ON one.item = two.item
        WHERE one.reviewer = ? AND two.reviewer = ? AND one.verdict IS NOT NULL AND two.verdict IS NOT NULL"""
    for first, second in combinations(names, 2):
        pairs = [(Verdict(one), Verdict(two)) for one, two in store.rows(query, first, second)]
        if pairs:
            yield agreement(names[first], names[second], pairs)


def _with_judges(store: Store, rows: Iterable[Judged]) -> Iterable[Agreement]:
    """Agreement of each judge with what the reviewers say together."""
    known = {row.item: row.verdict for row in rows}
    for (judge,) in store.rows("SELECT DISTINCT judge FROM judgement ORDER BY judge"):
        said = store.rows("SELECT item, verdict FROM judgement WHERE judge = ?", judge)
        pairs = [(known[item], Verdict(verdict)) for item, verdict in said if item in known]
        if pairs:
            yield agreement("reviewers", judge, pairs)


def _calibration(accepted: Iterable[Judged], bands: Sequence[int]) -> Iterable[ScoreBand]:
    """Hallucinations by band of the score; bands that the set has no caption in are left out."""
    rows = _decided(accepted)
    for above, upto, captions in zip(SCORE_EDGES, SCORE_EDGES[1:], bands, strict=False):
        within = [row for row in rows if row.score is not None and _is_in(round(row.score, 1), above, upto)]
        if captions:
            yield ScoreBand(above=above, upto=upto, captions=captions, hallucinated=share(within))


def _is_in(score: float, above: float, upto: float) -> bool:
    return above < score <= upto or score == above == SCORE_EDGES[0]
