"""The built-in engine: organ captions by the grammar of reports, without a model and without a network.

Each statement of findings or impression is cut into its claims (``units.py``); each organ of a claim gets the shortest
wording of it that stands alone (``wording.py``) and that the verifier accepts. What the engine says is verified again
like the claims of any other engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from curation.caption import Draft
from curation.language.analysis import CACHED, Analysis, Item, Reader
from curation.language.assertion import Polarity
from curation.language.clauses import Unit, units
from curation.report import Report
from curation.verification.organs import implied_organs
from curation.verification.statements_read import ReadReport
from curation.verification.verifier import Verifier

from .asides import is_known, without_asides
from .wording import Claim, captions_for, reads_well


class RulesEngine:
    """Drafts captions from the structure of the text alone."""

    name = "rules"
    model: str | None = None
    prompt: str | None = None

    def __init__(self, verifier: Verifier | None = None) -> None:
        self.verifier = verifier or Verifier()
        self.reader = self.verifier.reader
        self._drafts_of = lru_cache(maxsize=CACHED)(self._statement_drafts)

    def extract(self, reports: Sequence[Report]) -> Iterator[Iterable[Draft]]:
        """Yield the drafts of each report, in the order of ``reports``."""
        for report in reports:
            yield self.drafts(self.verifier.read(report.text, report.sections))

    def drafts(self, report: ReadReport) -> list[Draft]:
        """Drafts of one report that has been read, in the order of its statements."""
        return [
            Draft(organ, caption, statement.number)
            for statement in report.statements
            for organ, caption in self._drafts_of(statement.analysis.text, statement.context)
        ]

    def _statement_drafts(self, text: str, context: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple(self._of_statement(self.reader.analyse(text), context))

    def _of_statement(self, analysis: Analysis, context: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """(organ, caption) pairs of one statement."""
        kept = without_asides(units(analysis), analysis)
        if not any(_speaks(unit) for unit in kept):
            return
        claims = self._claims(kept, analysis)
        if not claims and any(is_known(item) for unit in kept for item in unit.items):
            organs = dict.fromkeys(self.reader.vocabulary.filed_under(organ) for organ in context)
            claims = [Claim(organ, tuple(kept), None) for organ in organs]
        for claim in claims:
            for caption in captions_for(claim, claims, analysis):
                if self._stands(caption, analysis) and self.verifier.carries(
                    analysis.text, context, claim.organ, caption
                ):
                    yield claim.organ, caption
                    break

    def _stands(self, caption: str, analysis: Analysis) -> bool:
        """Whether a wording stands alone: it reads well, and still says what is found, or that nothing is."""
        if caption.endswith(analysis.text.strip(" .;,")):
            return True
        said = self.reader.analyse(caption).items
        return reads_well(caption) and any(_says_something(item) for item in said)

    def _claims(self, kept: Sequence[Unit], analysis: Analysis) -> list[Claim]:
        """One claim for each organ, with all of its segments, in the order in which organs are first named."""
        found: dict[str, tuple[list[Unit], Item | None, str]] = {}
        for unit in kept:
            if unit.heading:
                continue
            for part, item in self._organs(unit):
                units_of = found.setdefault(self.reader.vocabulary.filed_under(part), ([], item, part))[0]
                if unit not in units_of:
                    units_of.append(unit)
        return [
            Claim(organ, tuple(of), item, part)
            for organ, (of, item, part) in found.items()
            if any(_speaks(unit) for unit in of)
        ]

    def _organs(self, unit: Unit) -> list[tuple[str, Item | None]]:
        """Organs that a claim is about, without those that only enclose another of them."""
        found = list(self._named_organs(unit))
        names = {name for name, _ in found}
        above = {other for name in names for other in self.reader.vocabulary.ancestors(name)}
        return [(name, item) for name, item in found if name not in above]

    def _named_organs(self, unit: Unit) -> Iterator[tuple[str, Item | None]]:
        meant = _meant_of_heading(self.reader, unit)
        implied = implied_organs(self.reader, unit.items)
        own = () if unit.segment.organs else implied_organs(self.reader, unit.segment.items)
        if own and not any(self._related(item, own) for item in unit.items if item.mention):
            yield from ((name, None) for name in own)  # "cardiomegaly, dilatation of the aorta": not both of the aorta
            return
        for item in unit.items:
            if item.mention and not item.mention.place and not item.mention.container:
                if implied and self.reader.vocabulary.organs[item.key].region:
                    continue  # "effusion in the right hemithorax" is about the pleura
                for name in item.mention.names:
                    if not meant or item in unit.segment.items or name in meant:
                        yield name, item
        for name in implied:
            yield name, None

    def _related(self, item: Item, names: Sequence[str]) -> bool:
        named = item.mention.names if item.mention else ()
        return any(self.reader.vocabulary.related(one, other) for one in named for other in names)


def _meant_of_heading(reader: Reader, unit: Unit) -> set[str]:
    """Of several organs that a finding takes over, those that it implies: "PERITONEUM/ABDOMINAL WALL: No ascites." """
    implied = {item.entry.organ for item in unit.segment.items if item.entry and item.entry.organ}
    inherited = [item.mention for item in unit.items if item.mention and item not in unit.segment.items]
    taken = {name for mention in inherited for name in mention.names}
    names = {reader.anatomist.resolve(organ) for organ in implied} - {None}
    return {name for name in taken if any(organ and reader.vocabulary.related(name, organ) for organ in names)}


def _speaks(unit: Unit) -> bool:
    return any(
        (item.kind in ("finding", "modifier", "measure") and not item.attribute)
        or _is_missing(item)
        or (item.mention is not None and (item.mention.device or item.key.endswith("lymph nodes")))
        for item in unit.items
    )


def _says_something(item: Item) -> bool:
    if item.mention is not None:
        return item.mention.device or item.mention.finding or _is_missing(item) or item.key.endswith("lymph nodes")
    return item.kind in ("finding", "modifier", "measure") and not item.attribute


def _is_missing(item: Item) -> bool:
    """ "The uterus is not identified" says something of the uterus."""
    return item.kind == "organ" and item.polarity == Polarity.NEGATED
