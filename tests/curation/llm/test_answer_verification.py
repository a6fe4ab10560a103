"""From answers to captions and refusals: each answer once, what is missing is refused, nothing invented."""

from collections.abc import Sequence

import pytest

from curation.caption import OutcomeColumns, ReportOutcome
from curation.llm.answer_verification import NOT_A_FINDING, REPEATS_EXAMPLE, AnsweredReport, AnswerVerifier
from curation.llm.dialogue import TOO_LONG
from curation.llm.responses import ModelResponse, ResponseKind
from curation.readers.sections import split_sections
from curation.report import Report
from curation.verification.verifier import Verifier
from prompts.prompt_file import read_prompt
from tests.curation.fakes import PROMPT, answer

TEXT = (
    "The liver is normal. A 5 mm nodule is seen in the right upper lobe. No pleural effusion. The spleen is enlarged."
)
REPORT = Report("a", TEXT, split_sections(TEXT), {}, 1)
ORGANS = PROMPT.replace(
    b"form: captions, max_captions: 40", b"form: organs, organs: [lungs, liver, spleen, pleura], max_captions: 4"
)
LIVER, SPLEEN = ("liver", "The liver is normal"), ("spleen", "The spleen is enlarged")


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier()


@pytest.fixture(scope="module")
def answer_verifier(verifier: Verifier) -> AnswerVerifier:
    return AnswerVerifier(read_prompt(PROMPT, "test"), True, verifier)


def response(
    content: str | None,
    kind: ResponseKind = "question",
    number: int = 0,
    finish_reason: str = "stop",
    error: str | None = None,
) -> ModelResponse:
    return ModelResponse(kind, number, 0, len(TEXT), content, finish_reason, 100, 20, error)


def captions(outcome: ReportOutcome) -> list[tuple[str, str]]:
    return [(row.organ, row.caption) for row in outcome.accepted]


def reasons(outcome: ReportOutcome) -> list[str]:
    return [str(row.reason) for row in outcome.refused]


def test_what_is_in_the_report_is_kept_and_the_rest_refused(answer_verifier: AnswerVerifier) -> None:
    invented = ("spleen", "The spleen has a 3 cm cyst")
    outcome = answer_verifier.outcome(REPORT, [response(answer([LIVER, invented, SPLEEN]))])
    assert captions(outcome) == [LIVER, SPLEEN]
    assert len(outcome.refused) == 1 and outcome.refused[0].caption == invented[1]
    assert not outcome.failed and outcome.responses[0][4] == answer([LIVER, invented, SPLEEN])


def test_repeats_are_refused_as_duplicates(answer_verifier: AnswerVerifier) -> None:
    outcome = answer_verifier.outcome(REPORT, [response(answer([LIVER, LIVER]))])
    assert captions(outcome) == [LIVER] and reasons(outcome) == ["duplicate"]


def test_a_retry_stands_in_the_place_of_its_question(answer_verifier: AnswerVerifier) -> None:
    rows = [response("no JSON"), response(answer([LIVER]), "retry"), response(answer([SPLEEN]), number=1)]
    outcome = answer_verifier.outcome(REPORT, rows)
    assert captions(outcome) == [LIVER, SPLEEN] and not outcome.refused and not outcome.failed


@pytest.mark.parametrize(
    ("rows", "reason", "detail"),
    [
        ([response("no"), response("no", "retry")], "schema", "no JSON"),
        ([response("", finish_reason="content_filter")], "schema", "content_filter"),
        ([response('{"captions": [', finish_reason="length")], "truncated", "cut off"),
        ([response('{"captions": [', finish_reason="repetition")], "truncated", "repeats itself"),
        ([response(None, error="500 six times")], "engine_error", "500 six times"),
        ([response("no"), response(None, "retry", error="gone")], "engine_error", "gone"),
        ([response(None, finish_reason=TOO_LONG, error="900 tokens")], "truncated", "900 tokens"),
    ],
)
def test_what_got_no_usable_answer_is_a_refusal(
    answer_verifier: AnswerVerifier, rows: Sequence[ModelResponse], reason: str, detail: str
) -> None:
    outcome = answer_verifier.outcome(REPORT, [*rows, response(answer([SPLEEN]), number=1)])
    assert captions(outcome) == [SPLEEN], "the other answers count all the same"
    assert reasons(outcome) == [reason] and detail in outcome.refused[0].detail
    assert outcome.failed, "so that it is asked again"


def test_what_stands_whole_in_a_cut_answer_counts(answer_verifier: AnswerVerifier) -> None:
    cut = answer([LIVER, SPLEEN])[:-20]
    outcome = answer_verifier.outcome(REPORT, [response(cut, finish_reason="length")])
    assert captions(outcome) == [LIVER] and reasons(outcome) == ["truncated"]


def test_silence_is_not_normal(verifier: Verifier) -> None:
    answer_verifier = AnswerVerifier(read_prompt(ORGANS, "test"), False, verifier)
    outcome = answer_verifier.outcome(
        REPORT, [response('{"lungs": null, "liver": null, "spleen": [], "pleura": null}')]
    )
    assert not outcome.accepted and not outcome.refused
    text = "The spleen is enlarged."
    silent = Report("b", text, split_sections(text), {}, 1)
    claimed = '{"liver": ["The liver is normal"], "lungs": null, "spleen": null, "pleura": null}'
    assert not answer_verifier.outcome(silent, [response(claimed)]).accepted


