"""What a data card says of an audit of its set."""

from pathlib import Path

from curation.caption_set.audit_results import AuditSummary, VerifierQuality
from curation.caption_set.card import data_card, write_card
from curation.caption_set.records.estimates import Estimate
from tests.curation.caption_set.card_pages import MANIFEST, SETTINGS, tables, with_changes


def estimate(hits: int, reviewed: int, rate: float | None, low: float, high: float) -> Estimate:
    return Estimate(rate=rate, low=low, high=high, hits=hits, reviewed=reviewed, effective=float(reviewed))


NONE_OF_100 = estimate(0, 100, 0.0, 0.0, 0.0369)


UNKNOWN = estimate(0, 0, None, 0.0, 1.0)


RESULTS = AuditSummary(
    set=MANIFEST.identity(), made="2026-11-25T10:00:00+00:00", design="stratified", seed=0, captions=1205, refused=5,
    sample=100, sample_refused=0, reviewed=100, reviewed_refused=0, unsure=0, corrected=0,
    reviewers={"Dr. A. Nonymous": 100}, overlap=0.0, blind=100, guideline="1", hallucination=NONE_OF_100,
    hallucination_with_unsure=NONE_OF_100,
    verdicts={"wrong_organ": NONE_OF_100, "supported": estimate(97, 100, 0.968, 0.915, 0.99), "odd|one": UNKNOWN},
    by_organ={}, by_status={}, by_engine={}, by_reason={},
    verifier=VerifierQuality(
        precision=UNKNOWN, recall=UNKNOWN, recall_of_supported=UNKNOWN, caught=UNKNOWN, rightly_refused=UNKNOWN,
    ),
    agreement=(), judges=(), calibration=(),
)  # fmt: skip


def test_a_set_that_nobody_audited_says_so() -> None:
    card = data_card(MANIFEST)
    assert "- **Audit:** not audited\n" in card and "**Not audited.**" in card and "`ovct audit DIR`" in card
    assert "95 %" not in card
    begun = RESULTS.model_copy(update={"hallucination": UNKNOWN, "reviewed": 0})
    assert data_card(MANIFEST, begun) == card


def test_an_audit_is_told_with_its_interval() -> None:
    card = data_card(MANIFEST, RESULTS)
    rate = "0 of 100 reviewed captions, 0.0 % (95 % interval 0.0 to 3.7 %)"
    assert f"- **Audit:** hallucinated are {rate}\n" in card and f"**Hallucination rate:** {rate}." in card
    assert "ot audited" not in card
    assert "Of 1,205 captions 100 were drawn for review (design `stratified`, seed 0)" in card
    assert "by one reader" in card and "Nonymous" not in card
    assert "precision" not in card and "could not be decided" not in card and "score.png" not in card
    (verdicts,) = (rows for rows in tables(card) if rows[0][0] == "verdict")
    assert verdicts[1:] == [
        ["supported", "97", "96.8 %", "91.5 to 99.0 %"],
        ["wrong organ", "0", "0.0 %", "0.0 to 3.7 %"],
        ["odd|one", "0", "", "0.0 to 100.0 %"],
    ]


def test_an_audit_with_refused_and_undecided_captions() -> None:
    verifier = RESULTS.verifier.model_copy(
        update={"precision": estimate(98, 100, 0.98, 0.93, 0.994), "recall": estimate(98, 118, 0.83, 0.75, 0.89)}
    )
    changes = {
        "reviewed_refused": 50,
        "verifier": verifier,
        "unsure": 4,
        "hallucination_with_unsure": estimate(4, 104, 0.038, 0.015, 0.095),
        "reviewers": {"a": 100, "b": 20},
    }
    card = data_card(MANIFEST, RESULTS.model_copy(update=changes), score_plot=True)
    assert "by 2 readers" in card
    assert "98 of 100 reviewed captions, 98.0 % (95 % interval 93.0 to 99.4 %)" in card
    assert "98 of 118 reviewed captions, 83.0 % (95 % interval 75.0 to 89.0 %)" in card
    assert "4 could not be decided" in card and "4 of 104 reviewed captions, 3.8 % (95 % interval 1.5 to 9.5 %)" in card
    assert "![hallucinations by score](audit/score.png)" in card
    assert "score.png" not in data_card(MANIFEST, score_plot=True)


def test_the_audit_of_other_rows_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    summary = tmp_path / "audit" / "summary.json"
    summary.write_text(RESULTS.model_dump_json())
    write_card(tmp_path, MANIFEST)
    card = (tmp_path / "README.md").read_text()
    assert card == data_card(MANIFEST, RESULTS)
    (tmp_path / "audit" / "score.png").write_bytes(b"")
    write_card(tmp_path, MANIFEST)
    assert (tmp_path / "README.md").read_text() == data_card(MANIFEST, RESULTS, score_plot=True)
    other = with_changes(settings=SETTINGS.model_copy(update={"ovct": "1.3"}))
    write_card(tmp_path, other)
    assert (tmp_path / "README.md").read_text() == data_card(other)
    summary.write_text("{")
    write_card(tmp_path, MANIFEST)
    assert (tmp_path / "README.md").read_text() == data_card(MANIFEST)
