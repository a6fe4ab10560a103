"""Who may read the reports: the browser of this machine, with the token of the link."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from curation.caption_set.set_files import part_path
from curation.show.server import create_app
from curation.show.set_reports import SetReports
from tests.curation.audit.builders import plain_reports, write_set

TOKEN = "of-this-link"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain_reports(6, refused_each=1), reports_per_part=4)
    return tmp_path / "set"


@pytest.fixture
def client(root: Path) -> TestClient:
    return TestClient(create_app(SetReports(root), TOKEN, 1), base_url="http://127.0.0.1:1")


def test_the_link_opens_the_page_and_its_cookie_the_reports(client: TestClient) -> None:
    page = client.get(f"/?token={TOKEN}")
    assert page.status_code == 200 and "SameSite=strict" in page.headers["set-cookie"]
    session = client.get("/api/session").json()
    assert (session["set"], session["total"]) == ("set", 6)
    assert session["statuses"] == {"normal": 6, "abnormal": 6, "uncertain": 6, "refused": 6}
    assert {organ["organ"]: organ["captions"] for organ in session["organs"]} == {
        "liver": 6,
        "left kidney": 6,
        "spleen": 6,
    }
    assert client.get("/api/report/6").json()["id"] == "scan-0005"
    assert client.get("/api/report/7").status_code == 404
    query = "place=0&organ=left%20kidney&organ=liver&status=abnormal&word=7%20mm"
    assert client.get(f"/api/find?{query}").json() == {"place": 6, "reached": 6, "finished": True}
    policy = client.get("/api/report/1").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'") and "unsafe" not in policy


@pytest.mark.parametrize("path", ["/api/session", "/api/report/1", "/api/find?place=0", "/api/nothing"])
@pytest.mark.parametrize("cookies", [{}, {"ovct-show-1": "another"}, {"ovct-show-2": TOKEN}])
def test_no_report_without_the_token(client: TestClient, path: str, cookies: dict[str, str]) -> None:
    client.cookies.update(cookies)
    answer = client.get(path)
    assert answer.status_code == 401 and b"scan-" not in answer.content
    assert client.get("/?token=another").status_code == 401


def test_other_names_and_writing_are_refused(client: TestClient) -> None:
    client.get(f"/?token={TOKEN}")
    assert client.get("/api/session", headers={"host": "evil.test"}).status_code == 403
    assert client.post("/api/session").status_code == 403


def test_a_part_that_is_damaged_meanwhile_is_told_on_the_page(client: TestClient, root: Path) -> None:
    client.get(f"/?token={TOKEN}")
    part_path(root, "captions", 1).unlink()
    answer = client.get("/api/report/6")
    assert answer.status_code == 500 and "part-00001.parquet is missing" in answer.json()["detail"]
    assert client.get("/api/report/1").status_code == 200


def test_of_named_reports_their_own_captions_are_counted(root: Path) -> None:
    client = TestClient(create_app(SetReports(root, ["scan-0001"]), TOKEN, 1), base_url="http://127.0.0.1:1")
    client.get(f"/?token={TOKEN}")
    session = client.get("/api/session").json()
    assert session["statuses"] == {"normal": 1, "abnormal": 1, "uncertain": 1, "refused": 1}
    assert [organ["captions"] for organ in session["organs"]] == [1, 1, 1]
