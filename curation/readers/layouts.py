"""Find the columns of ids and texts by their names, which are those of public collections of reports.

Names are compared without case, spaces or punctuation. For a nested record the name is the path to the value:
``labels.report.findings.chest``. The collections that were looked at for these names: CT-RATE (VolumeName, Findings_EN,
Impressions_EN), CT-CLIP (AccessionNo, report_text), Merlin (study id, Findings), RadGenome-Chest CT (Volumename,
Anatomy, Sentence), INSPECT (impression_id, impressions), AbdomenAtlas 3.0 (BDMAP ID, narrative report, …), AMOS-MM
(image, labels.report.findings.…), CheXpert Plus (path_to_image, section_findings, section_impression), SRRG
(findings_section, impression_section), MTSamples (sample_id, text), MIMIC notes (note_id, text).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from curation.runtime.errors import InputError

# In order of preference: what names one report or scan before what names a patient, who may have several.
ID_NAMES = (
    "key", "reportid", "volumename", "accessionno", "accessionnumber", "accnum", "accession", "studyid", "examid",
    "accno", "orderprocid", "orderid", "examno", "examnumber", "studyno", "studynumber", "reportno", "reportnumber",
    "bdmapid", "impressionid", "sampleid", "caseid", "scanid", "seriesid", "noteid", "volumeid", "imageid",
    "pathtoimage", "imagepath", "filename", "studyinstanceuid", "studyuid", "uid", "id", "volume", "image", "scan",
    "study", "case", "patientid", "deidpatientid", "subjectid", "pid", "mrn", "name",
)  # fmt: skip
FINDINGS_NAMES = (
    "findingsen", "findings", "finding", "sectionfindings", "findingssection", "reportfindings", "findingstext",
    "narrative", "befund", "findingtext",
)  # fmt: skip
IMPRESSION_NAMES = (
    "impressionsen", "impressionen", "impressions", "impression", "sectionimpression", "impressionsection",
    "reportimpression", "impressiontext", "conclusions", "conclusion", "opinion",
    "conclusiontext", "beurteilung",
)  # fmt: skip
REPORT_NAMES = (
    "reporttext", "report", "radiologyreport", "fullreport", "reporten", "reporttexten", "reportcontent", "text",
    "fulltext", "transcription", "narrativereport", "structuredreport", "fusionnarrativereport",
    "fusionstructuredreport", "content", "rawreport", "reportbody", "reportnarrative", "notetext", "befundtext",
)  # fmt: skip
ROLES = {
    **dict.fromkeys(FINDINGS_NAMES, "findings"),
    **dict.fromkeys(IMPRESSION_NAMES, "impression"),
    **dict.fromkeys(REPORT_NAMES, "report"),
}
NUMBERED = re.compile(r"(.+) \(\d+\)$")
# What a column named on the command line holds, from a word in its name; anything else is findings.
SECTION_WORDS = {
    "impress": "impression",
    "conclusion": "impression",
    "opinion": "impression",
    "techni": "technique",
    "histor": "history",
    "clinical": "history",
    "indication": "history",
    "compar": "comparison",
    "recommend": "recommendation",
    "addend": "addendum",
}


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of text. ``section`` is the section that its text belongs to until a heading in it opens another one.

    ``held`` says that the first column with it usually holds this text too, so that it is read only where that one does
    not.
    """

    name: str
    section: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Says which columns of a table hold the ids and the texts of reports.

    ``texts`` holds alternatives, best first: a row is read by the first one that has text in it. Where ``heading`` is
    set, following rows of one id are one report, and that column heads each part of it. Where ``line`` is set, each row
    is a line of a report, and that column numbers them; ``part`` is the column that names the section of each row.
    """

    id_column: str | None
    texts: tuple[tuple[TextColumn, ...], ...]
    heading: str | None = None
    line: str | None = None
    part: str | None = None

    @property
    def is_joined(self) -> bool:
        """Return whether several rows make up a report."""
        return self.line is not None or self.part is not None

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The names of all columns with text, each once, in order of preference."""
        return tuple(dict.fromkeys(column.name for alternative in self.texts for column in alternative))


