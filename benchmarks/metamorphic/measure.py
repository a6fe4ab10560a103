"""Captions of a report before and after a rewrite or a change: which of them come and go that should not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, islice
from multiprocessing import get_context
from random import Random
from typing import NamedTuple

from curation.caption import AcceptedCaption
from curation.engines.rules import RulesEngine
from curation.extraction.text_engine import verify_drafts
from curation.report import READ_SECTIONS, Report
from curation.verification.verifier import Verifier
from prompts.vocabulary import load_vocabulary

from .changes import Change, Changed, Claim
from .registry import CHANGES, REWRITES
from .rewriting import Rewrite
from .sources import Cell, SourceReport, report_of


class Difference(NamedTuple):
    """What one rewrite or change made of one report.

    ``captions`` counts those before. ``gone`` and ``come`` are captions, "organ (status): words", that went and came
    wrongly; ``faults`` are captions whose evidence does not stand in the report's text.
    """

    name: str
    source: str
    key: str
    captions: int
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def wrong(self) -> int:
        """The number of captions that came and went wrongly."""
        return len(self.gone) + len(self.come)


@dataclass(frozen=True, slots=True)
class Trial:
    """Which rewrites and changes are tried, and the seed of all choices.

    ``reports`` is the share of the reports that are read at all, ``share`` the share of these for each rewrite.
    """

    names: tuple[str, ...]
    seed: int = 0
    reports: float = 1.0
    share: float = 1.0

    def names_for(self, report: SourceReport) -> list[str]:
        """Return the rewrites and changes that are tried on a report."""
        if Random(f"{self.seed} {report.source} {report.key}").random() >= self.reports:
            return []
        chances = ((name, Random(f"{self.seed} {name} {report.source} {report.key}").random()) for name in self.names)
        return [name for name, chance in chances if chance < self.share]


@cache
def _reader() -> tuple[RulesEngine, Verifier]:
    verifier = Verifier()
    return RulesEngine(verifier), verifier


def captions_of(report: Report, *, repeats: bool = False) -> list[AcceptedCaption]:
    """Return the captions that the rules make of a report and the verifier accepts; ``repeats``: those too.

    What repeats another caption is no change of what a sentence says, and comes back where the other one goes.
    """
    engine, verifier = _reader()
    (drafts,) = engine.extract([report])
    if not repeats:
        return verify_drafts(verifier, report, drafts, show_repeats=False).accepted
    outcomes = (verify_drafts(verifier, report, [draft], show_repeats=False) for draft in drafts)
    return [row for outcome in outcomes for row in outcome.accepted]


def differences(reports: Iterable[SourceReport], trial: Trial, jobs: int = 1) -> Iterator[Difference]:
    """Yield the difference that each rewrite and change of a trial makes to each report that it applies to."""
    work = partial(_differences, trial=trial)
    if jobs == 1:
        yield from chain.from_iterable(map(work, _batches(reports)))
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from chain.from_iterable(pool.map(work, _batches(reports)))


def _batches(reports: Iterable[SourceReport]) -> Iterator[list[SourceReport]]:
    remaining = iter(reports)
    while batch := list(islice(remaining, 16)):
        yield batch


def _differences(reports: Sequence[SourceReport], trial: Trial) -> list[Difference]:
    differences = []
    for report in reports:
        names = trial.names_for(report)
        original = report_of(report.key, report.cells)
        before = captions_of(original) if names else []
        with_repeats = captions_of(original, repeats=True) if CHANGES.keys() & set(names) else []
        for name in names:
            rng = Random(f"{trial.seed} {name} {report.key}")
            if name in REWRITES:
                difference = _of_rewrite(report, REWRITES[name], before, rng)
            else:
                difference = _of_change(report, CHANGES[name], with_repeats, rng)
            if difference:
                differences.append(difference)
    return differences


def rewritten_cells(cells: Sequence[Cell], rewrite: Rewrite, rng: Random) -> tuple[Cell, ...] | None:
    """Return the cells of a report with those rewritten that the rewrite is for; None where it applies to none."""
    if rewrite.cells == "first" and cells[0].section != "findings":
        return None
    places = {"all": range(len(cells)), "first": range(1), "last": range(len(cells) - 1, len(cells))}[rewrite.cells]
    texts = [rewrite.edit(cell.text, rng) if number in places else None for number, cell in enumerate(cells)]
    if all(text is None for text in texts):
        return None
    return tuple(cell if text is None else cell._replace(text=text) for cell, text in zip(cells, texts, strict=True))


def _of_rewrite(
    report: SourceReport, rewrite: Rewrite, before: Sequence[AcceptedCaption], rng: Random
) -> Difference | None:
    cells = rewritten_cells(report.cells, rewrite, rng)
    if cells is None:
        return None
    rewritten = report_of(report.key, cells)
    after = captions_of(rewritten)
    gone, come = _unlike(before, after), _unlike(after, before)
    return Difference(
        rewrite.name, report.source, report.key, len(before), gone, come, tuple(_faults(rewritten, after))
    )


def _unlike(captions: Sequence[AcceptedCaption], others: Sequence[AcceptedCaption]) -> tuple[str, ...]:
    """Return the captions that exceed those of the same organ and status among ``others``; first those in new words."""
    spare = Counter((row.organ, row.status) for row in others)
    words = {row.caption for row in others}
    unlike = []
    for row in sorted(captions, key=lambda row: row.caption not in words):
        pair = (row.organ, row.status)
        if spare[pair]:
            spare[pair] -= 1
        else:
            unlike.append(f"{row.organ} ({row.status}): {row.caption}")
    return tuple(unlike)


def _faults(report: Report, captions: Iterable[AcceptedCaption]) -> Iterator[str]:
    """Yield the captions whose evidence is no passage of a section that is read."""
    for row in captions:
        evidence = report.text[row.start : row.end]
        inside = any(
            section.start <= row.start < row.end <= section.end and section.name == row.section
            for section in report.sections
            if section.name in READ_SECTIONS
        )
        if not inside or evidence != evidence.strip():
            yield f"{row.organ}: {row.caption} ({row.section} {row.start} to {row.end}: {evidence!r})"


def _of_change(
    report: SourceReport, change: Change, before: Sequence[AcceptedCaption], rng: Random
) -> Difference | None:
    """Return what came of a change, None where it applies to no cell or to a passage without captions."""
    cells, place = _changed_cells(report.cells, change, rng)
    expected = _expected(before, change, place) if place else None
    if expected is None:
        return None
    changed_report = report_of(report.key, cells)
    after = captions_of(changed_report, repeats=True)
    gone, come = compare(expected, [Claim(row.organ, row.status, row.caption) for row in after])
    return Difference(
        change.name, report.source, report.key, len(before), gone, come, tuple(_faults(changed_report, after))
    )


def _changed_cells(cells: tuple[Cell, ...], change: Change, rng: Random) -> tuple[tuple[Cell, ...], Changed | None]:
    """Return the cells with the first of them changed that the change applies to, and its place in the whole text."""
    if change.whole and len(cells) > 1:
        return cells, None
    offset = 0
    for number, cell in enumerate(cells):
        edited = change.edit(cell.text, rng)
        if edited is not None:
            changed = (*cells[:number], cell._replace(text=edited.text), *cells[number + 1 :])
            text = report_of("", changed).text
            return changed, Changed(text, offset + edited.start, offset + edited.end, offset + edited.new_end)
        offset += len(cell.text) + 2
    return cells, None


def _expected(before: Sequence[AcceptedCaption], change: Change, place: Changed) -> list[Claim] | None:
    """Return what a report must claim after a change; None where it says nothing of what was changed."""
    claims = [*change.added(place)]
    affected = bool(claims)
    for row in before:
        claim = Claim(row.organ, row.status, row.caption)
        if place.start <= row.start and row.end <= place.end:
            affected = True
            new = change.expected(claim, place, row.caption)
            if new is not None and new.organ not in load_vocabulary().organs:
                return None
            claims += [new] if new is not None else []
        else:
            claims.append(claim)
    return claims if affected else None


def compare(expected: Sequence[Claim], claims: Sequence[Claim]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the claims that were expected and are missing, and those that nothing expected, in words."""
    rest = [*claims]
    missing = []
    for claim in sorted(expected, key=lambda claim: claim.caption is None):
        match = next((other for other in rest if _matches(claim, other)), None)
        if match is None:
            missing.append(_in_words(claim))
        else:
            rest.remove(match)
    return tuple(missing), tuple(map(_in_words, rest))


def _matches(expected: Claim, claim: Claim) -> bool:
    same_words = expected.caption is None or _plain(expected.caption) == _plain(claim.caption or "")
    return expected[:2] == claim[:2] and same_words


def _plain(caption: str) -> str:
    return "".join(caption.lower().split())


def _in_words(claim: Claim) -> str:
    return f"{claim.organ} ({claim.status}): {claim.caption or 'in any words'}"
