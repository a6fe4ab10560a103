"""A cleaned set: hallucinations out, corrections in, the audited set unchanged."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.audit.agreement import HALLUCINATIONS
from curation.audit.cleaning import write_cleaned_set
from curation.audit.decisions import REJECT_REASONS
from curation.audit.reviewer import Correction, Reviewer
from curation.audit.sample import SampleRequest
from curation.audit.store import AuditStore
from curation.caption import RefusedCaption
from curation.caption_set.audit_results import Verdict
from curation.caption_set.manifest import Manifest, load_manifest
from curation.caption_set.schemas import parquet_schema
from curation.caption_set.stats import count_set, summary_of
from curation.caption_set.work_folder import SetError
from curation.replay import replay
from curation.runtime.errors import InputError, Interrupted
from curation.runtime.progress import Progress
from tests.curation.audit.builders import accepted_caption, make_report, open_audit, plain_reports, write_set


def rows(root: Path, table: str) -> list[dict[str, Any]]:
    return [row for part in sorted((root / table).glob("*.parquet")) for row in pq.read_table(part).to_pylist()]


def state(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a set but its audit's."""
    files = [path for path in root.rglob("*") if path.is_file() and "audit" not in path.relative_to(root).parts]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def item_of(store: AuditStore, report_id: str, organ: str, kind: str = "accepted") -> int:
    query = """SELECT item.id FROM item JOIN caption ON caption.id = item.caption JOIN report ON report.id = report
        WHERE report_id = ? AND caption.organ = ? AND caption.kind = ?"""
    return int(store.value(query, report_id, organ, kind))


def say(store: AuditStore, name: str, item: int, verdict: Verdict, correction: Correction | None = None) -> None:
    reviews = Reviewer(store, name)
    reviews.save_review(item, reviews.review_of(item).event, verdict, "", correction)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain_reports(8, refused_each=1), reports_per_part=3)
    return tmp_path / "set"


def cleaned(root: Path, store: AuditStore) -> tuple[Path, Manifest]:
    out = root.with_name("out")
    return out, write_cleaned_set(root, out, store, Progress())


ALL = SampleRequest(accepted=24, refused=8)


def test_hallucinations_go_out_with_their_reason_and_the_old_set_is_as_it_was(root: Path) -> None:
    before = state(root)
    kinds = [Verdict.HALLUCINATED, Verdict.WRONG_ORGAN, Verdict.WRONG_POLARITY_OR_SIDE, Verdict.WRONG_MEASUREMENT]
    with open_audit(root, sample=ALL) as store:
        for number, verdict in enumerate(kinds):
            say(store, "ann", item_of(store, f"scan-000{number}", "spleen"), verdict)
        say(store, "ann", item_of(store, "scan-0004", "spleen"), Verdict.INCOMPLETE)
        say(store, "ann", item_of(store, "scan-0005", "spleen"), Verdict.UNSURE)
        out, manifest = cleaned(root, store)
    assert state(root) == before
    old, new = rows(root, "captions"), rows(out, "captions")
    gone = [row for row in old if row["organ"] == "spleen" and row["report_id"] < "scan-0004"]
    assert new == [row for row in old if row not in gone]
    added = [row for row in rows(out, "rejects") if row["detail"].startswith("audit: ")]
    assert [row["reason"] for row in added] == ["not_grounded", "wrong_organ", "negation", "measurement"]
    assert [row["nearest"] for row in added] == ["The spleen may be enlarged."] * 4
    assert [row["engine"] for row in added] == ["fake"] * 4
    assert [row for row in rows(out, "rejects") if row not in added] == rows(root, "rejects")
    assert rows(out, "reports") == rows(root, "reports")
    assert [change.verdict for change in manifest.audit.changes] == [str(kind) for kind in kinds]  # type: ignore[union-attr]


