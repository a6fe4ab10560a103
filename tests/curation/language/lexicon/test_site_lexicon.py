"""A site's own words beside the shipped lexicon: what they come to mean, and each way in which they cannot."""

from __future__ import annotations

from functools import cache

import pytest

from curation.language.lexicon.lexicon import Lexicon, load_lexicon
from curation.language.lexicon.lexicon_file import read_lexicon_file
from curation.language.lexicon.site_checks import problems_of
from curation.language.lexicon.site_lexicon import SectionName, read_site_lexicon, with_site_words
from curation.readers.heading_phrases import PHRASES
from prompts.vocabulary import load_vocabulary

WORDS = b"""
synonyms:
  - [tumor, klump, big blob]          # joins a group of ours
  - [cyst, water pearl]               # a finding of ours that stands in no group
  - [milk glass, opal veil]           # a group of its own
  - [hepatic speckle, hspk]           # names an organ
abbreviations: {mgl: milk glass, aaa: abdominal aortic aneurysm}
severity: {mild: [piddling]}
time: {new: [hitherto unseen]}
negations: {before: [nary a], after: [is a no show]}
hedges: {uncertain: {before: [smells like]}}
normality: [tiptop]
findings: [onion sign]
implied_organ: {onion sign: liver}
kinds: {lesion: [opal spot], opal spot: [milk spot]}
headings: {impression: [beurteilung]}
density:
"""


def problems(source: str) -> list[tuple[str, str]]:
    """The values that are wrong in a file, with what is wrong."""
    site = read_site_lexicon(source.encode())
    return [(problem.value, problem.problem) for problem in problems_of(site, load_vocabulary())]


@cache
def both(source: bytes = WORDS) -> Lexicon:
    site = read_site_lexicon(source)
    return Lexicon(with_site_words(site, load_vocabulary()))


def test_words_of_every_kind_are_taken() -> None:
    assert problems(WORDS.decode()) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("klump", "tumor"),
        ("big blobs", "neoplasm"),
        ("water pearls", "cysts"),
        ("milk glass", "opal veil"),
        ("mgl", "opal veil"),
        ("aaa", "abdominal aortic aneurysm"),
        ("piddling", "slight"),
        ("hitherto unseen", "new"),
    ],
)
def test_words_mean_what_their_group_means(first: str, second: str) -> None:
    keys = []
    for phrase in (first, second):
        (match,) = both().matches(both().stems(phrase))
        keys.append((match.entry.key, match.entry.modifier))
    assert keys[0] == keys[1]


def test_ours_keep_their_meaning() -> None:
    for phrase in ("tumor", "cyst", "abdominal aortic aneurysm", "mild", "no", "possible", "normal"):
        (ours,), (now,) = (lexicon.matches(lexicon.stems(phrase)) for lexicon in (load_lexicon(), both()))
        for name in ("key", "modifier", "negation", "hedge", "flags"):
            if phrase != "abdominal aortic aneurysm" or name != "flags":  # "aaa" tells its organ, and so does it
                assert getattr(ours.entry, name) == getattr(now.entry, name), (phrase, name)


def test_cues_flags_and_organs() -> None:
    def entry(phrase: str) -> object:
        (match,) = both().matches(both().stems(phrase))
        return match.entry

    assert entry("nary a").negation == "before" and entry("is a no show").negation == "after"  # type: ignore[attr-defined]
    assert entry("smells like").hedge == "before"  # type: ignore[attr-defined]
    assert "normality" in entry("tiptop").flags and "finding" in entry("onion sign").flags  # type: ignore[attr-defined]
    organs = [entry(phrase).organ for phrase in ("onion sign", "hspk", "aaa", "klump")]  # type: ignore[attr-defined]
    assert organs == ["liver", "liver", "abdominal aorta", None]
    assert {"lesion", "abnorm"} <= entry("milk spot").kinds  # type: ignore[attr-defined]


def test_the_shipped_lexicon_is_not_changed() -> None:
    before = read_lexicon_file().model_dump_json()
    site = read_site_lexicon(WORDS)
    with_site_words(site, load_vocabulary())
    assert read_lexicon_file().model_dump_json() == before


