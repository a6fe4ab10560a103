"""From verdicts to numbers about the whole set, on a small audit whose every number was worked out by hand."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from curation.audit.intervals import wilson
from curation.audit.reviewer import Correction, Reviewer
from curation.audit.sample import SampleRequest, assign_captions
from curation.audit.sampling_frame import CaptionKind, RowLocation
from curation.audit.store import AuditStore, CopiedCaption, CopiedReport
from curation.audit.summary import guideline_digest, judged_captions, summarise
from curation.caption_set.audit_results import AuditSummary, Verdict
from curation.caption_set.records.estimates import Estimate
from tests.curation.audit.builders import (
    accepted_caption,
    give_verdicts,
    make_report,
    open_audit,
    plain_reports,
    write_set,
)

# Of 900 normal captions 4 were drawn, of 100 abnormal ones 4: each stands for 225, or for 25.
ACCEPTED = [
    (0, "liver", "normal", 100.0, "model-x"),
    (0, "liver", "normal", 100.0, "model-x"),
    (0, "spleen", "normal", 95.0, "model-x"),
    (0, "liver", "normal", 100.0, None),
    (1, "spleen", "abnormal", 85.0, None),
    (1, "spleen", "abnormal", 65.0, None),
    (1, "liver", "abnormal", 65.0, None),
    (1, "liver", "abnormal", 70.0, None),
]
# Of 150 refusals for a negation 3 were drawn, of 50 for other reasons 2: each stands for 50, or for 25.
REFUSED = [(0, "negation"), (0, "negation"), (0, "negation"), (1, "not_grounded"), (1, "not_grounded")]
SAID = [
    "supported", "supported", "hallucinated", "supported", "supported", "wrong_organ", "wrong_measurement",
    "incomplete", "hallucinated", "hallucinated", "supported", "wrong_polarity_or_side", "supported",
]  # fmt: skip
"""Ann's verdicts on these captions, which are number 1 to 13 of the sample."""


def copied() -> Iterator[tuple[CopiedCaption, int]]:
    """The captions of the sample with their strata."""
    for row, (stratum, organ, status, score, model) in enumerate(ACCEPTED):
        made_by = ("vllm" if model else "rules", model)
        caption = CopiedCaption(
            1, "accepted", 0, row, organ, "c", status, 0, 3, "findings", score, None, None, None, *made_by
        )
        yield caption, stratum
    for row, (stratum, reason) in enumerate(REFUSED):
        yield CopiedCaption(1, "refused", 0, row, "liver", "c", *(None,) * 5, reason, "", None, "rules", None), stratum


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AuditStore]:
    """Open an audit that is assigned to Ann, Ben and Eve, who have not judged anything yet."""
    store = AuditStore(tmp_path / "audit.sqlite", new=True)
    store.set_facts(
        set="s", made="2026-01-02", design="stratified", seed=7, accepted=1000, refused=200, bands=[50, 0, 50, 200, 700]
    )
    store.add_strata("accepted", [("normal", 900), ("abnormal", 100)])
    store.add_strata("refused", [("negation", 150), ("others", 50)])
    store.add_report(CopiedReport("scan-1", "The liver is normal.", [("findings", 0, 20)]))
    captions = list(copied())
    store.add_captions(caption for caption, _ in captions)
    for caption, stratum in captions:
        store.add_item(caption.kind, RowLocation(caption.part, caption.row), stratum)
    assign_captions(store, ("ann", "ben", "eve"))
    yield store
    store.close()


def say(
    store: AuditStore, name: str, verdicts: Mapping[int, str | None], note: str = "", *, blind: bool = False
) -> Reviewer:
    """Have a reviewer judge captions, given by their number in the sample."""
    reviews = Reviewer(store, name, blind=blind)
    for item, verdict in verdicts.items():
        reviews.save_review(item, reviews.review_of(item).event, Verdict(verdict) if verdict else None, note)
    return reviews


def results(store: AuditStore, verdicts: Iterable[str] = SAID) -> AuditSummary:
    """Return the results after Ann has given these verdicts on the first captions."""
    say(store, "ann", dict(enumerate(verdicts, 1)))
    return summarise(store, "g")


