"""Read a file of HL7 v2 messages as rows: one for each report, of each the newest version.

The file is read twice: first only to learn which version of a report is the newest, then for the texts. So rows stream,
and memory does not grow with the file: an index of ids is on disk (``newest.NewestVersions``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ..decoding import ByteStream
from ..rows import NoteProblem, Table, TableRow
from .hl7_messages import Hl7Message, message_type, read_messages
from .hl7_reports import REPORT_TYPES, STATUS_NAMES, Hl7Report, reports_of
from .hl7_text import DOCUMENT_TYPE, TEXT_TYPES, has_text, text_of
from .newest import NewestVersions

FORMAT = "HL7 v2"
COLUMNS = ("report_id", "report", "examination", "modality", "examination_code", "status", "message")


@contextmanager
def open_hl7_table(stream: ByteStream, note: NoteProblem) -> Iterator[Table]:
    """Open a file of messages as a table whose rows stream; a row's number is that of its message."""
    with NewestVersions() as newest:
        id_fields = _index(stream, newest)
        stream.seek(0)
        origins = {"report_id": " or ".join(name for name, _ in id_fields.most_common()), "report": "OBX-5"}
        columns = COLUMNS if id_fields else COLUMNS[1:]
        yield Table(columns, _rows(stream, newest, note), FORMAT, origins=origins, newest=newest)


def _index(stream: ByteStream, newest: NewestVersions) -> Counter[str]:
    """Index the versions of all reports; return how many ids were found in which field."""
    id_fields = Counter[str]()
    for message in read_messages(stream, _note_nothing):
        if message_type(message)[0] in REPORT_TYPES:
            for report in reports_of(message):
                if report.key and not report.cut_off and (report.withdrawn or has_text(report)):
                    newest.offer(report.key, report.version())
                    id_fields[report.id_field] += 1
    return id_fields


def _note_nothing(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
    """Do nothing: all problems are noted when the texts are read."""


def _rows(stream: ByteStream, newest: NewestVersions, note: NoteProblem) -> Iterator[TableRow]:
    other_messages, other_values = Counter[str](), Counter[str]()
    for message in read_messages(stream, note):
        code, event = message_type(message)
        if code not in REPORT_TYPES:
            other_messages["^".join(filter(None, (code, event)))] += 1
            continue
        reports = list(reports_of(message))
        if not reports:
            note(message.number, f"{message.place()}: no OBR and no OBX, so no report")
        for report in reports:
            other_values.update(observation.value_type for observation in report.observations)
            if row := _row_of(message, report, newest, note):
                yield row
    for name, count in other_messages.items():
        note(None, f"{count:,} messages of type {name} hold no reports; left out", kept=True)
    for name, count in other_values.items():
        if name not in TEXT_TYPES and name != DOCUMENT_TYPE:
            note(None, f"{count:,} OBX of type {name} hold no text; left out", kept=True)


def _row_of(message: Hl7Message, report: Hl7Report, newest: NewestVersions, note: NoteProblem) -> TableRow | None:
    """Return the row of a report; None, and a problem, where it is not the newest version or has no text."""
    name = f" ({report.report_id})" if report.report_id else ""
    place = f"{message.place()}, {report.place}{name}"
    if report.cut_off:
        note(message.number, f"{place}: the file ends in the middle of it. The report was left out")
        return None
    if problem := _not_current(report, newest):
        note(message.number, f"{place}: {problem}")
        return None
    result = text_of(report)
    for problem in result.problems:
        note(message.number, f"{place}: {problem}", kept=bool(result.text))
    if not result.text:
        if not result.problems:
            comments = f" ({report.comments} comments, NTE, are not read)" if report.comments else ""
            note(message.number, f"{place}: no text in OBX-5{comments}")
        return None
    if report.may_be_cut_off:
        note(message.number, f"{place}: the file ends without an end of the last OBX; it may be cut off", kept=True)
    status = STATUS_NAMES[report.rank]
    values = (report.report_id, result.text, report.examination, report.modality, report.code, status)
    cells = dict(zip(COLUMNS, (*values, str(message.number)), strict=True))
    return TableRow(message.number, cells, version_key=report.key)


def _not_current(report: Hl7Report, newest: NewestVersions) -> str | None:
    """Return why a report is not used, if it was withdrawn or another message has a newer version of it."""
    if report.withdrawn:
        return "withdrawn or cancelled; left out"
    version = newest.newest(report.key) if report.key else None
    if version is None or version.number == report.message:
        return None
    state = "withdraws it" if version.withdrawn else f"has the {STATUS_NAMES[version.rank]} report"
    return f"message {version.number} {state}; this one is left out"
