"""Reports that are not English and a language model: not asked about by default, quoted with a prompt for that."""

import json
from pathlib import Path

import pytest

from curation.api.curate import recipe_for
from curation.caption_set.manifest import load_manifest
from curation.llm.pool import ChatRecipe
from curation.llm.prompt_checks import check_prompt
from curation.pipeline import CurateJob, curate
from curation.replay import replay
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress
from prompts.prompt_file import load_prompt
from tests.curation.fakes import FakeChat, chat_recipe
from tests.curation.llm.chat_sets import files, rows

QUOTED = load_prompt("organ_captions_quoted")
REPORTS = {
    "en": "The spleen is normal. There is a 5 mm stone in the left kidney.",
    "de": "Milz unauffällig. Stein der linken Niere, 5 mm. Kein Aszites.",
    "mixed": "The spleen is normal in size. The liver is not enlarged. Kein Aszites, Stein der linken Niere 5 mm.",
}
ANSWERS = {
    "The spleen is normal. ": [("spleen", "The spleen is normal.", "The spleen is normal.")],
    "Milz unauffällig": [
        ("spleen", "Milz unauffällig.", "The spleen is unremarkable."),
        ("left kidney", "Stein der linken Niere, 5 mm.", "6 mm stone in the left kidney."),
    ],
    "The liver is not": [
        ("spleen", "The spleen is normal in size.", "The spleen is normal in size."),
        ("peritoneum", "Kein Aszites", "No ascites."),
        ("liver", "Leber", "The liver is enlarged."),
    ],
}


def respond(message: str) -> str:
    captions = next(captions for start, captions in ANSWERS.items() if start in message)
    names = ("organ", "quote", "caption")
    return json.dumps({"captions": [dict(zip(names, row, strict=True)) for row in captions]})


def made(tmp_path: Path, recipe: ChatRecipe) -> Path:
    lines = [json.dumps({"id": name, "report": text}) for name, text in REPORTS.items()]
    (tmp_path / "reports.jsonl").write_text("\n".join(lines), encoding="utf-8")
    curate(CurateJob(tmp_path / "reports.jsonl", tmp_path / "set", workers=1), recipe)
    return tmp_path / "set"


def test_a_model_is_not_asked_about_a_report_that_is_not_english(tmp_path: Path) -> None:
    chat = FakeChat()
    root = made(tmp_path, chat_recipe(chat))
    assert len(chat.history) == 2
    refusals = {row["report_id"]: row["detail"] for row in rows(root, "rejects") if row["reason"] == "language"}
    assert refusals["de"] == "the report is not English but German"
    assert refusals["mixed"] == "1 of its 3 statements are not English but German"
    manifest = load_manifest(root)
    assert manifest.counts.languages == {"de": 1, "en": 2} and manifest.settings.language == "en"
    assert "language:\n- en\n- de\n" in (root / "README.md").read_text(encoding="utf-8")
    before = files(root, "captions", "rejects")
    replay(root, processes=1)
    assert files(root, "captions", "rejects") == before


def test_captions_of_any_language_hold_by_what_they_quote(tmp_path: Path) -> None:
    chat = FakeChat(respond)
    root = made(tmp_path, chat_recipe(chat, QUOTED.source, max_tokens=3000, language="any"))
    assert len(chat.history) == 3
    captions = [(row["report_id"], row["organ"], row["evidence"], row["basis"]) for row in rows(root, "captions")]
    assert captions == [
        ("en", "spleen", "The spleen is normal.", "rules"),
        ("de", "spleen", "Milz unauffällig.", "quote"),
        ("mixed", "spleen", "The spleen is normal in size.", "rules"),
        ("mixed", "peritoneum", "Kein Aszites", "quote"),
    ]
    assert [(row["report_id"], row["reason"]) for row in rows(root, "rejects")] == [
        ("de", "measurement"),
        ("mixed", "negation"),
    ]
    assert load_manifest(root).settings.language == "any"
    before = files(root, "captions", "rejects")
    replay(root, processes=1)
    assert files(root, "captions", "rejects") == before


def test_the_shipped_prompt_shows_what_it_asks_for() -> None:
    assert QUOTED.quotes and check_prompt(QUOTED) == []
    row = QUOTED.schema["properties"]["captions"]["items"]
    assert row["required"] == ["organ", "quote", "caption"]


@pytest.mark.parametrize(
    ("engine", "settings", "prompt", "language", "problem"),
    [
        ("rules", {}, None, "any", "reads English only"),
        ("rules", {}, None, "de", "expected en"),
        ("openai", {"model": "m"}, "organ_captions", "any", "asks for no quotes"),
        ("openai", {"model": "m", "repair": 1}, None, "any", "--repair"),
    ],
)
def test_settings_that_do_not_go_together_are_errors(
    engine: str, settings: dict[str, object], prompt: str | None, language: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        recipe_for(engine, settings, prompt, Progress(), language)  # type: ignore[arg-type]