def rates(shares: Mapping[str, Estimate]) -> dict[str, tuple[float | None, int, int]]:
    return {name: (share.rate, share.hits, share.reviewed) for name, share in shares.items()}


def about(value: float | tuple[float, float]) -> object:
    return pytest.approx(value, abs=1e-12)


def verdict_of(store: AuditStore, item: int) -> Verdict | None:
    return {row.item: row.verdict for row in judged_captions(store)}.get(item)


def test_the_rate_counts_each_caption_by_what_it_stands_for(store: AuditStore) -> None:
    rate = results(store).hallucination
    assert rate.rate == about((1 * 225 + 2 * 25) / (4 * 225 + 4 * 25))
    assert (rate.hits, rate.reviewed) == (3, 8)
    size = (4 * 225 + 4 * 25) ** 2 / (4 * 225**2 + 4 * 25**2)
    assert rate.effective == about(size)
    assert (rate.low, rate.high) == about(wilson(0.275, size))


def test_verdicts_are_shares_of_the_set(store: AuditStore) -> None:
    assert rates(results(store).verdicts) == {
        "supported": (about(0.7), 4, 8),
        "hallucinated": (about(0.225), 1, 8),
        "wrong_organ": (about(0.025), 1, 8),
        "wrong_polarity_or_side": (0, 0, 8),
        "wrong_measurement": (about(0.025), 1, 8),
        "incomplete": (about(0.025), 1, 8),
    }


def test_rates_by_organ_status_engine_and_reason(store: AuditStore) -> None:
    summary = results(store)
    assert rates(summary.by_organ) == {"liver": (about(25 / 725), 1, 5), "spleen": (about(250 / 275), 2, 3)}
    assert rates(summary.by_status) == {"normal": (about(0.25), 1, 4), "abnormal": (about(0.5), 2, 4)}
    assert rates(summary.by_engine) == {"rules": (about(50 / 325), 2, 5), "vllm, model-x": (about(225 / 675), 1, 3)}
    assert rates(summary.by_reason) == {"negation": (about(2 / 3), 2, 3), "not_grounded": (about(0.5), 1, 2)}


def test_what_each_reviewer_alone_would_say(store: AuditStore) -> None:
    say(store, "ben", {1: "hallucinated", 2: "unsure", 5: "supported", 6: "supported", 9: "hallucinated"})
    say(store, "eve", {10: "hallucinated"})
    assert rates(results(store).by_reviewer) == {"ann": (about(0.275), 3, 8), "ben": (about(225 / 275), 1, 3)}


def test_one_reviewer_is_not_shown_twice(store: AuditStore) -> None:
    assert results(store).by_reviewer == {}


def test_what_was_reviewed_most_comes_first(store: AuditStore) -> None:
    summary = results(store)
    assert [list(some) for some in (summary.by_organ, summary.by_status, summary.by_engine, summary.by_reason)] == [
        ["liver", "spleen"], ["abnormal", "normal"], ["rules", "vllm, model-x"], ["negation", "not_grounded"],
    ]  # fmt: skip


def test_the_verifier_is_measured_on_accepted_and_refused_captions(store: AuditStore) -> None:
    """725 of 1,000 accepted captions are carried, and (50 + 25) of 200 refused ones."""
    verifier = results(store).verifier
    assert verifier.precision.rate == about(725 / 1000)
    assert verifier.recall.rate == about(725 / (725 + 75))
    assert verifier.caught.rate == about(125 / (125 + 275))
    assert verifier.rightly_refused.rate == about(125 / 200)
    assert (verifier.precision.hits, verifier.precision.reviewed) == (5, 8)
    assert (verifier.recall.hits, verifier.recall.reviewed) == (5, 5 + 2)
    assert (verifier.caught.hits, verifier.caught.reviewed) == (3, 3 + 3)
    assert (verifier.rightly_refused.hits, verifier.rightly_refused.reviewed) == (3, 5)


def test_without_a_refused_caption_reviewed_only_the_precision_is_known(store: AuditStore) -> None:
    verifier = results(store, SAID[:8]).verifier
    assert verifier.precision.rate == about(0.725)
    assert [share.rate for share in (verifier.recall, verifier.caught, verifier.rightly_refused)] == [None] * 3


