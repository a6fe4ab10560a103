"""The verifier as a whole: where a caption is found, under which organ, with what score; and properties of all of it.

What a statement carries and what not is in test_entailment.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from curation.caption import Reason
from curation.report import Section
from curation.verification.report_statements import ReadReport
from curation.verification.verifier import Verification, Verifier

REPORT = "The liver is enlarged. No mass was seen. A 5 mm stone in the left kidney.\nThe spleen is normal."


@cache
def verifier() -> Verifier:
    return Verifier()


@cache
def read(text: str, *sections: Section) -> ReadReport:
    return verifier().read(text, sections)


def verify(text: str, organ: str, caption: str) -> Verification:
    return verifier().verify(read(text), organ, caption)


def evidence(text: str, verdict: Verification) -> str:
    return text[verdict.start : verdict.end]


# -- where ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("organ", "caption", "expected"),
    [
        pytest.param("liver", "The liver is enlarged.", "The liver is enlarged.", id="verbatim"),
        pytest.param(
            "liver", "the LIVER is  enlarged", "The liver is enlarged.", id="case, blanks and stop do not matter"
        ),
        pytest.param("liver", "Enlarged liver", "The liver is enlarged.", id="reworded"),
        pytest.param("left kidney", "Left renal stone", "A 5 mm stone in the left kidney.", id="shortened"),
        pytest.param("spleen", "Normal spleen", "The spleen is normal.", id="last line"),
        pytest.param(
            "liver",
            "No mass in the liver.",
            "The liver is enlarged. No mass was seen.",
            id="context and what names its organ",
        ),
        pytest.param("liver", "- The liver is enlarged.", "The liver is enlarged.", id="list marker"),
    ],
)
def test_evidence_is_the_whole_statement(organ: str, caption: str, expected: str) -> None:
    verdict = verify(REPORT, organ, caption)
    assert verdict.accepted, verdict.detail
    assert evidence(REPORT, verdict) == expected


@pytest.mark.parametrize(
    ("text", "organ", "caption", "expected"),
    [
        ("  1. The liver is\n enlarged.\r\n2. Splenomegaly.", "liver", "Enlarged liver", "The liver is\n enlarged."),
        ("• Liver cyst\n• Renal stone", "kidneys", "Renal stone", "Renal stone"),
        ('Liver cyst. " " Splenomegaly.', "spleen", "Splenomegaly", "Splenomegaly."),
        ("Ödem yok. The liver is enlarged.", "liver", "Enlarged liver", "The liver is enlarged."),
        ("\U0001d504\U0001d505 🫁. The liver is enlarged.", "liver", "Enlarged liver", "The liver is enlarged."),
        ("The liver is enlarged\x00. Splenomegaly.", "spleen", "Splenomegaly", "Splenomegaly."),
    ],
)
def test_evidence_is_verbatim_in_odd_texts(text: str, organ: str, caption: str, expected: str) -> None:
    verdict = verify(text, organ, caption)
    assert verdict.accepted, verdict.detail
    assert evidence(text, verdict) == expected


def test_the_section_is_that_of_the_evidence_and_others_are_not_read() -> None:
    text = "HISTORY: Stone in the gallbladder.\nFINDINGS: The liver is enlarged.\nIMPRESSION: Splenomegaly.\n"
    sections = [
        Section(name, text.index(body), text.index(body) + len(body))
        for name, body in [
            ("history", "Stone in the gallbladder."),
            ("findings", "The liver is enlarged."),
            ("impression", "Splenomegaly."),
        ]
    ]
    report = verifier().read(text, sections)
    assert verifier().verify(report, "liver", "Enlarged liver.").section == "findings"
    assert verifier().verify(report, "spleen", "Enlarged spleen.").section == "impression"
    assert not verifier().verify(report, "gallbladder", "Stone in the gallbladder.").accepted


def test_a_refusal_names_the_nearest_passage() -> None:
    verdict = verify(REPORT, "left kidney", "A 6 mm stone in the left kidney.")
    assert (verdict.reason, verdict.status) == (Reason.MEASUREMENT, None)
    assert verdict.nearest == evidence(REPORT, verdict) == "A 5 mm stone in the left kidney."
    assert "6 mm" in (verdict.detail or "")


@pytest.mark.parametrize(
    ("text", "caption", "status"),
    [
        ("The liver is normal.", "Normal liver.", "normal"),
        ("No mass in the liver.", "No liver mass.", "normal"),
        ("Cyst in the liver.", "Liver cyst.", "abnormal"),
        ("Possible cyst in the liver.", "Possible liver cyst.", "uncertain"),
    ],
)
def test_an_accepted_caption_has_a_status(text: str, caption: str, status: str) -> None:
    assert verify(text, "liver", caption).status == status


# -- the organ it is filed under -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "organ", "canonical"),
    [
        ("Stone in the left kidney.", "left kidney", "left kidney"),
        ("Stone in the left kidney.", "Left Kidney", "left kidney"),
        ("Stone in the left kidney.", " kidney_left ", "left kidney"),
        ("Nodule in the RUL.", "RUL", "right upper lobe"),
        ("Nodule in the RUL.", "lung_upper_lobe_right", "right upper lobe"),
        ("Nodule in the RUL.", "lungs", "lungs"),
        ("The oesophagus is dilated.", "oesophagus", "esophagus"),
        ("Stone in the urinary bladder.", "urinary_bladder", "urinary bladder"),
    ],
)
def test_an_organ_may_be_named_by_any_name(text: str, organ: str, canonical: str) -> None:
    verdict = verify(text, organ, text)
    assert verdict.accepted, verdict.detail
    assert verdict.organ == canonical


@pytest.mark.parametrize("organ", ["", " ", "flux capacitor", "left", "normal", "\x00", "liver and spleen", "🫁"])
def test_an_unknown_organ_is_refused(organ: str) -> None:
    verdict = verify(REPORT, organ, "The liver is enlarged.")
    assert (verdict.accepted, verdict.reason) == (False, Reason.UNKNOWN_ORGAN)
    assert verdict.organ == organ


@pytest.mark.parametrize("caption", ["", " ", "\n\t"])
def test_an_empty_caption_is_refused(caption: str) -> None:
    verdict = verify(REPORT, "liver", caption)
    assert (verdict.accepted, verdict.reason) == (False, Reason.SCHEMA)


@pytest.mark.parametrize("caption", [".", "?", "-", "1.", "the", "is seen", "No", "\x00", "🫁", "xyzzy"])
def test_a_caption_that_says_nothing_is_refused(caption: str) -> None:
    assert not verify(REPORT, "liver", caption).accepted


@pytest.mark.parametrize(
    ("organ", "caption", "accepted"),
    [
        ("mediastinum", "normal", False),
        ("trachea", "normal", True),
        ("mediastinum", "Trachea is normal", True),
        ("lungs", "No nodule", False),
        ("lungs", "No nodule in the right upper lobe", True),
        ("right upper lobe", "No nodule", True),
        ("lungs", "A cyst", True),
        ("left lower lobe", "A cyst", True),
        ("left kidney", "No stone", True),
    ],
)
def test_what_is_normal_in_a_part_is_not_so_in_the_whole(organ: str, caption: str, accepted: bool) -> None:
    said = ("The trachea is normal.", "No nodule in the right upper lobe.", "A cyst in the left lower lobe.")
    text = " ".join([*said, "No stone in the kidneys."])
    assert verify(text, organ, caption).accepted is accepted


@pytest.mark.parametrize(
    ("text", "organ", "caption", "accepted"),
    [
        ("Trachea and both main bronchi are open.", "main bronchi", "open", True),
        ("The liver is normal, the spleen is normal.", "spleen", "normal", True),
        ("The liver is normal, the spleen is enlarged.", "spleen", "normal", False),
        (
            "In the lower lobe of the right lung, opacities are seen.",
            "right lung",
            "opacities in the lower lobe",
            True,
        ),
        (
            "In the lower lobe of the right lung, opacities are seen.",
            "left lung",
            "opacities in the lower lobe",
            False,
        ),
    ],
)
def test_a_caption_without_its_organ_is_read_as_one_about_it(
    text: str, organ: str, caption: str, accepted: bool
) -> None:
    assert verify(text, organ, caption).accepted is accepted


@pytest.mark.parametrize(
    ("caption", "accepted"),
    [
        ("central left upper lobe of the lung", False),
        ("in the left upper lobe", False),
        ("infectious processes in the central left upper lobe of the lung", True),
    ],
)
def test_a_place_alone_is_no_caption(caption: str, accepted: bool) -> None:
    text = "Infectious processes in the central left upper lobe of the lung."
    assert verify(text, "left upper lobe", caption).accepted is accepted


@pytest.mark.parametrize(
    ("text", "organ", "caption", "accepted"),
    [
        ("New lesions: 9 mm liver lesion in segment II, not present before.", "liver", "no liver", False),
        ("Kidneys: 2 mm nonobstructing stone right lower pole.", "kidneys", "kidneys", False),
        ("The uterus is not identified.", "uterus", "uterus is not identified", True),
    ],
)
def test_an_organ_is_denied_only_where_it_is_absent(text: str, organ: str, caption: str, accepted: bool) -> None:
    assert verify(text, organ, caption).accepted is accepted


@pytest.mark.parametrize("caption", ["Liver", "liver:", "The liver", "The liver is"])
def test_the_name_of_an_organ_alone_is_no_caption(caption: str) -> None:
    assert not verify(REPORT, "liver", caption).accepted


@pytest.mark.parametrize("text", ["", " \n", ".", "- - -", "xyzzy"])
def test_an_empty_report_carries_nothing(text: str) -> None:
    verdict = verify(text, "liver", "The liver is enlarged.")
    assert (verdict.accepted, verdict.reason, verdict.score) == (False, Reason.NOT_GROUNDED, 0.0)
    assert (verdict.start, verdict.end) == (-1, -1)


# -- several sentences ---------------------------------------------------------------------------------------------

CYSTS = "The liver is enlarged. It has a 2 cm cyst. The spleen is normal. The liver contours are smooth."


def test_each_sentence_of_a_caption_is_held_against_the_report() -> None:
    verdict = verify(CYSTS, "liver", "The liver is enlarged. It has a 2 cm cyst.")
    assert verdict.accepted, verdict.detail
    assert evidence(CYSTS, verdict) == "The liver is enlarged. It has a 2 cm cyst."
    assert verdict.status == "abnormal"


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("The liver is enlarged. It has a 3 cm cyst.", Reason.MEASUREMENT),
        ("The liver is not enlarged. It has a 2 cm cyst.", Reason.NEGATION),
        ("The liver is enlarged. The spleen is normal.", Reason.WRONG_ORGAN),
        ("The liver is enlarged. The pancreas is atrophic.", Reason.NOT_GROUNDED),
    ],
)
def test_one_wrong_sentence_refuses_the_caption(caption: str, reason: Reason) -> None:
    verdict = verify(CYSTS, "liver", caption)
    assert (verdict.accepted, verdict.reason) == (False, reason)


def test_sentences_from_distant_parts_are_no_caption() -> None:
    text = "The liver is enlarged. " + "The spleen is normal. " * 100 + "The liver has a 2 cm cyst."
    assert verify(text, "liver", "The liver is enlarged.").accepted
    assert verify(text, "liver", "The liver has a 2 cm cyst.").accepted
    assert not verify(text, "liver", "The liver is enlarged. The liver has a 2 cm cyst.").accepted


# -- score ---------------------------------------------------------------------------------------------------------


def test_the_score_is_the_share_of_the_caption_that_is_carried() -> None:
    text = "There is diffuse steatosis of the liver with a 2 cm cyst. The spleen is normal."
    whole = verify(text, "liver", "There is diffuse steatosis of the liver with a 2 cm cyst.")
    short = verify(text, "liver", "Liver steatosis.")
    synonym = verify(text, "liver", "Fatty infiltration of the liver.")
    number = verify(text, "liver", "Diffuse steatosis of the liver with a 3 cm cyst.")
    foreign = verify(text, "liver", "Abscess with gas next to the portal vein.")
    assert whole.score == 100
    assert short.score >= 90
    assert 80 <= synonym.score < 100
    assert 50 <= number.score < 100
    assert foreign.score < 50
    assert (foreign.accepted, foreign.reason) == (False, Reason.NOT_GROUNDED)


# -- properties ----------------------------------------------------------------------------------------------------

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
class Told:
    """A statement of a report of our own."""

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
def told(draw: st.DrawFn) -> Told:
    form, finding = draw(st.sampled_from(sorted(FORMS))), draw(st.sampled_from(FINDINGS))
    noun = draw(st.sampled_from(PAIRED + SINGLE))
    side = draw(st.sampled_from(["left", "right"])) if noun in PAIRED else None
    detail = draw(
        st.sampled_from([None, "mild", "severe"]) | st.tuples(st.integers(2, 90), st.sampled_from(["mm", "cm"]))
    )
    if isinstance(detail, tuple):
        return Told(form, noun, side, finding, None, detail)
    return Told(form, noun, side, finding, detail, None)


# No two speak of the same finding of the same kind of organ, so that no flip of one is said by another.
REPORTS = st.lists(told(), min_size=1, max_size=5, unique_by=lambda one: (one.noun, one.finding))


def flips(one: Told) -> list[Told]:
    """The same statement with one thing turned round."""
    found = [replace(one, form="no" if one.form not in DENIED else "affirmed")]
    if one.form == "not seen at the end":
        found.append(replace(one, form="verbless"))
    if one.form == "possible":
        found.append(replace(one, form="affirmed"))
    if one.form in ("affirmed", "verbless", "behind"):
        found.append(replace(one, form="possible"))
    if one.side:
        found.append(replace(one, side=OPPOSITES[one.side]))
    if one.severity:
        found.append(replace(one, severity=OPPOSITES[one.severity]))
    if one.size:
        value, unit = one.size
        found += [replace(one, size=(value + 1, unit)), replace(one, size=(value, OPPOSITES[unit]))]
        found.append(replace(one, size=(value * 10, unit)))
    return found


@settings(max_examples=150)
@given(REPORTS, st.sampled_from([" ", "\n", "\n\n", "\n- "]))
def test_each_statement_is_accepted_with_exactly_its_own_span(report: list[Told], between: str) -> None:
    text = between.join(one.text for one in report)
    for one in report:
        verdict = verify(text, one.organ, one.text)
        assert verdict.accepted, f"{one.text}: {verdict.detail}"
        assert evidence(text, verdict) == one.text
        assert verdict.score == 100
        denied, possible = one.form in DENIED, one.form == "possible"
        assert verdict.status == ("normal" if denied else "uncertain" if possible else "abnormal")


@settings(max_examples=150)
@given(REPORTS)
def test_a_statement_with_one_thing_turned_round_is_refused(report: list[Told]) -> None:
    text = " ".join(one.text for one in report)
    for one in report:
        for flipped in flips(one):
            for organ in {one.organ, flipped.organ}:
                verdict = verify(text, organ, flipped.text)
                assert not verdict.accepted, f"{flipped.text} from {one.text}"
                assert verdict.reason is not None


@settings(max_examples=60)
@given(told(), st.data())
def test_a_turned_statement_is_accepted_where_the_report_says_it_as_well(one: Told, data: st.DataObject) -> None:
    flipped = data.draw(st.sampled_from(flips(one)))
    text = f"{one.text} {flipped.text}"
    verdict = verify(text, flipped.organ, flipped.text)
    assert verdict.accepted, verdict.detail
    assert evidence(text, verdict) == flipped.text


@settings(max_examples=60)
@given(REPORTS)
def test_a_statement_cut_off_before_its_denial_is_refused(report: list[Told]) -> None:
    text = " ".join(one.text for one in report)
    for one in report:
        head, found, _ = one.text.partition(" was not observed")
        if found:
            assert not verify(text, one.organ, head).accepted, head


@settings(max_examples=60)
@given(REPORTS, st.data())
def test_the_order_of_statements_changes_nothing(report: list[Told], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(report))
    texts = [" ".join(one.text for one in order) for order in (report, shuffled)]
    captions = [(one.organ, one.text) for one in report] + [(f.organ, f.text) for one in report for f in flips(one)]
    for organ, caption in captions:
        first, second = (verify(text, organ, caption) for text in texts)
        assert first.accepted == second.accepted, caption
        if first.accepted:
            assert evidence(texts[0], first) == evidence(texts[1], second)


@settings(max_examples=150)
@given(
    st.lists(told(), min_size=2, max_size=2, unique_by=(lambda one: one.noun, lambda one: one.finding)), st.booleans()
)
def test_two_claims_of_one_sentence_are_kept_apart(pair: list[Told], denied: bool) -> None:
    first, second = (replace(one, form="verbless") for one in pair)
    halves = [f"a {first.what} in the {first.organ}", f"{'no' if denied else 'a'} {second.what} in the {second.organ}"]
    text = f"There is {' and '.join(halves)}."
    for one, half in zip((first, second), halves, strict=True):
        verdict = verify(text, one.organ, half)
        assert verdict.accepted, f"{half}: {verdict.detail}"
        assert evidence(text, verdict) == text
    crossed = [replace(first, finding=second.finding), replace(second, finding=first.finding)]
    if first.size != second.size:
        crossed += [replace(first, size=second.size)] if second.size and not first.severity else []
        crossed += [replace(second, size=first.size)] if first.size and not second.severity else []
    if first.severity != second.severity:
        crossed += [replace(first, severity=second.severity)] if second.severity else []
        crossed += [replace(second, severity=first.severity)] if first.severity else []
    for wrong in crossed:
        assert not verify(text, wrong.organ, wrong.text).accepted, f"{wrong.text} from {text}"


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
    """Verbatim words can be under a wrong organ; nothing else about them can be wrong."""
    for statement in read(text).statements:
        caption = text[statement.start : statement.end]
        assume(statement.organs)
        verdict = verify(text, statement.organs[0], caption)
        assert verdict.accepted or verdict.reason in (Reason.WRONG_ORGAN, Reason.LATERALITY), verdict.detail
