"""Texts that nobody wrote: reports and captions that were damaged at random are read, or refused clearly."""

import random
from collections.abc import Callable

from curation.engines.rules import RulesEngine
from curation.extraction.text_engine import verify_drafts
from curation.readers.sections import split_sections
from curation.report import Report
from curation.verification.verifier import Verifier
from tests.faults.trials import Trials, count, drawn

TEXT = (
    "EXAM: CT chest. FINDINGS: The liver is normal. There is a 5 x 6 mm nodule in the right upper lobe (series 3, "
    "image 44).\nNo pleural effusion.\nLIVER: unremarkable\n- Spleen: 12 cm\n1. Left renal cyst. 2. No ascites?\n"
    "IMPRESSION: “Stable” nodule."
)
PIECES = [
    "\0",
    "\ud800",
    "\u202e",
    "\u0301",
    '"',
    "'",
    "\n",
    "\r",
    ",",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "\\",
    "&#0;",
    "|",
    "^",
    "~",
]
PIECES += [
    "1e999",
    "-0",
    "NaN",
    "[**",
    "<!--",
    "<|im_start|>",
    "no ",
    "not ",
    "left ",
    "?",
    "mm",
    " x ",
    ":",
    "liver",
    "\t",
    "﻿",
    "½",
]


def damaged(text: str, chance: random.Random) -> str:
    """Return a text with some of it cut, doubled, moved or replaced."""
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 1, 1, 3, 20, 200)))
        new = chance.choice(
            ("", chance.choice(PIECES), text[start:end] * 2, chance.choice(PIECES) * chance.randint(1, 60))
        )
        text = text[:start] + new + text[end:]
    return text


def test_a_damaged_report_is_read(trials: Trials) -> None:
    engine = RulesEngine(Verifier())
    trial, chance = trials["a damaged report, and captions of it"], drawn("texts")
    organs: list[Callable[[], str]] = [lambda: "liver", lambda: damaged("right lung", chance)]
    for _ in range(count(of_all=20_000, of_every_run=25)):
        text = damaged(TEXT, chance)
        sections = split_sections(text)
        report = Report("r", text, sections, {}, 1)
        (drafts,) = engine.extract([report])
        outcome = verify_drafts(engine.verifier, report, drafts, show_repeats=True)
        read = engine.verifier.read(text, sections)
        verdict = engine.verifier.verify(read, chance.choice(organs)(), damaged("The liver is normal.", chance))
        assert verdict.accepted == (verdict.reason is None)
        assert all(0 <= start < end <= len(text) for caption in outcome.accepted for start, end in caption.passages)
        trial.passed()