def test_bands_know_their_size_in_the_set_and_empty_ones_are_left_out(store: AuditStore) -> None:
    bands = results(store).calibration
    assert [(band.above, band.upto, band.captions) for band in bands] == [
        (0, 70, 50), (80, 90, 50), (90, 99.9, 200), (99.9, 100, 700),
    ]  # fmt: skip
    assert rates({str(band.upto): band.hallucinated for band in bands}) == {
        "70.0": (about(2 / 3), 2, 3), "90.0": (0, 0, 1), "99.9": (1, 1, 1), "100.0": (0, 0, 3),
    }  # fmt: skip


def test_facts_about_set_and_sample(store: AuditStore) -> None:
    summary = results(store)
    assert (summary.set, summary.made, summary.design, summary.seed, summary.guideline) == (
        "s", "2026-01-02", "stratified", 7, "g",
    )  # fmt: skip
    assert (summary.captions, summary.refused, summary.sample, summary.sample_refused) == (1000, 200, 8, 5)
    assert (summary.reviewed, summary.reviewed_refused, summary.unsure, summary.corrected) == (8, 5, 0, 0)
    assert (summary.reviewers, summary.overlap) == ({"ann": 13, "ben": 0, "eve": 0}, 1.0)


def test_an_audit_without_a_verdict_knows_nothing(store: AuditStore) -> None:
    summary = results(store, [])
    assert (summary.reviewed, summary.hallucination.rate, summary.agreement, summary.judges) == (0, None, (), ())
    assert (summary.by_organ, summary.by_reason) == ({}, {})
    assert (summary.verifier.recall.low, summary.verifier.recall.high) == (0, 1)
    assert all(band.hallucinated.rate is None for band in summary.calibration)


def test_what_nobody_is_sure_of_is_left_out_and_counted(store: AuditStore) -> None:
    summary = results(store, ["unsure", *SAID[1:]])
    assert (summary.reviewed, summary.unsure, summary.hallucination.reviewed) == (8, 1, 7)
    assert summary.hallucination.rate == about(275 / 775)
    assert summary.hallucination_with_unsure.rate == about((275 + 225) / 1000)
    assert "unsure" not in summary.verdicts
    assert summary.verdicts["supported"].rate == about(475 / 775)
    assert rates(summary.by_organ)["liver"] == (about(25 / 500), 1, 4)
    assert summary.calibration[-1].hallucinated.reviewed == 2


def test_a_note_alone_is_no_review(store: AuditStore) -> None:
    say(store, "ben", {1: None, 2: None}, "look again")
    summary = results(store, SAID[1:2])
    assert (summary.reviewed, summary.reviewers["ben"], summary.agreement) == (1, 0, ())
    assert verdict_of(store, 2) is None


def test_what_was_taken_back_does_not_count(store: AuditStore) -> None:
    ben = say(store, "ben", {1: "supported", 2: "hallucinated"})
    ben.undo()
    assert (verdict_of(store, 1), verdict_of(store, 2)) == ("supported", None)
    assert summarise(store, "g").reviewers["ben"] == 1


def test_the_last_word_of_a_reviewer_counts_and_taken_back_the_one_before(store: AuditStore) -> None:
    ben = say(store, "ben", {1: "supported"})
    say(store, "ben", {1: "wrong_organ"})
    assert verdict_of(store, 1) == "wrong_organ"
    ben.undo()
    assert verdict_of(store, 1) == "supported"


@pytest.mark.parametrize(
    ("ann", "ben", "eve", "counts"),
    [
        ("supported", "hallucinated", "supported", "supported"),
        ("supported", "incomplete", "wrong_measurement", "wrong_measurement"),
        ("supported", "unsure", "unsure", "supported"),
        ("unsure", "unsure", "unsure", "unsure"),
    ],
)
def test_several_reviewers_have_one_verdict_together(
    store: AuditStore, ann: str, ben: str, eve: str, counts: str
) -> None:
    for name, verdict in {"ann": ann, "ben": ben, "eve": eve}.items():
        say(store, name, {1: verdict})
    assert verdict_of(store, 1) == counts
    assert summarise(store, "g").reviewed == 1


