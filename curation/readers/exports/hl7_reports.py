"""Find the reports in an HL7 v2 message: each OBR (or TXA) with the OBX segments that follow it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .hl7_messages import Hl7Message, message_type
from .hl7_segments import Separators, components_of, field_of
from .newest import Version
from .sections_named import MODALITIES

# Messages of results and documents. All others (orders, admissions, bookings) tell what was asked for or of whom.
REPORT_TYPES = frozenset({"ORU", "MDM", "OUL", "ORF", "RSP", "DOC", "R01", ""})
CANCELLED_EVENT = "T11"
ADDENDUM_EVENTS = frozenset({"T05", "T06"})
CHANGED_EVENTS = frozenset({"T07", "T08", "T09", "T10"})
# OBX-11 (table 0085) of what was deleted, posted in error or cannot be had; OBR-25 (table 0123) of a cancelled report.
WITHDRAWN = frozenset({"D", "W", "X"})
CORRECTED, FINAL, PRELIMINARY = 3, 2, 1
PRELIMINARY_STATUS = frozenset({"P", "R", "S", "A", "I", "O", "N"})
PRELIMINARY_DOCUMENTS = frozenset({"DI", "DO", "IP", "IN", "PA"})
STATUS_NAMES = {CORRECTED: "corrected", FINAL: "final", PRELIMINARY: "preliminary"}


class Observation(NamedTuple):
    """An OBX segment, the ``number``-th of its message."""

    number: int
    fields: list[str]

    @property
    def value_type(self) -> str:
        """The type of its value, OBX-2."""
        return field_of(self.fields, 2).strip().upper()

    @property
    def observed(self) -> str:
        """What was observed, OBX-3, with its separators."""
        return field_of(self.fields, 3)

    @property
    def value(self) -> str:
        """The value, OBX-5, with its separators and escapes."""
        return field_of(self.fields, 5)

    @property
    def status(self) -> str:
        """Whether it is final, corrected, withdrawn …, OBX-11."""
        return field_of(self.fields, 11).strip().upper()

    @property
    def withdrawn(self) -> bool:
        """Whether the value was deleted, is wrong or cannot be had."""
        return self.status in WITHDRAWN


@dataclass(slots=True)
class Hl7Report:
    """A report of a message: what its OBR (or TXA) says of it, and its observations in order.

    ``id_field`` is where the id was found, such as "OBR-3", and "" where there is none. ``cut_off`` says that the file
    ends within the report, ``may_be_cut_off`` that this cannot be told.
    """

    message: int
    place: str
    separators: Separators
    report_id: str = ""
    id_field: str = ""
    code: str = ""
    examination: str = ""
    modality: str = ""
    status: str = ""
    time: str = ""
    rank: int = FINAL
    withdrawn: bool = False
    addendum: bool = False
    cut_off: bool = False
    may_be_cut_off: bool = False
    comments: int = 0
    observations: list[Observation] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What versions of the report have in common; "" where it has no id.

        An addendum in a message of its own does not replace what it is added to.
        """
        return "\x1f".join((self.report_id, self.code, "addendum" * self.addendum)) if self.report_id else ""

    def version(self) -> Version:
        """Return what tells which of two versions is newer."""
        return Version(self.message, self.rank, self.time, withdrawn=self.withdrawn)


def reports_of(message: Hl7Message) -> Iterator[Hl7Report]:
    """Yield the reports of a message, with all that can be said of each before its text is read."""
    event = message_type(message)[1]
    order: list[str] = []
    report: Hl7Report | None = None
    observations = orders = 0
    for fields in message.segments:
        match fields[0]:
            case "PID":
                order = []
            case "ORC":
                order = fields
            case "OBR":
                if report is not None:
                    yield _finished(report)
                orders += 1
                report = _of_order(message, fields, order, f"OBR {orders}")
            case "TXA":
                report = report or Hl7Report(message.number, "TXA", message.separators, time=_time_of(message))
                _add_document(report, fields, order)
            case "NTE" if report is not None:
                report.comments += 1
            case "OBX":
                observations += 1
                report = report or Hl7Report(message.number, "OBX 1", message.separators, time=_time_of(message))
                report.observations.append(Observation(observations, fields))
    if report is not None:
        _add_event(report, event)
        _add_end(report, message)
        yield _finished(report)


