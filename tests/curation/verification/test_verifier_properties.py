"""Properties of verification, on reports that are made up of statements of a few forms."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from curation.caption import Reason

from .caption_cases import evidence, read, verifier, verify

PAIRED = ("kidney", "lung", "ovary", "adrenal gland")
SINGLE = ("liver", "spleen", "pancreas", "gallbladder", "stomach", "prostate")
FINDINGS = ("cyst", "stone", "abscess", "hematoma", "nodule", "calcification")
FORMS = {
    "affirmed": "There is a {what} in the {where}.",
    "verbless": "{What} in the {where}.",
    "behind": "The {where} contains a {what}.",
    "no": "No {what} in the {where}.",
    "without": "The {where} is without a {what}.",
    "not seen": "A {what} was not observed in the {where}.",
    "not seen at the end": "A {what} in the {where} was not observed.",
    "possible": "Possible {what} in the {where}.",
}
DENIED = ("no", "without", "not seen", "not seen at the end")
OPPOSITES = {"left": "right", "right": "left", "mild": "severe", "severe": "mild", "mm": "cm", "cm": "mm"}


@dataclass(frozen=True)
class MadeUpStatement:
    """A statement of a made-up report."""

    form: str
    noun: str
    side: str | None
    finding: str
    severity: str | None
    size: tuple[int, str] | None

    @property
    def organ(self) -> str:
        return f"{self.side} {self.noun}" if self.side else self.noun

    @property
    def what(self) -> str:
        size = f"{self.size[0]} {self.size[1]}" if self.size else None
        return " ".join(word for word in (self.severity, size, self.finding) if word)

    @property
    def text(self) -> str:
        what = self.what
        return FORMS[self.form].format(what=what, What=what[0].upper() + what[1:], where=self.organ)


@st.composite
def made_up_statements(draw: st.DrawFn) -> MadeUpStatement:
    form, finding = draw(st.sampled_from(sorted(FORMS))), draw(st.sampled_from(FINDINGS))
    noun = draw(st.sampled_from(PAIRED + SINGLE))
    side = draw(st.sampled_from(["left", "right"])) if noun in PAIRED else None
    detail = draw(
        st.sampled_from([None, "mild", "severe"]) | st.tuples(st.integers(2, 90), st.sampled_from(["mm", "cm"]))
    )
    if isinstance(detail, tuple):
        return MadeUpStatement(form, noun, side, finding, None, detail)
    return MadeUpStatement(form, noun, side, finding, detail, None)


# No two speak of the same finding of the same kind of organ, so that no flip of one is said by another.
REPORTS = st.lists(
    made_up_statements(), min_size=1, max_size=5, unique_by=lambda statement: (statement.noun, statement.finding)
)


def with_one_thing_changed(statement: MadeUpStatement) -> list[MadeUpStatement]:
    """Return the statement with one thing turned round, in every way."""
    changed = [replace(statement, form="no" if statement.form not in DENIED else "affirmed")]
    if statement.form == "not seen at the end":
        changed.append(replace(statement, form="verbless"))
    if statement.form == "possible":
        changed.append(replace(statement, form="affirmed"))
    if statement.form in ("affirmed", "verbless", "behind"):
        changed.append(replace(statement, form="possible"))
    if statement.side:
        changed.append(replace(statement, side=OPPOSITES[statement.side]))
    if statement.severity:
        changed.append(replace(statement, severity=OPPOSITES[statement.severity]))
    if statement.size:
        value, unit = statement.size
        changed += [replace(statement, size=(value + 1, unit)), replace(statement, size=(value, OPPOSITES[unit]))]
        changed.append(replace(statement, size=(value * 10, unit)))
    return changed


@settings(max_examples=150)
@given(REPORTS, st.sampled_from([" ", "\n", "\n\n", "\n- "]))
def test_each_statement_is_accepted_with_exactly_its_own_span(report: list[MadeUpStatement], between: str) -> None:
    text = between.join(statement.text for statement in report)
    for statement in report:
        verdict = verify(text, statement.organ, statement.text)
        assert verdict.accepted, f"{statement.text}: {verdict.detail}"
        assert evidence(text, verdict) == statement.text
        assert verdict.score == 100
        denied, possible = statement.form in DENIED, statement.form == "possible"
        assert verdict.status == ("normal" if denied else "uncertain" if possible else "abnormal")


@settings(max_examples=150)
@given(REPORTS)
def test_a_statement_with_one_thing_turned_round_is_refused(report: list[MadeUpStatement]) -> None:
    text = " ".join(statement.text for statement in report)
    for statement in report:
        for flipped in with_one_thing_changed(statement):
            for organ in {statement.organ, flipped.organ}:
                verdict = verify(text, organ, flipped.text)
                assert not verdict.accepted, f"{flipped.text} from {statement.text}"
                assert verdict.reason is not None


@settings(max_examples=60)
@given(made_up_statements(), st.data())
def test_a_turned_statement_is_accepted_where_the_report_says_it_as_well(
    statement: MadeUpStatement, data: st.DataObject
) -> None:
    flipped = data.draw(st.sampled_from(with_one_thing_changed(statement)))
    text = f"{statement.text} {flipped.text}"
    verdict = verify(text, flipped.organ, flipped.text)
    assert verdict.accepted, verdict.detail
    assert evidence(text, verdict) == flipped.text


@settings(max_examples=60)
@given(REPORTS)
def test_a_statement_cut_off_before_its_denial_is_refused(report: list[MadeUpStatement]) -> None:
    text = " ".join(statement.text for statement in report)
    for statement in report:
        head, denial, _ = statement.text.partition(" was not observed")
        if denial:
            assert not verify(text, statement.organ, head).accepted, head


@settings(max_examples=60)
@given(REPORTS, st.data())
def test_the_order_of_statements_changes_nothing(report: list[MadeUpStatement], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(report))
    texts = [" ".join(statement.text for statement in order) for order in (report, shuffled)]
    captions = [(statement.organ, statement.text) for statement in report] + [
        (f.organ, f.text) for statement in report for f in with_one_thing_changed(statement)
    ]
    for organ, caption in captions:
        first, second = (verify(text, organ, caption) for text in texts)
        assert first.accepted == second.accepted, caption
        if first.accepted:
            assert evidence(texts[0], first) == evidence(texts[1], second)


@settings(max_examples=150)
@given(
    st.lists(
        made_up_statements(),
        min_size=2,
        max_size=2,
        unique_by=(lambda statement: statement.noun, lambda statement: statement.finding),
    ),
    st.booleans(),
)
def test_two_claims_of_one_sentence_are_kept_apart(pair: list[MadeUpStatement], denied: bool) -> None:
    first, second = (replace(statement, form="verbless") for statement in pair)
    halves = [f"a {first.what} in the {first.organ}", f"{'no' if denied else 'a'} {second.what} in the {second.organ}"]
    text = f"There is {' and '.join(halves)}."
    for statement, half in zip((first, second), halves, strict=True):
        verdict = verify(text, statement.organ, half)
        assert verdict.accepted, f"{half}: {verdict.detail}"
        assert evidence(text, verdict) == text
    crossed = [replace(first, finding=second.finding), replace(second, finding=first.finding)]
    if first.size != second.size:
        crossed += [replace(first, size=second.size)] if second.size and not first.severity else []
        crossed += [replace(second, size=first.size)] if first.size and not second.severity else []
    if first.severity != second.severity:
        crossed += [replace(first, severity=second.severity)] if second.severity else []
        crossed += [replace(second, severity=first.severity)] if first.severity else []
    for crossed_statement in crossed:
        assert not verify(text, crossed_statement.organ, crossed_statement.text).accepted, (
            f"{crossed_statement.text} from {text}"
        )


WORDS = (
    "liver left right kidney both lungs no not without cyst 5 mm cm x - to 12x9 was is seen observed and or , . ; "
    ": ? ( ) "
    "but except normal mild severe possible previously new L4 level lymph nodes mediastinal hila upper lobe of the "
    "in • é % "
    'HU status post cholecystectomy cannot be excluded nor either " \x00 \n'
).split(" ")
BABBLE = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
ANYTHING = st.text(max_size=60) | BABBLE


@settings(max_examples=400)
@given(ANYTHING, st.sampled_from(["liver", "left kidney", "lungs", "lymph nodes"]) | st.text(max_size=8), ANYTHING)
def test_nothing_makes_it_fail_and_evidence_always_lies_in_the_text(text: str, organ: str, caption: str) -> None:
    report = read(text)
    verdict = verifier().verify(report, organ, caption)
    assert 0 <= verdict.score <= 100
    assert verdict.accepted == (verdict.reason is None) == (verdict.status is not None)
    if verdict.accepted:
        assert evidence(text, verdict)
        assert verdict.start in {statement.start for statement in report.statements}
        assert verdict.end in {statement.end for statement in report.statements}
    elif verdict.nearest is not None:
        assert verdict.nearest == evidence(text, verdict)
    assert verify(text, organ, caption) == verdict


@settings(max_examples=200)
@given(BABBLE)
def test_a_statement_under_an_organ_it_names_is_always_accepted_or_wrong_only_in_its_organ(text: str) -> None:
    """Verbatim words can be under a wrong organ; nothing else about them can be wrong. Headings say nothing."""
    for statement in read(text).statements:
        caption = text[statement.start : statement.end]
        assume(statement.organs and not statement.heading)
        verdict = verify(text, statement.organs[0], caption)
        assert verdict.accepted or verdict.reason in (Reason.WRONG_ORGAN, Reason.LATERALITY), verdict.detail
