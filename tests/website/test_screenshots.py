"""The pictures of the docs: each that is made is there, small, and shown on a page; a name that is none is refused."""

import pytest
from PIL import Image

from website.pages import DOCS
from website.screenshots import ALL, HEIGHT, MOST_BYTES, PICTURES, WIDTH, main
from website.terminal import screen


@pytest.mark.parametrize("name", ALL)
def test_a_picture_is_there_and_shown_and_small(name: str) -> None:
    path = PICTURES / f"{name}.png"
    with Image.open(path) as picture:
        assert picture.size == (WIDTH, HEIGHT)
    assert path.stat().st_size <= MOST_BYTES
    assert f"images/{name}.png" in (DOCS / "pages" / "gallery.md").read_text(encoding="utf-8")


def test_a_terminal_holds_what_was_not_drawn_over() -> None:
    progress = "1 of 2\r\x1b[2K2 of 2\r\n\x1b[1A\x1b[2K\x1b[?25h\x1b[32mdone\x1b[0m\r\nnext\n"
    assert screen(progress) == ["\x1b[32mdone\x1b[0m", "next", ""]


def test_another_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["viewr"])
    told = capsys.readouterr().err
    assert "no picture is called viewr; there are terminal, review, show, viewer, evaluation, worst_cases" in told
