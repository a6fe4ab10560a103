"""A site's own words beside the lexicon that ships with ovct (``--lexicon``): their form, and both as one lexicon.

The file has a part of the keys of ``lexicon.yaml``, and ``abbreviations`` and ``headings`` of its own:

>>> source = b"synonyms: [[mass, klump]]\\nabbreviations: {iph: intraparenchymal hemorrhage}"
>>> read_site_lexicon(source).synonyms
[['mass', 'klump']]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from prompts.vocabulary import Vocabulary
from prompts.yaml_file import FileSection, first_problem, line_of, load_mapping

from .checks import PhraseGroup, Stems, cue_lists, keys_of, phrase_groups, phrase_lists
from .lexicon import load_lexicon
from .lexicon_file import MODIFIERS, Cues, LexiconFile, read_lexicon_file

SectionName = Literal[
    "findings", "impression", "addendum", "recommendation", "comparison", "technique", "history", "exam", "other"
]
CUE_FIELDS = frozenset(("negations", "hedges", "cue_words", "pseudo_negations", "scope_ends"))
# Tables of other things than phrases that are matched in a text.
_NO_PHRASES = frozenset(("irregular", "numbers"))


class SiteCues(FileSection):
    """Phrases that stand before or after what they act on; either list may be left out."""

    before: list[str] = Field(default_factory=list)
    after: list[str] = Field(default_factory=list)


class SiteLexicon(FileSection):
    """The content of a site's file; docs/lexicon.md says what each key is for."""

    synonyms: list[list[str]] = Field(default_factory=list)
    abbreviations: dict[str, str] = Field(default_factory=dict)
    severity: dict[str, list[str]] = Field(default_factory=dict)
    size: dict[str, list[str]] = Field(default_factory=dict)
    extent: dict[str, list[str]] = Field(default_factory=dict)
    quantity: dict[str, list[str]] = Field(default_factory=dict)
    density: dict[str, list[str]] = Field(default_factory=dict)
    morphology: dict[str, list[str]] = Field(default_factory=dict)
    time: dict[str, list[str]] = Field(default_factory=dict)
    negations: SiteCues = SiteCues()
    hedges: dict[str, SiteCues] = Field(default_factory=dict)
    normality: list[str] = Field(default_factory=list)
    findings: list[str] = Field(default_factory=list)
    kinds: dict[str, list[str]] = Field(default_factory=dict)
    implied_organ: dict[str, str] = Field(default_factory=dict)
    headings: dict[SectionName, list[str]] = Field(default_factory=dict)

    def groups(self) -> Iterator[PhraseGroup]:
        """Yield the synonym groups and classes, and of each abbreviation the group of its long and short form."""
        yield from phrase_groups(self)
        for short, long in self.abbreviations.items():
            yield PhraseGroup(("abbreviations", short), f"“{long}”", (long, short))


def read_site_lexicon(source: bytes) -> SiteLexicon:
    """Read a site's file. Raises ValueError, whose message names the line, the key and what is wrong there."""
    content = _without_blanks(load_mapping(source))
    try:
        return SiteLexicon.model_validate(content)
    except ValidationError as error:
        line = line_of(source, [part for part in error.errors()[0]["loc"] if part != "[key]"])
        problem = str(first_problem(error, SiteLexicon.model_fields)).replace(", [key]", "")
        raise ValueError(f"{f'line {line}, ' if line else ''}{problem}") from error


def _without_blanks(content: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping without the keys under which nothing is written, as where every line is commented out."""
    return {
        key: _without_blanks(value) if isinstance(value, dict) else value
        for key, value in content.items()
        if value is not None
    }


class OurWords(NamedTuple):
    """The lexicon that ships with ovct, and what it means by each stemmed phrase; ``cues`` are denials and hedges."""

    content: LexiconFile
    stems: Stems
    meanings: Mapping[str, str]
    cues: Mapping[str, str]


@lru_cache(maxsize=1)
def our_words() -> OurWords:
    """Return the words of the lexicon that ships with ovct, once for each process."""
    ours, stems = read_lexicon_file(), load_lexicon().stems
    cues = {key: group.meaning for group in cue_lists(ours) for key in keys_of(group, stems)}
    return OurWords(ours, stems, _meanings_of(ours, stems), cues)


def _meanings_of(ours: LexiconFile, stems: Stems) -> dict[str, str]:
    """Return what each stemmed phrase means: its group or class, or the phrase alone where it is in none."""
    meanings: dict[str, str] = {}
    for group in phrase_groups(ours):
        meanings |= dict.fromkeys(keys_of(group, stems), group.meaning)
    for place, phrases in phrase_lists(ours):
        if place[0] not in CUE_FIELDS | _NO_PHRASES:
            for phrase in phrases:
                meanings.setdefault(" ".join(stems(phrase)), f"“{phrase}”")
    return meanings


def with_site_words(site: SiteLexicon, vocabulary: Vocabulary) -> LexiconFile:
    """Return the lexicon that ships with ovct together with a site's words, which were checked."""
    ours = our_words()
    stems, known = ours.stems, ours.meanings
    both = ours.content.model_copy(deep=True)
    homes = {key: phrases for phrases in _lists_of_one_meaning(both) for key in (" ".join(stems(p)) for p in phrases)}
    for group in site.groups():
        if group.place[0] in MODIFIERS:
            getattr(both, str(group.place[0]))[group.place[1]].extend(group.phrases)
            continue
        keys = dict(zip(keys_of(group, stems), group.phrases, strict=True))
        home = next((homes[key] for key in keys if key in homes), None)
        if home is None:
            home = []
            both.synonyms.append(home)
        for key in sorted(keys, key=lambda key: key not in known):  # the first is canonical, so ours stays what it was
            if homes.setdefault(key, home) is home and keys[key] not in home:
                home.append(keys[key])
        ours_named = [_organs_named(phrase, vocabulary) for phrase in home if phrase not in group.phrases]
        organs = set().union(*ours_named, *(_organs_named(phrase, vocabulary) for phrase in group.phrases))
        if len(organs) == 1 and all(ours_named) and not any(phrase in both.implied_organ for phrase in home):
            both.implied_organ.update(dict.fromkeys((p for p in group.phrases if not vocabulary.find(p)), *organs))
    _add_lists(both, site)
    return both


def _lists_of_one_meaning(content: LexiconFile) -> Iterator[list[str]]:
    yield from content.synonyms
    for table in MODIFIERS:
        yield from getattr(content, table).values()


def _add_lists(both: LexiconFile, site: SiteLexicon) -> None:
    both.normality.extend(site.normality)
    both.findings.extend(site.findings)
    both.implied_organ.update(site.implied_organ)
    for general, specials in site.kinds.items():
        both.kinds.setdefault(general, []).extend(specials)
    hedges: Mapping[str, Cues] = {str(name): cues for name, cues in both.hedges.items()}
    for cues, added in [(both.negations, site.negations), *((hedges[name], site.hedges[name]) for name in site.hedges)]:
        cues.before.extend(added.before)
        cues.after.extend(added.after)


def _organs_named(phrase: str, vocabulary: Vocabulary) -> set[str]:
    """Return the organs that a phrase names: where all of a group name the same one, its short forms imply it."""
    return {name for mention in vocabulary.find(phrase, findings=True) for name in mention.names}
