"""The scripted model of the benchmark of repairs: it answers with what the request says, and with nothing else."""

import asyncio
import json

from benchmarks.quality.repair import ObedientModel, RepairRun, is_about_the_same
from curation.engines.chat import Chat, Message
from curation.llm.repairs import OtherPassage, RepairRequest
from prompts.prompt_file import load_prompt

SHRUNKEN = RepairRequest(
    "spleen",
    "Wizened spleen with a calcified granuloma",
    "“Wizened” is not in the evidence",
    "The spleen: is shrunken.",
    ("spleen",),
    ("Wizened",),
    ("shrunken",),
    (OtherPassage("A calcified granuloma\nis seen in it.", ("upper abdomen",)),),
)
ASCITES = RepairRequest("liver", "No ascites", "the evidence is about peritoneum", "No ascites.", ("peritoneum",))


def answers(*requests: RepairRequest) -> list[tuple[str, str]]:
    rows = [request.values(number) for number, request in enumerate(requests, 1)]
    turns = load_prompt("organ_captions_short").repair_messages(rows)
    chat = Chat(tuple(Message(*turn) for turn in turns), {}, 100)
    content = asyncio.run(ObedientModel().answer(chat)).content
    return [(row["organ"], row["caption"]) for row in json.loads(content)["captions"]]


def test_the_passages_of_a_request_are_answered_under_organs_that_they_are_about() -> None:
    assert answers(SHRUNKEN, ASCITES) == [
        ("upper abdomen", "A calcified granuloma is seen in it."),
        ("spleen", "The spleen: is shrunken."),
        ("peritoneum", "No ascites."),
    ]


def test_a_caption_is_put_right_by_the_words_of_its_report() -> None:
    report = "The spleen is shrunken. The liver is normal."
    case = {"report": report, "organ": "spleen", "caption": "Wizened spleen", "accept": True}
    before, after, response = RepairRun().before_and_after(case)
    assert (before.accepted, after.accepted) == (0, 1)
    assert response is not None and is_about_the_same(case, response.content or "")


def test_an_answer_about_something_else_is_not_about_the_same() -> None:
    case = {"report": "The spleen is shrunken. Liver cyst.", "caption": "Wizened, shrunken spleen"}
    assert is_about_the_same(case, "The spleen is shrunken") and not is_about_the_same(case, "Liver cyst.")
