"""The table that the demo ends with, from a finished evaluation and the answers to the extra questions."""

from __future__ import annotations

from collections.abc import Sequence

from train.evaluation.bootstrap import BootstrapEstimate
from train.evaluation.results import EvaluationSummary

from .extra_questions import Answer, CaseAnswers, QuestionKind

WIDTH = 56
KINDS_OF_ABSENT: tuple[tuple[QuestionKind, str], ...] = (
    ("absent", "trained as absent"),
    ("new_absent", "new to the training"),
)


def table_lines(summary: EvaluationSummary, cases: Sequence[CaseAnswers]) -> list[str]:
    """Return the lines of the table."""
    means = {mean.key: mean.score.dice for mean in summary.means}
    lines = [
        _row(f"{summary.cases} patients, none of them trained on", "Dice (95 % interval)")
        if not summary.seen
        else _row(f"{summary.cases} patients, {summary.seen} TRAINED ON", "Dice (95 % interval)"),
        _row("names", _estimate(means["names"])),
    ]
    for subject in summary.subjects:
        if subject.kind == "name":
            lines.append(_row(f"  {subject.prompts[0]} ({subject.present})", _estimate(subject.score.dice)))
    if "synonyms" in means:
        by_name = means["names_of_synonyms"]
        lines.append(_row("held-out synonyms", f"{_estimate(means['synonyms'])}; by name {_estimate(by_name)}"))
    for prompt in summary.prompts:
        if prompt.kind == "synonym" and not prompt.trained:
            lines.append(_row(f'  "{prompt.prompts[0]}" ({prompt.present})', _estimate(prompt.score.dice)))
    for prompt in summary.prompts:
        if prompt.kind == "group":
            use = "held out" if prompt.trained is False else "trained"
            lines.append(_row(f'group, {use}: "{prompt.prompts[0]}" ({prompt.present})', _estimate(prompt.score.dice)))
    answers = [answer for case in cases for answer in case.answers]
    wider = [answer.dice for answer in _of(answers, "group") if answer.dice is not None]
    if wider:
        lines.append(
            _row(f'group, new: "salivary glands" ({len(wider)}; parotids alone)', f"{sum(wider) / len(wider):.3f}")
        )
    sides = _of(answers, "side")
    lines.append(_row("sides exchanged", f"{sum(answer.exchanged for answer in sides)} of {len(sides)} prompts"))
    for kind, title in KINDS_OF_ABSENT:
        asked = _of(answers, kind)
        made_up = [answer for answer in asked if answer.ml > 0]
        share = f"{len(made_up) / max(len(asked), 1):.1%} of {len(asked)} prompts"
        lines.append(_row(f"masks of what no scan shows, {title}", share))
    for rates in summary.presence:
        if rates.kind == "nonsense" and rates.false_masks.value is not None:
            share = f"{rates.false_masks.value:.1%} of {rates.false_masks.count} prompts"
            lines.append(_row("masks of words that mean nothing, new", share))
    missed = sum(subject.missed for subject in summary.subjects if subject.kind == "name")
    present = sum(subject.present for subject in summary.subjects if subject.kind == "name")
    lines.append(_row("no mask of what is there, by name", f"{missed / max(present, 1):.1%} of {present} prompts"))
    return lines


def _of(answers: Sequence[Answer], kind: QuestionKind) -> list[Answer]:
    return [answer for answer in answers if answer.kind == kind]


def _row(title: str, value: str) -> str:
    return f"{title:{WIDTH}s}{value}"


def _estimate(estimate: BootstrapEstimate) -> str:
    if estimate.value is None:
        return "–"
    interval = "" if estimate.low is None else f" ({estimate.low:.3f} to {estimate.high:.3f})"
    return f"{estimate.value:.3f}{interval}"
