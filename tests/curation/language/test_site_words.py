"""The files of a site: read, checked, and what the verifier makes of their words."""

from __future__ import annotations

import pickle
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.lexicon.lexicon_file import MODIFIERS
from curation.language.lexicon.site_lexicon import SiteLexicon
from curation.language.site_words import OURS, SiteWords, check_site_words, read_site_words
from curation.readers.site_headings import site_headings
from curation.runtime.errors import InputError
from curation.verification.verifier import Verifier, build_verifier
from prompts.vocabulary import load_vocabulary

LEXICON = b"""
synonyms:
  - [mass, klump]
  - [ground glass opacity, milchglas]
abbreviations: {aaw: abdominal aortic wobble}
severity: {mild: [piddling]}
negations: {before: [nary a]}
hedges: {uncertain: {before: [smells like]}}
normality: [tiptop]
findings: [onion sign, zwiebelschale]
kinds: {lesion: [opal spot]}
implied_organ: {onion sign: liver, butterfly spot: graft kidney}
headings: {findings: [was man sieht]}
"""
ORGANS = b"""
liver: {terms: [hepar]}
graft kidney: {parents: [kidneys], terms: [transplant kidney, renal allograft]}
"""
WORDS = SiteWords(LEXICON, ORGANS)


@cache
def verifier() -> Verifier:
    return build_verifier(WORDS)


@cache
def plain() -> Verifier:
    return Verifier()


def accepts(verifier: Verifier, report: str, organ: str, caption: str) -> bool:
    return verifier.verify(verifier.read(report), organ, caption).accepted


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        ("There is a klump in the liver.", "liver", "Liver mass"),
        ("Mass in segment 7 of the liver.", "liver", "Klump in the liver"),
        ("Nary a klump in the spleen.", "spleen", "No splenic mass"),
        ("Smells like a cyst of the pancreas.", "pancreas", "Possible cyst of the pancreas"),
        ("Piddling ascites.", "peritoneum", "Mild ascites"),
        ("AAW measuring 5 cm.", "abdominal aorta", "Abdominal aortic wobble of 5 cm"),
        ("Abdominal aortic wobble measuring 5 cm.", "abdominal aorta", "AAW of 5 cm"),
        ("No AAW.", "abdominal aorta", "No abdominal aortic wobble"),
        ("The liver is normal.", "hepar", "Hepar normal"),
        ("Renal allograft is unremarkable.", "graft kidney", "The transplant kidney is normal"),
        ("Onion sign is present.", "liver", "Onion sign"),
        ("Opal spot in the spleen.", "spleen", "Lesion of the spleen"),
        ("No lesion in the spleen.", "spleen", "No splenic opal spot"),
        ("Milchglas in both lungs.", "lungs", "Ground-glass opacities in both lungs"),
    ],
)
def test_what_the_words_say_is_accepted(report: str, organ: str, caption: str) -> None:
    assert accepts(verifier(), report, organ, caption)
    assert not accepts(plain(), report, organ, caption)


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        ("No klump in the liver.", "liver", "Liver mass"),
        ("Nary a klump in the spleen.", "spleen", "Splenic mass"),
        ("Smells like a cyst of the pancreas.", "pancreas", "Cyst of the pancreas"),
        ("Piddling ascites.", "peritoneum", "Severe ascites"),
        ("AAW measuring 5 cm.", "thoracic aorta", "Thoracic aortic wobble of 5 cm"),
        ("No AAW.", "abdominal aorta", "Abdominal aortic wobble"),
        ("Klump in the liver.", "liver", "Liver cyst"),
        ("Lesion in the spleen.", "spleen", "Opal spot of the spleen"),
        ("No opal spot in the spleen.", "spleen", "No splenic lesion"),
        ("Klump in the liver.", "spleen", "Splenic mass"),
        ("Left klump of the lung.", "right lung", "Right lung mass"),
        ("Onion sign is present.", "lungs", "Onion sign"),
        ("Renal allograft is unremarkable.", "kidneys", "The kidneys are normal"),
    ],
)
def test_what_they_do_not_say_is_refused(report: str, organ: str, caption: str) -> None:
    assert not accepts(verifier(), report, organ, caption)


