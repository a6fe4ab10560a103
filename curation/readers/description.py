"""What an input looks like to the program: format, encoding, columns and language, told before a run takes hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from curation.report import Report

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

    from .reports import ColumnsRead

# Reports whose language is looked at, and characters of each: enough to tell one language from another.
SAMPLE_REPORTS = 50
SAMPLE_CHARACTERS = 1_000
# The language of a text is named where it is as likely as this among all of `LANGUAGES`.
LEAST_PROBABILITY = 0.9
UNDETERMINED = "und"
# The languages that are told apart, with their English names.
LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


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
        return _language_name(next(iter(self.languages)))

    def sentence(self) -> str:
        """Return the description as one line for the terminal."""
        looks = ", ".join(filter(None, (self.format, self.encoding, self.language)))
        ids = f"ids from {self.id_column}" if self.id_column else "reports named by their row"
        return f"reading {self.name} ({looks}): {ids}, text from {' + '.join(self.text_columns)}"

    def warning(self) -> str | None:
        """Return a warning where reports of the sample are not in English, which is all that the program reads."""
        others = {code: count for code, count in self.languages.items() if code not in ("en", UNDETERMINED)}
        if not others:
            return None
        total = sum(self.languages.values())
        names = ", ".join(f"{count} {_language_name(code)}" for code, count in others.items())
        return (
            f"{self.name}: of the first {total} reports, {names}; rules and verifier read English only, so translate "
            "these reports or leave them out"
        )


def _language_name(code: str) -> str:
    return LANGUAGES.get(code, "language unclear")


def describe_input(path: Path, columns: ColumnsRead, reports: Sequence[Report]) -> InputDescription:
    """Describe an input by the columns that were read and its first reports, at least one."""
    return InputDescription(
        name=path.name,
        format=columns.format,
        encoding=columns.encoding,
        id_column=columns.id_column,
        text_columns=columns.text_columns,
        languages=_languages(reports[:SAMPLE_REPORTS]),
    )


def _languages(reports: Sequence[Report]) -> dict[str, int]:
    texts = [report.text[:SAMPLE_CHARACTERS] for report in reports]
    codes = [language_of(text) for text in texts]
    # Texts that are too short one by one are told by all of them together.
    together = language_of("\n".join(text for text, code in zip(texts, codes, strict=True) if code == UNDETERMINED))
    counts = Counter(together if code == UNDETERMINED else code for code in codes)
    return dict(counts.most_common())


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of a text's language, ``UNDETERMINED`` where the text is too short to tell."""
    code, probability = _identifier().classify(text)
    return str(code) if probability >= LEAST_PROBABILITY else UNDETERMINED


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
