"""From rows to the numbers of a report: means over structures with intervals, by kind of prompt and by prevalence."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from curation.runtime.provenance import ovct_version

from .bootstrap import RESAMPLES, Bootstrap, BootstrapEstimate, Values
from .previews import Failure, failure_candidates, largest_false_masks, lowest_dice
from .questions import KINDS, SCORED_KINDS, EvaluationQuestion, Kind
from .record import CaseResult, EvaluationHeader, ScoreRow
from .results import (
    EvaluationSummary,
    ListedFailure,
    MeanScore,
    PresenceRates,
    ScoreEstimate,
    SkippedCase,
    SubjectScore,
)
from .score_table import ScoreTable, score_table

# By the share of cases whose reference has the structure, from the first number to below the second.
BANDS = ((0.0, 0.01, "below 1 %"), (0.01, 0.1, "1 to 10 %"), (0.1, 0.5, "10 to 50 %"), (0.5, 1.01, "50 % and more"))
SEED = 0


def summarise(
    header: EvaluationHeader,
    cases: Sequence[CaseResult],
    split: str,
    seen: Collection[str] = (),
    left_out: Sequence[SkippedCase] = (),
    seed: int = SEED,
) -> EvaluationSummary:
    """Return the summary of the evaluated cases; `seen` are the ids of cases that the model was trained on."""
    bootstrap = Bootstrap([case.patient for case in cases], seed)
    subjects = _subject_scores(header.questions, cases, bootstrap, lambda question: question.subject)
    failures = failure_candidates(cases)
    return EvaluationSummary(
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
        means=tuple(_means(header.questions, cases, bootstrap)),
        bands=tuple(_bands(subjects, cases, bootstrap)),
        presence=tuple(_presence(cases, kind, bootstrap) for kind in KINDS if _rows(cases, kind)),
        subjects=subjects,
        prompts=_subject_scores(header.questions, cases, bootstrap, lambda question: question.prompt),
        worst=tuple(map(_listed, lowest_dice(failures))),
        false_masks=tuple(map(_listed, largest_false_masks(failures))),
        warnings=tuple(dict.fromkeys(warning for case in cases for warning in case.warnings)),
    )


def _subject_scores(
    questions: Sequence[EvaluationQuestion],
    cases: Sequence[CaseResult],
    bootstrap: Bootstrap,
    key: Callable[[EvaluationQuestion], str],
) -> tuple[SubjectScore, ...]:
    """Return the scores for each kind and `key` of a question, in the order of the questions."""
    keys = {(question.kind, question.subject, question.prompt): key(question) for question in questions}

    def row_key(row: ScoreRow) -> str:
        return _unique_key(row.subject, keys[row.kind, row.subject, row.prompt])

    scores = []
    for kind in KINDS:
        table = score_table(cases, kind, row_key)
        estimates = zip(table.names, bootstrap.columns(table.dice), bootstrap.columns(table.nsd), strict=True)
        by_key = {name: ScoreEstimate(dice=dice, nsd=nsd) for name, dice, nsd in estimates}
        groups: dict[str, list[EvaluationQuestion]] = {}
        for question in questions:
            if question.kind == kind:
                groups.setdefault(_unique_key(question.subject, key(question)), []).append(question)
        rows: dict[str, list[ScoreRow]] = {name: [] for name in groups}
        for row in _rows(cases, kind):
            rows[row_key(row)].append(row)
        scores += [_subject_score(groups[name], rows[name], by_key[name]) for name in groups if name in by_key]
    return tuple(scores)


def _unique_key(subject: str, key: str) -> str:
    """Join subject and key: two structures may share a prompt, so a prompt alone is no key."""
    return f"{subject}\n{key}"


def _subject_score(
    questions: Sequence[EvaluationQuestion], rows: Sequence[ScoreRow], score: ScoreEstimate
) -> SubjectScore:
    trained = {question.trained for question in questions}
    return SubjectScore(
        kind=questions[0].kind,
        name=questions[0].subject,
        members=questions[0].members,
        prompts=tuple(question.prompt for question in questions),
        trained=trained.pop() if len(trained) == 1 else None,
        present=sum(row.present for row in rows),
        missed=sum(row.missed for row in rows),
        absent=sum(not row.present for row in rows),
        false_masks=sum(row.false_mask for row in rows),
        score=score,
    )


def _means(
    questions: Sequence[EvaluationQuestion], cases: Sequence[CaseResult], bootstrap: Bootstrap
) -> list[MeanScore]:
    """Return the headline: names, held-out synonyms and what they lose, groups; what training used stands apart."""
    names, synonyms, groups = (_tables_by_training(questions, cases, kind) for kind in SCORED_KINDS)
    # What was held out, or may have been; where training used all synonyms, all of them.
    asked = synonyms.untrained or synonyms.all
    lost = names.all.minus(asked)
    held_out = "Synonyms that training used" if synonyms.untrained is None else "Held-out synonyms"
    tables = [
        ("names", "Names", names.all),
        ("names_trained", "– that training used", names.trained if names.untrained else None),
        ("names_untrained", "– that training did not use", names.untrained if names.trained else None),
        ("synonyms", held_out, asked),
        ("names_of_synonyms", "Names of the same structures", names.all.select(lost.names)),
        ("lost", "Lost from name to synonym", lost),
        ("groups", "Groups", groups.all),
        ("groups_trained", "– that training used", groups.trained),
        ("groups_held_out", "– held out", groups.untrained),
    ]
    return [_mean(key, title, table, bootstrap) for key, title, table in tables if table is not None and table.names]


class _TablesByTraining(NamedTuple):
    """The scores of one kind of question, and of the prompts that training used and did not use, None without any.

    Where that is not known, both are None.
    """

    all: ScoreTable
    trained: ScoreTable | None
    untrained: ScoreTable | None


def _tables_by_training(
    questions: Sequence[EvaluationQuestion], cases: Sequence[CaseResult], kind: Kind
) -> _TablesByTraining:
    trained = {(question.subject, question.prompt): question.trained for question in questions if question.kind == kind}

    def table(value: bool) -> ScoreTable | None:
        chosen = score_table(cases, kind, wanted=lambda row: trained[row.subject, row.prompt] is value)
        return chosen if chosen.names else None

    return _TablesByTraining(score_table(cases, kind), table(True), table(False))


def _mean(key: str, title: str, table: ScoreTable, bootstrap: Bootstrap) -> MeanScore:
    structures = int((~np.isnan(table.dice)).any(axis=0).sum())
    return MeanScore(key=key, title=title, structures=structures, score=table.estimate(bootstrap))


def _bands(subjects: Sequence[SubjectScore], cases: Sequence[CaseResult], bootstrap: Bootstrap) -> list[MeanScore]:
    """Return means over structures of like prevalence among the cases."""
    table = score_table(cases, "name")
    present = [subject for subject in subjects if subject.kind == "name" and subject.present]
    prevalences = {subject.name: subject.present / (subject.present + subject.absent) for subject in present}
    means = []
    for low, high, title in BANDS:
        names = [name for name, prevalence in prevalences.items() if low <= prevalence < high]
        if names:
            means.append(_mean(title, title, table.select(names), bootstrap))
    return means


def _presence(cases: Sequence[CaseResult], kind: Kind, bootstrap: Bootstrap) -> PresenceRates:
    def count(condition: Callable[[ScoreRow], bool]) -> Values:
        return np.array([sum(condition(row) for row in case.rows if row.kind == kind) for case in cases], np.float64)

    volumes = [row.predicted_ml for row in _rows(cases, kind) if row.false_mask]
    return PresenceRates(
        kind=kind,
        false_masks=_share(count(lambda row: row.false_mask), count(lambda row: not row.present), bootstrap),
        missed=_share(count(lambda row: row.missed), count(lambda row: row.present), bootstrap),
        median_ml=float(np.median(volumes)) if volumes else None,
    )


def _share(hits: Values, trials: Values, bootstrap: Bootstrap) -> BootstrapEstimate:
    """Estimate a share. Where none or all are hits every resample says so too, which is no interval: then it is
    Wilson's, as if each patient had been asked once.
    """
    estimate = bootstrap.share(hits, trials)
    if estimate.low is None or estimate.value not in (0, 1):
        return estimate
    patients = bootstrap.patients_with(trials)
    interval = binomtest(round(estimate.value * patients), patients).proportion_ci(method="wilson")
    return BootstrapEstimate(estimate.value, float(interval.low), float(interval.high), estimate.count)


def _rows(cases: Sequence[CaseResult], kind: Kind) -> list[ScoreRow]:
    return [row for case in cases for row in case.rows if row.kind == kind]


def _listed(failure: Failure) -> ListedFailure:
    row = failure.row
    return ListedFailure(
        case=failure.case,
        structure=row.subject,
        prompt=row.prompt,
        dice=row.dice,
        nsd=row.nsd,
        reference_ml=row.reference_ml,
        predicted_ml=row.predicted_ml,
        picture=failure.picture,
    )
