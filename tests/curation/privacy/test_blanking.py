"""Reports and outcomes without identifiers: every offset holds, and nothing is written that was blanked."""

from __future__ import annotations

from curation.caption import AcceptedCaption, OutcomeColumns, RefusedCaption, ReportOutcome
from curation.cleaning.clean_text import clean_text
from curation.cleaning.redaction_marks import IDENTITY_MARK
from curation.privacy.blanking import blank_outcome, blank_problems, blank_report
from curation.report import Report, RowProblem, Section

TEXT = "FINDINGS: Nodule of 5 mm, unchanged since 02/14/2019. No effusion. Told to Dr. Okonkwo."
SOURCE = {"PatientName": "Okonkwo^Ada", "Age": "56", "Reason": "fall on 2/3/2018"}


def outcome(*rows: AcceptedCaption | RefusedCaption, responses: tuple[tuple[object, ...], ...] = ()) -> OutcomeColumns:
    accepted = [row for row in rows if isinstance(row, AcceptedCaption)]
    refused = [row for row in rows if isinstance(row, RefusedCaption)]
    return OutcomeColumns.unpack(ReportOutcome(accepted, refused, responses).pack())


def accepted(caption: str, evidence: str, text: str) -> AcceptedCaption:
    start = text.index(evidence)
    return AcceptedCaption("left lung", caption, "abnormal", start, start + len(evidence), "findings", 100.0)


def test_text_and_cells_are_blanked_and_all_offsets_hold() -> None:
    report = Report("r1", TEXT, (Section("findings", 10, len(TEXT)),), SOURCE, 1)
    blank = blank_report(report)
    assert blank.text == TEXT.replace("02/14/2019", IDENTITY_MARK * 10).replace("Okonkwo", IDENTITY_MARK * 7)
    assert blank.source == {
        "PatientName": IDENTITY_MARK * 11,
        "Age": "56",
        "Reason": f"fall on {IDENTITY_MARK * 8}",
    }
    assert (blank.report_id, blank.sections, blank.row) == (report.report_id, report.sections, report.row)


def test_a_caption_that_rests_on_a_mark_is_refused_and_the_others_stay() -> None:
    text = blank_report(Report("r1", TEXT, (), {}, 1)).text
    nodule = accepted("nodule of 5 mm", text[10 : text.index(" No effusion")], text)
    effusion = accepted("no effusion", "No effusion.", text)
    made_up = accepted("no effusion, as told on 3 May 2020", "No effusion.", text)
    rows = blank_outcome(outcome(nodule, effusion, made_up), text).rows()
    assert rows.accepted == [effusion]
    assert [row.reason for row in rows.refused] == ["phi", "phi"]
    assert rows.refused[0].nearest == text[10 : text.index(" No effusion")]
    assert rows.refused[1].caption == f"no effusion, as told on {IDENTITY_MARK * 10}"


def test_every_passage_of_the_evidence_counts() -> None:
    text = f"A nodule in the left lung. Seen on {IDENTITY_MARK * 8} as well: 5 mm."
    second = text.index("Seen")
    nodule = accepted("5 mm nodule", "A nodule in the left lung.", text)._replace(spans=((0, 26), (second, len(text))))
    rows = blank_outcome(outcome(nodule), text).rows()
    assert not rows.accepted
    assert rows.refused[0].nearest == text[second:]


def test_what_a_model_says_on_its_own_is_blanked_too() -> None:
    refused = RefusedCaption("lung", "seen by Dr. Lowell", "not_grounded", "'Dr. Lowell' is not in the report", None)
    responses = (("question", 0, 0, 5, '{"caption": "told to Dr. Lowell"}', "stop", 9, 9, None),)
    rows = blank_outcome(outcome(refused, responses=responses), "No effusion.").rows()
    assert "Lowell" not in str(rows)
    assert rows.refused[0].reason == "not_grounded"
    assert rows.responses[0][4] == f'{{"caption": "told to Dr. {IDENTITY_MARK * 6}"}}'
    assert rows.responses[0][:4] == responses[0][:4]


def test_problems_are_noted_without_what_they_quote() -> None:
    noted: list[RowProblem] = []
    blank_problems(noted.append)(RowProblem("r.csv", 3, "no text beside 'Name: Ada Okonkwo'", kept=True))
    assert noted == [RowProblem("r.csv", 3, f"no text beside 'Name: {IDENTITY_MARK * 11}'", kept=True)]


def test_what_was_blanked_is_not_read() -> None:
    text = blank_report(Report("r1", TEXT, (), {}, 1)).text
    assert clean_text(text).text.startswith("FINDINGS: Nodule of 5 mm, unchanged since. No effusion. Told to Dr.")
    assert IDENTITY_MARK not in clean_text(text).text
    assert clean_text("Cyst of the ████ kidney").text == "Cyst of the ___ kidney"  # blanked by others: any word
