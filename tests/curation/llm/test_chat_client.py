"""Chats are put to the engine once; answers that can be used are stored, and costs counted."""

from collections.abc import Callable
from pathlib import Path

from curation.engines.chat import Answer
from tests.curation.fakes import FakeChat
from tests.curation.llm.dialogues import BY_STATEMENT, GOOD, FakeDialogue, in_turn, report
from tests.curation.llm.dialogues import new_dialogue as new_dialogue


def test_the_same_chat_is_put_once_at_a_time(new_dialogue: Callable[..., FakeDialogue]) -> None:
    dialogue = new_dialogue()
    dialogue.chat.seconds = 0.01
    answers = dialogue.about(report(), report(), report())
    assert len(dialogue.chat.history) == 1 and answers[0] == answers[1] == answers[2]


def test_numbers_of_tokens_fit_into_their_column(new_dialogue: Callable[..., FakeDialogue]) -> None:
    ((row,),) = new_dialogue(in_turn(Answer(GOOD, "stop", 2**40, -3))).about(report())
    assert (row.prompt_tokens, row.completion_tokens) == (2**31 - 1, 0)


def test_what_cannot_be_written_as_utf8_is_replaced(new_dialogue: Callable[..., FakeDialogue]) -> None:
    ((row, _),) = new_dialogue(in_turn("\ud800", "\ud800")).about(report())
    assert row.content == "?"


def test_failures_are_asked_again_and_answers_are_not(
    new_dialogue: Callable[..., FakeDialogue], tmp_path: Path
) -> None:
    def only_livers(message: str) -> str:
        return GOOD if "liver" in message else "no"

    first = new_dialogue(only_livers, BY_STATEMENT)
    first.about(report())
    first_chats = len(first.chat.history)
    again = first.reopened(tmp_path, FakeChat(lambda message: GOOD), BY_STATEMENT)
    (rows,) = again.about(report())
    assert [row.content for row in rows] == [GOOD, GOOD]
    assert first_chats == 3 and len(again.chat.history) == 1
    assert again.meter.counts.questions == 3, "what was spent before counts"
    again.store.close()
