"""HL7 v2 messages for the tests, written after the standard."""

from __future__ import annotations

ORDER = "OBR|1|PL7|FIL7^RIS|CTCHE^CT CHEST"


def header(kind: str = "ORU^R01", time: str = "202401050910", charset: str = "") -> str:
    return rf"MSH|^~\&|RIS|HOSPITAL|ARCHIVE|HOSPITAL|{time}||{kind}|C1|P|2.5.1||||||{charset}"


def observations(*values: str, status: str = "F", kind: str = "TX", observed: str = "REP^Report") -> list[str]:
    return [f"OBX|{number}|{kind}|{observed}||{value}||||||{status}" for number, value in enumerate(values, 1)]


def joined(*segments: str, end: str = "\r") -> str:
    return "".join(segment + end for segment in segments)


def message(*values: str, order: str = ORDER, status: str = "F", **head: str) -> str:
    """A message of one report, whose lines are ``values``."""
    return joined(header(**head), "PID|1||77^^^H", order, *observations(*values, status=status))


def order(
    name: str = "FIL7", code: str = "CTCHE^CT CHEST", *, changed: str = "", section: str = "", status: str = ""
) -> str:
    """An OBR with its id, examination, time of change, section and status."""
    fields = [""] * 26
    fields[0:5] = ["OBR", "1", "PL7", name, code]
    fields[22], fields[24], fields[25] = changed, section, status
    return "|".join(fields)
