"""Files of HL7 v2 messages as rows of reports: every framing, versions, what is left out and what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.curation.readers.reading import Problems, read_table

HEADER = r"MSH|^~\&|RIS|HOSPITAL|ARCHIVE|HOSPITAL|{time}||{type}|{control}|P|2.5.1|||||| {charset}"
LINES = ["Lungs: clear.", "Spleen of 11 cm \\T\\ normal.", "", "IMPRESSION: No acute disease."]


def message(
    lines: list[str],
    *,
    order: str = "OBR|1|PL7|FIL7^RIS|CTCHE^CT CHEST",
    status: str = "F",
    kind: str = "ORU^R01",
    time: str = "202401050910",
    charset: str = "",
    observed: str = "REP^Report",
) -> str:
    header = rf"MSH|^~\&|RIS|HOSPITAL|ARCHIVE|HOSPITAL|{time}||{kind}|C1|P|2.5.1||||||{charset}"
    values = [f"OBX|{n}|TX|{observed}||{line}||||||{status}" for n, line in enumerate(lines, 1)]
    return "".join(f"{segment}\r" for segment in [header, "PID|1||77^^^H", order, *values])


def read(path: Path, raw: str | bytes) -> tuple[list[dict[str, str]], Problems]:
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return read_table(path)


TEXT = "Lungs: clear.\nSpleen of 11 cm & normal.\n\nIMPRESSION: No acute disease."


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize(
    "frame", ["{}", "\x0b{}\x1c\r", "FHS|^~\\&|A\rBHS|^~\\&|A\r{}BTS|1\rFTS|1\r", "\ufeff{}", "\n\n{}"]
)
@pytest.mark.parametrize("name", ["a.hl7", "a.txt", "a.csv"])
def test_a_message_in_every_frame_is_a_report(tmp_path: Path, end: str, frame: str, name: str) -> None:
    rows, problems = read(tmp_path / name, frame.format(message(LINES)).replace("\r", end))
    assert problems == []
    assert rows == [
        {
            "report_id": "FIL7",
            "report": TEXT,
            "examination": "CT CHEST",
            "modality": "",
            "examination_code": "CTCHE",
            "status": "final",
            "message": "1",
        }
    ]
