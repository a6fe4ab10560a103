"""Read the texts of reports: joined from their columns, cut into sections, and what their titles say was examined.

Tables of short texts repeat the same few of them, and some exports repeat a long one. A text that came a short while
ago is not read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curation.report import Examination, Section
from curation.runtime.caches.recent import Recent
from curation.runtime.limits import REPORT_CHARACTERS

from ..examinations.columns import ExaminationColumns, examination_of, examination_of_title
from ..layouts import TextColumn
from ..sections import split_sections
from ..site_headings import SiteHeadings

KEPT_CHARACTERS = 2_000_000
"""Characters of texts kept as they were read, with what was read of them."""


class ReportTexts:
    """Reads the texts of one file's reports. ``headings`` are those that a site has added to ours."""

    def __init__(self, headings: SiteHeadings | None) -> None:
        self._headings = headings
        self._most = REPORT_CHARACTERS.most
        self._sections: Recent[tuple[str, str], tuple[Section, ...]] = Recent(KEPT_CHARACTERS)
        self._titles: Recent[tuple[str, tuple[Section, ...]], tuple[Examination | None]] = Recent(KEPT_CHARACTERS)

    def refusal(self, columns: Sequence[TextColumn], cells: Mapping[str, str]) -> str | None:
        """Return why the text in some columns of a row is not read, for it is no report's; None for one that is."""
        size = sum(len(cells[column.name]) for column in columns)
        if size <= self._most:
            return None
        names = ", ".join(column.name for column in columns)
        return (
            f"{size:,} characters in {names}, where a report has {self._most:,} at most: {REPORT_CHARACTERS.reason}"
            f"{REPORT_CHARACTERS.way_out()}"
        )

    def joined(self, columns: Sequence[TextColumn], cells: Mapping[str, str]) -> tuple[str, tuple[Section, ...]]:
        """Return the text of a report, with a blank line between its columns, and its sections in offsets of it."""
        if len(columns) == 1:
            text = cells[columns[0].name]
            return text, self._sections_of(text, columns[0].section)
        text, sections = "", []
        for column in columns:
            text += "\n\n" if text else ""
            for section in self._sections_of(cells[column.name], column.section):
                sections.append(Section(section.name, len(text) + section.start, len(text) + section.end))
            text += cells[column.name]
        return text, tuple(sections)

    def examination(
        self, columns: ExaminationColumns, cells: Mapping[str, str], text: str, sections: tuple[Section, ...]
    ) -> Examination:
        """Return what was examined, as far as cells or the text's title tell."""
        return examination_of(columns, cells, text, sections, self._of_title)

    def _sections_of(self, text: str, default: str) -> tuple[Section, ...]:
        return self._sections.made((text, default), len(text), lambda: split_sections(text, default, self._headings))

    def _of_title(self, text: str, sections: tuple[Section, ...]) -> Examination | None:
        return self._titles.made((text, sections), len(text), lambda: (examination_of_title(text, sections),))[0]
