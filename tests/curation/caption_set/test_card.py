"""The data card of a caption set, whatever is in the set; and the filled card of the examples.

`python -m tests.curation.caption_set.test_card` writes the card of the examples anew.
"""

import re
import shutil
import tempfile
from pathlib import Path

import pytest
import yaml

from curation.caption import Reason
from curation.caption_set.card import REASON_TEXTS, data_card, size_category
from curation.caption_set.manifest import (
    Counts,
    PartRecord,
    Usage,
)
from curation.caption_set.schemas import parquet_schema
from tests.curation.caption_set.card_pages import MANIFEST, SETTINGS, call, front_matter, tables, text_of, with_changes

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES_CARD = ROOT / "data_cards" / "examples.md"
VARIES = re.compile(r"(?<=ovct )`[^`]+`|(?<=`)[0-9a-f]{12,64}(?=`)|\d{4}-\d\d-\d\dT[\d:.+]+")


def test_the_front_matter_has_what_hugging_face_asks_for() -> None:
    values = front_matter(data_card(with_changes(license="cc-by-nc-sa-4.0")))
    assert values["license"] == "cc-by-nc-sa-4.0"
    assert values["language"] == ["en"]
    assert values["size_categories"] == ["1K<n<10K"]
    assert values["pretty_name"] == "Organ captions from r.csv"
    assert "radiology" in values["tags"]
    assert values["configs"] == [
        {"config_name": "captions", "data_files": "captions/*.parquet", "default": True},
        {"config_name": "rejects", "data_files": "rejects/*.parquet"},
        {"config_name": "reports", "data_files": "reports/*.parquet"},
    ]


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (99_999, "10K<n<100K"),
        (100_000, "100K<n<1M"),
        (9_000_000, "1M<n<10M"),
        (2 * 10**9, "1B<n<10B"),
        (10**12, "n>1T"),
    ],
)
def test_size_categories(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_a_table_without_rows_is_left_out() -> None:
    card = data_card(with_changes(counts=Counts(reports=3)))
    assert [config["config_name"] for config in front_matter(card)["configs"]] == ["reports"]
    assert "There are none." in card and "No caption was refused." in card
    assert 'load_dataset("DIR", "reports"' in card and 'load_dataset("DIR", "captions"' not in card
    assert "left out above, are `captions`, `rejects`." in card


def test_what_is_told_of_the_captions() -> None:
    card = data_card(MANIFEST)
    assert "- **Captions:** 1,205 about 2 organs (1,200 normal, 3 abnormal, 2 uncertain)" in card
    organs, refusals, *_ = tables(card)
    assert organs == [
        ["organ", "normal", "abnormal", "uncertain", "all"],
        ["liver", "1,200", "3", "0", "1,203"],
        ["spleen", "0", "0", "2", "2"],
    ]
    assert [row[:2] for row in refusals[1:]] == [["negation", "4"], ["laterality", "1"]]
    assert all(says for _, _, says in refusals[1:])
    assert "![captions by organ and status](captions.png)" in card
    assert "ovct `1.2`" in card and "`bbbbbbbbbbbb`" in card and "`cccccccccccc`" in card and "a" * 64 in card


def test_many_organs_are_summed_up() -> None:
    captions = {f"organ {number:02d}": {"normal": 100 - number} for number in range(25)}
    organs = next(tables(data_card(with_changes(counts=Counts(reports=3, captions=captions)))))
    assert len(organs) == 1 + 20 + 1
    assert organs[-2:] == [["organ 19", "81", "0", "0", "81"], ["5 more", "390", "0", "0", "390"]]


def test_every_reason_is_explained() -> None:
    assert set(REASON_TEXTS) == set(Reason)


def test_every_column_is_explained() -> None:
    parts = (PartRecord(reports=3, captions=1, rejects=1, responses=2, first_row=1, last_row=3, bytes={}),)
    shown_tables = list(tables(data_card(with_changes(parts=parts))))
    explained = [
        [name for cell, _ in rows[1:] for name in cell.split(", ")]
        for rows in shown_tables
        if rows[0] == ["column", "meaning"]
    ]
    stored_columns = [parquet_schema(table).names for table in ("captions", "rejects", "reports", "responses")]
    stored_columns[2] += ["age", "source_Text"]
    assert explained == stored_columns


def test_source_columns_are_named() -> None:
    card = data_card(MANIFEST)
    assert "- **Columns carried through:** `age`, `Text` (as `source_Text`)" in card
    assert "- **Columns carried through:** none" in data_card(with_changes(source_columns=()))


@pytest.mark.parametrize(
    "name",
    [
        "a \"b\" 'c'.csv",
        "x\n---\nlicense: mit\n---\n# Title",
        "a | b",
        "``` `",
        "- {}: #&*!%@`",
        "\x00\x85\x1b[31m",
        "🫁\u2028.csv",
        "\\",
        "---",
        "[a](b) <img> *c* {{ d }}",
    ],
)
def test_no_name_breaks_the_page(name: str) -> None:
    settings = SETTINGS.model_copy(update={"model": name, "engine": name, "options": {"dtype": name}})
    source = MANIFEST.input.model_copy(update={"name": name})
    counts = MANIFEST.counts.model_copy(update={"captions": {name: {"normal": 1}}})
    odd = with_changes(input=source, settings=settings, source_columns=(name, "b"), counts=counts, license=name)
    plain, card = data_card(with_changes(license="mit", source_columns=("a", "b"))), data_card(odd)
    assert front_matter(card).keys() == front_matter(plain).keys()
    assert front_matter(card)["configs"] == front_matter(plain)["configs"]
    readable = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    assert front_matter(card)["pretty_name"] == f"Organ captions from {readable}".strip()
    assert re.findall("^#.*", card, re.MULTILINE) == re.findall("^#.*", plain, re.MULTILINE)
    assert all(len(row) == len(rows[0]) for rows in tables(card) for row in rows)
    if readable:
        assert [row[0] for rows in tables(card) for row in rows if rows[0][0] == "column"][-2] == readable
        assert f"Input: {readable}, sha256" in text_of(card)


def test_a_language_model_is_told_of() -> None:
    usage = Usage(
        questions=1200, retries=3, repairs=2, failures=1, prompt_tokens=50_000, completion_tokens=9_000, seconds=9.0,
        tokens_per_second=1000.0, first_accept_rate=0.5, last_accept_rate=0.5, prices=(1.0, 2.0), cost=0.068,
    )  # fmt: skip
    model = {"engine": "openai", "model": "some/model", "prompt": "d" * 64, "options": {"max_tokens": 500}}
    card = data_card(with_changes(usage=usage, settings=SETTINGS.model_copy(update=model)))
    assert "**Model:** `some/model`" in card and f"sha256 `{'d' * 64}`" in card and "max_tokens `500`" in card
    assert "1,200 questions, with 3 retries and 2 repairs; 1 got no answer" in card
    assert "50,000 in, 9,000 out; at 1 and 2 for a million of them that is 0.068" in card
    assert "A language model leaves things out" in card and "The rules follow sentences" not in card
    free = usage.model_copy(update={"prices": None, "cost": None})
    assert "50,000 in, 9,000 out\n" in data_card(with_changes(usage=free))
    assert "The rules follow sentences" in data_card(MANIFEST) and "questions" not in data_card(MANIFEST)


def test_another_licence_is_the_same_set() -> None:
    """An audit is about the rows, and stays valid."""
    assert with_changes(license="mit").identity() == MANIFEST.identity()


def test_a_licence_that_was_not_stated() -> None:
    card = data_card(MANIFEST)
    assert front_matter(card)["license"] == "unknown"
    assert "**Licence of the reports:** not stated" in card and "`ovct curate` again with `--license ID`" in card
    stated = data_card(with_changes(license="cc-by-4.0"))
    assert "**Licence of the reports:** `cc-by-4.0`" in stated and "--license" not in stated


def card_of_the_examples(folder: Path) -> str:
    shutil.copy(ROOT / "examples" / "reports.csv", folder)
    done = call("curate", folder / "reports.csv", "--out", folder / "set", "--license", "apache-2.0")
    assert done.exit_code == 0, done.output
    return (folder / "set" / "README.md").read_text(encoding="utf-8")


def test_the_card_of_the_examples_is_what_is_written_now(tmp_path: Path) -> None:
    shown, written = EXAMPLES_CARD.read_text(encoding="utf-8"), card_of_the_examples(tmp_path)
    assert VARIES.sub("#", written) == VARIES.sub("#", shown), (
        "data_cards/examples.md shows another card: python -m tests.curation.caption_set.test_card writes it anew"
    )


def test_hugging_face_reads_the_front_matter_that_is_written(tmp_path: Path) -> None:
    """With its own reader of cards, which needs no network for that."""
    from huggingface_hub import DatasetCard, DatasetCardData

    card = card_of_the_examples(tmp_path)
    loaded = DatasetCard.load(tmp_path / "set" / "README.md")
    assert isinstance(loaded.data, DatasetCardData)
    assert yaml.safe_load(loaded.data.to_yaml()) == front_matter(card)
    assert loaded.text.lstrip() == card.partition("\n---\n")[2].lstrip()
    assert all(getattr(loaded.data, name) == value for name, value in front_matter(card).items())


def test_what_varies_is_left_out_and_nothing_else() -> None:
    line = "ovct `0.1.0`, `808d589fdc98`, 2026-11-25T13:11:23+00:00, `captions`, 1,219"
    assert VARIES.sub("#", line) == "ovct #, `#`, #, `captions`, 1,219"


def main() -> None:
    """Write the card of the examples anew."""
    with tempfile.TemporaryDirectory() as folder:
        EXAMPLES_CARD.write_text(card_of_the_examples(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
