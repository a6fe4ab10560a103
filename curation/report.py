"""What comes in: a radiology report and its sections, the record that every reader yields and every engine takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Names of the sections that captions are taken from. All other sections are kept, but not read.
READ_SECTIONS = frozenset({"findings", "impression", "addendum"})


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a report, without its heading.

    ``name`` is the kind of section in lower case: "findings", "impression", "addendum", "recommendation", "comparison",
    "technique", "history", "exam" or "other". ``start`` and ``end`` are offsets into the report's ``text``, in
    characters (Unicode code points) from 0: ``text[start:end]`` is the body.
    """

    name: str
    start: int
    end: int


class Modality(StrEnum):
    """The modalities that are told apart."""

    CT = "CT"
    MR = "MR"
    US = "US"
    RADIOGRAPH = "radiograph"
    PET = "PET"
    NM = "NM"
    MAMMOGRAPHY = "mammography"
    FLUOROSCOPY = "fluoroscopy"
    ANGIOGRAPHY = "angiography"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was examined, as far as a column, a title or a heading tells.

    ``modalities`` are several for a PET/CT, and none where they are unknown. ``stated`` is the phrase that tells, and
    ``body_part`` is in words of it; both may be "".
    """

    modalities: tuple[Modality, ...] = ()
    body_part: str = ""
    stated: str = ""

    @property
    def name(self) -> str:
        """The modalities as one word: "CT", "PET/CT", "unknown"."""
        return "/".join(self.modalities) or "unknown"

    def may_be(self, modality: Modality) -> bool:
        """Return whether the examination is of this modality, or of an unknown one."""
        return not self.modalities or modality in self.modalities


@dataclass(frozen=True, slots=True)
class Report:
    """A radiology report.

    - ``report_id``: the id in the input, made unique within it; "row-000007" where the input has none.
    - ``text``: the cell as it was read or, where findings and impression have columns of their own, both with a blank
      line between them. All character offsets, of sections and of evidence, count in this text.
    - ``sections``: in the order of the text, without overlaps.
    - ``source``: the cells of all other columns, by the column's name.
    - ``row``: the data row of the input that it was read from, counted from 1 without the header.
    - ``examination``: body part and modality, where they are told.
    """

    report_id: str
    text: str
    sections: tuple[Section, ...]
    source: dict[str, str]
    row: int
    examination: Examination = Examination()


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A problem with a row of the input; its fields are the keys of a line in ``skipped.jsonl``.

    - ``file``: path or name of the file that the row stands in.
    - ``row``: the data row, counted from 1 without the header; None speaks of the whole file.
    - ``problem``: what is wrong, in words.
    - ``kept``: whether the row is used all the same (a warning) or is skipped.
    - ``line``: the line of the file that the row begins in, counted from 1 with the header; None where it is not known.
    """

    file: str
    row: int | None
    problem: str
    kept: bool = False
    line: int | None = None
