"""The page of `ovct show` as one file."""

import json
import re
import stat
from pathlib import Path

import pytest

from curation.runtime.local_server.page_files import PageFiles
from curation.show.page import page_files, write_page
from curation.show.set_reports import SetReports
from tests.curation.audit.builders import HtmlPage, accepted_caption, make_report, plain_reports, write_set

EVIL = "</script><script>document.title='owned'</script><!-- scripts --><!-- style --><img src=x>"


def written(folder: Path, most: int = 100) -> str:
    path = folder / "page.html"
    write_page(path, SetReports(folder / "set"), most)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600  # it holds reports
    return path.read_text(encoding="utf-8")


def content_of(page: str) -> dict[str, object]:
    match = re.search(r'<script type="text/plain" id="content">(.*?)</script>', page, re.DOTALL)
    assert match
    content: dict[str, object] = json.loads(match[1])
    return content


def test_a_page_loads_nothing_and_imports_nothing(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(3, refused_each=1))
    page = written(tmp_path)
    assert not re.search(r"^(?:import|export) ", page, re.MULTILINE)
    parsed = HtmlPage(page)
    assert parsed.open == []
    assert [value for name, value in parsed.attributes if name in ("src", "href")] == ["data:,"]
    (policy,) = (value for name, value in parsed.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy


def test_text_of_a_report_ends_no_element_and_fills_no_mark(tmp_path: Path) -> None:
    text = f"The liver {EVIL} is normal."
    write_set(tmp_path / "set", [(make_report(1, text), [accepted_caption(text, text, "liver", text)], [])])
    page = written(tmp_path)
    assert EVIL not in page and "<img" not in page
    assert page.count("<style>") == 1 and page.count("<script") == 2
    assert content_of(page)["reports"][0]["text"] == text  # type: ignore[index]


def test_the_first_reports_are_written_and_the_others_told(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(5, refused_each=1))
    content = content_of(written(tmp_path, most=2))
    about, reports = content["about"], content["reports"]
    assert isinstance(about, dict) and isinstance(reports, list)
    assert len(reports) == about["total"] == 2
    assert about["notices"] == ["The first 2 of 5 reports."]
    assert about["statuses"] == {"normal": 2, "abnormal": 2, "uncertain": 2, "refused": 2}
    assert {organ["organ"]: organ["captions"] for organ in about["organs"]} == {
        "liver": 2,
        "left kidney": 2,
        "spleen": 2,
    }


def test_each_module_comes_after_those_that_it_imports() -> None:
    done: set[str] = set()
    for name, script in page_files().scripts.items():
        assert set(re.findall(r'from "\./([\w.]+)"', script)) <= done, name
        done.add(name)


def test_names_of_all_modules_are_different() -> None:
    names = re.findall(
        r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+)",
        "\n".join(page_files().scripts.values()),
        re.MULTILINE,
    )
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("modules", [False, True])
def test_a_linked_page_names_its_files(modules: bool) -> None:
    files = PageFiles(
        "<!-- policy -->\n<!-- style --><!-- scripts -->", {"a.css": ""}, {"b.js": "", "c.js": ""}, modules
    )
    linked = files.linked()
    assert linked.startswith('<link rel="stylesheet" href="/a.css">')
    assert ("b.js" in linked) != modules and "c.js" in linked
