"""From answers to captions and refusals: each answer once, what is missing said, nothing invented."""

from collections.abc import Sequence

import pytest

from curation.caption import OutcomeColumns, ReportOutcome
from curation.llm.dialogue import TOO_LONG
from curation.llm.responses import Kind, Response
from curation.llm.settling import IS_ASIDE, REPEATS_EXAMPLE, Asked, Settler
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
def settler(verifier: Verifier) -> Settler:
    return Settler(read_prompt(PROMPT, "test"), True, verifier)


def said(
    content: str | None, kind: Kind = "question", number: int = 0, finish_reason: str = "stop", error: str | None = None
) -> Response:
    return Response(kind, number, 0, len(TEXT), content, finish_reason, 100, 20, error)


def captions(outcome: ReportOutcome) -> list[tuple[str, str]]:
    return [(row.organ, row.caption) for row in outcome.accepted]


def reasons(outcome: ReportOutcome) -> list[str]:
    return [str(row.reason) for row in outcome.refused]


def test_what_is_in_the_report_is_kept_and_the_rest_refused(settler: Settler) -> None:
    invented = ("spleen", "The spleen has a 3 cm cyst")
    outcome = settler.settle(REPORT, [said(answer([LIVER, invented, SPLEEN]))])
    assert captions(outcome) == [LIVER, SPLEEN]
    assert len(outcome.refused) == 1 and outcome.refused[0].caption == invented[1]
    assert not outcome.failed and outcome.responses[0][4] == answer([LIVER, invented, SPLEEN])


def test_repeats_are_refused_as_duplicates(settler: Settler) -> None:
    outcome = settler.settle(REPORT, [said(answer([LIVER, LIVER]))])
    assert captions(outcome) == [LIVER] and reasons(outcome) == ["duplicate"]


def test_a_retry_stands_in_the_place_of_its_question(settler: Settler) -> None:
    rows = [said("no JSON"), said(answer([LIVER]), "retry"), said(answer([SPLEEN]), number=1)]
    outcome = settler.settle(REPORT, rows)
    assert captions(outcome) == [LIVER, SPLEEN] and not outcome.refused and not outcome.failed


@pytest.mark.parametrize(
    ("rows", "reason", "detail"),
    [
        ([said("no"), said("no", "retry")], "schema", "no JSON"),
        ([said("", finish_reason="content_filter")], "schema", "content_filter"),
        ([said('{"captions": [', finish_reason="length")], "truncated", "cut off"),
        ([said('{"captions": [', finish_reason="repetition")], "truncated", "repeats itself"),
        ([said(None, error="500 six times")], "engine_error", "500 six times"),
        ([said("no"), said(None, "retry", error="gone")], "engine_error", "gone"),
        ([said(None, finish_reason=TOO_LONG, error="900 tokens")], "truncated", "900 tokens"),
    ],
)
def test_what_got_no_usable_answer_is_a_refusal(
    settler: Settler, rows: Sequence[Response], reason: str, detail: str
) -> None:
    outcome = settler.settle(REPORT, [*rows, said(answer([SPLEEN]), number=1)])
    assert captions(outcome) == [SPLEEN], "the other answers count all the same"
    assert reasons(outcome) == [reason] and detail in outcome.refused[0].detail
    assert outcome.failed, "so that it is asked again"


def test_what_stands_whole_in_a_cut_answer_counts(settler: Settler) -> None:
    cut = answer([LIVER, SPLEEN])[:-20]
    outcome = settler.settle(REPORT, [said(cut, finish_reason="length")])
    assert captions(outcome) == [LIVER] and reasons(outcome) == ["truncated"]


def test_silence_is_not_normal(verifier: Verifier) -> None:
    settler = Settler(read_prompt(ORGANS, "test"), False, verifier)
    outcome = settler.settle(REPORT, [said('{"lungs": null, "liver": null, "spleen": [], "pleura": null}')])
    assert not outcome.accepted and not outcome.refused
    text = "The spleen is enlarged."
    silent = Report("b", text, split_sections(text), {}, 1)
    claimed = '{"liver": ["The liver is normal"], "lungs": null, "spleen": null, "pleura": null}'
    assert not settler.settle(silent, [said(claimed)]).accepted


