"""The language of a report: that of its statements, where each that is too short to tell goes with those around it.

What a text says is decided from the text alone, never from other reports, so that a report is taken alike in a run, in
a shard, by ``ovct verify`` and in a replay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from curation.cleaning.clean_text import CleanText, clean_text
from curation.language.statements import split_statements
from curation.report import READ_SECTIONS, Section

from .known_words import WORD, is_known
from .languages import ENGLISH, UNDETERMINED, language_name
from .statements import StatementLanguage, identify, language_by_ngrams, statement_language

MOST_STRAY_ENGLISH = 0.25
"""Of a report with no more English words than this for each foreign one, English statements may be chance finds."""
PLAIN_ENGLISH = 0.3
"""They are read only with such a share of English words."""
NOTABLE = 0.2
"""A report of which this share of words is foreign is said to be so, whatever stands there."""


CERTAIN = 0.9
"""Foreign statements are all in the one language that is as likely as this for them together."""
LEAST_RATIO = 40.0
"""A text of statements that are all too short to tell has a language that is so much likelier than English."""
LEAST_RATIO_IF_STRANGE = 8.0
"""So much, if at least half of its words, and ``LEAST_STRANGE_WORDS``, are neither organs nor findings of ours."""
LEAST_STRANGE_WORDS = 3
_OPEN = (ENGLISH, UNDETERMINED)


class ReportLanguage(NamedTuple):
    """The languages of a report's statements, in their order, and what follows for the report.

    - ``code``: English where some statement is; undetermined where nothing tells; else the language of most words.
    - ``statements``: the code of each statement; English where it is to be read.
    - ``notable``: whether other languages take up a good part of the report.
    """

    code: str
    statements: tuple[str, ...] = ()
    notable: bool = False

    @property
    def is_foreign(self) -> bool:
        """Whether nothing in the report can be read, as all of it is in other languages."""
        return self.code not in _OPEN

    def is_read(self, index: int) -> bool:
        """Return whether a statement is read: it is English, or nothing speaks against it."""
        return self.statements[index] in _OPEN

    def sentence(self) -> str:
        """Return in words how much of the report is in which other language."""
        counts = Counter(code for code in self.statements if code not in _OPEN)
        names = " and ".join(language_name(code) for code, _ in counts.most_common())
        if self.is_foreign:
            return f"the report is not English but {names}"
        return f"{counts.total()} of its {len(self.statements)} statements are not English but {names}"


class Passage(NamedTuple):
    """A statement ``text[first:last]`` of a clean text, in the section of that name; ``place`` numbers the sections."""

    place: int
    section: str
    first: int
    last: int


def split_passages(clean: CleanText, sections: Sequence[Section]) -> list[Passage]:
    """Return the statements of the sections that hold findings; of the whole text where a report has no sections."""
    spans = [(section.name, section.start, section.end) for section in sections if section.name in READ_SECTIONS]
    return [
        Passage(place, name, first, last)
        for place, (name, start, end) in enumerate(spans if sections else [("findings", 0, len(clean.source))])
        for first, last in split_statements(clean.text, *clean.clean_span(start, end))
    ]


def report_language(text: str, sections: Sequence[Section]) -> ReportLanguage:
    """Return the language of a report by what is read of it."""
    clean = clean_text(text)
    passages = split_passages(clean, sections)
    return settle([clean.text[passage.first : passage.last] for passage in passages], [p.place for p in passages])


def settle(texts: Sequence[str], sections: Sequence[int], site_stems: frozenset[str] = frozenset()) -> ReportLanguage:
    """Return the language of a report by its statements and the number of the section that each stands in.

    ``site_stems`` are those of words that a site has added to ours.
    """
    statements = [statement_language(text, site_stems) for text in texts]
    codes = _with_ngrams(texts, statements)
    if all(code in _OPEN for code in codes):
        if ENGLISH in codes or not codes:
            return ReportLanguage(ENGLISH if codes else UNDETERMINED, tuple(codes))
        together = _by_whole_text(" ".join(texts), site_stems)
        return ReportLanguage(together, (together,) * len(codes), together != UNDETERMINED)
    words = [statement.words for statement in statements]
    _doubt_stray_english(codes, statements)
    _share_main_language(codes, texts, words)
    codes = _with_neighbours(codes, statements, sections)
    counts = _words_by_language(codes, words)
    foreign = counts.total() - counts[ENGLISH]
    code = ENGLISH if ENGLISH in codes else counts.most_common(1)[0][0]
    return ReportLanguage(code, tuple(codes), foreign >= NOTABLE * counts.total())


def _with_ngrams(texts: Sequence[str], statements: Sequence[StatementLanguage]) -> list[str]:
    """Return the codes of the statements, those of strange ones by their n-grams.

    In a report that is English otherwise, a strange word or two are an abbreviation, a name or a slip.
    """
    codes = [statement.code for statement in statements]
    strange = [index for index, statement in enumerate(statements) if statement.is_strange]
    is_english = ENGLISH in codes and all(code in _OPEN for code in codes)
    if is_english and sum(statements[index].strange for index in strange) < LEAST_STRANGE_WORDS:
        return codes
    for index in strange:
        codes[index] = language_by_ngrams(texts[index])
    return codes


def _by_whole_text(text: str, site_stems: frozenset[str]) -> str:
    """Return the language of a text of which no statement tells, if all of them together do.

    Where most words are none of ours, less is asked of the n-grams: telegraphic reports are a few nouns.
    """
    words = WORD.findall(text.lower())
    strange = sum(not is_known(word, site_stems) for word in words)
    code, probability, english = identify(text)
    needed = LEAST_RATIO_IF_STRANGE if strange >= LEAST_STRANGE_WORDS and 2 * strange >= len(words) else LEAST_RATIO
    return code if strange and code != ENGLISH and probability >= needed * english else UNDETERMINED


def _words_by_language(codes: Sequence[str], words: Sequence[int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for code, count in zip(codes, words, strict=True):
        if code != UNDETERMINED:
            counts[code] += count
    return counts


def _doubt_stray_english(codes: list[str], statements: Sequence[StatementLanguage]) -> None:
    """Let statements of a foreign report that are English by a single word be open: "Absence de dilatation"."""
    counts = _words_by_language(codes, [statement.words for statement in statements])
    english = sum(statement.english for statement in statements if statement.code == ENGLISH)
    if english > MOST_STRAY_ENGLISH * (counts.total() - counts[ENGLISH]):
        return
    for index, statement in enumerate(statements):
        if statement.code == ENGLISH and statement.english < PLAIN_ENGLISH * statement.words:
            codes[index] = UNDETERMINED


def _share_main_language(codes: list[str], texts: Sequence[str], words: Sequence[int]) -> None:
    """Give foreign statements the one language that all of them together are in; one alone is easily mistaken."""
    foreign = [index for index, code in enumerate(codes) if code not in _OPEN]
    candidates = sorted({codes[index] for index in foreign})
    if len(candidates) < 2:
        return
    code, probability, _ = identify(" ".join(texts[index] for index in foreign), tuple(candidates))
    if probability >= CERTAIN:
        for index in foreign:
            codes[index] = code


def _with_neighbours(
    codes: Sequence[str], statements: Sequence[StatementLanguage], sections: Sequence[int]
) -> list[str]:
    """Return the codes with those of open statements from the nearest before and behind them in their section.

    Where these differ, a statement of words that we know is read, and a strange one is not; where a section has none,
    it is the language of most words of the report.
    """
    settled = list(codes)
    of_report = _words_by_language(codes, [statement.words for statement in statements]).most_common(1)[0][0]
    nearest_before, nearest_behind = _nearest(codes, sections), _nearest(codes[::-1], sections[::-1])[::-1]
    for index, code in enumerate(codes):
        if code != UNDETERMINED:
            continue
        around = [*nearest_before[index], *nearest_behind[index]] or [of_report]
        foreign = [other for other in around if other != ENGLISH]
        is_foreign = foreign and (len(foreign) == len(around) or statements[index].strange > 0)
        settled[index] = foreign[0] if is_foreign else ENGLISH
    return settled


def _nearest(codes: Sequence[str], sections: Sequence[int]) -> list[list[str]]:
    """Return for each statement the last code before it in its section that is settled; nothing where none is."""
    last: dict[int, list[str]] = {}
    nearest: list[list[str]] = []
    for code, section in zip(codes, sections, strict=True):
        nearest.append(last.get(section, []))
        if code != UNDETERMINED:
            last[section] = [code]
    return nearest
