"""The page as one file, and NiiVue as it comes from npm."""

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

from tests.train.viewer.view_cases import write_case
from train.viewer.content import ViewContent, load_content
from train.viewer.page import SCRIPTS, STYLE, asset, page_files, whole_page

ASSETS = files("train.viewer").joinpath("assets")


def test_niivue_is_the_file_that_its_record_names_with_the_licences_of_all_that_is_in_it() -> None:
    record = json.loads(asset("niivue.json"))
    content = ASSETS.joinpath(record["file"]).read_bytes()
    assert record["file"] in SCRIPTS and hashlib.sha256(content).hexdigest() == record["sha256"]
    assert len(content) == record["bytes"] < 3_000_000
    assert record["version"] in record["from"] and record["tarball_integrity"].startswith("sha512-")
    licences = asset(record["licences"])
    assert f"@niivue/niivue {record['version']}" in licences and "BSD 2-Clause License" in licences
    for package in ("zarrita", "gl-matrix", "nifti-reader-js", "fflate", "@lukeed/uuid", "@ungap/structured-clone"):
        assert f"==== {package}" in licences
    assert not re.search(r"\b(GPL|AGPL|LGPL)\b", licences)


def test_our_parts_name_nothing_outside_and_no_code_from_text() -> None:
    for name in (*SCRIPTS[1:], STYLE, "viewer.html"):
        text = asset(name).replace("http://www.w3.org/2000/svg", "")  # a name, not an address
        assert not re.search(
            r"https?:|//[a-z]+\.|@import|@font-face|innerHTML|eval\(|new Function|document\.write", text
        ), name


def test_one_file_holds_everything_and_its_policy_lets_nothing_else_run(tmp_path: Path) -> None:
    scan, mask = write_case(tmp_path)
    content = load_content(scan, [mask], 10**6, tmp_path)
    content.description["structures"][0]["name"] = "</script><script>alert(1)</script><!-- scripts -->"
    page = whole_page(content)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy and policy[1].startswith("default-src 'none'")
    assert policy[1].count("'sha256-") == len(SCRIPTS) + 1 and "unsafe" not in policy[1] and "http" not in policy[1]
    assert "alert(1)</script>" not in page and page.count("<script>") == len(SCRIPTS)
    assert not re.search(r'(src|href)="(?!data:)', page.replace(asset("niivue.umd.js"), ""))
    block = re.search(r'id="content">(.*?)</script>', page, re.DOTALL)
    assert block and json.loads(block[1]) == content.description
    assert 'id="labels-file"' in page
    assert 'id="labels-file"' not in whole_page(ViewContent(content.description, content.scan, None))


def test_the_page_of_the_server_names_its_parts() -> None:
    page = page_files().linked()
    assert "<!-- " not in page
    assert re.findall(r'(?:src|href)="/([^"]+)"', page) == [STYLE, *SCRIPTS]
