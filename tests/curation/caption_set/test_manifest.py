import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from curation.caption_set.manifest import (
    Counts,
    CurationSettings,
    InputFingerprint,
    Manifest,
    ManifestError,
    RepairCounts,
    is_caption_set,
    load_manifest,
)
from curation.runtime.provenance import versions

SOURCE = InputFingerprint(name="r.csv", files=1, bytes=9, sha256="a" * 64)
SETTINGS = CurationSettings(ovct="1", engine="rules", vocabulary="b" * 64, lexicon="b", reports_per_part=10)
MANIFEST = Manifest(input=SOURCE, settings=SETTINGS, versions=versions(), source_columns=("age",))


def test_it_is_read_as_it_was_saved(tmp_path: Path) -> None:
    MANIFEST.save(tmp_path)
    assert load_manifest(tmp_path) == MANIFEST
    assert is_caption_set(tmp_path)


@pytest.mark.parametrize(
    ("content", "ours", "problem"),
    [
        ("{", False, "Invalid JSON"),
        ("[]", False, "object"),
        ('{"format": "ovct caption set 2"}', True, "format"),
        (json.dumps({**MANIFEST.model_dump(mode="json"), "colour": 1}), True, "colour"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, content: str, ours: bool, problem: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    assert is_caption_set(tmp_path) is ours
    with pytest.raises(ManifestError, match=problem):
        load_manifest(tmp_path)


def test_no_caption_set(tmp_path: Path) -> None:
    assert not is_caption_set(tmp_path)
    with pytest.raises(ManifestError, match="holds no caption set"):
        load_manifest(tmp_path)


def test_counts_add_up_and_stay_sorted() -> None:
    captions = Counter({("liver", "normal"): 3, ("aorta", "abnormal"): 1})
    first = Counts().plus(2, captions, Counter({"negation": 1}), RepairCounts(3, 2), {"en": 1, "de": 1})
    captions = Counter({("liver", "abnormal"): 2, ("liver", "normal"): 1})
    both = first.plus(1, captions, Counter({"laterality": 4}), RepairCounts(1, 0), {"en": 1})
    assert first.reports == 2
    assert json.dumps(both.model_dump()) == json.dumps(
        {
            "reports": 3,
            "captions": {"aorta": {"abnormal": 1}, "liver": {"abnormal": 2, "normal": 4}},
            "rejects": {"laterality": 4, "negation": 1},
            "languages": {"de": 1, "en": 2},
            "returned": 4,
            "repaired": 2,
            "bases": {},
        }
    )


def test_a_setting_that_is_not_used_leaves_the_digest_of_earlier_versions() -> None:
    settings = {"ovct": "0", "engine": "e", "vocabulary": "v", "lexicon": "l", "reports_per_part": 1}
    earlier = CurationSettings.model_validate(settings)
    dumped = earlier.model_dump_json(exclude={"language", "drop_phi", "modality", "site_lexicon", "site_organs"})
    assert earlier.digest() == hashlib.sha256(dumped.encode()).hexdigest()
    assert CurationSettings.model_validate({**settings, "language": "any"}).digest() != earlier.digest()
    assert CurationSettings.model_validate({**settings, "modality": "ct"}).digest() != earlier.digest()
    assert CurationSettings.model_validate({**settings, "site_organs": "o"}).digest() != earlier.digest()
