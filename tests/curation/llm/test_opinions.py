"""A second opinion about words: what a model may be asked, what its answer may change, and what it never may."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.caption import ReportOutcome
from curation.engines.chat import Answer, ChatFailed, EngineDown
from curation.llm.answer_store import AnswerStore
from curation.llm.answer_verification import AnsweredReport, AnswerVerifier
from curation.llm.chat_client import ChatClient
from curation.llm.opinions import OpinionRequest, SecondOpinion, opinions_in, parse_opinion
from curation.llm.responses import ModelResponse
from curation.llm.usage import UsageMeter
from curation.readers.sections import split_sections
from curation.report import Report
from curation.verification.verifier import Verifier
from prompts.prompt_file import read_prompt
from prompts.second_opinion.opinion_file import load_opinion_prompt
from tests.curation.fakes import PROMPT, FakeChat, answer

TEXT = (
    "Fibrotic bands are seen in the right upper lobe. The mesenteric fat is stranded. "
    "No outgrowth in the left femur. There may be a hypodense focus in the spleen. "
    "A 7 mm calculus in the left kidney. Small right pleural effusion. "
    "The left ureter was previously distended. The pancreas is atrophic except for its head."
)
REPORT = Report("a", TEXT, split_sections(TEXT), {}, 1)


@pytest.fixture(scope="module")
def answer_verifier() -> AnswerVerifier:
    return AnswerVerifier(read_prompt(PROMPT, "test"), False, Verifier(), opinions=True)


def question(organ: str, caption: str) -> ModelResponse:
    return ModelResponse("question", 0, 0, len(TEXT), answer([(organ, caption)]), "stop", 100, 20, None)


def opinion(organ: str, caption: str, content: str | None, error: str | None = None) -> ModelResponse:
    finish = None if content is None else "stop"
    return ModelResponse("opinion", 0, 0, 9, content, finish, 50, 9, error, organ, caption, "openai: m")


def yes(**words: str) -> str:
    return json.dumps({"words": [{"caption": key, "report": value} for key, value in words.items()], "answer": "yes"})


def asked(verifier: AnswerVerifier, organ: str, caption: str) -> list[OpinionRequest]:
    (verified,) = verifier([AnsweredReport(REPORT, [question(organ, caption)])])
    return verified.questionable


def outcome(verifier: AnswerVerifier, organ: str, caption: str, content: str | None) -> ReportOutcome:
    return verifier.outcome(REPORT, [question(organ, caption), opinion(organ, caption, content)])


WORDS_ALONE = [
    ("right lung", "Scarring in the right upper lobe", "Scarring", "Fibrotic bands"),
    ("mesentery", "Smudgy mesenteric fat", "Smudgy", "stranded"),
    ("left femur", "No excrescence in the left femur", "excrescence", "outgrowth"),
]


@pytest.mark.parametrize(("organ", "caption", "word", "substitute"), WORDS_ALONE)
def test_a_caption_that_is_refused_for_a_word_is_asked_about_and_accepted_by_a_yes(
    answer_verifier: AnswerVerifier, organ: str, caption: str, word: str, substitute: str
) -> None:
    (request,) = asked(answer_verifier, organ, caption)
    assert (request.organ, request.caption, request.words) == (organ, caption, (word,))
    assert substitute in request.passage and TEXT[request.start : request.end] == request.passage
    result = outcome(answer_verifier, organ, caption, yes(**{word: substitute}))
    (row,) = result.accepted
    assert (row.organ, row.caption, row.basis) == (organ, caption, "model")
    assert TEXT[row.start : row.end] == request.passage and not result.refused


# One row for each reason that is about more than a word, or about a word that has a class.
NEVER_ASKED = [
    ("left lung", "Scarring in the left upper lobe"),  # laterality
    ("liver", "Fibrotic bands in the liver"),  # wrong_organ
    ("spleen", "Scarring in the right upper lobe"),  # filed under another organ
    ("right lung", "No scarring in the right upper lobe"),  # denied, and the evidence affirms
    ("left femur", "Excrescence in the left femur"),  # affirmed, and the evidence denies
    ("spleen", "Definite hypodense nidus in the spleen"),  # a doubt is dropped
    ("left kidney", "9 mm concretion in the left kidney"),  # measurement
    ("left kidney", "Two calculi in the left kidney"),  # a number
    ("right pleura", "Large right pleural effusion"),  # a size
    ("right lung", "Mild fibrotic bands in the right upper lobe"),  # a grade
    ("right lung", "New fibrotic bands in the right upper lobe"),  # time
    ("right lung", "Dense fibrotic bands in the right upper lobe"),  # density
    ("left ureter", "The left ureter is ballooned"),  # earlier, not now
    ("pancreas", "The pancreas is shrivelled"),  # an exception is dropped
    ("mesentery", "The mesenteric fat is unremarkable"),  # normality
    ("mesentery", "The posterior mesenteric fat is stranded"),  # a place
    ("elbow joint", "Smudgy mesenteric fat"),  # unknown organ
    ("mesentery", ""),  # schema
]


@pytest.mark.parametrize(("organ", "caption"), NEVER_ASKED)
def test_nothing_but_a_word_alone_is_asked_about(answer_verifier: AnswerVerifier, organ: str, caption: str) -> None:
    assert asked(answer_verifier, organ, caption) == []


@pytest.mark.parametrize(("organ", "caption"), NEVER_ASKED)
def test_a_yes_that_nobody_asked_for_changes_nothing(answer_verifier: AnswerVerifier, organ: str, caption: str) -> None:
    words = {word: "Fibrotic bands" for word in caption.replace(",", "").split()}
    assert not outcome(answer_verifier, organ, caption, yes(**words)).accepted


@pytest.mark.parametrize(
    ("word", "substitute"),
    [
        ("Smudgy", "smudgy"),  # not in the passage
        ("Smudgy", ""),
        ("Smudgy", "is"),  # says nothing
        ("Smudgy", "mesenteric fat is stranded. No"),
        ("smudgier", "stranded"),  # not the caption's word
        ("mesenteric", "stranded"),  # not the word that is missing
    ],
)
def test_a_yes_must_name_words_of_the_passage(answer_verifier: AnswerVerifier, word: str, substitute: str) -> None:
    result = outcome(answer_verifier, "mesentery", "Smudgy mesenteric fat", yes(**{word: substitute}))
    assert not result.accepted and result.refused[0].reason == "not_grounded"


@pytest.mark.parametrize(
    ("report", "organ", "caption", "word", "substitute"),
    [
        (
            "The gallbladder wall is irregular.",
            "gallbladder",
            "The gallbladder wall is regular",
            "regular",
            "irregular",
        ),
        ("No enlarged deposits in the omentum.", "omentum", "No seedlings in the omentum", "seedlings", "deposits"),
        ("The gallbladder is airless.", "gallbladder", "The gallbladder has air", "air", "airless"),
        ("No suspicious deposits in the omentum.", "omentum", "No seedlings in the omentum", "seedlings", "deposits"),
        ("Mild plaques in the aorta.", "aorta", "Flecks in the aorta", "Flecks", "Mild plaques"),
        ("There are no plaques in the aorta.", "aorta", "Flecks in the aorta", "Flecks", "no plaques"),
    ],
)
def test_equal_words_may_not_turn_the_rest_round(
    report: str, organ: str, caption: str, word: str, substitute: str, answer_verifier: AnswerVerifier
) -> None:
    text = Report("b", report, split_sections(report), {}, 1)
    rows = [question(organ, caption), opinion(organ, caption, yes(**{word: substitute}))]
    accepted = answer_verifier.outcome(text, rows).accepted
    assert not accepted


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "yes",
        "[]",
        '{"answer": "yes"}',
        '{"words": [], "answer": "yes"}',
        '{"words": "Smudgy", "answer": "yes"}',
        '{"words": [{"caption": "Smudgy", "report": "stranded"}]}',
        '{"words": [{"caption": "Smudgy", "report": "stranded"}], "answer": "no"}',
        '{"words": [{"caption": "Smudgy", "report": "stranded"}], "answer": true}',
        '{"words": [{"caption": "Smudgy", "report": 7}, null], "answer": "yes"}',
    ],
)
def test_whatever_is_not_a_plain_yes_leaves_the_refusal(answer_verifier: AnswerVerifier, content: str | None) -> None:
    result = outcome(answer_verifier, "mesentery", "Smudgy mesenteric fat", content)
    assert not result.accepted and [str(row.reason) for row in result.refused] == ["not_grounded"]


def test_a_caption_is_asked_about_once(answer_verifier: AnswerVerifier) -> None:
    rows = [question("mesentery", "Smudgy mesenteric fat"), opinion("mesentery", "Smudgy mesenteric fat", "no JSON")]
    (verified,) = answer_verifier([AnsweredReport(REPORT, rows)])
    assert verified.questionable == []


def test_without_a_second_model_nothing_is_asked() -> None:
    verifier = AnswerVerifier(read_prompt(PROMPT, "test"), False, Verifier())
    assert asked(verifier, "mesentery", "Smudgy mesenteric fat") == []


def test_an_answer_in_thoughts_and_fences_is_read() -> None:
    content = f"<think>stranded?</think>\n```json\n{yes(Smudgy='stranded')}\n```"
    assert parse_opinion(content, "stop").equal_words == {"Smudgy": "stranded"}


def test_the_last_usable_answer_counts() -> None:
    rows = [opinion("a", "b", yes(x="y")), opinion("a", "b", "nothing"), opinion("a", "c", None, "gone")]
    assert opinions_in(rows) == {("a", "b"): {"x": "y"}}


def test_the_examples_of_the_prompt_follow_its_own_rules(answer_verifier: AnswerVerifier) -> None:
    for example in load_opinion_prompt().file.examples:
        assert all(row.caption in example.caption and row.report in example.passage for row in example.words)
        assert (example.answer == "yes") == all(row.report for row in example.words)
        report = Report("e", example.passage, split_sections(example.passage), {}, 1)
        content = json.dumps({"words": [row.model_dump() for row in example.words], "answer": example.answer})
        rows = [question(example.organ, example.caption), opinion(example.organ, example.caption, content)]
        assert len(answer_verifier.outcome(report, rows).accepted) == (example.answer == "yes"), example.caption


# Asking.

REQUEST = OpinionRequest("mesentery", "Smudgy mesenteric fat", ("Smudgy",), "The mesenteric fat is stranded.", 50, 81)


def ask(folder: Path, respond: Callable[[str], str | Answer], *requests: OpinionRequest) -> list[ModelResponse]:
    store = AnswerStore(folder / "responses.sqlite", "mine")
    meter = UsageMeter(store.usage(), None, store.add_usage, lambda _: None)

    async def ask_all() -> list[ModelResponse]:
        second = SecondOpinion("openai: m", ChatClient(FakeChat(respond), store, meter, "openai: m"))
        return await second.about(requests, 1)

    try:
        return asyncio.run(ask_all())
    finally:
        meter.flush()
        store.close()


def test_an_answer_is_kept_with_what_it_is_about_and_not_asked_for_again(tmp_path: Path) -> None:
    (row,) = ask(tmp_path, lambda message: yes(Smudgy="stranded"), REQUEST)
    assert (row.kind, row.number, row.start, row.end) == ("opinion", 1, 50, 81)
    assert (row.organ, row.caption, row.opinion_by) == ("mesentery", "Smudgy mesenteric fat", "openai: m")

    def never(message: str) -> str:
        raise AssertionError(message)

    assert ask(tmp_path, never, REQUEST) == [row]


def test_an_unusable_answer_is_tried_once_more(tmp_path: Path) -> None:
    answers = iter(["I think so", yes(Smudgy="stranded")])
    rows = ask(tmp_path, lambda message: next(answers), REQUEST)
    assert [row.content for row in rows] == ["I think so", yes(Smudgy="stranded")]
    assert opinions_in(rows) == {REQUEST.key: {"Smudgy": "stranded"}}


def test_a_failure_is_kept_as_an_error_and_leaves_the_refusal(tmp_path: Path, answer_verifier: AnswerVerifier) -> None:
    def fail(message: str) -> str:
        raise ChatFailed("no answer after 6 tries")

    (row,) = ask(tmp_path, fail, REQUEST)
    assert row.content is None and row.error == "no answer after 6 tries"
    result = answer_verifier.outcome(REPORT, [question(*REQUEST.key), row])
    assert not result.accepted and result.failed


def test_a_server_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    def gone(message: str) -> str:
        raise EngineDown("gone")

    with pytest.raises(EngineDown):
        ask(tmp_path, gone, REQUEST)
