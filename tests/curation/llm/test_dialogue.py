"""The conversation about a report: its questions, one more try, halves, and what is asked only once."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from curation.caption import RefusedCaption
from curation.engines.chat import Answer, ChatFailed, EngineDown, TooLong
from curation.llm.dialogue import TOO_LONG, Asker, Dialogue
from curation.llm.responses import Response, ResponseStore
from curation.llm.usage import Meter
from curation.readers.sections import split_sections
from curation.report import Report
from prompts.prompt_file import read_prompt
from tests.curation.fakes import PROMPT, FakeChat, answer, sentences

TEXT = "The liver is normal. The spleen is enlarged. The heart is normal. No ascites."
GOOD = answer([("liver", "The liver is normal")])
BY_STATEMENT = PROMPT.replace(b"unit: report", b"unit: statement\nwindow: 2")


def report(text: str = TEXT) -> Report:
    return Report("a", text, split_sections(text), {}, 1)


class Table:
    """A dialogue with a fake model, and its store and meter."""

    def __init__(self, folder: Path, chat: FakeChat, prompt: bytes = PROMPT) -> None:
        self.chat = chat
        self.store = ResponseStore(folder / "responses.sqlite", "mine")
        self.meter = Meter(self.store.spent(), None, self.store.spend, lambda _: None)
        self.dialogue = Dialogue(read_prompt(prompt, "test"), 500, Asker(chat, self.store, self.meter))

    def about(self, *reports: Report) -> list[list[Response]]:
        async def all_of_them() -> list[list[Response]]:
            return await asyncio.gather(*map(self.dialogue.about, reports))

        return asyncio.run(all_of_them())

    def repair(self, refused: Sequence[RefusedCaption]) -> list[Response]:
        return asyncio.run(self.dialogue.repair(refused, 0))

    def reopened(self, folder: Path, chat: FakeChat, prompt: bytes = PROMPT) -> "Table":
        self.meter.flush()
        self.store.close()
        return Table(folder, chat, prompt)


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Table]:
    tables: list[Table] = []

    def made(respond: Callable[[str], str | Answer] = sentences, prompt: bytes = PROMPT) -> Table:
        tables.append(Table(tmp_path, FakeChat(respond), prompt))
        return tables[-1]

    return made


def in_turn(*said: str | Answer | Exception) -> Callable[[str], str | Answer]:
    left = list(said)

    def respond(message: str) -> str | Answer:
        one = left.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    return respond


def cut_off(content: str) -> Answer:
    return Answer(content, "length", 100, 500)


def test_a_report_is_asked_about_once_and_its_answer_kept(table: Callable[..., Table]) -> None:
    played = table()
    ((row,),) = played.about(report())
    assert (row.kind, row.number, row.start, row.end, row.finish_reason) == ("question", 0, 0, len(TEXT), "stop")
    assert row.content == sentences(f"Report: {TEXT}")
    assert played.about(report()) == [[row]] and len(played.chat.history) == 1
    assert played.meter.spent[:6] == (1, 0, 0, 0, row.prompt_tokens, row.completion_tokens)


def test_the_static_part_comes_first(table: Callable[..., Table]) -> None:
    played = table()
    played.about(report(), report("Another liver."))
    one, other = (chat.messages for chat in played.chat.history)
    assert one[:-1] == other[:-1] and [turn.role for turn in one] == ["system", "user", "assistant", "user"]
    assert TEXT in one[-1].content
    assert played.chat.history[0].schema is played.chat.history[1].schema
    assert played.chat.history[0].max_tokens == 500


def test_the_same_chat_is_put_once_at_a_time(table: Callable[..., Table]) -> None:
    played = table()
    played.chat.seconds = 0.01
    found = played.about(report(), report(), report())
    assert len(played.chat.history) == 1 and found[0] == found[1] == found[2]


def test_windows_are_numbered_in_order(table: Callable[..., Table]) -> None:
    (rows,) = table(prompt=BY_STATEMENT).about(report())
    assert [row.number for row in rows] == [0, 1]
    assert [TEXT[row.start : row.end] for row in rows if row.start is not None] == [
        "The liver is normal. The spleen is enlarged.",
        "The heart is normal. No ascites.",
    ]


def test_a_broken_answer_is_tried_once_more_with_the_error(table: Callable[..., Table]) -> None:
    played = table(in_turn("I cannot", GOOD))
    ((first, second),) = played.about(report())
    assert (first.kind, second.kind, second.number) == ("question", "retry", 0)
    assert second.content == GOOD
    *before, shown, error = played.chat.history[1].messages
    assert tuple(before) == played.chat.history[0].messages
    assert shown == ("assistant", "I cannot") and "no JSON" in error.content


def test_there_is_no_third_try(table: Callable[..., Table]) -> None:
    played = table(in_turn("no", "no again"))
    ((_, second),) = played.about(report())
    assert second.content == "no again" and len(played.chat.history) == 2


def test_an_answer_that_ran_out_of_tokens_is_tried_by_halves(table: Callable[..., Table]) -> None:
    played = table(in_turn(cut_off('{"captions": [{"organ": "li'), GOOD, GOOD))
    ((first, one, other),) = played.about(report())
    assert first.finish_reason == "length" and one.kind == other.kind == "retry"
    assert one.start == 0 and other.end == len(TEXT) and one.end is not None and one.end <= (other.start or 0)
    assert {row.number for row in (first, one, other)} == {0}


def test_a_half_that_does_not_fit_is_not_lost(table: Callable[..., Table]) -> None:
    ((_, one, other),) = table(in_turn(cut_off('{"captions": ['), GOOD, TooLong("900"))).about(report())
    assert (one.content, other.content, other.finish_reason) == (GOOD, None, TOO_LONG)


def test_a_template_that_fails_on_a_report_fails_there_alone(table: Callable[..., Table]) -> None:
    prompt = PROMPT.replace(b"{{ text }}", b"{{ text }} {{ text.split('spleen')[1] }}")
    prompt = prompt.replace(
        b"{{ text }} {{", b"{{ text }} {% if 'spleen' not in text and 'liver' in text %}{{"
    ).replace(b"[1] }}", b"[1][1] }}{% endif %}")
    ((good,), (bad,)) = table(prompt=prompt).about(report("The spleen is normal."), report("The liver is normal."))
    assert good.content and bad.content is None and "cannot be filled in" in str(bad.error)


def test_numbers_of_tokens_fit_into_their_column(table: Callable[..., Table]) -> None:
    ((row,),) = table(in_turn(Answer(GOOD, "stop", 2**40, -3))).about(report())
    assert (row.prompt_tokens, row.completion_tokens) == (2**31 - 1, 0)


def test_a_loop_is_not_halved(table: Callable[..., Table]) -> None:
    played = table(in_turn(cut_off('{"captions": [' + " \n" * 200), GOOD))
    ((_, second),) = played.about(report())
    assert (second.start, second.end) == (0, len(TEXT))
    assert "repeats itself" in played.chat.history[1].messages[-1].content


def test_what_does_not_fit_is_split_at_statements(table: Callable[..., Table]) -> None:
    def at_most_two(message: str) -> str:
        if message.count(".") > 2:
            raise TooLong("4 sentences")
        return GOOD

    (rows,) = table(at_most_two).about(report())
    assert [row.number for row in rows] == [0, 1]
    assert "".join(TEXT[row.start or 0 : row.end] for row in rows) == TEXT
    assert {row.kind for row in rows} == {"question"}


def test_a_statement_that_does_not_fit_is_said_to(table: Callable[..., Table]) -> None:
    ((row,),) = table(in_turn(TooLong("900 tokens, 512 fit"))).about(report("One statement"))
    assert (row.content, row.finish_reason, row.error) == (None, TOO_LONG, "900 tokens, 512 fit")


def test_a_retry_that_does_not_fit_leaves_the_first_answer(table: Callable[..., Table]) -> None:
    ((row,),) = table(in_turn("no", TooLong("too long"))).about(report())
    assert row.content == "no"


def test_a_chat_that_fails_fails_alone(table: Callable[..., Table]) -> None:
    def no_hearts(message: str) -> str:
        if "heart" in message:
            raise ChatFailed("500 three times")
        return GOOD

    played = table(no_hearts, BY_STATEMENT)
    (rows,) = played.about(report())
    assert [row.error for row in rows] == [None, "500 three times"]
    assert played.meter.spent.failures == 1


def test_an_engine_that_is_down_stops_everything(table: Callable[..., Table]) -> None:
    with pytest.raises(EngineDown):
        table(in_turn(EngineDown("gone"))).about(report())


def test_failures_are_asked_again_and_answers_are_not(table: Callable[..., Table], tmp_path: Path) -> None:
    def only_livers(message: str) -> str:
        return GOOD if "liver" in message else "no"

    first = table(only_livers, BY_STATEMENT)
    first.about(report())
    asked = len(first.chat.history)
    again = first.reopened(tmp_path, FakeChat(lambda message: GOOD), BY_STATEMENT)
    (rows,) = again.about(report())
    assert [row.content for row in rows] == [GOOD, GOOD]
    assert asked == 3 and len(again.chat.history) == 1
    assert again.meter.spent.questions == 3, "what was spent before counts"
    again.store.close()


def test_refused_captions_go_back_with_reason_and_passage(table: Callable[..., Table]) -> None:
    played = table(in_turn(GOOD))
    refused = RefusedCaption(
        "liver", "The liver is huge.", "modifier", "“huge” is not in the evidence", "The liver is normal."
    )
    (row,) = played.repair([refused])
    assert (row.kind, row.content, row.start) == ("repair", GOOD, None)
    roles = [message.role for message in played.chat.history[0].messages]
    said = played.chat.history[0].messages[-1].content
    assert roles == ["user"]
    assert all(part in said for part in ("The liver is huge.", "“huge” is not in the evidence", "The liver is normal."))
    assert played.meter.spent.repairs == 1


def test_many_refused_captions_go_back_in_several_chats(table: Callable[..., Table]) -> None:
    played = table()
    played.repair([RefusedCaption("liver", f"Lesion {n}.", "measurement", "", "A lesion.") for n in range(30)])
    assert len(played.chat.history) == 3


def test_what_cannot_be_written_as_utf8_is_replaced(table: Callable[..., Table]) -> None:
    ((row, _),) = table(in_turn("\ud800", "\ud800")).about(report())
    assert row.content == "?"