def _of_order(message: Hl7Message, fields: list[str], order: list[str], place: str) -> Hl7Report:
    separators = message.separators
    places = (("OBR-3", fields, 3), ("OBR-2", fields, 2), ("ORC-3", order, 3), ("ORC-2", order, 2))
    report_id, id_field = _first_id(places, separators)
    service = components_of(field_of(fields, 4), separators)
    code, name, alternative = (service[place] if place < len(service) else "" for place in (0, 1, 4))
    section = "".join(components_of(field_of(fields, 24), separators)[:1]).upper()
    status = field_of(fields, 25).strip().upper()
    return Hl7Report(
        message=message.number,
        place=place,
        separators=separators,
        report_id=report_id,
        id_field=id_field,
        code=code,
        examination=name or alternative or code,
        modality=MODALITIES.get(section, ""),
        status=status,
        time=_sortable(field_of(fields, 22)) or _time_of(message),
        withdrawn=status == "X",
    )


def _first_id(places: tuple[tuple[str, list[str], int], ...], separators: Separators) -> tuple[str, str]:
    """Return the first id that is given, and the field that it was found in."""
    for name, fields, number in places:
        if value := field_of(fields, number):
            parts = components_of(value, separators)
            if parts[0]:
                return parts[0], name
    return "", ""


def _add_document(report: Hl7Report, fields: list[str], order: list[str]) -> None:
    """Add what TXA says of a document: its number where no order has given an id, and how far it is finished."""
    if not report.report_id:
        places = (("TXA-15", fields, 15), ("TXA-14", fields, 14), ("ORC-3", order, 3), ("ORC-2", order, 2))
        report.report_id, report.id_field = _first_id((*places, ("TXA-12", fields, 12)), report.separators)
    completion, availability = field_of(fields, 17).strip().upper(), field_of(fields, 19).strip().upper()
    report.withdrawn |= availability == "CA"
    report.status = report.status or ("P" if completion in PRELIMINARY_DOCUMENTS else "")


def _add_event(report: Hl7Report, event: str) -> None:
    """Add what the event of an MDM message says: a document was cancelled, replaced, or is an addendum to another."""
    report.withdrawn |= event == CANCELLED_EVENT
    report.addendum |= event in ADDENDUM_EVENTS
    if event in CHANGED_EVENTS and not report.status:
        report.status = "C"


def _add_end(report: Hl7Report, message: Hl7Message) -> None:
    """Add whether the file ends within the last report of a message.

    An observation with a status is whole; one without is not, if those before it have theirs.
    """
    *others, last = [observation.status for observation in report.observations] or [""]
    open_end = message.unterminated and message.segments[-1][0] == "OBX" and not last
    report.cut_off = message.cut_off or (open_end and any(others))
    report.may_be_cut_off = open_end and not report.cut_off


def _finished(report: Hl7Report) -> Hl7Report:
    """Return a report with the rank of its version, and withdrawn if all that it had is."""
    states = {observation.status for observation in report.observations}
    if report.status == "C" or "C" in states:
        report.rank = CORRECTED
    elif report.status:
        report.rank = PRELIMINARY if report.status in PRELIMINARY_STATUS else FINAL
    else:
        report.rank = PRELIMINARY if states & PRELIMINARY_STATUS else FINAL
    if states & WITHDRAWN:
        valued = [observation for observation in report.observations if observation.value or observation.withdrawn]
        report.withdrawn |= all(observation.withdrawn for observation in valued)
    return report


def _time_of(message: Hl7Message) -> str:
    return _sortable(field_of(message.header, 7))


def _sortable(time: str) -> str:
    """Return a time of HL7 (YYYYMMDDHHMMSS, cut off where it is not known) as a text that sorts by time."""
    digits = re.split(r"[-+.^]", time.strip(), maxsplit=1)[0][:14]
    return digits if digits.isdecimal() and len(digits) >= 8 else ""
