"""Escapes, markup and the marks of de-identification."""

import pytest

from curation.cleaning.clean_text import clean_text
from curation.cleaning.redaction_marks import BLANK


@pytest.mark.parametrize(
    ("source", "clean"),
    [
        ("Liver large._x000D_\nSpleen small._x000D_", "Liver large.\nSpleen small.\n"),
        ("FINDINGS:\\nLiver large.\\nSpleen small.", "FINDINGS:\nLiver large.\nSpleen small."),
        ("FINDINGS:\\r\\nLiver large.", "FINDINGS:\nLiver large."),
        ("Kept at C:\\new\\nest.", "Kept at C:\\new\\nest."),
        ("FINDINGS:\\.br\\Liver \\T\\ spleen large.\\X0A\\End.", "FINDINGS:\nLiver & spleen large.\nEnd."),
        ("\\.sp2\\Cyst of \\H\\5 mm\\N\\.", "\nCyst of 5 mm."),
        ("Liver large.\\E\\.br\\E\\Spleen \\E\\T\\E\\ gas.", "Liver large.\nSpleen & gas."),
        ("Liver large.\\u000aSpleen 5\\u00a0mm; dir C:\\cafe.", "Liver large.\\u000aSpleen 5\\u00a0mm; dir C:\\cafe."),
        ("Liver large.\\u000aSpleen 5\\u00a0mm.", "Liver large.\nSpleen 5 mm."),
        ("FINDINGS:\\\\nLiver large.\\\\nSpleen small.", "FINDINGS:\nLiver large.\nSpleen small."),
        ("Liver large.\\.BR\\Spleen small\u2026no gas.", "Liver large.\nSpleen small...no gas."),
        ("FINDINGS:%0ALiver large.%0D%0ASpleen small.", "FINDINGS:\nLiver large.\nSpleen small."),
        ("Liver large.=0D=0ASpleen small.=20\nGas.", "Liver large.\nSpleen small.\nGas."),
        ('<input type="checkbox" checked> Gas<br><INPUT TYPE=checkbox> Cyst', "[x] Gas\n[ ] Cyst"),
        ("_Liver:_ large. _X_ gas.", "Liver: large. _X_ gas."),
        ("<![CDATA[Liver large.]]>", "Liver large."),
        ("~~Liver small.~~ Liver large.", "Liver large."),
        ("FINDINGS:~~Liver large.~~Spleen small.~~", "FINDINGS:\nLiver large.\nSpleen small.\n"),
        ("FINDINGS:~Liver large.~Spleen small, ~5 mm cyst.~", "FINDINGS:\nLiver large.\nSpleen small, ~5 mm cyst.\n"),
        ('Liver large.~" Cyst~" Gas', 'Liver large.\n" Cyst\n" Gas'),
        ("A cyst of ~5 mm.", "A cyst of ~5 mm."),
        ("Liver large.<br>Spleen<br/>Small.<BR />", "Liver large.\nSpleen\nSmall.\n"),
        ("<ul><li>Liver large.</li><li>Spleen small.</li></ul>", "\n\n• Liver large.\n• Spleen small.\n"),
        ("<p>Liver large.</p><p>Spleen small.</p>\n<p></p><p>Gas.</p>", "\nLiver large.\nSpleen small.\n\nGas.\n"),
        ("Liver large.<br>\n<br/>\nSpleen small.", "Liver large.\n\nSpleen small."),
        ("<td>Liver</td><td>normal</td>", "Liver\tnormal"),
        ("A <b>cyst</b> &lt; 5&#160;mm &amp; gas.", "A cyst < 5 mm & gas."),
        ("Cyst <5 mm and >3 mm.", "Cyst <5 mm and >3 mm."),
        ("&lt;br&gt;Liver", "\nLiver"),
        ("## Findings\nLiver **large**.", "Findings:\nLiver large."),
        ("**Liver:**\nLarge.\n\n**Spleen**\nSmall.", "Liver:\nLarge.\n\nSpleen:\nSmall."),
        ("**5 mm cyst.** More.", "5 mm cyst. More."),
        ("5 * 3 * 2 mm", "5 * 3 * 2 mm"),
        ("Left shoulder effusion** with gas.", "Left shoulder effusion with gas."),
        ("| organ | finding |\n|---|---|\n| liver | large |", "| organ | finding |\n\n| liver | large |"),
    ],
)
def test_escapes_and_markup(source: str, clean: str) -> None:
    assert clean_text(source).text == clean


@pytest.mark.parametrize(
    "mark",
    [
        "[NAME]",
        "[PATIENTNAME]",
        "<PERSON>",
        "[**First Name 12**]",
        "{{DATE}}",
        "[Date of Birth]",
        "[HOSPITAL_3]",
        "<PHI:NAME>",
        "**NAME[AAA, BBB]",
        "XX/XX/XXXX",
        '<PHI TYPE="NAME">Roe</PHI>',
        "<DATE>3 May</DATE>",
    ],
)
def test_marks_of_identities_go(mark: str) -> None:
    assert clean_text(f"GALLBLADDER: {mark}.").text == "GALLBLADDER: ."
    assert clean_text(f"Cyst, says Dr. {mark} today.").text == "Cyst, says Dr. today."


@pytest.mark.parametrize("field", ["{choose one}", "[Normal in size. | Large.]", "<<TEXT>>", "[HIPAA: date removed]"])
def test_the_field_of_a_template_is_no_value(field: str) -> None:
    assert clean_text(f"SPLEEN: {field}\nLiver large.").text == f"SPLEEN: {BLANK}\nLiver large."


@pytest.mark.parametrize("mark", ["XXXX", "xxx", "____", "[REDACTED]", "*****", "[XXX]", "████"])
def test_an_unreadable_word_stays_unknown(mark: str) -> None:
    assert clean_text(f"The pancreas is {mark} today.").text == f"The pancreas is {BLANK} today."
    assert clean_text(f"Compared with {mark}, a cyst.").text == "Compared with, a cyst."


@pytest.mark.parametrize("text", ["Time (date) and place.", "XX chromosome", "A [new] cyst (right).", "stage 3x"])
def test_words_in_brackets_are_no_marks(text: str) -> None:
    assert clean_text(text).text == text
