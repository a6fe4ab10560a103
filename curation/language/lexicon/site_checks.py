"""Checks of a site's own words (``site_lexicon.py``), alone and beside ours: ours keep what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from prompts.vocabulary import Vocabulary

from ..word_lists import AUXILIARIES, FUNCTION_WORDS, SIDES, VERBS
from .checks import (
    PhraseGroup,
    Stems,
    WordProblem,
    cue_lists,
    denying_phrases,
    keys_of,
    odd_phrase,
    odd_phrases,
    phrase_groups,
    phrase_lists,
    phrases_of_two_meanings,
    repeated_phrases,
    short_lists,
)
from .lexicon_file import MODIFIERS
from .site_lexicon import OurWords, SiteLexicon, our_words


def problems_of(site: SiteLexicon, vocabulary: Vocabulary) -> list[WordProblem]:
    """Return all that is wrong with a site's words, alone and beside ours, in the order of the checks."""
    ours = our_words()
    problems = [*odd_phrases(site), *repeated_phrases(site), *short_lists(site), *denying_phrases(site)]
    problems += _unknown_names(site, ours, vocabulary)
    if not problems and not any(phrases for _, phrases in phrase_lists(site)):
        problems.append(WordProblem((), "", "it adds no word; take the # away from the lines that you want"))
    if problems:
        return problems  # the checks below stem the phrases, which takes proper ones
    return [
        *_of_two_meanings(site, ours),
        *_of_two_kinds(site, ours),
        *_changing_ours(site, ours),
        *_kinds_of_ours(site, ours),
        *_without_a_meaning(site, vocabulary),
        *_of_two_sides_or_numbers(site),
    ]


def _unknown_names(site: SiteLexicon, ours: OurWords, vocabulary: Vocabulary) -> Iterator[WordProblem]:
    """Yield the classes and kinds of hedges that ours has not, the organs that are unknown, and empty lists."""
    for table in (*MODIFIERS, "hedges"):
        classes = list(getattr(ours.content, table))
        for name in getattr(site, table):
            if name not in classes:
                yield WordProblem((table, name), name, f"is none of its classes, {', '.join(classes)}")
    for phrase, organ in site.implied_organ.items():
        if vocabulary.resolve(organ) is None:
            problem = "is no organ of the vocabulary; write one of its names, or add the organ with --organs"
            yield WordProblem(("implied_organ", phrase), organ, problem)
    for short, long in site.abbreviations.items():
        yield from odd_phrase(("abbreviations", short), long)
    for general in site.kinds:
        yield from odd_phrase(("kinds", general), general)
    for place, phrases in phrase_lists(site):
        if not phrases and place[0] in site.model_fields_set and (len(place) == 1 or place[0] in ("headings", "kinds")):
            yield WordProblem(place, "[]", "is empty; leave it out")


def _of_two_meanings(site: SiteLexicon, ours: OurWords) -> Iterator[WordProblem]:
    """Yield the phrases that would stand in two groups. A synonym group may go on with one group of ours."""
    stems, known = ours.stems, dict(ours.meanings)
    groups = [_joined(group, known, stems) for group in site.groups()]
    named = [group for group in groups if group.place[0] != "abbreviations"]
    yield from phrases_of_two_meanings(named, stems, known)
    for group in named:
        known |= {key: group.meaning for key in keys_of(group, stems) if key not in known}
    short_forms = [_joined(group, known, stems) for group in groups if group.place[0] == "abbreviations"]
    for problem in phrases_of_two_meanings(short_forms, stems, known):
        yield problem._replace(place=problem.place[:2])


def _of_two_kinds(site: SiteLexicon, ours: OurWords) -> Iterator[WordProblem]:
    """Yield the phrases that would be a cue, of denial or doubt, and something else, or two kinds of cue."""
    stems, meanings = ours.stems, dict(ours.meanings)
    yield from phrases_of_two_meanings(cue_lists(site), stems, ours.cues)
    for group in site.groups():
        meanings |= dict.fromkeys(keys_of(group, stems), group.meaning)
        for number, key in enumerate(keys_of(group, stems)):
            if key in ours.cues:
                problem = f"is a cue of ovct ({ours.cues[key]}); it can have no other meaning"
                yield WordProblem((*group.place, number), group.phrases[number], problem)
    for cues in cue_lists(site):
        for number, key in enumerate(keys_of(cues, stems)):
            if key in meanings and key not in ours.cues:
                problem = f"means {meanings[key]}; it can be no cue"
                yield WordProblem((*cues.place, number), cues.phrases[number], problem)


