"""The summary of an audit that a set's data card reads, and the names of the verdicts."""

from pathlib import Path

import pytest

from curation.audit.publish import write_results
from curation.caption_set.audit_results import AUDIT, MEANINGS, SUMMARY_FILE, Verdict, read_summary
from curation.caption_set.card import write_card
from curation.caption_set.manifest import load_manifest
from curation.caption_set.set_files import CARD_FILE
from tests.curation.audit.builders import give_verdicts, open_audit, plain_reports, write_set


def card_text(root: Path) -> str:
    return (root / CARD_FILE).read_text(encoding="utf-8")


def test_each_verdict_has_a_key_and_a_name_of_its_own() -> None:
    assert set(MEANINGS) == set(Verdict)
    assert len({meaning.key for meaning in MEANINGS.values()}) == len(Verdict)
    assert len({meaning.name for meaning in MEANINGS.values()}) == len(Verdict)


def test_a_set_that_has_changed_does_not_get_the_rate_of_what_it_was(tmp_path: Path) -> None:
    write_set(tmp_path, plain_reports(40))
    with open_audit(tmp_path) as store:
        give_verdicts(store, "ann", ["supported"] * 100)
        write_results(tmp_path, store)
        manifest = load_manifest(tmp_path)
        changed = manifest.model_copy(update={"parts": (*manifest.parts, manifest.parts[0])})
        changed.save(tmp_path)
        write_results(tmp_path, store)
    assert read_summary(tmp_path, changed) is None
    assert "**Audit:** not audited" in card_text(tmp_path)
    assert "3.7 %" not in card_text(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"format": "ovct audit 0"}', "[]"])
def test_a_summary_that_is_damaged_or_of_another_version_is_none(tmp_path: Path, text: str) -> None:
    manifest = write_set(tmp_path, plain_reports(2))
    (tmp_path / AUDIT).mkdir()
    (tmp_path / AUDIT / SUMMARY_FILE).write_text(text, encoding="utf-8")
    assert read_summary(tmp_path, manifest) is None
    write_card(tmp_path, manifest)
    assert "**Audit:** not audited" in card_text(tmp_path)