def test_corrections_come_in_at_their_place(root: Path) -> None:
    text = rows(root, "reports")[1]["text"]
    start = text.index("There is")
    end = text.index(" The spleen")
    in_report = Correction("left kidney", "small cyst in the left kidney", "abnormal", start, end, 91.5, "findings")
    own_words = Correction("spleen", "spleen of doubtful size", "uncertain")
    with open_audit(root, sample=ALL) as store:
        say(store, "ann", item_of(store, "scan-0001", "left kidney"), Verdict.INCOMPLETE, in_report)
        say(store, "ann", item_of(store, "scan-0001", "spleen"), Verdict.WRONG_POLARITY_OR_SIDE, own_words)
        out, manifest = cleaned(root, store)
    new = [row for row in rows(out, "captions") if row["report_id"] == "scan-0001"]
    assert [row["organ"] for row in new] == ["liver", "left kidney", "spleen"]
    kidney, spleen = new[1:]
    assert (kidney["caption"], kidney["evidence"], kidney["engine"]) == (in_report.caption, text[start:end], "audit")
    assert kidney["score"] == 91.5 and kidney["model"] is None
    assert (spleen["evidence"], spleen["score"], spleen["status"]) == ("The spleen may be enlarged.", 0, "uncertain")
    assert [row["report_id"] for row in rows(out, "captions")] == [row["report_id"] for row in rows(root, "captions")]
    assert len(rows(out, "rejects")) == len(rows(root, "rejects")) + 1  # nothing was false in the incomplete one
    assert manifest.audit is not None
    assert [(change.found, change.after and change.after["caption"]) for change in manifest.audit.changes] == [
        (True, in_report.caption), (False, own_words.caption),
    ]  # fmt: skip


def test_a_corrected_refusal_comes_in_and_stays_refused_as_it_was(root: Path) -> None:
    own_words = Correction("spleen", "the spleen may be enlarged", "uncertain")
    with open_audit(root, sample=ALL) as store:
        item = item_of(store, "scan-0007", "spleen", "refused")
        say(store, "ann", item, Verdict.WRONG_POLARITY_OR_SIDE, own_words)
        say(store, "ann", item_of(store, "scan-0006", "spleen", "refused"), Verdict.HALLUCINATED)
        out, _ = cleaned(root, store)
    added = [row for row in rows(out, "captions") if row["engine"] == "audit"]
    assert [(row["report_id"], row["evidence"]) for row in added] == [("scan-0007", "The spleen may be enlarged.")]
    assert rows(out, "rejects") == rows(root, "rejects")


def test_a_refusal_without_any_passage_cannot_become_a_caption(tmp_path: Path) -> None:
    text = "The liver is normal."
    good = accepted_caption(text, text, "liver", "liver is normal")
    write_set(
        tmp_path / "set",
        [(make_report(0, text), [good], [RefusedCaption("heart", "zzzz", "not_grounded", "no", None)])],
    )
    with open_audit(tmp_path / "set", sample=SampleRequest(1, 1)) as store:
        item = item_of(store, "scan-0000", "heart", "refused")
        say(store, "ann", item, Verdict.INCOMPLETE, Correction("heart", "qqqq", "normal"))
        out, manifest = cleaned(tmp_path / "set", store)
    assert len(rows(out, "captions")) == 1 and manifest.audit is not None and manifest.audit.changes == ()


def test_what_reviewers_say_together_decides(root: Path) -> None:
    correction = Correction("liver", "Liver normal", "normal")
    with open_audit(root, "ann", "ben", "cem", sample=ALL) as store:
        first, second, third = (item_of(store, f"scan-000{number}", "liver") for number in range(3))
        for name, verdict in zip(("ann", "ben", "cem"), (Verdict.HALLUCINATED, *[Verdict.SUPPORTED] * 2), strict=True):
            say(store, name, first, verdict, correction if name == "ann" else None)
        say(store, "ann", second, Verdict.SUPPORTED)
        say(store, "ben", second, Verdict.WRONG_ORGAN)
        say(store, "ann", third, Verdict.INCOMPLETE, correction)
        say(store, "ben", third, Verdict.INCOMPLETE, correction._replace(caption="the last one counts"))
        out, _ = cleaned(root, store)
    livers = {row["report_id"]: row["caption"] for row in rows(out, "captions") if row["organ"] == "liver"}
    assert livers["scan-0000"] == "The liver is normal"
    assert "scan-0001" not in livers
    assert livers["scan-0002"] == "the last one counts"


