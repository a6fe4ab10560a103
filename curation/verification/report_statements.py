"""A report read once: its statements, what each says, and which organ a statement without one goes on about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

from curation.cleaning.clean_text import CleanText, clean_text
from curation.language.forms.signs import has_leading_signs, minus_denies
from curation.language.parsed_statement import ParsedStatement
from curation.language.parser import CACHED_STATEMENTS, StatementParser
from curation.report import Section
from curation.report_language.known_words import site_stems
from curation.report_language.machine_text import MachineStatement, machine_text, overlapping
from curation.report_language.reports import Passage, ReportLanguage, settle, split_passages
from curation.runtime.caches.recent import Recent

from .foreign_statement import ForeignStatement
from .headings.field_lines import FieldLines
from .headings.fitting_context import FittingContext, opens_with_pronoun
from .headings.narrowing_headings import NarrowingHeading
from .headings.sub_headings import (
    Topic,
    has_unknown_label,
    is_line_of_heading,
    label_of,
    names_nodes,
    names_only,
    opens_a_field,
)
from .headings.titles import title_frame, title_region
from .organs import statement_organs
from .statement_keys import keys_of_organs, keys_of_text
from .wordings import Wording, Wordings

RECENT_CHARACTERS = 512_000
"""Characters of the reports kept as read, which take some 200 bytes each: the engine reads one, then the verifier."""
LONGEST_RUN = 4
"""Statements about one subject that are read together where a caption draws on several."""
CANDIDATES = 4
"""Statements, best covered first, that a caption is checked against."""
_EDGE = " .,;:!\"'“”"


@lru_cache(maxsize=CACHED_STATEMENTS)
def normalised(text: str) -> str:
    """Return what two spellings of the same words share: lower case, single spaces, no marks at the edges."""
    return " ".join(text.split()).strip(_EDGE).lower()


class ReportStatement(NamedTuple):
    """The passage ``text[start:end]`` of a report, as parsed from its clean text; of a form line the plain sentence.

    ``words`` is its normalised text, ``keys`` all that it may be recognised by, ``organs`` those that it names or
    implies. Where it names none, ``context`` has the organs that it goes on about, and ``anchor`` the number of the
    statement that named them. A ``heading`` only names what stands below it: it carries no caption. ``title`` has the
    region that the report's title names, ``narrowed_by`` the number of the heading that says the side or level meant.
    """

    number: int
    start: int
    end: int
    section: str
    words: str
    keys: frozenset[str]
    parse: ParsedStatement
    organs: tuple[str, ...]
    context: tuple[str, ...]
    anchor: int | None
    heading: bool = False
    title: tuple[str, ...] = ()
    narrowed_by: int | None = None

    @property
    def subject(self) -> tuple[str, ...]:
        """The organs that a statement without any is about: those it goes on about, or else the region of the title."""
        return self.context or (() if self.organs else self.title)


@dataclass(eq=False)
class ReadReport:
    """A report's text with its English statements in order, and the numbers of each by its normalised words.

    ``foreign`` are the statements in other languages and ``for_machines`` those meant for a machine, which say nothing
    here. ``title`` has the region of its title.
    """

    text: str
    language: ReportLanguage
    foreign: list[ForeignStatement] = field(default_factory=list)
    for_machines: list[MachineStatement] = field(default_factory=list)
    statements: list[ReportStatement] = field(default_factory=list)
    by_words: dict[str, list[int]] = field(default_factory=dict)
    title: tuple[str, ...] = ()

    @cached_property
    def keys(self) -> frozenset[str]:
        """All that its statements may be recognised by."""
        return frozenset[str]().union(*(statement.keys for statement in self.statements))

    def candidates(self, words: str, keys: frozenset[str]) -> list[ReportStatement]:
        """Return the statements that share most with a caption of normalised ``words`` and ``keys``, the best first.

        One that contains its words comes before others.
        """
        scores = []
        for statement in self.statements:
            shared = len(keys & statement.keys)
            if shared and not statement.heading:
                scores.append((words in statement.words, shared, -statement.number))
        scores.sort(reverse=True)
        least = scores[0][1] / 2 if scores else 0  # what shares half as much as the best carries none of the rest
        best = [-index for verbatim, shared, index in scores[:CANDIDATES] if verbatim or shared > least]
        return [self.statements[number] for number in best]

    def without_lead_in(self, sentences: Sequence[str]) -> Sequence[str]:
        """Return the sentences of a caption without a first one that only leads in the next: "As far as can be seen;".

        Both have to repeat statements that follow each other in the report, and the first has to say nothing itself.
        """
        first, second = (self.by_words.get(normalised(sentence), ()) for sentence in sentences[:2])
        statements = [self.statements[number] for number in first if number + 1 in second]
        leads_in = any(all(segment.silent for segment in statement.parse.segments) for statement in statements)
        return sentences[1:] if leads_in else sentences

    def foreign_passage(self, words: str) -> ForeignStatement | None:
        """Return the statement in another language that has the normalised ``words``; None where there is none."""
        return next((passage for passage in self.foreign if words and words in passage.words), None)

    def machine_passage(self, caption: str) -> MachineStatement | None:
        """Return the statement meant for a machine that has the words of a caption; None where there is none."""
        words = normalised(caption) if self.for_machines else ""
        return next((passage for passage in self.for_machines if words and words in passage.words), None)

    def run_from(self, first: int) -> list[ReportStatement]:
        """Return the statement numbered ``first`` and those behind it, in its section, that go on about its organs."""
        run = [self.statements[first]]
        for statement in self.statements[first + 1 : first + LONGEST_RUN]:
            if statement.organs or statement.anchor != first or statement.section != run[0].section:
                break
            run.append(statement)
        return run


class _StatementContent(NamedTuple):
    """What is the same wherever a statement occurs."""

    parse: ParsedStatement
    organs: tuple[str, ...]
    words: str
    keys: frozenset[str]
    names_only: bool
    names_nodes: bool


class ReportReader:
    """Reads reports. What a statement says is worked out once, however often reports repeat it."""

    def __init__(self, parser: StatementParser) -> None:
        self.parser = parser
        self._wordings = Wordings(parser)
        self._fitting = FittingContext(parser)
        self._site_stems = site_stems(parser.vocabulary, parser.lexicon)
        self._cached_content = lru_cache(maxsize=CACHED_STATEMENTS)(self._content)
        self._cached_keys = lru_cache(maxsize=CACHED_STATEMENTS)(partial(keys_of_text, parser))
        self._recent: Recent[tuple[str, tuple[Section, ...]], ReadReport] = Recent(RECENT_CHARACTERS)

    def read(self, text: str, sections: Sequence[Section] = ()) -> ReadReport:
        """Read the statements of the sections that hold findings. Without any section the whole text is read."""
        key = text, tuple(sections)
        return self._recent.made(key, len(text), lambda: self._read(*key))

    def plain_sentences(self, caption: str, report: ReadReport) -> tuple[str, ...] | None:
        """Return what a caption of a report says that is written as a form line; None for one that is none."""
        return self._wordings.of_caption(caption, report.text)

    def keys(self, text: str) -> frozenset[str]:
        """Return all that a text may be recognised by: findings and their parts, numbers, organs and their parents."""
        return self._cached_keys(text)

    def _read(self, text: str, sections: tuple[Section, ...]) -> ReadReport:
        clean = clean_text(text)
        passages = split_passages(clean, sections)
        texts = [clean.text[passage.first : passage.last] for passage in passages]
        language = settle(texts, [passage.place for passage in passages], self._site_stems)
        report = ReadReport(text, language, title=title_region(text, sections, self.parser))
        ends = {passage.place: passage.last for passage in passages}
        framed = title_frame(text, sections, self.parser)
        place, last_end, topic, narrowing = -1, 0, *self._new_section(framed)
        fields = FieldLines(self.parser, text[: passages[0].first] if passages else "")
        minus_is_no, signs_lead = minus_denies(clean.text), has_leading_signs(text)
        for_machines = machine_text(clean)
        for index, passage in enumerate(passages):
            if passage.place != place or not language.is_read(index):
                place, (topic, narrowing) = passage.place, self._new_section(framed)
            if for_machines and overlapping(for_machines, passage.first, passage.last):
                span = clean.source_span(passage.first, passage.last)
                report.for_machines.append(MachineStatement(*span, passage.section, normalised(texts[index])))
                topic.forget()
                continue
            if not language.is_read(index):
                content, span = self._cached_content(texts[index]), clean.source_span(passage.first, passage.last)
                code, names_organ = language.statements[index], bool(content.organs)
                report.foreign.append(ForeignStatement(*span, passage.section, content.words, names_organ, code))
                continue
            before = clean.text[max(0, passage.first - 8) : passage.first] if signs_lead else ""
            led_by_minus = before.rstrip(" ").endswith(("-", "–"))
            field = fields.take_in(clean.text, passage.first, passage.last, ends[passage.place])
            wordings = self._wordings.of_statement(field, passage.first, minus_is_no, led_by_minus)
            if field != texts[index]:
                wordings = [one._replace(first=passage.first, last=passage.last) for one in wordings]
            for wording in wordings:
                self._add(report, clean, passage, wording, topic, narrowing, last_end, ends[passage.place])
                last_end = wording.last
            if not wordings:
                topic.forget()
        return report

    def _new_section(self, title: tuple[str, tuple[str, ...]]) -> tuple[Topic, NarrowingHeading]:
        return Topic(self.parser.vocabulary), NarrowingHeading(self.parser.vocabulary, title=title)

    def _add(
        self,
        report: ReadReport,
        clean: CleanText,
        passage: Passage,
        wording: Wording,
        topic: Topic,
        narrowing: NarrowingHeading,
        last_end: int,
        section_end: int,
    ) -> None:
        """Add a statement to a report. In the clean text, ``last_end`` is the end of the one before."""
        content, number = self._cached_content(wording.text), len(report.statements)
        stands_alone = is_line_of_heading(clean.text, wording.first, wording.last, section_end)
        on_line = content.names_only and stands_alone
        heading = content.names_only and (on_line or not content.names_nodes)
        between = clean.text[last_end : wording.first]
        line, paragraph = "\n" in between, "\n\n" in between
        framed = None
        if narrowing.take_in(number, content.parse, alone=stands_alone, line=line, paragraph=paragraph):
            framed = self._cached_content(narrowing.before(wording.text))
        if framed is not None and narrowing.narrows(content.organs, framed.organs):
            content = framed._replace(words=content.words)
        else:
            framed = None
        before = topic.organs, topic.anchor
        context, anchor = topic.context(
            number, content.organs, heading=on_line, paragraph=paragraph, line=line, label=label_of(content.parse)
        )
        if content.organs and before[1] is not None and opens_with_pronoun(content.parse):
            topic.organs, topic.anchor = before  # "It extends into the renal vein. No rupture."
        is_own_line = has_unknown_label(content.parse) or (line and (wording.is_field or opens_a_field(content.parse)))
        if is_own_line and not content.organs:
            topic.forget()
        if is_own_line and anchor != topic.heading_anchor:
            context, anchor = (), None
        if wording.is_field and anchor is not None:
            source = content.parse if anchor == number else report.statements[anchor].parse  # its own label narrows it
            if not _names_organ(source):
                context, anchor = (), None  # "Splenomegaly: no. Varices: yes."
        if context and not content.organs and anchor is not None and anchor != number:
            named_by = report.statements[anchor]
            is_prose = not named_by.heading and label_of(named_by.parse) is None
            context = self._fitting.of(context, content.parse, named_by.parse if is_prose else None)
        context = self._fitting.on_stated_side(context, content.parse) if context else ()
        if report.title and not content.organs:
            context = self._fitting.below_title(report.title, context, content.parse)
        report.statements.append(
            ReportStatement(
                number,
                *clean.source_span(wording.first, wording.last),
                passage.section,
                content.words,
                content.keys | keys_of_organs(self.parser, context),
                content.parse,
                content.organs,
                context,
                anchor,
                heading=heading,
                title=report.title,
                narrowed_by=None if framed is None or narrowing.anchor < 0 else narrowing.anchor,
            )
        )
        if not heading:
            report.by_words.setdefault(content.words, []).append(number)

    def _content(self, text: str) -> _StatementContent:
        parse = self.parser.parse(text)
        organs, words = statement_organs(self.parser, parse), normalised(text)
        return _StatementContent(parse, organs, words, self.keys(text), names_only(parse), names_nodes(parse))


def _names_organ(statement: ParsedStatement) -> bool:
    """Tell whether a statement names an organ itself, and not only a finding that has one."""
    return any(term.mention and not term.mention.finding for term in statement.terms)