def test_a_caption_goes_to_the_one_organ_it_names_within_the_key(verifier: Verifier) -> None:
    settler = Settler(read_prompt(ORGANS, "test"), False, verifier)
    nodule = "A 5 mm nodule is seen in the right upper lobe"
    others = '"spleen": null, "pleura": null'
    found = settler.settle(REPORT, [said(f'{{"lungs": ["{nodule}"], "liver": ["The liver is normal"], {others}}}')])
    assert captions(found) == [("right upper lobe", nodule), LIVER]


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
def test_more_than_a_name_is_read_as_the_organ_in_it(settler: Settler, named: str, organ: str) -> None:
    text = "The bilateral adrenal glands are normal. No pleural effusion. The size of the liver is normal."
    report = Report("b", text, split_sections(text), {}, 1)
    outcome = settler.settle(report, [said(answer([(named, one) for one in text.split(". ")]))])
    assert organ in {row.organ for row in outcome.accepted} | {row.organ for row in outcome.refused}
    known = organ in {"adrenal glands", "pleura", "liver"}
    assert bool(outcome.accepted) == known
    assert known or set(reasons(outcome)) == {"unknown_organ"}


def test_a_repeated_example_is_refused_as_one(settler: Settler) -> None:
    """The spleen of the example is normal, that of the report is not."""
    outcome = settler.settle(REPORT, [said(answer([("spleen", "The spleen is normal.")]))])
    assert reasons(outcome) == ["not_grounded"] and outcome.refused[0].detail == REPEATS_EXAMPLE


def test_an_example_that_the_report_says_too_is_kept(settler: Settler) -> None:
    text = "The spleen is normal. The liver is enlarged."
    report = Report("b", text, split_sections(text), {}, 1)
    assert captions(settler.settle(report, [said(answer([("spleen", "The spleen is normal")]))])) != []


@pytest.mark.parametrize(
    "caption",
    ["Follow-up CT is recommended.", "In the previous examination there was a nodule in the liver.",
     "The bowel could not be evaluated without contrast."],
)  # fmt: skip
def test_what_is_no_finding_of_now_is_refused_though_the_report_says_it(settler: Settler, caption: str) -> None:
    text = f"There is a cyst in the liver. {caption}"
    report = Report("b", text, split_sections(text), {}, 1)
    outcome = settler.settle(report, [said(answer([("liver", caption), ("liver", "There is a cyst in the liver")]))])
    assert captions(outcome) == [("liver", "There is a cyst in the liver")]
    assert [(row.reason, row.detail) for row in outcome.refused] == [("not_grounded", IS_ASIDE)]


def test_repaired_captions_are_counted_and_verified_like_others(settler: Settler) -> None:
    wrong = answer([LIVER, ("spleen", "The spleen is enlarged to 18 cm")])
    repaired = answer([SPLEEN, ("spleen", "The spleen is ruptured")])
    outcome = settler.settle(REPORT, [said(wrong), said(repaired, "repair")])
    assert captions(outcome) == [LIVER, SPLEEN]
    assert (outcome.returned, outcome.repaired) == (1, 1)
    assert len(outcome.refused) == 2, "the first one stays refused"


def test_a_broken_repair_harms_nothing(settler: Settler) -> None:
    for repair in (said("no", "repair"), said(None, "repair", error="gone")):
        outcome = settler.settle(REPORT, [said(answer([LIVER])), repair])
        assert captions(outcome) == [LIVER] and not outcome.failed


def test_only_what_a_passage_comes_near_to_may_be_repaired(settler: Settler) -> None:
    rows = [("spleen", "The spleen is enlarged to 18 cm"), ("heart", "Cardiac xyzzy plugh"), LIVER, LIVER]
    (settled,) = settler([Asked(REPORT, [said(answer(rows)), said("no", number=1)])])
    assert [row.organ for row in settled.repairable] == ["spleen"]
    assert (settled.accepted, settled.refused) == (1, 3), "a duplicate is neither"
    assert (
        OutcomeColumns.unpack(settled.packed).rows().accepted == settler.settle(REPORT, [said(answer(rows))]).accepted
    )


def test_a_report_that_cannot_be_settled_harms_no_other(settler: Settler, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(settler, "_settle", crash)
    (settled,) = settler([Asked(REPORT, [])])
    assert settled.failed and OutcomeColumns.unpack(settled.packed).rows().refused[0].detail == "RuntimeError: no"