def test_headings_are_those_of_the_sections() -> None:
    assert set(SectionName.__args__) == PHRASES.keys()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("source", "value", "problem"),
    [
        ("synonyms: [[tumor, cyst]]", "cyst", "means “cyst” already, and not “neoplasm”"),
        ("synonyms: [[nodule, cyst]]", "cyst", "means “cyst” already"),
        ("synonyms: [[klump, dilated, narrowed]]", "narrowed", "means “stenosis” already, and not “dilatation”"),
        ("synonyms: [[increased, decreased]]", "decreased", "means time: decreased already"),
        ("synonyms: [[klump, blob], [blob, blip]]", "blob", "means “klump” already, and not “blob”"),
        ("synonyms: [[klumps, blob], [klump, blip]]", "klump", "means “klumps” already"),
        ("severity: {mild: [severe]}", "severe", "means severity: severe already, and not severity: mild"),
        ("severity: {mild: [so so], severe: [so so]}", "so so", "means severity: mild already"),
        ("severity: {mid: [so so]}", "mid", "is none of its classes, minimal, "),
        ("severity: {mild: [tumor]}", "tumor", "means “neoplasm” already"),
        ("abbreviations: {cyst: tumor}", "cyst", "means “cyst” already"),
        ("hedges: {maybe: {before: [smells like]}}", "maybe", "is none of its classes"),
        ("synonyms: [[tumor, Klump]]", "Klump", "and no marks; write “klump”"),
        ("synonyms: [[tumor, klump-like]]", "klump-like", "write “klump like”"),
        ("synonyms: [[tumor, '+']]", "+", "is not written in small letters with single spaces and no marks"),
        ("abbreviations: {AAA: abdominal aortic aneurysm}", "AAA", "write “aaa”"),
        ("abbreviations: {aaa: Abdominal aneurysm}", "Abdominal aneurysm", "write “abdominal aneurysm”"),
        ("synonyms: [[tumor]]", "tumor", "takes two phrases or more"),
        ("synonyms: [[klump, blob, klump]]", "klump", "stands twice in this list"),
        ("severity: {mild: []}", "[]", "is empty; leave it out"),
        ("normality: []", "[]", "is empty; leave it out"),
        ("headings: {findings: []}", "[]", "is empty; leave it out"),
        ("normality:", "", "it adds no word; take the # away"),
        ("synonyms: [[nothing there, no thing]]", "no thing", "holds “no”, which would deny nothing behind it"),
        ("normality: [no speckles]", "no speckles", "begins a denial that may go on"),
        ("normality: [cyst]", "cyst", "means “cyst” already, which stays as it is"),
        ("findings: [mild]", "mild", "means severity: mild, which is no finding"),
        ("negations: {before: [cyst]}", "cyst", "means “cyst”; it can be no cue"),
        ("negations: {before: [possible]}", "possible", "means hedges uncertain before already"),
        ("negations: {before: [nary], after: [nary]}", "nary", "means negations before already"),
        ("synonyms: [[blob, klump]]\nnegations: {before: [klump]}", "klump", "means “blob”; it can be no cue"),
        ("synonyms: [[possible, so so]]", "possible", "is a cue of ovct (hedges uncertain before)"),
        ("synonyms: [[hepar, liver]]", "liver", "is a name of the organ “liver”; names of organs are"),
        ("findings: [spleen]", "spleen", "is a name of the organ “spleen”"),
        ("synonyms: [[left, links]]", "left", "has no word with a meaning of its own"),
        ("synonyms: [[is it, was it]]", "is it", "has no word with a meaning of its own"),
        ("synonyms: [[left shift, right shift]]", "right shift", "names “right”, which another phrase"),
        ("synonyms: [[grade 1 blob, grade 2 blob]]", "grade 2 blob", "names “2”"),
        ("kinds: {cyst: [neoplasm]}", "neoplasm", "and “cyst” are both words of ovct, whose kinds stay as they are"),
        ("kinds: {mild: [onion sign]}", "mild", "means severity: mild, which is no finding"),
        ("kinds: {lesion: [possible]}", "possible", "means hedges"),
        ("kinds: {liver: [onion sign]}", "liver", "is a name of the organ “liver”"),
        ("kinds: {Lesion: [onion sign]}", "Lesion", "is not written in small letters"),
        ("kinds: {lesion: []}", "[]", "is empty; leave it out"),
        ("implied_organ: {onion sign: livr}", "livr", "is no organ of the vocabulary"),
        ("implied_organ: {cyst: liver}", "cyst", "means “cyst”, a word of ovct whose organ stays as it is"),
        ("implied_organ: {klump: liver}\nsynonyms: [[tumor, klump]]", "klump", "means “neoplasm”, a word of ovct"),
    ],
)  # fmt: skip
def test_what_cannot_stand_beside_ours_is_told(source: str, value: str, problem: str) -> None:
    told = [text for name, text in problems(source) if name == value]
    assert any(problem in text for text in told), problems(source)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("synonym: [[a, b]]", "line 1, file: 'synonym' is not a key here; did you mean “synonyms”?"),
        ("synonyms:\n  - tumor", "line 2, synonyms 1: 'tumor' is not a list"),
        ("synonyms:\n  - [tumor,\n     no]", "line 3, synonyms 1 2: False is not text; put it in quotes"),
        ("negations: [nary]", "line 1, negations: ['nary'] is not a set of keys and values"),
        ("headings: {finding: [x]}", "line 1, headings, finding: 'finding' should be 'findings', 'impression'"),
        ("severity: {}\nseverity: {}", "severity: 'line 2' is a second value; leave one out"),
        ("- tumor", "file: ['tumor'] is not a set of keys and values"),
        ("synonyms: [[", "is not YAML"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_line(source: str, problem: str) -> None:
    with pytest.raises(ValueError) as raised:
        read_site_lexicon(source.encode())
    assert problem in str(raised.value)


def test_a_key_without_a_value_is_as_if_left_out() -> None:
    assert read_site_lexicon(b"severity:\n  mild:\nfindings: [onion sign]").severity == {}
