"""Rewrites: headings, and what stands around the findings: titles, technique, signatures, notes on who was told."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.statements import organs_in

from .lines import GOES_ON
from .rewriting import Edit, Rewrite, changed, is_plain, sentences, sub, with_case_of

# Headings at the start of a line, with other words for the same.
OTHER_WORDS = {
    "findings": ("observations", "report", "description"),
    "discussion": ("findings",),
    "impression": ("conclusion", "opinion", "summary", "assessment"),
    "conclusion": ("impression",),
    "technique": ("protocol", "procedure"),
    "comparison": ("comparison studies", "prior studies"),
    "comparison exam": ("comparison",),
    "indication": ("clinical indication", "reason for exam"),
    "reason for exam": ("indication",),
    "history": ("clinical history",),
    "clinical history": ("history",),
    "exam": ("examination", "study"),
}
_HEADING = re.compile(rf"^(?P<words>{'|'.join(sorted(OTHER_WORDS, key=len, reverse=True))}):[ \t]*", re.I | re.M)
_HEADING_ANYWHERE = re.compile(rf"\b(?:{'|'.join(OTHER_WORDS)})\b *:|\bTECHNIQUE\b", re.IGNORECASE)
_OPENS_WITH_HEADING = re.compile(r"\s*[A-Z][A-Za-z ,/&-]{2,60}:|\s*(?:CT|MRI?|EXAM|COMPUTED)\b")


def _headed(text: str) -> str:
    """Return a text that begins with its findings with a heading before them; one with headings as it is."""
    return text if _HEADING_ANYWHERE.search(text) or _OPENS_WITH_HEADING.match(text) else f"FINDINGS: {text}"


def _headings(form: str) -> Edit:
    """Return the edit that writes each heading in a form: its words as {h}, in capitals as {H}, with one as {t}."""

    def written(match: re.Match[str]) -> str:
        words = match["words"]
        return form.format(h=words.lower(), H=words.upper(), t=words.capitalize())

    return lambda text, rng: changed(text, _HEADING.sub(written, _headed(text)))


def _other_words(text: str, rng: Random) -> str | None:
    def renamed(match: re.Match[str]) -> str:
        return f"{with_case_of(match['words'], rng.choice(OTHER_WORDS[match['words'].lower()]))}: "

    return changed(text, _HEADING.sub(renamed, _headed(text)))


def _before(*lines: str) -> Edit:
    """Return the edit that puts sections before a text that begins with its findings, and a title before any other."""

    def edit(text: str, rng: Random) -> str | None:
        if _HEADING_ANYWHERE.search(text) or _OPENS_WITH_HEADING.match(text):
            return None
        return "\n".join(lines) + f"\n{text}"

    return edit


def _behind(*endings: str) -> Edit:
    return lambda text, rng: text.rstrip() + rng.choice(endings)


def _told(*notes: str) -> Edit:
    """Return the edit that puts a note behind the last sentence, on a line of its own where that has no full stop."""
    return lambda text, rng: text.rstrip() + (" " if text.rstrip().endswith(".") else "\n") + rng.choice(notes)


def _repeated_findings(text: str, rng: Random) -> str | None:
    """Return a text that has no other sections with a second copy of it, under a heading."""
    return None if _HEADING.search(text) or _OPENS_WITH_HEADING.match(text) else f"FINDINGS: {text}\n\nFINDINGS: {text}"


def _inserted(*notes: str) -> Edit:
    """Return the edit that puts a sentence which says nothing of an organ before one that stands for itself."""

    def edit(text: str, rng: Random) -> str | None:
        places = [
            start
            for start, end, _ in sentences(text)[1:]
            if is_plain(text[start:end])
            and organs_in(text[start:end])
            and not GOES_ON.match(text[start:end])
            and text[start - 2 : start] == ". "
        ]
        if not places:
            return None
        at = rng.choice(places)
        return f"{text[:at]}{rng.choice(notes)} {text[at:]}"

    return edit


_TOLD = (
    "Dr. Miller was informed at 3 pm.",
    "Findings were discussed with Dr. Sarah Jones by telephone at 14:30.",
    "The referring physician was notified of the above.",
    "Dr. X was informed.",
)
_MARKS = (
    "[**Name**] was informed.",
    "Dr. [**Last Name (STitle) 123**] was notified at [**2101-3-4**].",
    "Discussed with Dr. XXXX at XXXX.",
    "Findings were conveyed to [NAME] at [TIME].",
    "Dr. ___ was paged at ___.",
)
_SIGNED = (
    "\n\nElectronically signed by: John A. Miller, MD on 03/04/2021 at 5:12 PM",
    "\n\nDictated by: J. Miller, M.D.\nSigned: 04-Mar-2021 17:12",
    "\nReported by Dr. Sarah Jones, Consultant Radiologist",
    "\n\nI have personally reviewed the images and the resident's interpretation and agree with the above.",
    "\n\nAttending: J. Miller MD. I, the attending physician, have reviewed the images and agree with the findings.",
    "\n\n*** End of report ***",
)
_TITLE = "CT CHEST AND ABDOMEN WITH IV CONTRAST"
_TECHNIQUE = "TECHNIQUE: Images of the chest, liver and kidneys were obtained after 80 mL of contrast."
_HISTORY = "HISTORY: 58-year-old with cough and left kidney stones. Rule out pulmonary embolism."

REWRITES = (
    Rewrite("heading_first", "a heading FINDINGS before the text", "sections",
            lambda text, rng: changed(text, _headed(text)), "first"),
    Rewrite("headings_other_words", "headings in other words", "sections", _other_words, "first"),
    Rewrite("headings_title_case", "Headings: with one capital", "sections", _headings("{t}: "), "first"),
    Rewrite("headings_lower_case", "headings: in small letters", "sections", _headings("{h}: "), "first"),
    Rewrite("headings_own_line", "headings on lines of their own", "sections", _headings("{H}:\n"), "first"),
    Rewrite("headings_without_colon", "headings on lines of their own, without a colon", "sections",
            _headings("\n{H}\n"), "first"),
    Rewrite("headings_bold", "headings in Markdown's bold", "sections", _headings("**{H}:** "), "first"),
    Rewrite("headings_markdown", "headings as in Markdown", "sections", _headings("\n## {t}\n\n"), "first"),
    Rewrite("headings_html", "headings in bold as in HTML", "sections", _headings("<b>{H}:</b><br>"), "first"),
    Rewrite("headings_dashed", "headings before a dash", "sections", _headings("{H} - "), "first"),
    Rewrite("title_before", "a title before the text", "sections", _before(f"{_TITLE}\n"), "first"),
    Rewrite("sections_before", "EXAM, HISTORY, TECHNIQUE and COMPARISON before the text", "sections",
            _before(f"EXAM: {_TITLE}", "", _HISTORY, "", _TECHNIQUE, "", "COMPARISON: None.", "", "FINDINGS:"),
            "first"),
    Rewrite("sections_before_run_in", "EXAM, HISTORY, TECHNIQUE and COMPARISON on one line before the text",
            "sections", _before(f"EXAM: {_TITLE}. {_HISTORY} {_TECHNIQUE} COMPARISON: None. FINDINGS:"), "first"),
    Rewrite("findings_repeated", "the findings a second time", "sections", _repeated_findings, "first"),
    Rewrite("signature", "a signature or attestation behind the text", "sections", _behind(*_SIGNED), "last"),
    Rewrite("told_at_end", "who was informed, behind the text", "sections",
            _told(*_TOLD), "last"),
    Rewrite("told_inside", "who was informed, between two sentences", "sections", _inserted(*_TOLD)),
    Rewrite("marks_at_end", "sentences with marks of de-identification behind the text", "sections",
            _told(*_MARKS), "last"),
    Rewrite("marks_inside", "sentences with marks of de-identification between two sentences", "sections",
            _inserted(*_MARKS)),
    Rewrite("advice_inside", "a recommendation between two sentences", "sections",
            _inserted("Clinical correlation is recommended.", "Follow-up is advised.", "Please correlate clinically.")),
    Rewrite("separators", "lines of dashes around the text", "sections",
            sub(r"\A\s*|\s*\Z", lambda match: "----------\n" if match.start() == 0 else "\n----------")),
)  # fmt: skip
