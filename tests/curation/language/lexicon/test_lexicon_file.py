"""The lexicon file: its form, and that no phrase means two things."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
import yaml

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.lexicon.lexicon_file import LexiconFile, read_lexicon_file, spelled_out
from prompts.vocabulary import load_vocabulary

CLASSES = ("severity", "size", "extent", "quantity", "density", "morphology", "time")
LISTS = ("pseudo_negations", "scope_ends", "normality", "reporting", "limitation", "recommendation", "history")
PHRASE = re.compile(r"[a-z0-9]+(?:['/][a-z]+)?(?: [a-z0-9]+(?:['/][a-z]+)?)*")


@cache
def content() -> dict[str, Any]:
    text = files("curation.language.lexicon").joinpath("lexicon.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def cues() -> Iterator[tuple[str, str, list[str]]]:
    """Kind, direction and phrases of each list of cues, spelled out."""
    kinds = {"negation": content()["negations"], **content()["hedges"]}
    for kind, directions in kinds.items():
        for direction, phrases in directions.items():
            yield kind, direction, [word for phrase in phrases for word in spelled_out(phrase, content()["cue_words"])]


def lists() -> Iterator[tuple[str, list[str]]]:
    """Every list of phrases with the place where it stands."""
    for group in content()["synonyms"]:
        yield f"synonyms of {group[0]}", group
    for name in CLASSES:
        for key, phrases in content()[name].items():
            yield f"{name}: {key}", phrases
    for name in LISTS:
        yield name, content()[name]
    for kind, direction, phrases in cues():
        yield f"{kind} {direction}", phrases
    for name in ("implied_organ", "absent_organ", "irregular", "numbers"):
        yield name, list(content()[name])


def test_structure_is_what_the_loader_takes() -> None:
    LexiconFile.model_validate(content())
    assert all(isinstance(phrase, str) for _, phrases in lists() for phrase in phrases), "quote on, no, yes, off"


def test_groups_have_at_least_two_phrases_and_classes_one() -> None:
    assert [group for group in content()["synonyms"] if len(group) < 2] == []
    assert [(name, key) for name in CLASSES for key, phrases in content()[name].items() if not phrases] == []


def test_phrases_are_lower_case_words_with_single_spaces() -> None:
    odd = [(place, phrase) for place, phrases in lists() for phrase in phrases if not PHRASE.fullmatch(phrase)]
    assert odd == []


def test_no_phrase_stands_twice_in_a_list() -> None:
    twice = [(place, phrase) for place, phrases in lists() for phrase in set(phrases) if phrases.count(phrase) > 1]
    assert twice == []


def test_no_keys_are_repeated_in_the_file() -> None:
    """YAML keeps the last of two equal keys without a word."""
    seen: set[tuple[str, str]] = set()
    section, repeated = "", []
    text = files("curation.language.lexicon").joinpath("lexicon.yaml").read_text(encoding="utf-8")
    for line in text.splitlines():
        top = re.match(r"(\w+):", line)
        inner = re.match(r"  ([^\s#-][^:]*):", line)
        if top:
            section = top[1]
        key = (section, inner[1]) if inner else ("", top[1]) if top else None
        if key in seen and section not in ("hedges", "negations"):
            repeated.append(key)
        if key:
            seen.add(key)
    assert repeated == []


def test_a_phrase_has_one_meaning() -> None:
    """A stemmed phrase belongs to one synonym group or one class."""
    stems, meanings = load_lexicon().stems, defaultdict(set)
    for group in content()["synonyms"]:
        for phrase in group:
            meanings[" ".join(stems(phrase))].add(f"synonyms of {group[0]}")
    for name in CLASSES:
        for key, phrases in content()[name].items():
            for phrase in phrases:
                meanings[" ".join(stems(phrase))].add(f"{name}: {key}")
    assert {phrase: places for phrase, places in meanings.items() if len(places) > 1} == {}


def test_a_cue_has_one_kind_and_direction() -> None:
    stems, meanings = load_lexicon().stems, defaultdict(set)
    for kind, direction, phrases in cues():
        for phrase in phrases:
            meanings[" ".join(stems(phrase))].add((kind, direction))
    assert {phrase: kinds for phrase, kinds in meanings.items() if len(kinds) > 1} == {}


def test_synonyms_hold_no_negation() -> None:
    """The matcher takes the longest phrase, so a "no" inside one would deny nothing behind it ("no mass or cyst")."""
    words = {"no", "not", "without", "cannot", "nor", "never"}
    assert [p for group in content()["synonyms"] for p in group if words & set(p.split())] == []


def test_normality_does_not_swallow_a_denial_that_may_go_on() -> None:
    starts = ("no ", "without ", "free of ", "negative for ")
    assert [phrase for phrase in content()["normality"] if phrase.startswith(starts)] == []


@pytest.mark.parametrize("name", ["implied_organ", "absent_organ"])
def test_organs_are_in_the_vocabulary(name: str) -> None:
    resolve = load_vocabulary().resolve
    unknown = {organ for organ in content()[name].values() if organ and resolve(organ) is None}
    assert unknown == set()


def test_implied_organs_are_named() -> None:
    assert [phrase for phrase, organ in content()["implied_organ"].items() if not organ] == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("severe", "several"),
        ("like", "likely"),
        ("sinus", "sinusitis"),
        ("entering", "enteritis"),
        ("hepatic", "hepatitis"),
        ("pancreatic", "pancreatitis"),
        ("peritoneal", "peritonitis"),
        ("esophageal", "esophagitis"),
        ("thyroid", "thyroiditis"),
        ("mastoid", "mastoiditis"),
        ("prostate", "prostatitis"),
        ("appendix", "appendicitis"),
        ("extension", "extensive"),
        ("test", "testis"),
        ("cervical", "cervix"),
        ("markings", "marked"),
    ],
)
def test_words_of_different_meaning_do_not_share_a_stem(first: str, second: str) -> None:
    stems = load_lexicon().stems
    assert stems(first) != stems(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("foci", "focus"),
        ("metastases", "metastasis"),
        ("calyces", "calices"),
        ("diverticula", "diverticulum"),
        ("vertebrae", "vertebra"),
        ("bullae", "bulla"),
        ("thrombi", "thrombus"),
        ("shown", "show"),
        ("haemorrhage", "hemorrhage"),
        ("opacities", "opacity"),
    ],
)
def test_inflections_share_a_stem(first: str, second: str) -> None:
    stems = load_lexicon().stems
    assert stems(first) == stems(second)


def meaning(phrase: str) -> str:
    lexicon = load_lexicon()
    stems = lexicon.stems(phrase)
    (match,) = lexicon.matches(stems)
    assert match.end == len(stems)
    return match.entry.key


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("fatty liver", "hepatosteatosis"),
        ("ground-glass opacities", "GGO"),
        ("renal calculi", "kidney stones"),
        ("enlarged", "increased in size"),
        ("mild", "slightly"),
        ("low-attenuation", "hypodense"),
        ("atelectatic changes", "atelectasis"),
        ("unchanged", "no interval change"),
        ("natural", "within normal limits"),
    ],
)
def test_equal_phrases_have_one_key(first: str, second: str) -> None:
    assert meaning(first.lower()) == meaning(second.lower())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("mild", "severe"),
        ("moderate", "marked"),
        ("hypodense", "hyperdense"),
        ("solid", "cystic"),
        ("calcified", "noncalcified"),
        ("new", "stable"),
        ("increased", "decreased"),
        ("acute", "chronic"),
        ("small", "large"),
        ("single", "multiple"),
        ("focal", "diffuse"),
        ("stenosis", "dilatation"),
        ("pleural effusion", "pericardial effusion"),
        ("hydrocephalus", "ventriculomegaly"),
        ("subdural hematoma", "epidural hematoma"),
        ("anterolisthesis", "retrolisthesis"),
        ("dextroscoliosis", "levoscoliosis"),
    ],
)
def test_different_claims_have_different_keys(first: str, second: str) -> None:
    assert meaning(first) != meaning(second)


def test_kinds_are_findings_and_no_qualities_or_cues() -> None:
    lexicon, wrong = load_lexicon(), []
    for phrase in LexiconFile.model_validate(content()).kind_phrases():
        matches = lexicon.matches(lexicon.stems(phrase))
        entry = matches[0].entry
        if len(matches) > 1 or entry.modifier or entry.negation or entry.hedge:
            wrong.append(phrase)
    assert wrong == []


def test_no_kind_is_listed_where_it_follows_from_another() -> None:
    lexicon, twice = load_lexicon(), []
    for general, specials in content()["kinds"].items():
        assert len(specials) == len(set(specials)), general
        twice += [(general, phrase) for phrase in specials if lexicon.stems(general) == lexicon.stems(phrase)]
    assert twice == []


def test_compounds_that_are_no_kinds_would_be_some_by_their_last_word() -> None:
    lexicon = load_lexicon()
    for phrase in content()["not_kinds"]:
        (match,) = lexicon.matches(lexicon.stems(phrase))
        assert lexicon.canonical(lexicon.stems(phrase)[-1]) not in match.entry.kinds
        assert " " in phrase


def test_a_synonym_that_holds_a_limitation_is_one() -> None:
    lexicon, content = load_lexicon(), read_lexicon_file()
    limitations = {tuple(lexicon.stems(phrase)) for phrase in content.limitation}
    kept = {tuple(lexicon.stems(phrase)) for phrase in (*content.limitation, *content.normality)}
    phrases = [tuple(lexicon.stems(phrase)) for group in content.synonyms for phrase in group]
    holding = {
        phrase
        for phrase in phrases
        if any(phrase[at : at + len(inner)] == inner for inner in limitations for at in range(len(phrase)))
    }
    assert holding - kept == set()