def test_the_new_set_is_whole(root: Path) -> None:
    with open_audit(root, sample=ALL) as store:
        for number in range(5):
            say(store, "ann", item_of(store, f"scan-000{number}", "liver"), Verdict.HALLUCINATED)
        out, manifest = cleaned(root, store)
        identity = store.fact("set")
    assert load_manifest(out) == manifest and manifest.complete
    assert manifest.identity() != identity and manifest.audit is not None and manifest.audit.set == identity
    counted, recorded = count_set(out), summary_of(out, manifest)
    assert counted.captions == recorded.captions and counted.rejects == recorded.rejects and counted.reports == 8
    for index, part in enumerate(manifest.parts):
        for table, size in part.bytes.items():
            path = out / table / f"part-{index:05d}.parquet"
            assert path.stat().st_size == size
            assert pq.read_schema(path).equals(pq.read_schema(root / table / path.name))
            assert pq.read_metadata(path).num_rows == getattr(part, table)
    assert pq.read_schema(out / "captions/part-00000.parquet").equals(parquet_schema("captions"))
    assert sorted(path.name for path in root.parent.iterdir()) == ["out", "set"]
    assert "5 captions are out" in (out / "README.md").read_text()
    assert Counter(row["reason"] for row in rows(out, "rejects"))["not_grounded"] == 5
    with open_audit(out) as store:  # and it can be audited again
        assert store.fact("accepted") == 19


def test_a_replay_would_undo_it_and_is_refused(root: Path) -> None:
    with open_audit(root, sample=ALL) as store:
        say(store, "ann", 1, Verdict.HALLUCINATED)
        out, manifest = cleaned(root, store)
    settings = manifest.settings.model_copy(update={"prompt": "0" * 64})
    manifest.model_copy(update={"settings": settings}).save(out)
    with pytest.raises(InputError, match="replay the set it was made from, set"):
        replay(out)


def test_wrong_calls(root: Path) -> None:
    with open_audit(root, sample=ALL) as store:
        with pytest.raises(InputError, match=r"no caption of .* has been judged"):
            cleaned(root, store)
        say(store, "ann", 1, Verdict.SUPPORTED)
        (root.with_name("out")).mkdir()
        (root.with_name("out") / "thesis.txt").write_text("mine")
        with pytest.raises(SetError, match="is there already: name another folder with --out"):
            cleaned(root, store)
        with pytest.raises(SetError, match="is there already"):
            write_cleaned_set(root, root, store, Progress())
        with pytest.raises(SetError, match="is to stay as it is"):
            write_cleaned_set(root, root / "cleaned", store, Progress())
        (root / "rejects/part-00001.parquet").unlink()
        with pytest.raises(SetError, match="is missing"):
            write_cleaned_set(root, root.with_name("other"), store, Progress())
    assert (root.with_name("out") / "thesis.txt").read_text() == "mine"
    assert sorted(path.name for path in root.parent.iterdir()) == ["out", "set"]


def test_a_set_that_has_changed_since(root: Path) -> None:
    with open_audit(root, sample=ALL) as store:
        say(store, "ann", 1, Verdict.HALLUCINATED)
        manifest = load_manifest(root)
        settings = manifest.settings.model_copy(update={"lexicon": "another"})
        manifest.model_copy(update={"settings": settings}).save(root)
        with pytest.raises(SetError, match="has changed since it was audited"):
            cleaned(root, store)


class Stops(Progress):
    """Stops at the second part."""

    parts = 0

    def advance(self) -> None:
        self.parts += 1

    def raise_if_interrupted(self) -> None:
        if self.parts:
            raise Interrupted


def test_stopped_on_the_way_there_is_nothing(root: Path) -> None:
    with open_audit(root, sample=ALL) as store:
        say(store, "ann", 1, Verdict.HALLUCINATED)
        with pytest.raises(Interrupted):
            write_cleaned_set(root, root.with_name("out"), store, Stops())
        assert [path.name for path in root.parent.iterdir()] == ["set"]
        cleaned(root, store)


def test_a_hallucination_goes_out_of_a_cleaned_set_under_a_reason_of_its_own() -> None:
    assert REJECT_REASONS.keys() == HALLUCINATIONS
    assert len(set(REJECT_REASONS.values())) == len(REJECT_REASONS)
