"""From rows to the numbers of a report: means over structures with intervals, by kind of prompt and by prevalence."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from curation.runtime.provenance import ovct_version

from .bootstrap import RESAMPLES, Bootstrap, Estimate
from .previews import Failure, failures_of, false_masks, worst
from .questions import KINDS, Kind, Question
from .record import CaseResult, Header, Row
from .results import LeftOut, Listed, Mean, Presence, Score, Subject, Summary

Values = NDArray[np.float64]

# By the share of cases whose reference has the structure, from the first number to below the second.
BANDS = ((0.0, 0.01, "below 1 %"), (0.01, 0.1, "1 to 10 %"), (0.1, 0.5, "10 to 50 %"), (0.5, 1.01, "50 % and more"))
SEED = 0


class Scores(NamedTuple):
    """Dice and NSD of each case and subject, (N, S), NaN where there is no reference."""

    names: list[str]
    dice: Values
    nsd: Values

    def of(self, bootstrap: Bootstrap) -> Score:
        """The mean over subjects."""
        return Score(dice=bootstrap.mean(self.dice), nsd=bootstrap.mean(self.nsd))

    def only(self, names: Sequence[str]) -> "Scores":
        """Those subjects alone."""
        places = [self.names.index(name) for name in names]
        return Scores(list(names), self.dice[:, places], self.nsd[:, places])


def summarise(
    header: Header,
    cases: Sequence[CaseResult],
    split: str,
    seen: Collection[str] = (),
    left_out: Sequence[LeftOut] = (),
    seed: int = SEED,
) -> Summary:
    """The summary of the evaluated cases; `seen` are the ids of cases that the model was trained on."""
    bootstrap = Bootstrap([case.patient for case in cases], seed)
    subjects = _subjects(header.questions, cases, bootstrap, lambda question: question.subject)
    rows = failures_of(cases)
    return Summary(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        ovct=ovct_version(),
        dataset=header.dataset,
        layout=header.layout,
        split=split,
        checkpoint=header.checkpoint,
        weights=header.weights,
        settings=header.settings,
        known=header.known,
        cases=len(cases),
        patients=bootstrap.patients,
        seen=sum(case.case in seen for case in cases),
        left_out=tuple(left_out),
        resamples=RESAMPLES,
        means=tuple(_means(subjects, cases, bootstrap)),
        bands=tuple(_bands(subjects, cases, bootstrap)),
        presence=tuple(_presence(cases, kind, bootstrap) for kind in KINDS if _rows(cases, kind)),
        subjects=subjects,
        prompts=_subjects(header.questions, cases, bootstrap, lambda question: question.prompt),
        worst=tuple(map(_listed, worst(rows))),
        false_masks=tuple(map(_listed, false_masks(rows))),
        warnings=tuple(dict.fromkeys(warning for case in cases for warning in case.warnings)),
    )


def scores_of(cases: Sequence[CaseResult], kind: Kind, key: Callable[[Row], str] = lambda row: row.subject) -> Scores:
    """The scores of one kind, averaged over the prompts of a subject on each case."""
    found: dict[str, dict[int, list[Row]]] = {}
    for number, case in enumerate(cases):
        for row in case.rows:
            if row.kind == kind:
                found.setdefault(key(row), {}).setdefault(number, []).append(row)
    names = list(found)
    dice, nsd = (np.full((len(cases), len(names)), np.nan) for _ in range(2))
    for column, name in enumerate(names):
        for number, rows in found[name].items():
            dice[number, column] = np.mean([np.nan if row.dice is None else row.dice for row in rows])
            nsd[number, column] = np.mean([np.nan if row.nsd is None else row.nsd for row in rows])
    return Scores(names, dice, nsd)


def difference(first: Scores, second: Scores) -> Scores:
    """First less second, on the subjects that both have."""
    names = [name for name in first.names if name in second.names]
    one, other = first.only(names), second.only(names)
    return Scores(names, one.dice - other.dice, one.nsd - other.nsd)


def _subjects(
    asked: Sequence[Question], cases: Sequence[CaseResult], bootstrap: Bootstrap, key: Callable[[Question], str]
) -> tuple[Subject, ...]:
    """One for each kind and `key` of a question, in the order of the questions."""
    of_prompt = {(question.kind, question.subject, question.prompt): key(question) for question in asked}
    found = []
    for kind in KINDS:
        scores = scores_of(cases, kind, lambda row: _joint(row.subject, of_prompt[row.kind, row.subject, row.prompt]))
        estimates = zip(scores.names, bootstrap.columns(scores.dice), bootstrap.columns(scores.nsd), strict=True)
        by_name = {name: Score(dice=dice, nsd=nsd) for name, dice, nsd in estimates}
        groups: dict[str, list[Question]] = {}
        for question in asked:
            if question.kind == kind:
                groups.setdefault(_joint(question.subject, key(question)), []).append(question)
        rows: dict[str, list[Row]] = {name: [] for name in groups}
        for row in _rows(cases, kind):
            rows[_joint(row.subject, of_prompt[row.kind, row.subject, row.prompt])].append(row)
        found += [_subject(groups[name], rows[name], by_name[name]) for name in groups if name in by_name]
    return tuple(found)


def _joint(subject: str, key: str) -> str:
    """Two structures may share a prompt, so a prompt alone is no key."""
    return f"{subject}\n{key}"


def _subject(asked: Sequence[Question], rows: Sequence[Row], score: Score) -> Subject:
    trained = {question.trained for question in asked}
    return Subject(
        kind=asked[0].kind,
        name=asked[0].subject,
        members=asked[0].members,
        prompts=tuple(question.prompt for question in asked),
        trained=trained.pop() if len(trained) == 1 else None,
        present=sum(row.present for row in rows),
        missed=sum(row.missed for row in rows),
        absent=sum(not row.present for row in rows),
        false_masks=sum(row.false_mask for row in rows),
        score=score,
    )


def _means(subjects: Sequence[Subject], cases: Sequence[CaseResult], bootstrap: Bootstrap) -> list[Mean]:
    """The headline: names, held-out synonyms and what they lose, merged groups."""
    names, synonyms, groups = (scores_of(cases, kind) for kind in KINDS)
    lost = difference(names, synonyms)
    trained = [one.name for one in subjects if one.kind == "name" and one.trained]
    untrained = [one.name for one in subjects if one.kind == "name" and one.trained is False]
    found = [("names", "Names", names)]
    if trained and untrained:
        found += [
            ("names_trained", "– that training used", names.only(trained)),
            ("names_untrained", "– that training did not use", names.only(untrained)),
        ]
    found += [
        ("synonyms", "Held-out synonyms", synonyms),
        ("names_of_synonyms", "Names of the same structures", names.only(lost.names)),
        ("lost", "Lost from name to synonym", lost),
        ("groups", "Merged groups", groups),
    ]
    return [_mean(key, title, scores, bootstrap) for key, title, scores in found if scores.names]


def _mean(key: str, title: str, scores: Scores, bootstrap: Bootstrap) -> Mean:
    counted = int((~np.isnan(scores.dice)).any(axis=0).sum())
    return Mean(key=key, title=title, structures=counted, score=scores.of(bootstrap))


def _bands(subjects: Sequence[Subject], cases: Sequence[CaseResult], bootstrap: Bootstrap) -> list[Mean]:
    names = scores_of(cases, "name")
    found = []
    for low, high, title in BANDS:
        within = [
            one.name
            for one in subjects
            if one.kind == "name" and one.present and low <= one.present / (one.present + one.absent) < high
        ]
        if within:
            found.append(_mean(title, title, names.only(within), bootstrap))
    return found


def _presence(cases: Sequence[CaseResult], kind: Kind, bootstrap: Bootstrap) -> Presence:
    def count(what: Callable[[Row], bool]) -> Values:
        return np.array([sum(what(row) for row in case.rows if row.kind == kind) for case in cases], np.float64)

    volumes = [row.predicted_ml for row in _rows(cases, kind) if row.false_mask]
    return Presence(
        kind=kind,
        false_masks=_share(count(lambda row: row.false_mask), count(lambda row: not row.present), bootstrap),
        missed=_share(count(lambda row: row.missed), count(lambda row: row.present), bootstrap),
        median_ml=float(np.median(volumes)) if volumes else None,
    )


def _share(hits: Values, asked: Values, bootstrap: Bootstrap) -> Estimate:
    """A share with its interval. Where none or all are hits every resample says so too, which is no interval: then it
    is Wilson's, as if each patient had been asked once.
    """
    found = bootstrap.share(hits, asked)
    if found.low is None or found.value not in (0, 1):
        return found
    patients = bootstrap.patients_with(asked)
    interval = binomtest(round(found.value * patients), patients).proportion_ci(method="wilson")
    return Estimate(found.value, float(interval.low), float(interval.high), found.count)


def _rows(cases: Sequence[CaseResult], kind: Kind) -> list[Row]:
    return [row for case in cases for row in case.rows if row.kind == kind]


def _listed(failure: Failure) -> Listed:
    row = failure.row
    return Listed(
        case=failure.case,
        structure=row.subject,
        prompt=row.prompt,
        dice=row.dice,
        nsd=row.nsd,
        reference_ml=row.reference_ml,
        predicted_ml=row.predicted_ml,
        picture=failure.picture,
    )
