"""From refused captions to words of one's own: proposed, edited, and accepted."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

import ovct
from curation.caption import OutcomeColumns
from curation.caption_set.manifest import load_manifest
from curation.extraction.text_engine import Curator, rules_recipe
from curation.language.site_words import SiteWords, check_site_words, read_site_words
from curation.pipeline import CurateJob, curate
from curation.report import Report
from curation.runtime.errors import Interrupted
from curation.word_suggestions import trials
from curation.word_suggestions.trials import WordProposal, suggest_words
from tests.curation.fakes import FakeChat, answer, chat_recipe
from tests.curation.llm.chat_sets import StopAfter
from tests.json_schemas import checked

# What a site writes, and how a model words it. The last column is the proposal that would save the caption.
CASES = (
    ("Klump of {n} mm in the liver.", "liver", "{n} mm mass in the liver"),
    ("Klump in the spleen, {n} mm.", "spleen", "Mass of {n} mm in the spleen"),
    ("Opal veil in the left lung, series {n}.", "left lung", "Milk glass in the left lung"),
    ("Piddling pleural effusion on the left, {n} mm.", "left pleura", "Mild left pleural effusion"),
    ("The hepar has a cyst of {n} mm.", "liver", "The liver has a cyst of {n} mm"),
)  # fmt: skip
WRONG = ("liver", "Fracture of the liver")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(ovct.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module", autouse=True)
def verifiers_once() -> Iterator[None]:
    """Build the verifier of each candidate once for all tests: that is what a search spends its time on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trials, "_verifier_with", cache(trials._verifier_with))
        yield


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 15 reports by a model that words what they say in its own way, and invents something in each."""
    folder = tmp_path_factory.mktemp("suggestions")
    with (folder / "reports.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["report_id", "report"])
        for number in range(15):
            report = CASES[number % len(CASES)][0].format(n=number + 3)
            table.writerow([f"r{number:02d}", f"{report} The kidneys are normal."])

    def reworded(message: str) -> str:
        number = next(n for n in range(15) if CASES[n % len(CASES)][0].format(n=n + 3) in message)
        _, organ, caption = CASES[number % len(CASES)]
        return answer([(organ, caption.format(n=number + 3)), ("kidneys", "The kidneys are normal"), WRONG])

    curate(CurateJob(folder / "reports.csv", folder / "set"), chat_recipe(FakeChat(reworded)))
    return folder / "set"


@pytest.fixture(scope="module")
def proposals(root: Path) -> dict[tuple[str, str], WordProposal]:
    return {proposal.phrases: proposal for proposal in suggest_words(root).proposals}


def test_what_would_save_most_is_proposed_with_its_examples(proposals: dict[tuple[str, str], WordProposal]) -> None:
    saved = {phrases: (p.kind, p.saved, p.reports, len(p.examples)) for phrases, p in proposals.items()}
    assert saved == {
        ("klump", "mass"): ("synonyms", 6, 6, 3),
        ("opal veil", "milk glass"): ("synonyms", 3, 3, 3),
        ("piddling", "mild"): ("synonyms", 3, 3, 3),
        ("liver", "hepar"): ("organs", 3, 3, 3),
    }
    assert [p.saved for p in proposals.values()] == [6, 3, 3, 3]
    example = proposals["opal veil", "milk glass"].examples[0]
    assert (example.report_id, example.organ, example.caption) == ("r02", "left lung", "Milk glass in the left lung")
    assert example.evidence == "Opal veil in the left lung, series 5."


def test_what_the_report_does_not_say_is_saved_by_no_word(proposals: dict[tuple[str, str], WordProposal]) -> None:
    assert not any("fracture" in phrase for phrases in proposals for phrase in phrases)
    captions = {example.caption for proposal in proposals.values() for example in proposal.examples}
    assert WRONG[1] not in captions


def test_the_most_useful_come_first(root: Path) -> None:
    suggestions = suggest_words(root, top=1)
    assert [proposal.phrases for proposal in suggestions.proposals] == [("klump", "mass")]
    assert suggestions.tried < suggestions.candidates


def test_what_is_known_by_now_is_not_proposed(root: Path) -> None:
    suggestions = suggest_words(root, top=1, words=SiteWords(b"synonyms: [[mass, klump]]"))
    assert ("klump", "mass") not in {proposal.phrases for proposal in suggestions.proposals}
    assert suggestions.accepted_today == 6


def uncommented(path: Path) -> Iterator[str]:
    """The lines of a file of proposals as a person edits it, who believes all of them."""
    for line in path.read_text(encoding="utf-8").splitlines():
        plain = line.lstrip("# ")
        proposes = plain.startswith("- [") or plain.endswith("]}")
        yield line[: len(line) - len(line.lstrip())] + plain if proposes else line


def test_from_refused_to_accepted(root: Path, tmp_path: Path) -> None:
    """The whole way on the command line: suggest, edit, check, replay."""
    words, organs = tmp_path / "own.yaml", tmp_path / "own_organs.yaml"
    result = call("lexicon", "suggest", root, "--out", words)
    assert result.exit_code == 0, result.output
    assert "klump = mass" in result.stdout and str(organs) in result.stdout.replace("\n", "")
    assert "15 refused" not in result.stdout and "In " in result.stdout

    assert yaml.safe_load(words.read_text(encoding="utf-8")) == {"synonyms": None}  # nothing is taken on trust
    assert call("lexicon", "check", words).exit_code == 2
    again = call("lexicon", "suggest", root, "--out", words)
    assert again.exit_code == 2 and "may have been edited" in again.stderr

    for path in (words, organs):
        path.write_text("\n".join(uncommented(path)) + "\n", encoding="utf-8")
    shown = call("lexicon", "check", words, "--organs", organs)
    assert shown.exit_code == 0, shown.output
    assert "“klump”: as “mass”, a word of ovct" in shown.stdout and "liver: “hepar”" in shown.stdout

    before = load_manifest(root).counts
    replayed = call("verify", "--replay", root, "--lexicon", words, "--organs", organs, "--quiet")
    assert replayed.exit_code == 0, replayed.output
    after = load_manifest(root)
    assert before.captions == {"kidneys": {"normal": 15}}
    assert {organ: sum(counts.values()) for organ, counts in after.counts.captions.items()} == {
        "kidneys": 15, "left lung": 3, "left pleura": 3, "liver": 6, "spleen": 3,
    }  # fmt: skip
    assert after.counts.rejects == {"not_grounded": 15}
    assert after.settings.site_lexicon == read_site_words(words).hashes.site_lexicon


def test_figures_as_json(root: Path, tmp_path: Path) -> None:
    result = call("lexicon", "suggest", root, "--out", tmp_path / "own.yaml", "--json", "--top", 2, "--limit", 10)
    figures = checked("lexicon-suggest", result.stdout)
    assert figures["refused"] == 10 and len(figures["proposals"]) <= 2
    assert all(Path(file).is_file() for file in figures["files"])
    assert json.loads(result.stdout) == figures


def test_it_can_be_stopped(root: Path) -> None:
    with pytest.raises(Interrupted):
        suggest_words(root, StopAfter(3))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("suggest", "none"), "none holds no caption set"),
        (("suggest", "none", "--out", "no/such/file.yaml"), "no such folder"),
        (("suggest", "none", "--out", "s3://bucket/own.yaml"), "is written to this machine"),
        (("suggest", "none", "--lexicon", "none.yaml"), "--lexicon none.yaml: cannot be read"),
        (("check",), "lexicon check needs FILE, or --organs FILE"),
        (("check", "none.yaml"), "cannot be read"),
    ],
)
def test_wrong_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("lexicon", *arguments)
    assert result.exit_code == 2 and problem in result.stderr, result.output


def test_all_proposals_can_be_taken_together(proposals: dict[tuple[str, str], WordProposal]) -> None:
    """ "Klump" beside "fracture" saves what the model invented; it is "mass" more often, and cannot be both."""
    words = [list(p.phrases) for p in proposals.values() if p.kind == "synonyms"]
    check_site_words(SiteWords(yaml.safe_dump({"synonyms": words}).encode()), "own.yaml", "")


@pytest.fixture(scope="module")
def set_of_rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set by the rules of reports that use words which they do not know."""
    folder = tmp_path_factory.mktemp("rules")
    with (folder / "reports.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["report_id", "report"])
        for number, organ in enumerate(("spleen", "pancreas", "uterus")):
            table.writerow([f"r{number}", f"FINDINGS: The {organ} is glimmery. The liver is normal."])
        table.writerow(["r3", "FINDINGS: The bladder is wibbled. The liver is normal."])
    curate(CurateJob(folder / "reports.csv", folder / "set"), rules_recipe())
    return folder / "set"


def test_words_on_which_the_rules_refuse_are_listed_with_what_they_cost(set_of_rules: Path) -> None:
    words = suggest_words(set_of_rules).not_understood
    told = [(word.word, word.statements, word.report_id) for word in words]
    assert told == [("glimmery", 3, "r0"), ("wibbled", 1, "r3")]
    assert words[0].example == "The spleen is glimmery."
    assert len(suggest_words(set_of_rules, top=1).not_understood) == 1


def test_such_a_word_is_known_once_its_line_is_taken(set_of_rules: Path, tmp_path: Path) -> None:
    out = tmp_path / "words.yaml"
    done = call("lexicon", "suggest", set_of_rules, "--out", out)
    assert done.exit_code == 0 and "glimmery (3), wibbled (1)" in " ".join(done.output.split())
    proposed = out.read_text(encoding="utf-8")
    assert yaml.safe_load(proposed) == {"findings": None, "normality": None}
    head, _, normality = proposed.partition("normality:")
    edited = head + "normality:" + normality.replace("# - glimmery", "- glimmery")
    out.write_text(edited, encoding="utf-8")
    words = read_site_words(out, None)
    outcome = Curator(rules_recipe(words))([report_of("The spleen is glimmery.")])
    rows = OutcomeColumns.unpack(outcome[0][0]).rows()
    assert [(row.organ, row.status) for row in rows.accepted] == [("spleen", "normal")]


def report_of(text: str) -> Report:
    return Report("r", text, (), {}, 1)
