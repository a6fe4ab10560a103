"""Texts that nobody wrote are cleaned, sectioned, read and verified: nothing is raised, and what is accepted is there.

Half of them are parts of real reports that were damaged at random, half are made by a grammar of reports and by chance
(hypothesis). Most are short: what goes wrong in a long text goes wrong in a part of it, and ``growth.py`` has the long.
"""

import gc
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.caption import ReportOutcome
from curation.engines.rules import RulesEngine
from curation.extraction.text_engine import verify_drafts
from curation.readers.reports import read_reports
from curation.readers.sections import split_sections
from curation.report import Report
from curation.verification.verifier import Verifier
from tests.faults.trials import Trials, count, drawn

LONGEST = 2.0
"""Seconds of CPU time within which a short text is read and its captions are made."""
READ_AGAIN = 20
"""Of so many texts one is read by a second reader too, which has not seen the others: it has to say the same."""
LONGEST_PART = 200
"""Characters of a part of a report."""

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


NOUNS = ("liver", "spleen", "right upper lobe", "left kidney", "lungs", "heart", "L4", "both hila", "lymph nodes")
FINDINGS = ("nodule", "mass", "cyst", "effusion", "fracture", "stone", "opacity", "thickening", "xqzrt", "pneumonia")
QUALITIES = ("small", "mild", "normal", "unremarkable", "stable", "calcified", "enlarged", "clear", "new", "possible")
MEASURES = (
    "5 mm",
    "3 x 4 cm",
    "0 mm",
    "up to 9 mm",
    "12/3/2020",
    "-3 HU",
    "1e9 mm",
    "½ cm",
    "50 %",
    "3 of 4",
    "12-9 mm",
)
JOINERS = (
    " ",
    " ",
    " ",
    " and ",
    ", ",
    " or ",
    " with ",
    " without ",
    " in the ",
    " of the ",
    "; ",
    ": ",
    " is ",
    " but ",
    "/",
)
OPENERS = (
    "",
    "No ",
    "There is a ",
    "The ",
    "Not ",
    "Status post ",
    "FINDINGS: ",
    "IMPRESSION:\n",
    "1. ",
    "- ",
    "Liver: ",
)
ENDS = (".", ".\n", "\n", "?", "!", "\n\n", "", ":", ". ")


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


def statements() -> st.SearchStrategy[str]:
    """Return sentences and lines: organs, findings, qualities, measures and odd characters in any order."""
    word = st.sampled_from((*NOUNS, *FINDINGS, *QUALITIES, *MEASURES, *PIECES))
    words = st.lists(st.tuples(word, st.sampled_from(JOINERS)), min_size=1, max_size=6)
    return st.builds(
        lambda opener, words, end: opener + "".join(map("".join, words)) + end,
        st.sampled_from(OPENERS),
        words,
        st.sampled_from(ENDS),
    )


def texts() -> st.SearchStrategy[str]:
    """Return texts of a few statements and, now and then, of any characters, halves of pairs among them."""
    anything = st.text(st.characters(), max_size=20)
    return st.lists(st.one_of(statements(), statements(), statements(), anything), min_size=1, max_size=3).map("".join)


class Reading:
    """Reads texts with one engine, as a run does, and holds what comes of them against what is promised."""

    def __init__(self) -> None:
        self._engine, self._second = RulesEngine(Verifier()), RulesEngine(Verifier())
        self._tried = 0
        for text in (TEXT, "Xqzrt wvkl zrtq plmk."):
            self.outcome(text)  # what is loaded at first use is there when the time is taken

    def outcome(self, text: str, engine: RulesEngine | None = None) -> ReportOutcome:
        """Return the captions of a text, accepted and refused."""
        engine = engine or self._engine
        report = Report("r", text, split_sections(text), {}, 1)
        (drafts,) = engine.extract([report])
        return verify_drafts(engine.verifier, report, drafts, show_repeats=True)

    def holds(self, text: str, organ: str, caption: str) -> None:
        """Fail where a text, or a caption that is held against it, is not read as it should be."""
        started = time.process_time()
        outcome = self.outcome(text)
        read = self._engine.verifier.read(text, split_sections(text))
        verdict = self._engine.verifier.verify(read, organ, caption)
        if time.process_time() - started > LONGEST:  # on a busy machine the clock of a process runs ahead: once more
            self.takes_no_longer(text, organ, caption)
        assert verdict.accepted == (verdict.reason is None)
        for accepted in outcome.accepted:
            assert accepted.caption.strip()
            assert accepted.passages
            for start, end in accepted.passages:
                assert 0 <= start < end <= len(text)
                assert text[start:end].strip(), f"{accepted} rests on nothing in {text!r}"
        assert all(refused.nearest is None or refused.nearest in text for refused in outcome.refused)
        self._tried += 1
        if self._tried % READ_AGAIN == 0:
            assert self.outcome(text, self._second) == outcome

    @staticmethod
    def takes_no_longer(text: str, organ: str, caption: str) -> None:
        """Fail where an engine that has not seen the text takes too long for it."""
        engine = RulesEngine(Verifier())
        engine.verifier.read(TEXT, split_sections(TEXT))  # loads what is loaded at first use
        report = Report("r", text, split_sections(text), {}, 1)
        gc.collect()  # what other tests have left
        started = time.process_time()
        (drafts,) = engine.extract([report])
        verify_drafts(engine.verifier, report, drafts, show_repeats=True)
        engine.verifier.verify(engine.verifier.read(text, report.sections), organ, caption)
        seconds = time.process_time() - started
        assert seconds <= LONGEST, f"{seconds:.1f} s for {text!r}"


@pytest.fixture(scope="module")
def reading() -> Reading:
    return Reading()


@pytest.fixture(scope="module")
def reports(examples: Path) -> Sequence[str]:
    """The texts of real reports where there are any, else those of the examples."""
    files = [examples / "reports.csv"]
    real = Path(__file__).resolve().parents[3] / "shared" / "data" / "reports"
    files += [path for path in (real / "ctrate_chest_ct.csv", real / "mtsamples_ct.jsonl") if path.exists()]
    return [report.text for path in files for report in read_reports(path, on_problem=lambda problem: None)]


def test_a_damaged_report_is_read(trials: Trials, reading: Reading, reports: Sequence[str]) -> None:
    trial, chance = trials["a damaged part of a report, and a caption of it"], drawn("texts")
    organs: list[Callable[[], str]] = [lambda: "liver", lambda: damaged("right lung", chance)]
    for _ in range(count(of_all=50_000, of_every_run=250)):
        report = chance.choice(reports)
        start = chance.randrange(max(1, len(report) - LONGEST_PART))
        text = damaged(report[start : start + chance.randint(20, LONGEST_PART)], chance)
        reading.holds(text, chance.choice(organs)(), damaged("The liver is normal.", chance))
        trial.passed()


def test_a_text_that_nobody_wrote_is_read(trials: Trials, reading: Reading) -> None:
    trial = trials["a text by a grammar of reports and by chance, and a caption of it"]

    @settings(max_examples=count(of_all=50_000, of_every_run=250), suppress_health_check=list(HealthCheck))
    @given(texts(), st.sampled_from(NOUNS), statements())
    def tried(text: str, organ: str, caption: str) -> None:
        reading.holds(text, organ, caption)
        trial.passed()

    tried()
