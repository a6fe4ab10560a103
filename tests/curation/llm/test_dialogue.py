"""The conversation about a report: its questions, one more try, halves, and what is asked only once."""

from collections.abc import Callable

import pytest

from curation.engines.chat import ChatFailed, EngineDown, TooLong
from curation.llm.dialogue import TOO_LONG
from curation.llm.repairs import RepairRequest
from tests.curation.fakes import PROMPT, sentences
from tests.curation.llm.dialogues import BY_STATEMENT, GOOD, TEXT, FakeDialogue, cut_off, in_turn, report
from tests.curation.llm.dialogues import new_dialogue as new_dialogue


def test_a_report_is_asked_about_once_and_its_answer_kept(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue()
    ((row,),) = dialogue.about(report())
    assert (row.kind, row.number, row.start, row.end, row.finish_reason) == ("question", 0, 0, len(TEXT), "stop")
    assert row.content == sentences(f"Report: {TEXT}")
    assert dialogue.about(report()) == [[row]] and len(dialogue.chat.history) == 1
    assert dialogue.meter.counts[:6] == (1, 0, 0, 0, row.prompt_tokens, row.completion_tokens)


def test_the_static_part_comes_first(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue()
    dialogue.about(report(), report("Another liver."))
    first, second = (chat.messages for chat in dialogue.chat.history)
    assert first[:-1] == second[:-1] and [turn.role for turn in first] == ["system", "user", "assistant", "user"]
    assert TEXT in first[-1].content
    assert dialogue.chat.history[0].schema is dialogue.chat.history[1].schema
    assert dialogue.chat.history[0].max_tokens == 500


def test_windows_are_numbered_in_order(new_dialogue: Callable[..., FakeDialogue]) -> None:
    (rows,) = new_dialogue(prompt=BY_STATEMENT).about(report())
    assert [row.number for row in rows] == [0, 1]
    assert [TEXT[row.start : row.end] for row in rows if row.start is not None] == [
        "The liver is normal. The spleen is enlarged.",
        "The heart is normal. No ascites.",
    ]


def test_a_broken_answer_is_tried_once_more_with_the_error(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue(in_turn("I cannot", GOOD))
    ((first, second),) = dialogue.about(report())
    assert (first.kind, second.kind, second.number) == ("question", "retry", 0)
    assert second.content == GOOD
    *before, shown, error = dialogue.chat.history[1].messages
    assert tuple(before) == dialogue.chat.history[0].messages
    assert shown == ("assistant", "I cannot") and "no JSON" in error.content


def test_there_is_no_third_try(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue(in_turn("no", "no again"))
    ((_, second),) = dialogue.about(report())
    assert second.content == "no again" and len(dialogue.chat.history) == 2


def test_an_answer_that_ran_out_of_tokens_is_tried_by_halves(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue(in_turn(cut_off('{"captions": [{"organ": "li'), GOOD, GOOD))
    ((first, left, right),) = dialogue.about(report())
    assert first.finish_reason == "length" and left.kind == right.kind == "retry"
    assert left.start == 0 and right.end == len(TEXT) and left.end is not None and left.end <= (right.start or 0)
    assert {row.number for row in (first, left, right)} == {0}


def test_a_half_that_does_not_fit_is_not_lost(new_dialogue: Callable[..., FakeDialogue]) -> None:
    ((_, left, right),) = new_dialogue(in_turn(cut_off('{"captions": ['), GOOD, TooLong("900"))).about(report())
    assert (left.content, right.content, right.finish_reason) == (GOOD, None, TOO_LONG)


def test_a_template_that_fails_on_a_report_fails_there_alone(new_dialogue: Callable[..., FakeDialogue]) -> None:
    failing = b"{{ text }} {% if 'spleen' not in text and 'liver' in text %}{{ text.get('liver') }}{% endif %}"
    prompt = PROMPT.replace(b"{{ text }}", failing)
    ((good,), (bad,)) = new_dialogue(prompt=prompt).about(
        report("The spleen is normal."), report("The liver is normal.")
    )
    assert good.content and bad.content is None and "cannot be filled in" in str(bad.error)


def test_a_loop_is_not_halved(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue(in_turn(cut_off('{"captions": [' + " \n" * 200), GOOD))
    ((_, second),) = dialogue.about(report())
    assert (second.start, second.end) == (0, len(TEXT))
    assert "repeats itself" in dialogue.chat.history[1].messages[-1].content


def test_what_does_not_fit_is_split_at_statements(new_dialogue: Callable[..., FakeDialogue]) -> None:
    def at_most_two(message: str) -> str:
        if message.count(".") > 2:
            raise TooLong("4 sentences")
        return GOOD

    (rows,) = new_dialogue(at_most_two).about(report())
    assert [row.number for row in rows] == [0, 1]
    assert "".join(TEXT[row.start or 0 : row.end] for row in rows) == TEXT
    assert {row.kind for row in rows} == {"question"}


def test_a_statement_that_does_not_fit_is_said_to(new_dialogue: Callable[..., FakeDialogue]) -> None:
    ((row,),) = new_dialogue(in_turn(TooLong("900 tokens, 512 fit"))).about(report("One statement"))
    assert (row.content, row.finish_reason, row.error) == (None, TOO_LONG, "900 tokens, 512 fit")


def test_a_retry_that_does_not_fit_leaves_the_first_answer(new_dialogue: Callable[..., FakeDialogue]) -> None:
    ((row,),) = new_dialogue(in_turn("no", TooLong("too long"))).about(report())
    assert row.content == "no"


def test_a_chat_that_fails_fails_alone(new_dialogue: Callable[..., FakeDialogue]) -> None:
    def no_hearts(message: str) -> str:
        if "heart" in message:
            raise ChatFailed("500 three times")
        return GOOD

    dialogue = new_dialogue(no_hearts, BY_STATEMENT)
    (rows,) = dialogue.about(report())
    assert [row.error for row in rows] == [None, "500 three times"]
    assert dialogue.meter.counts.failures == 1


def test_an_engine_that_is_down_stops_everything(new_dialogue: Callable[..., FakeDialogue]) -> None:
    with pytest.raises(EngineDown):
        new_dialogue(in_turn(EngineDown("gone"))).about(report())


def test_refused_captions_go_back_with_reason_and_passage(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue(in_turn(GOOD))
    refused = RepairRequest(
        "liver",
        "The liver is huge.",
        "“huge” is not in the evidence",
        "The hepatic contour is wavy.",
        ("liver",),
        ("huge",),
        ("contour", "wavy"),
    )
    (row,) = dialogue.repair([refused])
    assert (row.kind, row.content, row.start) == ("repair", GOOD, None)
    roles = [message.role for message in dialogue.chat.history[0].messages]
    text = dialogue.chat.history[0].messages[-1].content
    assert roles == ["user"]
    assert text.endswith(
        "1. liver: The liver is huge.\n   refused: “huge” is not in the evidence\n"
        "   passage: The hepatic contour is wavy.\n   it is about: liver\n   it does not have: “huge”\n"
        "   its other words: “contour”, “wavy”\n"
    )
    assert dialogue.meter.counts.repairs == 1


def test_many_refused_captions_go_back_in_several_chats(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue()
    dialogue.repair([RepairRequest("liver", f"Lesion {n}.", "measurement", "A lesion.") for n in range(30)])
    assert len(dialogue.chat.history) == 3
