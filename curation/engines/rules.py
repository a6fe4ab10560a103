"""The built-in engine: organ captions by the grammar of reports, without a model and without a network.

Each statement of findings or impression is cut into units (``curation/language/clauses.py``); each organ of them gets
the shortest wording that stands alone (``caption_wording.py``) and that the verifier accepts. The drafts are verified
again like those of any other engine.
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

from .caption_wording import OrganClaim, caption_wordings, is_well_formed
from .non_findings import is_observation, without_non_findings


class RulesEngine:
    """Drafts captions from the structure of the text alone."""

    name = "rules"
    model: str | None = None
    prompt: str | None = None

    def __init__(self, verifier: Verifier | None = None) -> None:
        self.verifier = verifier or Verifier()
        self.reader = self.verifier.reader
        self._cached_captions = lru_cache(maxsize=CACHED)(self._find_captions)

    def extract(self, reports: Sequence[Report]) -> Iterator[Iterable[Draft]]:
        """Yield the drafts of each report, in the order of ``reports``."""
        for report in reports:
            yield self.drafts(self.verifier.read(report.text, report.sections))

    def drafts(self, report: ReadReport) -> list[Draft]:
        """Return the drafts of one report that has been read, in the order of its statements."""
        return [
            Draft(organ, caption, statement.number)
            for statement in report.statements
            for organ, caption in self._statement_captions(statement.analysis.text, statement.context)
        ]

    def _statement_captions(self, text: str, context: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Return the (organ, caption) pairs of one statement. ``context``: organs of the statements before it."""
        return self._cached_captions(text, context)

    def _find_captions(self, text: str, context: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        analysis = self.reader.analyse(text)
        claims = self._claims(analysis, context)
        captions = ((claim.organ, self._shortest_caption(claim, claims, analysis, context)) for claim in claims)
        return tuple((organ, caption) for organ, caption in captions if caption is not None)

    def _shortest_caption(
        self, claim: OrganClaim, claims: Sequence[OrganClaim], analysis: Analysis, context: tuple[str, ...]
    ) -> str | None:
        for caption in caption_wordings(claim, claims, analysis):
            if self._stands_alone(caption, analysis) and self.verifier.carries(
                analysis.text, context, claim.organ, caption
            ):
                return caption
        return None

    def _stands_alone(self, caption: str, analysis: Analysis) -> bool:
        """Return whether a wording stands alone: it reads well, and still says what is found, or that nothing is."""
        if caption.endswith(analysis.text.strip(" .;,")):
            return True
        items = self.reader.analyse(caption).items
        return is_well_formed(caption) and any(_is_assertion(item) for item in items)

    def _claims(self, analysis: Analysis, context: tuple[str, ...]) -> list[OrganClaim]:
        """Return one claim for each organ of a statement; those of the context for a statement that names none."""
        findings = without_non_findings(units(analysis), analysis)
        if not any(_asserts_something(unit) for unit in findings):
            return []
        claims = self._claims_by_organ(findings)
        if not claims and any(is_observation(item) for unit in findings for item in unit.items):
            organs = dict.fromkeys(self.reader.vocabulary.filed_under(organ) for organ in context)
            claims = [OrganClaim(organ, tuple(findings), None) for organ in organs]
        return claims

    def _claims_by_organ(self, findings: Sequence[Unit]) -> list[OrganClaim]:
        """Return one claim for each organ, with all of its units, in the order in which organs are first named."""
        organs: dict[str, tuple[list[Unit], Item | None, str]] = {}
        for unit in findings:
            if unit.heading:
                continue
            for part, item in self._organs(unit):
                organ_units = organs.setdefault(self.reader.vocabulary.filed_under(part), ([], item, part))[0]
                if unit not in organ_units:
                    organ_units.append(unit)
        return [
            OrganClaim(organ, tuple(organ_units), item, part)
            for organ, (organ_units, item, part) in organs.items()
            if any(_asserts_something(unit) for unit in organ_units)
        ]

    def _organs(self, unit: Unit) -> list[tuple[str, Item | None]]:
        """Return the organs that a unit is about, without those that only enclose another of them."""
        organs = list(self._named_organs(unit))
        names = {name for name, _ in organs}
        enclosing = {ancestor for name in names for ancestor in self.reader.vocabulary.ancestors(name)}
        return [(name, item) for name, item in organs if name not in enclosing]

    def _named_organs(self, unit: Unit) -> Iterator[tuple[str, Item | None]]:
        from_heading = _implied_of_heading(self.reader, unit)
        implied = implied_organs(self.reader, unit.items)
        implied_here = () if unit.segment.organs else implied_organs(self.reader, unit.segment.items)
        if implied_here and not any(self._related(item, implied_here) for item in unit.items if item.mention):
            # "cardiomegaly, dilatation of the aorta": not both of the aorta
            yield from ((name, None) for name in implied_here)
            return
        for item in unit.items:
            if item.mention and not item.mention.place and not item.mention.container:
                if implied and self.reader.vocabulary.organs[item.key].region:
                    continue  # "effusion in the right hemithorax" is about the pleura
                for name in item.mention.names:
                    if not from_heading or item in unit.segment.items or name in from_heading:
                        yield name, item
        for name in implied:
            yield name, None

    def _related(self, item: Item, organs: Sequence[str]) -> bool:
        names = item.mention.names if item.mention else ()
        return any(self.reader.vocabulary.related(name, organ) for name in names for organ in organs)


def _implied_of_heading(reader: Reader, unit: Unit) -> set[str]:
    """Return the organs of a heading that the finding below it implies: "PERITONEUM/ABDOMINAL WALL: No ascites." """
    implied = {item.entry.organ for item in unit.segment.items if item.entry and item.entry.organ}
    inherited = [item.mention for item in unit.items if item.mention and item not in unit.segment.items]
    heading_names = {name for mention in inherited for name in mention.names}
    organs = {reader.anatomist.resolve(organ) for organ in implied} - {None}
    return {name for name in heading_names if any(organ and reader.vocabulary.related(name, organ) for organ in organs)}


def _asserts_something(unit: Unit) -> bool:
    return any(
        _is_quality(item)
        or _is_missing_organ(item)
        or (item.mention is not None and (item.mention.device or item.key.endswith("lymph nodes")))
        for item in unit.items
    )


def _is_assertion(item: Item) -> bool:
    if item.mention is None:
        return _is_quality(item)
    mention = item.mention
    return mention.device or mention.finding or _is_missing_organ(item) or item.key.endswith("lymph nodes")


def _is_quality(item: Item) -> bool:
    return item.kind in ("finding", "modifier", "measure") and not item.attribute


def _is_missing_organ(item: Item) -> bool:
    """Return whether an item is an organ that is denied: "The uterus is not identified" says something of it."""
    return item.kind == "organ" and item.polarity == Polarity.NEGATED
