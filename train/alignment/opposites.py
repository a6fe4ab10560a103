"""Captions that say the opposite of one, for a loss that sets the two apart: side, denial or size exchanged.

The verifier decides what is one: it refuses the sentence where the caption itself is the report, because of the side, a
denial or what is said of size; and it refuses it on the caption's own report too, so that none is true there.
"""

from __future__ import annotations

from functools import lru_cache

from curation.verification.report_statements import ReadReport
from curation.verification.verifier import Verifier
from train.data.caption_pairs import CaptionPair
from train.data.caption_sources import OrganCaption

from .opposite_wordings import opposite_wordings

# Why the verifier refuses what says the opposite (`curation.caption.Reason`).
REASONS = frozenset({"laterality", "negation", "modifier"})


class Opposites:
    """Finds the opposites of captions; a report is read once for all that are asked in turn."""

    def __init__(self) -> None:
        self._begin()

    def __getstate__(self) -> dict[str, object]:
        """Leave the verifier out for a process that loads samples, which makes its own."""
        return {}

    def __setstate__(self, state: dict[str, object]) -> None:
        self._begin()

    def _begin(self) -> None:
        self._verifier: Verifier | None = None
        self._read = lru_cache(maxsize=8)(self._read_report)
        self._opposed = lru_cache(maxsize=100_000)(self._opposed_to)

    def __call__(self, pair: CaptionPair, caption: OrganCaption) -> tuple[str, ...]:
        """Return the opposites of a caption of a pair's report, often none."""
        candidates = self._opposed(caption.organ, caption.caption)
        if not candidates:
            return ()
        report = self._read(pair.text)
        return tuple(text for text in candidates if not self._is_said(report, caption.organ, text))

    def _is_said(self, report: ReadReport, organ: str, text: str) -> bool:
        """Return whether a report says a sentence, filed under the organ or under one that it names: the other side."""
        verifier = self._verifier_now()
        named = [name for mention in verifier.parser.vocabulary.find(text) for name in mention.names]
        return any(verifier.verify(report, name, text).accepted for name in dict.fromkeys((organ, *named)))

    def _opposed_to(self, organ: str, caption: str) -> tuple[str, ...]:
        """Return the sentences that the verifier refuses as the opposite where the caption is the report."""
        verifier = self._verifier_now()
        said = verifier.read(caption)
        answers = ((text, verifier.verify(said, organ, text)) for text in opposite_wordings(caption))
        return tuple(text for text, answer in answers if not answer.accepted and str(answer.reason) in REASONS)

    def _read_report(self, text: str) -> ReadReport:
        return self._verifier_now().read(text)

    def _verifier_now(self) -> Verifier:
        if self._verifier is None:
            self._verifier = Verifier()
        return self._verifier
