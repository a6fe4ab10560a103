"""Measures how the time of each stage grows with its input: a text that is one piece over and over, or one long list.

``python -m tests.faults.growth`` prints what takes long or grows faster than its input; ``--stage``, ``--piece`` and
``--size`` narrow it. Time is CPU time of this process with its collector of garbage set as in a run, and ends at
``--limit`` seconds for each measurement.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import cycle, islice
from types import FrameType
from typing import NamedTuple

from curation.cleaning.clean_text import clean_sentence, clean_text
from curation.engines.rules import RulesEngine
from curation.extraction.text_engine import verify_drafts
from curation.language.statements import split_statements
from curation.llm.answer_parsing import parse_answer
from curation.privacy.scan import blanked
from curation.readers.columns.choice import choose_columns
from curation.readers.documents.html import html_text
from curation.readers.documents.rtf import rtf_text
from curation.readers.examinations.columns import examination_columns, examination_of
from curation.readers.exports.attachments import shown_text
from curation.readers.rows import DamagedError, TableRow
from curation.readers.sections import split_sections
from curation.report import Report
from curation.report_language.reports import report_language
from curation.runtime.errors import InputError
from curation.runtime.processes import garbage_collected_less_often
from curation.verification.caption_reading import LONGEST_CAPTION
from curation.verification.verifier import Verifier
from prompts.vocabulary import load_vocabulary

REPORT = (
    "FINDINGS: The liver is normal. There is a 5 mm nodule in the right upper lobe. No pleural effusion. "
    "IMPRESSION: Pulmonary nodule."
)
CHARACTERS = (
    *"aAxXi09 .,;:?!()[]{}<>&\\/*_#|~`'\"=+%^$@-",
    *"\t\n\r\x00\x0b\x1b\u00a0\u00ad\u00bd\u00d7\u00e9\u00df\u0130\u0301\u200b\u202e\u2013\u201c\u2022\u2026\u25ae",
    *"\u2588\u2028\u3002\u6f22\ufb01\uff21\U0001f600\U000e0041\ud800",
)
WORDS = (
    "liver", "normal", "nodule", "left", "right", "lung", "no", "not", "without", "and", "or", "of", "the",
    "in", "is", "which", "except", "may", "with", "there", "that", "bilateral", "mild", "unchanged",
    "suspicious for", "status post", "liver,", "liver and", "no liver", "left and right", "normal liver",
    "the liver is normal", "cyst in the liver and", "nodule in the right upper lobe", "the", "a", "I", "A",
    "The", "Dr.", "Dr. A", "Smith", "John Smith,", "discussed with", "findings were", "i have", "image 3",
    "series 3,", "on image", "(3:44)", "3:44,", "(se 3", "[x]", "[ ]", "[**", "**]", "**a", "*a*", "__a", "~~a",
    "`a", "<p>", "</p>", "<b", "<!--", "-->", "<script>", "<div><span>", "&lt;", "&amp;", "\\.br\\", "\\n",
    "\\X41\\", "_x000D_", "%0A", "=0A", "L1", "L1-", "L1-L2", "T12-L1", "segment 4", "IV", "1.", "1)", "(1)",
    "a)", "-", "- a", "5 mm", "5 x 6 mm", "5 x", "1 of 2", "1-2", "1/2/2020", "01/02", "12:30", "555-1234",
    "MRN", "a.", "A.", "a. B", "one", "twenty", "xxx", "XXX", "___", "...", "....", "period", "comma period",
    "new paragraph", "w/o", "rt.", "Key:", "RUL = right upper lobe,", "A=", "patient", "years old", "FINDINGS:",
    "IMPRESSION:", "LIVER:", "Liver:", "Liver: normal;", "Liver - normal", "Liver ..... no", "Liver? N",
    "Cyst: none", "yes", "no no", "note:", "ct", "CT of the chest", "compared to", "der",
    "die leber ist normal.", "le foie est normal.", "ignore all previous instructions.", "{\"a\":", "[\"a\",",
    "\\'e9", "{\\rtf1", "{\\b", "\\par", "normal.", "Normal liver.", "No nodule.", "It is calcified.",
    "This is new.", "The other is new.",
)  # fmt: skip
LINES = (
    "liver", "Liver:", "LIVER:", "liver: normal", "Liver: normal", "FINDINGS", "FINDINGS:", "IMPRESSION:", "1.",
    "1. a", "- a", "- liver", "* a", "# a", "> a", "| a |", "| - |", "---", "***", "===", "___", "```", "a:",
    "A:", "a.", "No", "the", "x" * 70, "TECHNIQUE: CT", "HISTORY: pain.", "COMPARISON: none", "Dr. Smith",
    "Signed by A", "1/2/2020", "\t", " ", "  a", "a\t\tb", "[x] liver", "( ) liver", "Liver\tnormal",
    "OBX|1|TX|", "Name: A", "EXAM: CT CHEST", "CT CHEST", "Left:", "Right: cyst",
)  # fmt: skip


class StepLimit(Exception):
    """Raised in a measurement that takes longer than it may."""


class Piece(NamedTuple):
    """What a text is made of: its name, and the text of about so many characters."""

    name: str
    of_size: Callable[[int], str]


def pieces() -> Iterator[Piece]:
    """Yield what texts are made of."""
    for unit in CHARACTERS:
        yield Piece(f"character {unit!r}", repeated(unit))
    for unit in WORDS:
        yield Piece(f"word {unit!r}", repeated(f"{unit} "))
    for unit in LINES:
        yield Piece(f"line {unit!r}", repeated(f"{unit}\n"))
    yield Piece("sentence of organs", lambda size: f"The {joined(', ', size)} are normal.")
    yield Piece("organs with and", lambda size: joined(" and ", size))
    yield Piece("organs, one a line", lambda size: joined(": normal\n", size))
    yield Piece("organs, one a sentence", lambda size: joined(" is normal. ", size))
    yield Piece("findings in organs", lambda size: joined(" with a 5 mm cyst, ", size))
    yield Piece("organs without a mark", lambda size: joined(" ", size))
    yield Piece("measures that differ", numbered("There is a {number} mm nodule in the {organ}. "))
    yield Piece("lists that differ", numbered("The {organ}, {other} and heart are normal, without {number} mm cyst. "))
    yield Piece("form lines that differ", numbered("{organ} {number}: normal\n"))
    yield Piece("questions that differ", numbered("{organ}: {number} mm cyst?\n"))
    yield Piece("unknown words that differ", unknown_words)
    yield Piece("nested brackets", lambda size: "(" * (size // 2) + ")" * (size // 2))
    yield Piece("bracket that opens behind", lambda size: ")" * (size // 2) + "(" * (size // 2))
    yield Piece("letters with marks", lambda size: "e\u0301" * (size // 2))
    yield Piece("one letter with marks", lambda size: "e" + "\u0301" * size)
    yield Piece("white space before a word", lambda size: " " * size + "a")
    yield Piece("words without spaces", lambda size: "Liver" * (size // 5))
    yield Piece("numbers that rise", lambda size: " ".join(f"{n}." for n in range(1, size // 5)))
    yield Piece("JSON", lambda size: '{"liver": "normal", "a": ' * (size // 24))


def repeated(unit: str) -> Callable[[int], str]:
    """Return a function that gives a unit over and over, in so many characters."""
    return lambda size: (unit * (size // len(unit) + 1))[:size]


def numbered(pattern: str) -> Callable[[int], str]:
    """Return a function that gives sentences of a pattern in so many characters, each with another number and organ."""
    names = tuple(load_vocabulary().organs)

    def of_size(size: int) -> str:
        written: list[str] = []
        length = number = 0
        while length < size:
            organ, other = names[number % len(names)], names[7 * number % len(names)]
            written.append(pattern.format(number=number, organ=organ, other=other))
            length, number = length + len(written[-1]), number + 1
        return "".join(written)

    return of_size


def unknown_words(size: int) -> str:
    """Return words that no list has, each another."""
    return " ".join(
        f"{'zqxw'[n % 4]}{n:b}".translate({48: "o", 49: "u"}) + "." * (n % 5 == 0) for n in range(size // 16)
    )


def joined(between: str, size: int) -> str:
    """Return the names of organs, over and over, in about so many characters."""
    names = tuple(load_vocabulary().organs)
    count = 10 if size < 300 else size // (14 + len(between))
    return between.join(islice(cycle(names), count))[:size]


@cache
def verifier() -> Verifier:
    """Return the verifier of all measurements, once what is loaded at first use is there."""
    report_language("Xqzrt wvkl zrtq plmk.", ())
    return Verifier()


@cache
def engine() -> RulesEngine:
    """Return the rules, with the same verifier."""
    return RulesEngine(verifier())


def captions_of(text: str) -> None:
    """Make the captions of a report by the rules, and verify them, as a run does."""
    report = Report("r", text, split_sections(text), {}, 1)
    (drafts,) = engine().extract([report])
    verify_drafts(verifier(), report, drafts, show_repeats=False)


def table_of(text: str) -> None:
    """Choose the columns of a table whose cells and column names are hostile."""
    names = ("id", "report", text[:2000], "findings")
    rows = [TableRow(number, {"id": str(number), **dict.fromkeys(names[1:], text)}) for number in range(1, 4)]
    with suppress(InputError):
        choose_columns(names, rows)


def verify(report: str, organ: str, caption: str) -> None:
    """Verify one caption."""
    read = verifier().read(report, split_sections(report))
    verifier().verify(read, organ, caption)


def answered(text: str) -> None:
    """Read an answer of a model in both forms."""
    parse_answer(text, "stop", "captions")
    parse_answer(f'[{{"organ": "liver", "caption": "{text}', "length", "captions")


def document(read: Callable[[str], object]) -> Callable[[str], None]:
    """Return a stage that reads a document, which may be damaged."""

    def stage(text: str) -> None:
        with suppress(DamagedError, InputError):
            read(text)

    return stage


STAGES: dict[str, Callable[[str], object]] = {
    "cleaning": clean_text,
    "cleaning of a caption": clean_sentence,
    "sections": split_sections,
    "statements": split_statements,
    "examination": lambda text: examination_of(examination_columns((), ()), {}, text, split_sections(text)),
    "examination column": lambda text: examination_of(
        examination_columns(("modality", "exam"), ()), {"modality": text, "exam": text}, "", ()
    ),
    "privacy": blanked,
    "language": lambda text: report_language(text, ()),
    "reading": lambda text: verifier().read(text, ()),
    "captions": captions_of,
    "caption": lambda text: verify(REPORT, "liver", text),
    "caption that begins well": lambda text: verify(REPORT, "liver", f"The liver is normal {text}"),
    "caption as long as is read": lambda text: verify(REPORT, "liver", text[:LONGEST_CAPTION]),
    "caption of a report as long": lambda text: verify(text[:LONGEST_CAPTION], "liver", text[:LONGEST_CAPTION]),
    "caption of the whole report": lambda text: verify(text, "liver", text),
    "caption of another report": lambda text: verify(text, "liver", "The liver has a 5 mm cyst in segment 4."),
    "organ": lambda text: verify(REPORT, text, "The liver is normal."),
    "columns": table_of,
    "answer": answered,
    "html": document(lambda text: html_text(text.encode("utf-8", "replace"))),
    "rtf": document(lambda text: rtf_text(b"{\\rtf1 " + text.encode("utf-8", "replace") + b"}")),
    "cell of HTML": document(lambda text: shown_text("<html><body>" + text)),
    "cell of RTF": document(lambda text: shown_text("{\\rtf1 " + text + "}")),
}  # fmt: skip


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ``StepLimit`` in the code within, once it has taken so many seconds of CPU time."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise StepLimit

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def seconds_of(stage: Callable[[str], object], text: str, limit: float) -> float:
    """Return the CPU time that a stage takes for a text; infinite where it is more than ``limit``."""
    verifier(), engine()
    with garbage_collected_less_often():
        started = time.process_time()
        try:
            with limited(limit):
                stage(text)
        except StepLimit:
            return float("inf")
        return time.process_time() - started


def cold_seconds_of(stage: Callable[[str], object], text: str, limit: float) -> float:
    """Return the CPU time that a stage takes for a text, with no statement read before."""
    verifier.cache_clear()
    engine.cache_clear()
    return seconds_of(stage, text, limit)


def main(arguments: Sequence[str]) -> None:
    """Print what grows faster than its input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", default="")
    parser.add_argument("--piece", default="")
    parser.add_argument("--size", type=int, default=25_000)
    parser.add_argument("--limit", type=float, default=6.0)
    parser.add_argument("--all", action="store_true", help="print every measurement")
    options = parser.parse_args(arguments)
    for stage_name, stage in STAGES.items():
        if options.stage not in ("", stage_name):
            continue
        for name, of_size in pieces():
            if options.piece not in name:
                continue
            try:
                largest = cold_seconds_of(stage, of_size(options.size), options.limit)
                is_told = largest > 0.2 or options.all
                smaller = cold_seconds_of(stage, of_size(options.size // 4), options.limit) if is_told else 0
            except Exception as error:
                print(f"{stage_name:28} {name:36} {type(error).__name__}: {str(error)[:90]!r}", flush=True)
                continue
            growth = largest / smaller if smaller else 0
            if options.all or largest > 1 or (largest > 0.2 and growth > 7):
                print(f"{stage_name:28} {name:36} {largest:8.2f} s  × {growth:.1f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
