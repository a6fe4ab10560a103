"""What keeps a run from resuming a caption set, in words."""

from curation.caption_set.manifest import (
    CurationSettings,
    InputFingerprint,
    Manifest,
)
from curation.caption_set.resuming import differences
from curation.runtime.provenance import versions

SOURCE = InputFingerprint(name="r.csv", files=1, bytes=9, sha256="a" * 64)
SETTINGS = CurationSettings(ovct="1", engine="rules", vocabulary="b" * 64, lexicon="b", reports_per_part=10)
MANIFEST = Manifest(input=SOURCE, settings=SETTINGS, versions=versions(), source_columns=("age",))


def test_differences_are_in_words() -> None:
    assert differences(MANIFEST, SOURCE.model_copy(update={"name": "moved.csv"}), SETTINGS) == []
    other_settings = SETTINGS.model_copy(update={"vocabulary": "c" * 64, "limit": 5, "text_columns": ("a", "b")})
    changes = differences(MANIFEST, InputFingerprint(name="r.csv", files=1, bytes=8, sha256="d" * 64), other_settings)
    assert changes == [
        "the input has changed: r.csv (9 bytes, sha256 aaaaaaaaaaaa) then, r.csv (8 bytes, sha256 dddddddddddd) now",
        "vocabulary: bbbbbbbbbbbb then, cccccccccccc now",
        "text columns: none then, a b now",
        "limit: none then, 5 now",
    ]
