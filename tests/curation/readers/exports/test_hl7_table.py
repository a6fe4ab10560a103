"""Files of HL7 v2 messages as rows of reports: every framing, versions, what is left out and what is broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from curation.readers.reports import ColumnsRead, read_reports
from tests.curation.readers.exports.messages import header, joined, message, observations, order
from tests.curation.readers.reading import Problems, read_table

VALUES = ("Lungs: clear.", r"Spleen of 11 cm \T\ normal.", "", "IMPRESSION: No acute disease.")
TEXT = "Lungs: clear.\nSpleen of 11 cm & normal.\n\nIMPRESSION: No acute disease."


def read(path: Path, raw: str | bytes) -> tuple[list[dict[str, str]], Problems]:
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return read_table(path)


def texts(path: Path, raw: str | bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """Id and text of each report, and the problems in words; a problem that loses a report begins with "-"."""
    rows, problems = read(path / "a.hl7", raw)
    return [(row.get("report_id", ""), row["report"]) for row in rows], [
        ("" if kept else "-") + problem for _, problem, kept in problems
    ]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize(
    "frame", ["{}", "\x0b{}\x1c\r", "FHS|^~\\&|A\rBHS|^~\\&|A\r{}BTS|1\rFTS|1\r", "\ufeff{}", "\n\n{}"]
)
@pytest.mark.parametrize("name", ["a.hl7", "a.txt", "a.csv"])
def test_a_message_in_every_frame_is_a_report(tmp_path: Path, end: str, frame: str, name: str) -> None:
    rows, problems = read(tmp_path / name, frame.format(message(*VALUES)).replace("\r", end))
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


def test_reports_of_a_gzipped_file_of_many_messages(tmp_path: Path) -> None:
    raw = "".join(message(*VALUES, order=order(f"F{number}")) for number in range(300))
    rows, problems = read(tmp_path / "a.hl7.gz", gzip.compress(raw.encode()))
    assert problems == []
    assert [row["report_id"] for row in rows] == [f"F{number}" for number in range(300)]
    assert {row["report"] for row in rows} == {TEXT}


def test_what_is_read_is_told_before_the_first_report(tmp_path: Path) -> None:
    columns: list[ColumnsRead] = []
    (tmp_path / "a.txt").write_text(message("Liver normal."))
    (report,) = read_reports(tmp_path / "a.txt", on_columns=columns.append)
    assert columns == [ColumnsRead("OBR-3", ("OBX-5",), "utf-8", "HL7 v2")]
    assert (report.report_id, report.text, report.source["examination"]) == ("FIL7", "Liver normal.", "CT CHEST")


@pytest.mark.parametrize(
    ("segments", "name", "place"),
    [
        (["OBR|1|PL7|FIL7^RIS"], "FIL7", "OBR-3"),
        (["OBR|1|PL7^EHR|"], "PL7", "OBR-2"),
        (["ORC|RE|PL8|FIL8", "OBR|1||"], "FIL8", "ORC-3"),
        (["TXA|1|RAD|TX|||||||||DOC9||PL9|FIL9"], "FIL9", "TXA-15"),
        (["TXA|1|RAD|TX|||||||||DOC9"], "DOC9", "TXA-12"),
        (["OBR|1||ACC7|", "TXA|1|RAD|TX|||||||||DOC9"], "ACC7", "OBR-3"),
        (["OBR|1"], None, None),
        ([], None, None),
    ],
)
def test_ids_come_from_the_order_or_the_document(
    tmp_path: Path, segments: list[str], name: str | None, place: str | None
) -> None:
    columns: list[ColumnsRead] = []
    (tmp_path / "a.hl7").write_text(joined(header("MDM^T02"), *segments, *observations("Liver normal.")))
    (report,) = read_reports(tmp_path / "a.hl7", on_columns=columns.append)
    assert columns[0].id_column == place
    assert report.report_id == (name or "row-000001")


def test_each_order_of_a_message_is_a_report(tmp_path: Path) -> None:
    first = [order("A", "CTABD^CT ABDOMEN", section="CT"), *observations("Liver normal.")]
    second = ["ORC|RE", order("B", "US^^L^^Sonography", section="RUS"), *observations("Spleen normal.")]
    rows, problems = read(tmp_path / "a.hl7", joined(header(), *first, *second, "OBR|3|P|C|XR"))
    assert [(row["report_id"], row["examination"], row["modality"]) for row in rows] == [
        ("A", "CT ABDOMEN", "CT"),
        ("B", "Sonography", "US"),
    ]
    assert problems == [(1, "message 1, OBR 3 (C): no text in OBX-5", False)]


def version(status: str, text: str = "", changed: str = "", *, observed_status: str = "", **head: str) -> str:
    lines = observations(text or f"Text {status}.", status=observed_status or status)
    return joined(header(**head), order("A", changed=changed, status=status), *lines)


@pytest.mark.parametrize(
    ("versions", "text", "last"),
    [
        ((version("P"), version("F")), "Text F.", 2),
        ((version("F"), version("P")), "Text F.", 1),
        ((version("F"), version("C"), version("F", "Again.")), "Text C.", 2),
        ((version("F", "One."), version("F", "Two.")), "Two.", 2),
        ((version("F", "One.", "20240102"), version("F", "Two.", "20240101")), "One.", 1),
        ((version("", "One.", observed_status="P"), version("", "Two.", observed_status="F")), "Two.", 2),
        ((version("F", "One."), version("F", "Two.", observed_status="C"), version("F", "Three.")), "Two.", 2),
        ((version("F", "One."), version("F", '""', observed_status="U")), "One.", 1),
    ],
)
def test_the_newest_version_is_read(tmp_path: Path, versions: tuple[str, ...], text: str, last: int) -> None:
    rows, problems = read(tmp_path / "a.hl7", "".join(versions))
    assert [(row["report"], row["message"]) for row in rows] == [(text, str(last))]
    assert len(problems) == len(versions) - 1
    for number, problem, kept in problems:
        assert not kept
        assert problem.startswith(f"message {number}, OBR 1 (A): ")
        assert f"message {last} has the" in problem or "no text" in problem


@pytest.mark.parametrize(
    "withdrawal", [version("X"), version("F", observed_status="D"), version("F", observed_status="W")]
)
def test_a_report_that_was_withdrawn_is_left_out(tmp_path: Path, withdrawal: str) -> None:
    rows, problems = texts(tmp_path, version("F") + withdrawal)
    assert rows == []
    assert problems == [
        "-message 1, OBR 1 (A): message 2 withdraws it; this one is left out",
        "-message 2, OBR 1 (A): withdrawn or cancelled; left out",
    ]
    assert texts(tmp_path, version("C") + withdrawal + version("P"))[0] == [("A", "Text P.")]


def test_a_cancelled_document_and_an_addendum(tmp_path: Path) -> None:
    document = "TXA|1|RAD|TX|||||||||{}||||||AU"
    first = joined(header("MDM^T02"), document.format("D1"), *observations("Liver normal."))
    addendum = joined(
        header("MDM^T06"), document.format("D1"), *observations("Stone in the left kidney.", observed="&ADT")
    )
    cancelled = joined(header("MDM^T11"), document.format("D1"))
    assert texts(tmp_path, first + addendum) == (
        [("D1", "Liver normal."), ("D1", "ADDENDUM:\nStone in the left kidney.")], [],
    )  # fmt: skip
    assert texts(tmp_path, first + cancelled)[0] == []


def test_other_examinations_under_an_id_are_no_versions(tmp_path: Path) -> None:
    raw = message("Liver normal.", order=order("A", "CTABD")) + message("Lungs clear.", order=order("A", "CTCHE"))
    assert texts(tmp_path, raw) == ([("A", "Liver normal."), ("A", "Lungs clear.")], [])


def test_what_is_no_report_is_counted(tmp_path: Path) -> None:
    admission = joined(header("ADT^A01"), "PID|1", *observations("180", kind="NM"))
    mixed = joined(header(), order("A"), *observations("Liver normal."), *observations("7", "8", kind="NM"))
    rows, problems = texts(tmp_path, admission * 2 + mixed + joined(header(), "PID|1"))
    assert rows == [("A", "Liver normal.")]
    assert problems == [
        "-message 4: no OBR and no OBX, so no report",
        "2 messages of type ADT^A01 hold no reports; left out",
        "2 OBX of type NM hold no text; left out",
    ]


GOOD, LAST = message("Liver normal.", order=order("A")), message("Spleen normal.", order=order("Z"))
PROBLEM_BEGINS = {
    "empty observation": (message("", order=order("B")), "-message 2, OBR 1 (B): no text in OBX-5"),
    "comments alone": (
        joined(header(), order("B"), "OBX|1|TX", "NTE|1||Liver big."),
        "-message 2, OBR 1 (B): no text in OBX-5 (1 comments, NTE, are not read)",
    ),
    "erased observation": (message('""', order=order("B")), "-message 2, OBR 1 (B): no text in OBX-5"),
    "no observation": (joined(header(), order("B")), "-message 2, OBR 1 (B): no text in OBX-5"),
    "no separators": (joined("MSH", order("B"), *observations("x")), "-message 2: MSH has no separators: 'MSH'"),
    "a header of words": ("MSH has gone\rOBX|1|TX|||x\r", "-message 2: MSH has no separators: 'MSH has gone'"),
    "a broken document": (
        joined(header(), order("B"), "OBX|1|ED|||^TEXT^^Base64^QUJ"), "-message 2, OBR 1 (B): OBX 1: base64 that is",
    ),
    "a PDF": (
        joined(header(), order("B"), "OBX|1|ED|||^AP^PDF^Base64^JVBERi0xLjQK"), "-message 2, OBR 1 (B): OBX 1: a PDF; ",
    ),
    "no end of a frame": (f"\x0b{message('x')}\x0b\x1c\r", "-message 2: its frame has no end; it may be cut off"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PROBLEM_BEGINS)
def test_a_bad_message_does_not_lose_the_others(tmp_path: Path, kind: str) -> None:
    bad, begins = PROBLEM_BEGINS[kind]
    rows, problems = texts(tmp_path, GOOD + bad + LAST)
    assert rows == [("A", "Liver normal."), ("Z", "Spleen normal.")]
    assert len(problems) == 1
    assert problems[0].startswith(begins)


def test_wherever_a_file_is_cut_off_no_half_report_is_read(tmp_path: Path) -> None:
    """Cut at each byte of the last message, it is whole, or it is gone and that is said."""
    whole = message("Liver normal.", "Spleen of 11 cm, not enlarged.", order=order("Z"))
    for end in range(1, len(whole) + 1):
        rows, problems = texts(tmp_path, GOOD + whole[:end])
        assert rows[0] == ("A", "Liver normal.")
        complete = ("Z", "Liver normal.\nSpleen of 11 cm, not enlarged.")
        if len(rows) == 2 and rows[1] != complete:
            # At the end of a segment nothing shows that more was to come.
            assert whole[:end].rstrip("\r").endswith(("||||||F", "Z|CTCHE^CT CHEST"))
            assert rows[1] == ("Z", "Liver normal.")
        elif len(rows) == 1:
            assert problems, whole[:end]
    assert texts(tmp_path, GOOD + whole) == ([("A", "Liver normal."), complete], [])


def test_a_single_message_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    raw = joined(header(), order("A"), *observations("Liver normal.", "Spleen of 11 cm."))
    assert texts(tmp_path, raw[: raw.index(" cm.")]) == (
        [], ["-message 1, OBR 1 (A): the file ends in the middle of it. The report was left out"],
    )  # fmt: skip


@pytest.mark.parametrize("end", [120, 200])
def test_a_gzipped_file_that_is_cut_off(tmp_path: Path, end: int) -> None:
    raw = "".join(message(f"Nodule of {number * 7919 % 1013} mm.", order=order(f"F{number}")) for number in range(40))
    rows, problems = read(tmp_path / "a.hl7.gz", gzip.compress(raw.encode())[:end])
    number = len(rows) + 1
    assert problems[-1][0] == number
    assert problems[-1][1].startswith(f"message {number}: the compressed file is cut off or corrupt here")


def test_a_framed_message_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    raw = f"\x0b{GOOD}\x1c\r\x0b{LAST}"
    assert texts(tmp_path, raw) == (
        [("A", "Liver normal.")], ["-message 2: its frame has no end; it is cut off. The message was left out"],
    )  # fmt: skip


def test_a_batch_tells_how_many_messages_it_has(tmp_path: Path) -> None:
    batch = "BHS|^~\\&|RIS\r" + GOOD + LAST
    assert texts(tmp_path, f"{batch}BTS|2\r")[1] == []
    assert texts(tmp_path, f"{batch}BTS|2\r{batch}BTS|3\r")[1][-1] == (
        "BTS counts 3 messages, the batch in front of it has 2"
    )
    assert texts(tmp_path, batch)[1] == ["the batch has no end (BTS); the file may be cut off"]


def test_a_short_report_whose_end_is_not_shown_is_read_with_a_warning(tmp_path: Path) -> None:
    raw = joined(header(), order("A")) + "OBX|1|TX|||Liver normal."
    assert texts(tmp_path, raw) == (
        [("A", "Liver normal.")],
        ["message 1, OBR 1 (A): the file ends without an end of the last OBX; it may be cut off"],
    )


@pytest.mark.parametrize(
    ("charset", "codec", "problems"),
    [
        ("", "utf-8", 0),
        ("UNICODE UTF-8", "utf-8", 0),
        ("8859/1", "utf-8", 0),
        ("8859/1", "latin-1", 0),
        ("8859/2", "iso8859-2", 0),
        ("8859/15", "iso8859-15", 0),
        ("WINDOWS-1250", "cp1250", 0),
        ("", "cp1252", 0),
        ("", "utf-16", 0),
        ("UNICODE UTF-8", "latin-1", 1),
        ("UNKNOWN", "latin-1", 1),
        ("~8859/1", "utf-8", 0),
    ],
)
def test_every_charset(tmp_path: Path, charset: str, codec: str, problems: int) -> None:
    """Letters that Latin-1 and Latin-2 share, and whose bytes are others in UTF-8; ``hot`` shows a real difference."""
    special = "Größe á é" + ("ő" if codec in ("iso8859-2", "cp1250") else "")
    rows, noted = texts(tmp_path, message(f"Liver: {special}.", charset=charset).encode(codec))
    assert rows == [("FIL7", f"Liver: {special}.")]
    assert len(noted) == problems
    assert all(charset in problem for problem in noted)


def test_a_charset_whose_letters_end_in_separators(tmp_path: Path) -> None:
    """The second byte of these letters is ``|`` or ``^`` in ASCII."""
    text = "肝臟 功能 四回"
    raw = message(text, charset="BIG-5").encode("big5")
    assert texts(tmp_path, raw) == ([("FIL7", text)], [])


def test_raw_line_ends_in_a_text_are_its_line_ends(tmp_path: Path) -> None:
    raw = joined(header(), order("A"), "OBX|1|TX|||FINDINGS:\n\nLiver normal.\r\nSpleen normal.||||||F")
    assert texts(tmp_path, raw) == ([("A", "FINDINGS:\n\nLiver normal.\nSpleen normal.")], [])


def test_what_programs_put_between_messages_does_no_harm(tmp_path: Path) -> None:
    raw = GOOD + "\ufeff" + message("Stone.", order=order("B"), kind="ORU_R01") + " \r\n\n" + "\t" + LAST + "\x1a\0\0"
    assert texts(tmp_path, raw) == ([("A", "Liver normal."), ("B", "Stone."), ("Z", "Spleen normal.")], [])
    indented = "\n  ".join(["", *GOOD.split("\r")])
    assert texts(tmp_path, indented) == ([("A", "Liver normal.")], [])


def test_a_charset_that_is_no_text(tmp_path: Path) -> None:
    rows, problems = texts(tmp_path, message("Große Leber", charset="\xff").encode("latin-1"))
    assert rows == [("FIL7", "Große Leber")]
    assert len(problems) == 1


def test_other_separators(tmp_path: Path) -> None:
    raw = joined(
        "MSH#*%$@#RIS#####20240101##ORU*R01#1#P#2.3",
        "OBR#1#P#F1*RIS#CT*CT CHEST",
        "OBX#1#FT###A$T$B|C$F$D%E$.br$F######F",
    )
    assert texts(tmp_path, raw) == ([("F1", "A@B|C#D\nE\nF")], [])


def test_a_header_without_encoding_characters_is_read_with_the_usual_ones(tmp_path: Path) -> None:
    raw = message("A \\T\\ B").replace(r"MSH|^~\&|", "MSH||")
    assert texts(tmp_path, raw) == ([("FIL7", "A & B")], ["message 1: MSH-2 is empty; ^~\\& was taken for it"])


def test_a_message_of_more_segments_than_any_report(tmp_path: Path) -> None:
    message = "MSH|^~\\&|a|b|c|d|2020||ORU^R01|1|P|2.3\rOBR|1||7|CT\rOBX|1|TX|1||The liver is normal.\r"
    (tmp_path / "x.hl7").write_text(message + "OBX|2|TX|1||Normal.\r" * 100_000 + message)
    rows, problems = read_table(tmp_path / "x.hl7")
    assert len(rows) == 1
    assert any("message 1: over 100,000 segments. The message was left out" in problem for _, problem, _ in problems)
