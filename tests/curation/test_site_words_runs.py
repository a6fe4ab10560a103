"""Runs with a site's own words: made, kept, resumed, replayed, merged and verified with the same words everywhere."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypedDict

import pyarrow.parquet as pq
import pytest

import ovct
from curation.caption_set.kept_files import kept_site_words
from curation.caption_set.manifest import load_manifest
from curation.language.site_words import SiteWords
from curation.pipeline import INLINE_REPORTS, CurateJob, curate
from curation.replay import replay
from curation.runtime.errors import InputError
from tests.curation.fakes import FakeChat, answer, chat_recipe
from tests.curation.llm.chat_sets import rows

LEXICON = b"synonyms: [[mass, klump], [normal, tiptop]]\nheadings: {impression: [upshot]}\n"
ORGANS = b"graft kidney: {parents: [kidneys], terms: [renograft]}\n"
REPORT = "Klump of {n} mm in the liver. The renograft is tiptop.\nUpshot: Klump of the spleen."


class SiteFiles(TypedDict):
    """The files of a site, as arguments of the API."""

    lexicon: Path
    organs: Path


@pytest.fixture
def site(tmp_path: Path) -> SiteFiles:
    (tmp_path / "lexicon.yaml").write_bytes(LEXICON)
    (tmp_path / "organs.yaml").write_bytes(ORGANS)
    return {"lexicon": tmp_path / "lexicon.yaml", "organs": tmp_path / "organs.yaml"}


def write(path: Path, count: int) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["report_id", "report"])
        table.writerows([f"r{n}", REPORT.format(n=n + 3)] for n in range(count))
    return path


def captions(root: Path) -> set[tuple[str, str, str]]:
    table = pq.read_table(root / "captions").to_pylist()
    return {(row["organ"], row["status"], row["section"]) for row in table}


def test_a_set_is_made_with_the_words_and_keeps_them(tmp_path: Path, site: SiteFiles) -> None:
    reports = write(tmp_path / "reports.csv", 3)
    made = ovct.curate(reports, tmp_path / "set", lexicon=site["lexicon"], organs=str(site["organs"]))
    assert captions(tmp_path / "set") == {
        ("liver", "abnormal", "findings"), ("graft kidney", "normal", "findings"), ("spleen", "abnormal", "impression"),
    }  # fmt: skip
    settings = made.manifest.settings
    assert kept_site_words(tmp_path / "set", settings) == SiteWords(LEXICON, ORGANS)
    assert (settings.site_lexicon, settings.site_organs) == SiteWords(LEXICON, ORGANS).hashes
    card = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert str(settings.site_lexicon)[:12] in card and "site_organs.yaml" in card
    assert ovct.curate(reports, tmp_path / "set", lexicon=site["lexicon"], organs=site["organs"]).already_done


def test_other_words_are_another_set(tmp_path: Path, site: SiteFiles) -> None:
    reports = write(tmp_path / "reports.csv", 3)
    ovct.curate(reports, tmp_path / "set", **site)
    site["lexicon"].write_bytes(LEXICON + b"# the same, and another file\n")
    with pytest.raises(ValueError, match=r"site lexicon: [0-9a-f]{12} then, [0-9a-f]{12} now"):
        ovct.curate(reports, tmp_path / "set", **site)
    with pytest.raises(ValueError, match=r"site organs: [0-9a-f]{12} then, none now"):
        ovct.curate(reports, tmp_path / "set")
    ovct.curate(reports, tmp_path / "set", overwrite=True)
    assert not (tmp_path / "set" / "site_organs.yaml").exists()


def test_the_settings_of_sets_without_words_are_what_they_were(tmp_path: Path) -> None:
    settings = ovct.curate(write(tmp_path / "reports.csv", 1), tmp_path / "set").manifest.settings
    with_words = settings.model_copy(update={"site_lexicon": "a" * 64})
    assert "site_" not in settings.model_dump_json(exclude_defaults=True)
    assert settings.digest() != with_words.digest() and settings.answers_digest() == with_words.answers_digest()


def test_workers_know_the_words(tmp_path: Path, site: SiteFiles) -> None:
    reports = write(tmp_path / "reports.csv", INLINE_REPORTS + 5)
    ovct.curate(reports, tmp_path / "one", workers=1, **site)
    ovct.curate(reports, tmp_path / "many", workers=2, **site)
    assert rows(tmp_path / "many", "captions") == rows(tmp_path / "one", "captions") != []


def test_shards_are_merged_with_their_words(tmp_path: Path, site: SiteFiles) -> None:
    from curation.api.curate import merge

    reports = write(tmp_path / "reports.csv", 4)
    for shard in ("1/2", "2/2"):
        ovct.curate(reports, tmp_path / shard[0], shard=shard, reports_per_part=2, **site)
    merge([tmp_path / "1", tmp_path / "2"], tmp_path / "set")
    assert kept_site_words(tmp_path / "set", load_manifest(tmp_path / "set").settings) == SiteWords(LEXICON, ORGANS)


def reworded(message: str) -> str:
    return answer([("liver", "Liver mass"), ("spleen", "Splenic mass"), ("graft kidney", "The renograft is normal")])


def test_a_replay_uses_the_words_of_the_set_or_other_ones(tmp_path: Path, site: SiteFiles) -> None:
    recipe = chat_recipe(FakeChat(reworded))
    job = CurateJob(write(tmp_path / "reports.csv", 3), tmp_path / "set")
    curate(job, recipe)
    root = tmp_path / "set"
    assert captions(root) == set()
    replay(root, words=SiteWords(LEXICON))
    assert {organ for organ, _, _ in captions(root)} == {"liver", "spleen"}
    replay(root, words=SiteWords(None, ORGANS))  # the lexicon of before stays
    with_both = captions(root)
    assert {organ for organ, _, _ in with_both} == {"liver", "spleen", "graft kidney"}
    before = load_manifest(root)
    replay(root)
    assert captions(root) == with_both and load_manifest(root).settings == before.settings


def test_a_replay_needs_the_words_as_they_were(tmp_path: Path) -> None:
    root = tmp_path / "set"
    curate(CurateJob(write(tmp_path / "reports.csv", 1), root), chat_recipe(FakeChat(reworded)))
    replay(root, words=SiteWords(LEXICON))
    (root / "site_lexicon.yaml").write_bytes(b"findings: [onion sign]")
    with pytest.raises(ValueError, match=r"site_lexicon\.yaml is not what the set was made with"):
        replay(root)
    (root / "site_lexicon.yaml").unlink()
    with pytest.raises(ValueError, match=r"site_lexicon\.yaml is missing"):
        replay(root)


def test_captions_are_verified_with_the_words(site: SiteFiles) -> None:
    pairs = [("liver", "Liver mass"), ("graft kidney", "Normal renograft"), ("spleen", "Splenic mass")]
    report = REPORT.format(n=5)
    assert [row.accepted for row in ovct.verify(report, pairs, **site)] == [True, True, True]
    assert [row.accepted for row in ovct.verify(report, pairs)] == [False, False, False]
    with pytest.raises(InputError, match="cannot be read"):
        ovct.verify(report, pairs, lexicon="none.yaml")
