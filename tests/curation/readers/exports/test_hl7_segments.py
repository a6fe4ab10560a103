"""Fields, components and escapes of HL7 v2, also beside python-hl7, which reads whole messages."""

from __future__ import annotations

import hl7
import pytest

from curation.readers.exports.hl7_segments import (
    Separators,
    components_of,
    field_of,
    read_separators,
    split_fields,
    unescape,
)
from tests.curation.readers.exports.messages import message

USUAL = Separators()


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"A\F\B\S\C\T\D\R\E\E\F", "A|B^C&D~E\\F"),
        (r"One\.br\Two\.BR\Three", "One\nTwo\nThree"),
        (r"One\.sp\Two\.sp2\Three\.sp 1\Four", "One\nTwo\n\nThree\nFour"),
        (r"\.in+4\Indented\.ti-2\\.nf\as it is\.fi\\.ce\Title", "Indentedas it is\nTitle"),
        (r"a\.sk3\b", "a   b"),
        (r"A \H\bold\N\ word", "A bold word"),
        (r"One\X0A\Two\X0D0A\Three\X0D\\X0A\Four", "One\nTwo\nThree\nFour"),
        (r"Gr\XC3B6\\XC39F\e, Gr\XF6DF\e", "Größe, Größe"),
        (r"5\6 cm, C:\scans and a\b", r"5\6 cm, C:\scans and a\b"),
        ("no escape at all", "no escape at all"),
        ("", ""),
    ],
)
def test_escapes_are_undone(escaped: str, text: str) -> None:
    assert unescape(escaped, USUAL) == (text, None)


@pytest.mark.parametrize(
    ("escaped", "text", "problem"),
    [
        (r"One\.brTwo", "One\nTwo", "1 escapes of line ends are not closed"),
        (r"One\.br\Two\.br", "One\nTwo\n", "1 escapes of line ends are not closed"),
        (r"A\ZB2\B", r"A\ZB2\B", r"\ZB2\ is of this system alone"),
        (r"A\C2842\B", r"A\C2842\B", r"\C2842\ is of this system alone"),
    ],
)
def test_what_is_not_understood_is_told(escaped: str, text: str, problem: str) -> None:
    result = unescape(escaped, USUAL)
    assert result.text == text
    assert result.problem is not None
    assert problem in result.problem


def test_separators_are_those_of_the_header() -> None:
    assert read_separators(r"MSH|^~\&|RIS") == USUAL
    assert read_separators(r"MSH|^~\&#|RIS") == USUAL
    assert read_separators("BHS#*%$@#RIS") == Separators("#", "*", "%", "$", "@")
    assert read_separators("MSH|^|RIS") == Separators("|", "^", "", "", "")
    assert read_separators("MSH||RIS") == USUAL
    assert unescape(r"A\T\B", Separators(escape="")) == (r"A\T\B", None)


def test_fields_have_the_numbers_of_the_standard() -> None:
    header = split_fields(r"MSH|^~\&|RIS|H", USUAL)
    assert [field_of(header, number) for number in (1, 2, 3, 4, 5)] == ["|", r"^~\&", "RIS", "H", ""]
    assert field_of(split_fields('OBX|1|TX|||""', USUAL), 5) == ""
    assert components_of(r"A\T\B^ C ^~D", USUAL) == ["A&B", "C", ""]


def test_fields_are_those_of_python_hl7() -> None:
    raw = message("Liver ^normal& ~ spleen too.", r"A\F\B", "", charset="8859/1")
    for ours, theirs in zip(raw.rstrip("\r").split("\r"), hl7.parse(raw), strict=True):
        fields = split_fields(ours, USUAL)
        assert fields == [str(field) for field in theirs]


@pytest.mark.parametrize("escaped", [r"A\F\B\S\C\T\D\R\E\E\F", r"A\X42\C", "A"])
def test_escapes_are_those_of_python_hl7(escaped: str) -> None:
    assert unescape(escaped, USUAL).text == hl7.parse(message("x")).unescape(escaped)
