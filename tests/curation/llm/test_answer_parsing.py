"""Parsing a model's answers: their captions, whatever stands around them, and what is wrong with them."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.caption import Reason
from curation.llm.answer_parsing import ParsedAnswer, is_loop, parse_answer

LISTED = {"captions": [{"organ": "liver", "caption": 'A cyst {5 mm} in "segment 4".'}]}


def pairs(parsed: ParsedAnswer) -> list[tuple[str, str]]:
    return [(draft.organ, draft.caption) for draft in parsed.drafts]


def problem_of(content: str, finish_reason: str = "stop", form: str = "captions") -> tuple[Reason, str]:
    parsed = parse_answer(content, finish_reason, "organs" if form == "organs" else "captions")
    assert parsed.problem is not None
    return parsed.problem.reason, parsed.problem.detail


@pytest.mark.parametrize(
    "wrapped",
    [
        "{}",
        "  {}\n",
        "```json\n{}\n```",
        "Here it is:\n```\n{}\n```\nI hope it helps {{really}}.",
        "{} I left out what is not in the report [1].",
        "<think>The liver {{has}} a cyst.</think>\n{}",
        "a thought without its opening</think>{}",
        "```json\n{}",
    ],
)
def test_what_stands_around_the_json_does_not_matter(wrapped: str) -> None:
    parsed = parse_answer(wrapped.format(json.dumps(LISTED)), "stop", "captions")
    assert parsed.problem is None
    assert pairs(parsed) == [("liver", 'A cyst {5 mm} in "segment 4".')]


def test_an_organ_without_a_key_is_a_problem_and_the_others_count() -> None:
    parsed = parse_answer('{"liver": ["A cyst."], "spleen": null}', "stop", "organs", ("liver", "spleen", "heart"))
    assert pairs(parsed) == [("liver", "A cyst.")]
    assert parsed.problem is not None and "no key for heart" in parsed.problem.detail
    assert parse_answer("{}", "stop", "organs", ("liver",)).problem is not None


def test_a_bad_row_does_not_take_the_others_with_it() -> None:
    rows = [{"organ": None, "caption": "A cyst."}, {"organ": "liver", "caption": "A cyst."}]
    parsed = parse_answer(json.dumps({"captions": rows}), "stop", "captions")
    assert pairs(parsed) == [("liver", "A cyst.")] and parsed.problem is not None


def test_what_stands_before_a_stray_end_of_thoughts_counts() -> None:
    assert pairs(parse_answer(json.dumps(LISTED) + "</think>", "stop", "captions"))


def test_a_long_blank_is_read_at_once() -> None:
    began = time.monotonic()
    parse_answer(" " * 200_000 + "</x", "stop", "captions")
    assert time.monotonic() - began < 2


def test_a_raw_tab_in_a_string_is_a_space() -> None:
    parsed = parse_answer('{"liver": ["A\tcyst\n of 5 mm"]}', "stop", "organs")
    assert parsed.problem is None and [" ".join(draft.caption.split()) for draft in parsed.drafts] == ["A cyst of 5 mm"]


def test_a_list_of_captions_needs_no_object_around_it() -> None:
    assert pairs(parse_answer(json.dumps(LISTED["captions"]), "stop", "captions")) == [
        ("liver", 'A cyst {5 mm} in "segment 4".')
    ]


def test_organs_without_captions_say_nothing() -> None:
    organs = {
        "liver": None,
        "spleen": ["Normal spleen.", " Spleen 12 cm. "],
        "heart": [],
        "aorta": "",
        "colon": "Clear.",
    }
    parsed = parse_answer(json.dumps(organs), "stop", "organs")
    assert parsed.problem is None
    assert pairs(parsed) == [("spleen", "Normal spleen."), ("spleen", "Spleen 12 cm."), ("colon", "Clear.")]


@pytest.mark.parametrize(
    ("content", "form", "message"),
    [
        ("", "captions", "empty"),
        ("I cannot help with that.", "captions", "“I cannot help with that.”"),
        ('{"captions": [{"organ": "liver", "caption": "A cyst."},]}', "captions", "not JSON"),
        ('{"captions": "none"}', "captions", '{"captions": [...]} was expected'),
        ('{"organs": []}', "captions", "was expected"),
        ("[1, 2]", "captions", "an organ and a caption were expected, not 1"),
        ('{"captions": [{"organ": "liver"}]}', "captions", "an organ and a caption were expected"),
        ('{"captions": [{"organ": null, "caption": "A cyst."}]}', "captions", "an organ and a caption were expected"),
        ('{"liver": 3}', "organs", "liver: null or a list of captions was expected, not 3"),
        ('{"liver": {"caption": "A cyst."}}', "organs", "liver: null or a list"),
        ('["liver"]', "organs", "an object with a key for each organ"),
        ("[" * 9000, "organs", "not JSON"),
    ],
)
def test_what_is_not_in_the_form_is_said(content: str, form: str, message: str) -> None:
    reason, detail = problem_of(content, form=form)
    assert reason == Reason.SCHEMA
    assert message in detail


@pytest.mark.parametrize(
    "cut",
    [
        '{"captions": [{"organ": "liver", "caption": "A cyst."}, {"organ": "spl',
        '[{"organ": "liver", "caption": "A cyst."}, {',
    ],
)
def test_a_cut_answer_keeps_what_stands_whole_in_it(cut: str) -> None:
    parsed = parse_answer(cut, "length", "captions")
    assert pairs(parsed) == [("liver", "A cyst.")]
    assert parsed.problem is not None and parsed.problem.reason == Reason.TRUNCATED


def test_a_caption_that_is_cut_is_left_out() -> None:
    parsed = parse_answer('{"liver": ["No focal lesion."], "pleura": ["No pleural', "length", "organs")
    assert pairs(parsed) == [("liver", "No focal lesion.")]


def test_an_answer_that_was_whole_before_it_ran_on_is_whole() -> None:
    parsed = parse_answer(json.dumps(LISTED) + " " * 500, "length", "captions")
    assert parsed.problem is None and len(parsed.drafts) == 1


@pytest.mark.parametrize("tail", ["\n" * 200, "   \n" * 60, "no lesion, " * 40, '{"organ": "a"}, ' * 30])
def test_loops_are_seen(tail: str) -> None:
    assert is_loop('{"captions": [' + tail, "length")
    assert "repeats itself" in problem_of('{"captions": [' + tail, "length")[1]


def test_an_answer_that_is_only_long_is_no_loop() -> None:
    rows = [{"organ": "liver", "caption": f"A cyst of {size} mm in segment {size % 8}."} for size in range(60)]
    assert not is_loop(json.dumps({"captions": rows}), "length")
    assert is_loop(json.dumps({"captions": rows}), "repetition")


@given(st.text(), st.sampled_from(("stop", "length", "content_filter")), st.sampled_from(("organs", "captions")))
def test_no_answer_is_an_error(content: str, finish_reason: str, form: str) -> None:
    parsed = parse_answer(content, finish_reason, "organs" if form == "organs" else "captions")
    assert parsed.problem is not None or all(draft.caption for draft in parsed.drafts) or form == "captions"


def on_a_line(text: str) -> str:
    return " ".join("".join(" " if ord(sign) < 32 else sign for sign in text).split())


@given(
    st.lists(st.fixed_dictionaries({"organ": st.text(min_size=1), "caption": st.text(min_size=1)}), max_size=5),
    st.integers(0),
)
def test_a_cut_anywhere_invents_nothing(rows: list[dict[str, str]], at: int) -> None:
    content = json.dumps({"captions": rows})
    parsed = parse_answer(content[: at % (len(content) + 1)], "length", "captions")
    expected = [(on_a_line(row["organ"]), on_a_line(row["caption"])) for row in rows]
    assert pairs(parsed) == expected[: len(parsed.drafts)]


@pytest.mark.parametrize(
    ("row", "quotes"),
    [
        ({"quote": "One  line\nof it."}, ("One line of it.",)),
        ({"quotes": ["One.", "Two."]}, ("One.", "Two.")),
        ({"quotes": "One."}, ("One.",)),
        ({"quotes": ["One.", 7, " ", "Two.", "Three.", "Four."]}, ("One.", "Two.", "Three.")),
        ({"quotes": [], "quote": "One."}, ()),
        ({}, ()),
    ],
)
def test_quotes_come_one_or_several(row: dict[str, object], quotes: tuple[str, ...]) -> None:
    content = json.dumps({"captions": [{"organ": "liver", "caption": "A cyst.", **row}]})
    (draft,) = parse_answer(content, "stop", "captions").drafts
    assert draft.quotes == quotes


def test_half_a_character_is_no_error() -> None:
    answer = parse_answer('[{"organ": "liver", "caption": "The \ud800liver is normal"}]', "stop", "captions")
    assert [draft.caption for draft in answer.drafts] == ["The ?liver is normal"]


@pytest.mark.parametrize("half", ["\ud800", r"\ud800"])
def test_half_a_character_in_an_answer_that_was_cut_off_is_no_error(half: str) -> None:
    whole = '{"organ": "liver", "caption": "The liver is normal"}'
    answer = parse_answer(f'[{whole}, {{"organ": "spleen", "caption": "Large {half}', "length", "captions")
    assert [draft.caption for draft in answer.drafts] == ["The liver is normal"]
    assert answer.problem is not None and answer.problem.reason == Reason.TRUNCATED