def find_layout(columns: Sequence[str], id_column: str | None = None, text_columns: Sequence[str] = ()) -> ColumnLayout:
    """Find the columns of ids and texts among ``columns`` by name; those that the caller names come first.

    It has no texts where no column is known to hold them.

    Raises:
        InputError: a named column is not there. It says which columns were seen.
    """
    by_plain_name = {plain_name(name): name for name in reversed(columns)}
    named_id = _named_column(id_column, "--id-column", columns) if id_column is not None else None
    named_texts = [_named_column(name, "--text-column", columns) for name in text_columns]
    known_ids = (by_plain_name[name] for name in ID_NAMES if name in by_plain_name)
    id_name = named_id or next((name for name in known_ids if name not in named_texts), None)
    if named_texts:
        alike = chain.from_iterable(_of_same_name(name, columns) for name in named_texts)
        texts = tuple(
            TextColumn(name, section_by_name(name), held=name not in named_texts) for name in dict.fromkeys(alike)
        )
        return ColumnLayout(id_name, (texts,))
    if {"volumename", "anatomy", "sentence"} <= by_plain_name.keys():
        sentence = TextColumn(by_plain_name["sentence"], "findings")
        return ColumnLayout(id_name, ((sentence,),), by_plain_name["anatomy"])
    return ColumnLayout(id_name, _known_texts([name for name in columns if name != id_name]))


def unknown_text(columns: Sequence[str], id_column: str | None, seen: str | None = None) -> InputError:
    """Return the error of a table without a column of report text; ``seen`` says what it holds instead."""
    return InputError(
        f"no column is known to hold report text. Columns seen: {listed(columns)}. "
        + (f"It looks like a table of labels: {seen}. " if seen else "")
        + "Expected one of report_text, report, text, findings, impression, Findings_EN …; name yours with "
        "--text-column NAME" + ("" if id_column else ", and the one with the ids with --id-column NAME")
    )


def is_known(name: str) -> bool:
    """Return whether a column of this name is known to hold ids or text."""
    return plain_name(name) in ROLES or plain_name(name) in ID_NAMES


def is_whole_report(name: str) -> bool:
    """Return whether a column of this name is known to hold whole reports."""
    return ROLES.get(_role_name(name) or "") == "report"


def first_name(name: str, columns: Sequence[str]) -> str:
    """Return the name that a column has in the file: readers number those that repeat, as in "Findings (2)"."""
    match = NUMBERED.match(name)
    return match[1] if match and match[1] in columns else name


def _known_texts(columns: Sequence[str]) -> tuple[tuple[TextColumn, ...], ...]:
    """Return findings with impression and, for rows where both are empty, each column that holds a whole report."""
    findings = _best(columns, FINDINGS_NAMES, "findings")
    impression = _best(columns, IMPRESSION_NAMES, "impression")
    reports = [_best(columns, (name,), "report") for name in REPORT_NAMES]
    whole_reports = [(*report, *(() if findings else impression)) for report in reports if report]
    parts = (*findings, *impression)
    alternatives = [parts, *whole_reports] if findings else [*whole_reports, parts]
    return tuple(alternative for alternative in alternatives if alternative)


def _best(columns: Sequence[str], names: Sequence[str], role: str) -> tuple[TextColumn, ...]:
    """Return the columns that have the first of ``names`` to be met: all of them, or the parts of a nested record."""
    section = "findings" if role == "report" else role
    for name in names:
        if matches := [column for column in columns if _role_name(first_name(column, columns)) == name]:
            nested = "." in matches[0]
            alike = matches if nested else [column for column in matches if "." not in column]
            return tuple(TextColumn(column, section, held=not nested and column != alike[0]) for column in alike)
    return ()


def _of_same_name(name: str, columns: Sequence[str]) -> list[str]:
    """Return a column and those that have the same name in the file."""
    return [name, *(column for column in columns if column != name and first_name(column, columns) == name)]


def _role_name(column: str) -> str | None:
    """Return the known name in the path of a column, the innermost if there are several."""
    if plain_name(column) in ROLES:
        return plain_name(column)
    steps = [plain_name(step) for step in column.split(".")]
    return next((step for step in reversed(steps) if step in ROLES), None) if len(steps) > 1 else None


def _named_column(name: str, flag: str, columns: Sequence[str]) -> str:
    """Return the column that a flag names: by its very name, else without case, else without punctuation as well."""
    for normalise in (str, str.casefold, plain_name):
        for column in columns:
            if normalise(column) == normalise(name):
                return column
    raise InputError(f"there is no column {name!r} ({flag}). Columns seen: {listed(columns)}")


def section_by_name(name: str) -> str:
    """Return the section that a column of this name holds."""
    plain = plain_name(name)
    return next((section for word, section in SECTION_WORDS.items() if word in plain), "findings")


def plain_name(name: str) -> str:
    """Return a name in lower case, without spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name).lower()


def listed(columns: Sequence[str], most: int = 30) -> str:
    """Return names in one line, the first of them where there are many."""
    more = f" and {len(columns) - most} more" if len(columns) > most else ""
    return ", ".join(columns[:most]) + more