def test_reviewers_are_compared_two_by_two_on_what_both_judged(store: AuditStore) -> None:
    say(store, "ben", {1: "supported", 2: "hallucinated", 3: "wrong_organ", 4: "unsure"})
    say(store, "eve", {12: "wrong_polarity_or_side"})
    ann_ben, ann_eve = results(store).agreement
    assert (ann_ben.first, ann_ben.second, ann_ben.reviewed, ann_ben.percent.rate) == ("ann", "ben", 3, about(1 / 3))
    assert ann_ben.binary_percent.rate == about(2 / 3)
    assert (ann_eve.first, ann_eve.second, ann_eve.reviewed, ann_eve.percent.rate) == ("ann", "eve", 1, 1)


def test_judges_are_compared_with_what_reviewers_say_together(store: AuditStore) -> None:
    say(store, "ben", {1: "hallucinated"})
    verdicts = {"strict": {1: "hallucinated", 2: "hallucinated", 3: "unsure"}, "idle": {13: "supported"}}
    rows = [(judge, item, verdict) for judge, judgements in verdicts.items() for item, verdict in judgements.items()]
    store.connection.executemany("INSERT INTO judgement VALUES (?, ?, ?, 'passage', 'why', 'now')", rows)
    (strict,) = results(store, SAID[:8]).judges
    assert (strict.first, strict.second, strict.reviewed, strict.percent.rate) == ("reviewers", "strict", 2, about(0.5))


def test_a_judge_alone_is_no_review(store: AuditStore) -> None:
    store.connection.execute("INSERT INTO judgement VALUES ('strict', 1, 'supported', '', '', 'now')")
    summary = results(store, [])
    assert (summary.reviewed, summary.judges) == (0, ())


def test_corrections_are_counted_by_caption(store: AuditStore) -> None:
    for name in ("ann", "ben"):
        Reviewer(store, name).save_review(
            3, 0, Verdict.HALLUCINATED, "", Correction("liver", "Liver is normal", "normal")
        )
    assert summarise(store, "g").corrected == 1


def test_verdicts_given_blind_are_counted_and_one_that_is_changed_later_is_none(store: AuditStore) -> None:
    say(store, "ben", {1: "supported", 2: "supported"}, blind=True)
    say(store, "ann", {2: "supported"})
    assert summarise(store, "g").blind == 2
    say(store, "ben", {3: None}, "only a note", blind=True)
    say(store, "ben", {3: "supported"}, blind=True)  # nothing was shown before it
    assert summarise(store, "g").blind == 3
    say(store, "ben", {1: "hallucinated"}, blind=True)
    assert summarise(store, "g").blind == 2


def test_all_captions_of_a_drawn_sample_stand_for_the_whole_set_together(tmp_path: Path) -> None:
    write_set(tmp_path, plain_reports(40, refused_each=1))
    kinds: dict[CaptionKind, int] = {"accepted": 120, "refused": 40}
    with open_audit(tmp_path, sample=SampleRequest(accepted=31, refused=7)) as store:
        give_verdicts(store, "ann", ["supported"] * 38)
        for kind, size in kinds.items():
            assert sum(row.weight for row in judged_captions(store) if row.kind == kind) == about(size)


def test_where_all_is_reviewed_each_band_is_reviewed_as_a_whole(tmp_path: Path) -> None:
    text = "The liver is normal."
    scores = [100.0, 100.0, 99.9, 99.8, 90.0, 90.1, 80.1, 80.0, 70.1, 70.0, 60.0]
    captions = [
        accepted_caption(text, text, f"organ {place}", "Liver is normal", "normal", score)
        for place, score in enumerate(scores)
    ]
    write_set(tmp_path, [(make_report(0, text), captions, [])])
    with open_audit(tmp_path) as store:
        give_verdicts(store, "ann", ["supported"] * len(scores))
        bands = summarise(store, "g").calibration
    assert [band.captions for band in bands] == [2, 2, 2, 3, 2]
    assert [band.hallucinated.reviewed for band in bands] == [2, 2, 2, 3, 2]


def test_the_guideline_is_known_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "guideline.md"
    assert guideline_digest(path) == "none"
    path.write_bytes(b"Be strict.\n")
    assert guideline_digest(path) == hashlib.sha256(b"Be strict.\n").hexdigest()
