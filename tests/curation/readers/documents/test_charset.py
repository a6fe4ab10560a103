"""Charsets that documents have, and those that they say they have."""

from __future__ import annotations

import pytest

from curation.readers.documents.charset import decode_document
from curation.readers.rows import DamagedError


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        ("", "utf-8"),
        ("", "cp1252"),
        ("", "utf-16"),
        ('<meta charset="windows-1252">', "utf-8"),
        ('<meta charset="utf-8">', "cp1252"),
        ("<meta http-equiv=Content-Type content='text/html; charset=iso-8859-15'>", "iso-8859-15"),
        ('<?xml version="1.0" encoding="iso-8859-1"?>', "cp1252"),
        ("<?xml version='1.0' encoding='utf-16'?>", "utf-16-le"),
        ('<meta charset="windows-1251">', "cp1251"),
    ],
)
def test_charsets(head: str, charset: str) -> None:
    text = f"{head}<p>{'Печень' if charset == 'cp1251' else 'Größe'} normal</p>"
    assert decode_document(text.encode(charset)).removeprefix("\ufeff") == text


def test_unknown_charset() -> None:
    assert decode_document(b'<meta charset="x-none">plain') == '<meta charset="x-none">plain'
    with pytest.raises(DamagedError, match="unknown charset 'x-none'"):
        decode_document(b'<meta charset="x-none">\xe4')