def test_a_statement_of_a_site_s_words_alone_is_not_taken_for_another_language() -> None:
    assert plain().read("Zwiebelschale.").language.is_foreign
    assert not verifier().read("Zwiebelschale.").language.is_foreign


def test_words_are_equal_by_content_and_can_be_sent_to_a_worker() -> None:
    sent = pickle.loads(pickle.dumps(WORDS))
    assert sent == WORDS and sent.lexicon() is WORDS.lexicon() and sent.vocabulary() is WORDS.vocabulary()
    assert sent.hashes == WORDS.hashes != SiteWords(LEXICON, None).hashes
    assert WORDS.headings == {"findings": ["was man sieht"]}


def test_without_files_there_are_ours_alone() -> None:
    assert (OURS.lexicon(), OURS.vocabulary()) == (load_lexicon(), load_vocabulary())
    assert OURS.hashes == (None, None) and OURS.headings == {} and read_site_words() == OURS


def test_files_are_read_together(tmp_path: Path) -> None:
    lexicon, organs = tmp_path / "lexicon.yaml", tmp_path / "organs.yaml"
    lexicon.write_bytes(LEXICON)
    organs.write_bytes(ORGANS)
    assert read_site_words(lexicon, str(organs)) == WORDS
    with pytest.raises(InputError, match=r"line 12: implied_organ, butterfly spot: “graft kidney” is no organ"):
        read_site_words(lexicon)


@pytest.mark.parametrize(
    ("lexicon", "organs", "problem"),
    [
        ("synonyms:\n  - [mass, cyst]", None, "lexicon.yaml, line 2: synonyms: “cyst” means “cyst” already"),
        ("\n\nfindngs: [x]", None, "lexicon.yaml: line 3, file: 'findngs' is not a key here; did you mean “findings”?"),
        ("findings:", None, "lexicon.yaml: it adds no word; take the # away"),
        (None, "liver: {terms: [cyst]}", "organs.yaml, line 1: liver: “cyst” is a word of findings (“cyst”)"),
        (None, "\nspleen: {terms: [hepatic]}", "organs.yaml, line 2: spleen: 'hepatic' is a name of 'liver' already"),
        ("findings: [renal allograft]", ORGANS.decode(), "“renal allograft” is a name of the organ “graft kidney”"),
        (
            "kinds: {opal spot: [milk spot], milk spot: [opal spot]}",
            None,
            "kinds: kinds of findings in a circle",
        ),
        ("findings: [A, B, C, D, E, F, G]", None, "and 2 more"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(
    tmp_path: Path, lexicon: str | None, organs: str | None, problem: str
) -> None:
    paths = []
    for name, text in (("lexicon.yaml", lexicon), ("organs.yaml", organs)):
        path = tmp_path / name
        path.write_text(text or "", encoding="utf-8")
        paths.append(None if text is None else path)
    with pytest.raises(InputError) as raised:
        read_site_words(*paths)
    assert problem in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--organs .*none\.yaml: cannot be read \(No such file"):
        read_site_words(organs=tmp_path / "none.yaml")


def test_the_examples_of_the_page_can_be_used() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "lexicon.md").read_text(encoding="utf-8")
    lexicon, organs, proposals = re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    words = SiteWords(lexicon.encode(), organs.encode())
    check_site_words(words, "lexicon", "organs")
    assert site_headings(words.headings) is not None
    content = yaml.safe_load(lexicon)
    assert content.keys() | {*MODIFIERS} == SiteLexicon.model_fields.keys()  # every key is shown or named
    with pytest.raises(InputError, match="it adds no word"):
        check_site_words(SiteWords(proposals.encode()), "lexicon", "organs")