def _changing_ours(site: SiteLexicon, ours: OurWords) -> Iterator[WordProblem]:
    """Yield the words of ours that would be a finding, normal, or of one organ, and are not so far."""
    stems, known = ours.stems, dict(ours.meanings)
    classes = [group for group in phrase_groups(ours.content) if group.place[0] in MODIFIERS]
    in_a_class = {key for group in classes for key in keys_of(group, stems)}
    for number, phrase in enumerate(site.findings):
        if (key := " ".join(stems(phrase))) in in_a_class:
            yield WordProblem(("findings", number), phrase, f"means {known[key]}, which is no finding by itself")
    for number, phrase in enumerate(site.normality):
        if meaning := known.get(" ".join(stems(phrase))):
            yield WordProblem(("normality", number), phrase, f"means {meaning} already, which stays as it is")
    for group in site.groups():
        if meaning := next((known[key] for key in keys_of(group, stems) if key in known), None):
            known |= dict.fromkeys(keys_of(group, stems), meaning)
    for phrase in site.implied_organ:
        if meaning := known.get(" ".join(stems(phrase))):
            problem = f"means {meaning}, a word of ovct whose organ stays as it is; leave it out"
            yield WordProblem(("implied_organ", phrase), phrase, problem)


def _kinds_of_ours(site: SiteLexicon, ours: OurWords) -> Iterator[WordProblem]:
    """Yield the findings that would be a kind of another where both are ours, or one of them is no finding."""
    classes = {group.meaning for group in phrase_groups(ours.content) if group.place[0] in MODIFIERS}
    for general, specials in site.kinds.items():
        for place, phrase in [(("kinds", general), general), *((("kinds", general), word) for word in specials)]:
            key = " ".join(ours.stems(phrase))
            if key in ours.cues or ours.meanings.get(key) in classes:
                problem = f"means {ours.meanings.get(key) or ours.cues[key]}, which is no finding"
                yield WordProblem(place, phrase, problem)
            elif phrase != general and key in ours.meanings and " ".join(ours.stems(general)) in ours.meanings:
                problem = f"and “{general}” are both words of ovct, whose kinds stay as they are; leave it out"
                yield WordProblem(place, phrase, problem)


def _without_a_meaning(site: SiteLexicon, vocabulary: Vocabulary) -> Iterator[WordProblem]:
    """Yield the phrases that are the name of an organ, or words of grammar, a side or a number alone."""
    grammar = FUNCTION_WORDS | AUXILIARIES | VERBS | SIDES.keys()
    kinds = (PhraseGroup(("kinds", general), "", (general, *specials)) for general, specials in site.kinds.items())
    for group in chain(site.groups(), [PhraseGroup(("findings",), "", site.findings)], kinds):
        for number, phrase in enumerate(group.phrases):
            if (organ := vocabulary.resolve(phrase)) is not None:
                problem = f"is a name of the organ “{organ}”; names of organs are added with --organs"
                yield WordProblem((*group.place, number), phrase, problem)
            elif all(word in grammar or word.isdigit() for word in phrase.split()):
                yield WordProblem((*group.place, number), phrase, "has no word with a meaning of its own")


def _of_two_sides_or_numbers(site: SiteLexicon) -> Iterator[WordProblem]:
    """Yield the phrases of a group that name another side or number than one before them: "grade 1" and "grade 2"."""
    for group in site.groups():
        named: set[str] = set()
        for number, phrase in enumerate(group.phrases):
            words = {SIDES.get(word, word) for word in phrase.split() if word in SIDES or word.isdigit()}
            if named and words and words != named:
                shown = ", ".join(sorted(words))
                problem = f"names “{shown}”, which another phrase of its group does not; give each a group of its own"
                yield WordProblem((*group.place, number), phrase, problem)
            named |= words


def _joined(group: PhraseGroup, known: Mapping[str, str], stems: Stems) -> PhraseGroup:
    """Return a synonym group with the meaning that its first known phrase has; a class keeps its own."""
    if group.place[0] not in ("synonyms", "abbreviations"):
        return group
    meaning = next((known[key] for key in keys_of(group, stems) if key in known), group.meaning)
    return group._replace(meaning=meaning)
