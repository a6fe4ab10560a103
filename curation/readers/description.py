"""What an input looks like to the program: format, encoding, columns and language, told before a run takes hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from curation.report import Report
from curation.report_language.languages import ENGLISH, UNDETERMINED, LanguageChoice, counts_by_language, language_name
from curation.report_language.reports import report_language

if TYPE_CHECKING:
    from .reports import ColumnsRead

# Reports whose language is looked at.
SAMPLE_REPORTS = 50


class InputDescription(BaseModel):
    """How an input was read.

    ``encoding`` is None for formats that are not text, ``id_column`` where reports are named by their row.
    ``languages`` counts the reports of a sample from the start of the input by the ISO 639-1 code of their language,
    the most frequent first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    format: str
    encoding: str | None
    id_column: str | None
    text_columns: tuple[str, ...]
    languages: dict[str, int]

    @property
    def language(self) -> str:
        """The English name of the most frequent language."""
        return language_name(next(iter(self.languages)))

    def sentence(self) -> str:
        """Return the description as one line for the terminal."""
        looks = ", ".join(filter(None, (self.format, self.encoding, self.language)))
        ids = f"ids from {self.id_column}" if self.id_column else "reports named by their row"
        return f"reading {self.name} ({looks}): {ids}, text from {' + '.join(self.text_columns)}"

    def warning(self, language: LanguageChoice = "en") -> str | None:
        """Return a warning where reports of the sample are not English, with their share and what becomes of them."""
        others = {code: count for code, count in self.languages.items() if code not in (ENGLISH, UNDETERMINED)}
        if not others:
            return None
        total, foreign = sum(self.languages.values()), sum(others.values())
        what = f"{self.name}: of the first {total} reports, {counts_by_language(others)} ({foreign / total:.0%})"
        if language == "any":
            return f"{what}; of these, captions are held against what they quote, and their meaning is not verified"
        return (
            f"{what}; rules and verifier read English only, so they are refused (language): translate them, leave them "
            "out, or see --language any"
        )


def describe_input(name: str, columns: ColumnsRead, reports: Sequence[Report]) -> InputDescription:
    """Describe an input, by what to call it, the columns that were read and its first reports, at least one."""
    return InputDescription(
        name=name,
        format=columns.format,
        encoding=columns.encoding,
        id_column=columns.id_column,
        text_columns=columns.text_columns,
        languages=_languages(reports[:SAMPLE_REPORTS]),
    )


def _languages(reports: Sequence[Report]) -> dict[str, int]:
    codes = [report_language(report.text, report.sections).code for report in reports]
    # Texts that are too short one by one are told by all of them together, or by the others where these are alike.
    short = [report.text for report, code in zip(reports, codes, strict=True) if code == UNDETERMINED]
    others = set(codes) - {UNDETERMINED}
    together = language_of("\n".join(short))
    if together == UNDETERMINED and len(others) == 1:
        together = others.pop()
    counts = Counter(together if code == UNDETERMINED else code for code in codes)
    return dict(counts.most_common())


def language_of(text: str) -> str:
    """Return the code of a text's language, ``UNDETERMINED`` where the text is too short to tell."""
    return report_language(text, ()).code