def test_a_caption_goes_to_the_one_organ_it_names_within_the_key(verifier: Verifier) -> None:
    answer_verifier = AnswerVerifier(read_prompt(ORGANS, "test"), False, verifier)
    nodule = "A 5 mm nodule is seen in the right upper lobe"
    others = '"spleen": null, "pleura": null'
    outcome = answer_verifier.outcome(
        REPORT, [response(f'{{"lungs": ["{nodule}"], "liver": ["The liver is normal"], {others}}}')]
    )
    assert captions(outcome) == [("right upper lobe", nodule), LIVER]


@pytest.mark.parametrize(
    ("named", "organ"),
    [
        ("bilateral adrenal glands", "adrenal glands"),
        ("pleural effusion", "pleura"),
        ("size of the liver", "liver"),
        ("Liver", "liver"),
        ("flux capacitor", "flux capacitor"),
        ("liver and spleen", "liver and spleen"),
    ],
)
def test_more_than_a_name_is_read_as_the_organ_in_it(answer_verifier: AnswerVerifier, named: str, organ: str) -> None:
    text = "The bilateral adrenal glands are normal. No pleural effusion. The size of the liver is normal."
    report = Report("b", text, split_sections(text), {}, 1)
    outcome = answer_verifier.outcome(report, [response(answer([(named, sentence) for sentence in text.split(". ")]))])
    assert organ in {row.organ for row in outcome.accepted} | {row.organ for row in outcome.refused}
    is_organ = organ in {"adrenal glands", "pleura", "liver"}
    assert bool(outcome.accepted) == is_organ
    assert is_organ or set(reasons(outcome)) == {"unknown_organ"}


def test_a_repeated_example_is_refused_as_one(answer_verifier: AnswerVerifier) -> None:
    """The spleen of the example is normal, that of the report is not."""
    outcome = answer_verifier.outcome(REPORT, [response(answer([("spleen", "The spleen is normal.")]))])
    assert reasons(outcome) == ["not_grounded"] and outcome.refused[0].detail == REPEATS_EXAMPLE


def test_an_example_that_the_report_says_too_is_kept(answer_verifier: AnswerVerifier) -> None:
    text = "The spleen is normal. The liver is enlarged."
    report = Report("b", text, split_sections(text), {}, 1)
    assert captions(answer_verifier.outcome(report, [response(answer([("spleen", "The spleen is normal")]))])) != []


@pytest.mark.parametrize(
    "caption",
    ["Follow-up CT is recommended.", "In the previous examination there was a nodule in the liver.",
     "The bowel could not be evaluated without contrast."],
)  # fmt: skip
def test_what_is_no_finding_of_now_is_refused_though_the_report_says_it(
    answer_verifier: AnswerVerifier, caption: str
) -> None:
    text = f"There is a cyst in the liver. {caption}"
    report = Report("b", text, split_sections(text), {}, 1)
    outcome = answer_verifier.outcome(
        report, [response(answer([("liver", caption), ("liver", "There is a cyst in the liver")]))]
    )
    assert captions(outcome) == [("liver", "There is a cyst in the liver")]
    assert [(row.reason, row.detail) for row in outcome.refused] == [("not_grounded", NOT_A_FINDING)]


def test_repaired_captions_are_counted_and_verified_like_others(answer_verifier: AnswerVerifier) -> None:
    wrong = answer([LIVER, ("spleen", "The spleen is enlarged to 18 cm")])
    repaired = answer([SPLEEN, ("spleen", "The spleen is ruptured")])
    outcome = answer_verifier.outcome(REPORT, [response(wrong), response(repaired, "repair")])
    assert captions(outcome) == [LIVER, SPLEEN]
    assert (outcome.returned, outcome.repaired) == (1, 1)
    assert len(outcome.refused) == 2, "the first one stays refused"


def test_a_broken_repair_harms_nothing(answer_verifier: AnswerVerifier) -> None:
    for repair in (response("no", "repair"), response(None, "repair", error="gone")):
        outcome = answer_verifier.outcome(REPORT, [response(answer([LIVER])), repair])
        assert captions(outcome) == [LIVER] and not outcome.failed


def test_only_what_a_passage_comes_near_to_may_be_repaired(answer_verifier: AnswerVerifier) -> None:
    rows = [("spleen", "The spleen is enlarged to 18 cm"), ("heart", "Cardiac xyzzy plugh"), LIVER, LIVER]
    (verified,) = answer_verifier([AnsweredReport(REPORT, [response(answer(rows)), response("no", number=1)])])
    assert [row.organ for row in verified.repairable] == ["spleen"]
    assert (verified.accepted, verified.refused) == (1, 3), "a duplicate is neither"
    assert (
        OutcomeColumns.unpack(verified.packed).rows().accepted
        == answer_verifier.outcome(REPORT, [response(answer(rows))]).accepted
    )


def test_a_report_that_cannot_be_verified_harms_no_other(
    answer_verifier: AnswerVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(answer_verifier, "_outcome", crash)
    (verified,) = answer_verifier([AnsweredReport(REPORT, [])])
    assert verified.failed and OutcomeColumns.unpack(verified.packed).rows().refused[0].detail == "RuntimeError: no"
