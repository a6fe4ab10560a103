"""Statements that no caption covers in the sample of an audit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from curation.audit.omissions import statement_frame
from curation.audit.review import _greeting
from curation.audit.sample import SampleRequest
from curation.caption_set.work_folder import SetError
from curation.report_language.reports import ReportLanguage, settle
from tests.curation.audit.builders import open_audit, plain_reports, write_set
from tests.curation.audit.omissions.omission_sets import MISSED, audited, statements_of, write_incomplete_set


def test_statements_come_in_proportion_behind_the_captions(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with audited(tmp_path / "set", 12) as store:
        kinds = [kind for (kind,) in store.rows("SELECT kind FROM item ORDER BY id")]
        assert kinds == ["accepted"] * 4 + ["uncovered"] * 12
        assert Counter(section for _, section, _ in statements_of(store)) == {"findings": 4, "impression": 8}
        facts = [store.fact(name) for name in ("statements", "uncovered", "statement_reports")]
        assert facts == [100, 60, 20]
        for (item,) in store.rows("SELECT id FROM item WHERE kind = 'uncovered'"):
            others = [caption for _, caption in store.captions_of_report(item)]
            assert len(others) == 2 and all(caption.kind == "accepted" for caption in others)


def test_a_larger_sample_keeps_what_was_drawn(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with audited(tmp_path / "set", 6) as store:
        before = statements_of(store)
    with audited(tmp_path / "set", 15) as store:
        after = statements_of(store)
        assert after[:6] == before and len(after) == len(set(after)) == 15
    with audited(tmp_path / "set", 500) as store:
        assert len(set(statements_of(store))) == 60
        assert Counter(text for _, _, text in statements_of(store))[MISSED] == 20


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    samples = []
    for number, seed in enumerate((0, 0, 7)):
        write_incomplete_set(tmp_path / f"set-{number}")
        sample = SampleRequest(accepted=4, uncovered=9, seed=seed)
        with open_audit(tmp_path / f"set-{number}", sample=sample) as store:
            samples.append(statements_of(store))
    assert samples[0] == samples[1] != samples[2]


def test_statements_can_be_added_to_an_audit_that_had_none(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with open_audit(tmp_path / "set", sample=SampleRequest(accepted=5)) as store:
        assert statements_of(store) == []
    with open_audit(tmp_path / "set", sample=SampleRequest(uncovered=5, design="stratified")) as store:
        assert len(statements_of(store)) == 5 and store.sample_size("accepted") == 5


def test_random_design_has_one_stratum(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with open_audit(tmp_path / "set", sample=SampleRequest(accepted=4, uncovered=9, design="random")) as store:
        assert store.rows("SELECT name, captions FROM stratum WHERE kind = 'uncovered'") == [("all", 60)]


def test_a_damaged_set_is_told_before_anything_is_drawn(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with open_audit(tmp_path / "set", sample=SampleRequest(accepted=5)):
        pass
    path = tmp_path / "set" / "reports" / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(SetError, match=r"part-00000\.parquet"), audited(tmp_path / "set", 5):
        pass


def test_where_nothing_is_without_a_caption_that_is_said(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(3))
    with audited(tmp_path / "set", 5) as store:
        assert statements_of(store) == []
        assert "every statement of 3 reports has a caption" in _greeting(store, [], [])


def test_words_of_a_site_make_no_statement_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_incomplete_set(tmp_path / "set")
    asked: list[frozenset[str]] = []

    def settled(texts: list[str], places: list[int], stems: frozenset[str]) -> ReportLanguage:
        asked.append(stems)
        return settle(texts, places, stems)

    monkeypatch.setattr(statement_frame, "settle", settled)
    monkeypatch.setattr(statement_frame, "site_stems", lambda vocabulary, lexicon: frozenset({"ownword"}))
    with audited(tmp_path / "set", 5):
        assert asked and set(asked) == {frozenset({"ownword"})}
