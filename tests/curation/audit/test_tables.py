"""The results of an audit as a sentence, as tables in the terminal, and as CSV."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console

from curation.audit.intervals import UNDEFINED, coefficient, estimate, percent
from curation.audit.sample import SampleRequest
from curation.audit.summary import summarise
from curation.audit.tables import (
    MAX_ROWS_SHOWN,
    agreement_rows,
    as_csv,
    audit_facts,
    print_summary,
    rate_sentence,
    rate_tables,
)
from curation.caption_set.audit_results import Agreement, AuditSummary
from curation.caption_set.records.estimates import Estimate
from tests.curation.audit.builders import give_verdicts, open_audit, plain_reports, write_set


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> AuditSummary:
    """Of 120 captions 100 were judged, and all are supported."""
    return audited(tmp_path_factory.mktemp("clean"), {"ann": ["supported"] * 100})


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> AuditSummary:
    """Two readers of 30 accepted and 10 refused captions, with verdicts of most kinds; they differ on each seventh."""
    ann = [
        "supported",
        "hallucinated",
        "unsure",
        "incomplete",
        "wrong_organ",
        "supported",
        "supported",
        "supported",
    ] * 5
    ben = ["supported" if place % 7 == 1 else verdict for place, verdict in enumerate(ann)]
    root = tmp_path_factory.mktemp("mixed")
    return audited(root, {"ann": ann, "ben": ben}, SampleRequest(accepted=30, refused=10))


def audited(root: Path, said: dict[str, Iterable[str]], sample: SampleRequest | None = None) -> AuditSummary:
    write_set(root, plain_reports(40, refused_each=1))
    with open_audit(root, *said, sample=sample) as store:
        for name, verdicts in said.items():
            give_verdicts(store, name, verdicts)
        return summarise(store, "g")


def shown(results: AuditSummary) -> str:
    file = io.StringIO()
    print_summary(results, Console(file=file, width=100))
    return file.getvalue()


def lines(text: str) -> list[list[str]]:
    """What stands in each line, cut where there are two spaces or more."""
    return [[cell.strip() for cell in line.strip().split("  ") if cell.strip()] for line in text.splitlines()]


def parsed(results: AuditSummary) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(results))))


def number(text: str) -> float | None:
    return float(text) if text else None


def organs(count: int) -> dict[str, Estimate]:
    return {f"organ {place:02d}": estimate([(True, 1.0), (False, 1.0)]) for place in range(count)}


def test_no_error_in_a_hundred_is_no_promise_that_there_is_none(clean: AuditSummary) -> None:
    assert rate_sentence(clean) == (
        "0.0 % of the captions say what their report does not "
        "(95 % interval 0.0 to 3.7 %; of 100 judged captions none was hallucinated)."
    )


def test_the_sentence_counts_what_was_hallucinated(mixed: AuditSummary) -> None:
    rate = mixed.hallucination
    assert f"of {rate.reviewed} judged captions {rate.hits} hallucinated" in rate_sentence(mixed)
    assert rate_sentence(mixed).startswith(f"{percent(rate.rate)} of the captions")


def test_before_the_first_verdict_there_is_no_rate(tmp_path: Path) -> None:
    results = audited(tmp_path, {"ann": []})
    assert rate_sentence(results) == "No caption has been judged yet."
    assert "No caption has been judged yet." in shown(results)
    assert {row["value"] for row in parsed(results)} == {""}
    assert {(row["low"], row["high"]) for row in parsed(results)} == {("0.0", "1.0")}


def test_numbers_for_people() -> None:
    assert [percent(0.0), percent(0.0349), percent(1.0), percent(None)] == ["0.0 %", "3.5 %", "100.0 %", UNDEFINED]
    assert [coefficient(0.876), coefficient(0.5, 0.25, 1.0), coefficient(None)] == [
        "0.88",
        "0.50 (0.25 to 1.00)",
        UNDEFINED,
    ]


def test_the_terminal_shows_the_rate_and_every_table(clean: AuditSummary) -> None:
    text = shown(clean)
    assert " ".join(rate_sentence(clean).split()) in " ".join(text.split())
    rows = lines(text)
    for group in rate_tables(clean):
        assert [group.title, group.hits, "judged", "rate", "95 % interval"] in rows
        for row in group.rows:
            assert any(line and line[0] == row.name for line in rows), row.name
    assert ["accepted captions", "0", "100", "0.0 %", "0.0 to 3.7 %"] in rows


def test_a_band_is_called_by_its_edges_and_the_last_one_by_the_full_score(mixed: AuditSummary) -> None:
    assert [(row.name, row.captions) for group in rate_tables(mixed) if group.key == "score" for row in group.rows] == [
        ("0 to 70", 10), ("70 to 80", 10), ("80 to 90", 20), ("90 to 99.9", 40), ("100", 40),
    ]  # fmt: skip


def test_refused_captions_and_agreement_are_shown_where_there_are_any(clean: AuditSummary, mixed: AuditSummary) -> None:
    for words in ("Refused captions, by reason", "recall: carried", "By reviewer", "agreement of", "ann, ben"):
        assert words not in shown(clean)
        assert words in shown(mixed)
    assert [row.name for group in rate_tables(clean) if group.key == "verifier" for row in group.rows] == [
        "precision: accepted captions that are carried"
    ]


def test_unsure_captions_are_counted_and_bound_the_rate(clean: AuditSummary, mixed: AuditSummary) -> None:
    assert "unsure" not in audit_facts(clean)
    assert audit_facts(mixed)["unsure"] == f"{mixed.unsure}, left out of the rates"
    rows = {group.key: group.rows for group in rate_tables(mixed)}["rate"]
    assert [row.estimate for row in rows] == [mixed.hallucination, mixed.hallucination_with_unsure]


def test_facts_say_what_the_results_rest_on(clean: AuditSummary, mixed: AuditSummary) -> None:
    assert audit_facts(clean) == {
        "captions": "120 accepted, 40 refused",
        "sample": f"100 accepted (stratified, seed 0, drawn {clean.made[:10]})",
        "judged": "100 accepted",
        "reviewers": "ann 100",
    }
    assert audit_facts(mixed)["judged"] == "30 accepted and 10 refused"
    assert "blind" not in audit_facts(mixed)
    assert audit_facts(mixed.model_copy(update={"blind": 90}))["blind"] == "90 of 80 verdicts"
    assert audit_facts(mixed.model_copy(update={"corrected": 2}))["corrected"] == "2"


@pytest.mark.parametrize(
    ("count", "more"), [(MAX_ROWS_SHOWN, None), (MAX_ROWS_SHOWN + 1, "1 more"), (MAX_ROWS_SHOWN + 12, "12 more")]
)
def test_a_long_table_is_cut_in_the_terminal_and_whole_in_the_csv(
    clean: AuditSummary, count: int, more: str | None
) -> None:
    results = clean.model_copy(update={"by_organ": organs(count)})
    text = shown(results)
    assert sum(f"organ {place:02d}" in text for place in range(count)) == MAX_ROWS_SHOWN
    assert (f"{more} in summary.csv" in text) if more else ("in summary.csv" not in text)
    assert sum(row["group"] == "organ" for row in parsed(results)) == count


def test_names_are_shown_as_they_are(clean: AuditSummary) -> None:
    """Square brackets mean something to rich, and nothing to whoever names a model or a reviewer."""
    names = ["vllm, model [bold]", "rules [/b]"]
    results = clean.model_copy(
        update={"by_engine": dict.fromkeys(names, clean.hallucination), "reviewers": {"Ann [/b]": 99, "[red]": 1}}
    )
    text = shown(results)
    assert all(name in text for name in (*names, "Ann [/b] 99", "[red] 1"))


@pytest.mark.parametrize("which", ["clean", "mixed"])
def test_the_csv_has_every_share_as_it_was_estimated(which: str, request: pytest.FixtureRequest) -> None:
    results: AuditSummary = request.getfixturevalue(which)
    rows = iter(parsed(results))
    for group in rate_tables(results):
        for row in group.rows:
            line, one = next(rows), row.estimate
            assert (line["group"], line["name"]) == (group.key, row.name)
            assert [number(line[name]) for name in ("value", "low", "high")] == [one.rate, one.low, one.high]
            assert (int(line["hits"]), int(line["judged"])) == (one.hits, one.reviewed)
            assert float(line["effective"]) == pytest.approx(one.effective, abs=0.005)
    assert [line["group"] for line in rows] == ["agreement", "kappa", "ac1"] * len(results.agreement)


def test_the_csv_has_the_agreement_of_readers(mixed: AuditSummary) -> None:
    (one,) = mixed.agreement
    pair = {line["group"]: line for line in parsed(mixed) if line["name"] == "ann, ben"}
    assert number(pair["agreement"]["value"]) == one.percent.rate
    for key, values in {
        "kappa": (one.kappa, one.kappa_low, one.kappa_high),
        "ac1": (one.ac1, one.ac1_low, one.ac1_high),
    }.items():
        assert tuple(number(pair[key][name]) for name in ("value", "low", "high")) == values
        assert pair[key]["judged"] == str(one.reviewed)


def test_judges_stand_below_the_reviewers_and_undefined_coefficients_are_dashes(mixed: AuditSummary) -> None:
    (known,) = mixed.agreement
    judge: Agreement = known.model_copy(update={"first": "reviewers", "second": "judge", "kappa": None})
    rows = agreement_rows(mixed.model_copy(update={"judges": (judge,)}))
    assert [row[:2] for row in rows] == [
        ["ann, ben", "verdict"], ["ann, ben", "hallucinated?"],
        ["reviewers, judge", "verdict"], ["reviewers, judge", "hallucinated?"],
    ]  # fmt: skip
    assert (rows[2][4], rows[2][5]) == (UNDEFINED, rows[0][5])


def test_names_with_commas_and_quotes_stay_one_cell(clean: AuditSummary) -> None:
    name = 'a "b", c\nd'
    results = clean.model_copy(update={"by_organ": {name: clean.hallucination}})
    assert [row["name"] for row in parsed(results) if row["group"] == "organ"] == [name]
