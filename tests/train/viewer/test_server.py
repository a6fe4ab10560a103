"""Who may see a scan: the browser of this machine, with the token of the link."""

import pytest
from starlette.testclient import TestClient

from tests.train.viewer.view_cases import write_case
from train.viewer.content import ViewContent, load_content
from train.viewer.server import create_app

TOKEN = "of-this-link"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> ViewContent:
    folder = tmp_path_factory.mktemp("view")
    scan, mask = write_case(folder)
    return load_content(scan, [mask], 10**6, folder)


@pytest.fixture
def client(content: ViewContent) -> TestClient:
    return TestClient(create_app(content, TOKEN, 1), base_url="http://127.0.0.1:1")


def test_the_link_opens_the_page_and_its_cookie_the_volumes(client: TestClient, content: ViewContent) -> None:
    page = client.get(f"/?token={TOKEN}")
    assert page.status_code == 200 and "<title>ovct view</title>" in page.text
    assert "HttpOnly" in page.headers["set-cookie"] and "SameSite=strict" in page.headers["set-cookie"]
    assert client.get("/").status_code == 200
    assert client.get("/content.json").json() == content.description
    assert client.get("/scan.nii").content == content.scan.read_bytes()
    assert content.labels and client.get("/labels.nii").content == content.labels.read_bytes()
    assert client.get("/niivue.umd.js").headers["content-type"].startswith("text/javascript")
    for answer in (page, client.get("/scan.nii"), client.get("/nothing")):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'") and "http" not in policy
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/content.json", "/scan.nii", "/labels.nii", "/nothing"])
@pytest.mark.parametrize("cookies", [{}, {"ovct-view-1": "another"}, {"ovct-view-1": ""}, {"ovct-view-2": TOKEN}])
def test_no_volume_without_the_token(client: TestClient, path: str, cookies: dict[str, str]) -> None:
    client.cookies.update(cookies)
    answer = client.get(path)
    assert answer.status_code == 401 and b"ct.nii" not in answer.content
    assert client.get("/?token=another").status_code == 401
    assert client.get("/?token=%C3%A9").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.test"}, {"host": "192.168.0.9:1"}, {"transfer-encoding": "chunked"}, {"content-length": "5"}],
)
def test_other_names_and_bodies_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    client.get(f"/?token={TOKEN}")
    assert client.get("/scan.nii", headers=headers).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(client: TestClient, method: str) -> None:
    client.get(f"/?token={TOKEN}")
    assert client.request(method, "/content.json").status_code == 403


@pytest.mark.parametrize("path", ["/open.html", "/../ct.nii.gz", "/%2e%2e/ct.nii.gz", "/scan.nii/../ct.nii.gz"])
def test_no_other_file_is_sent(client: TestClient, path: str) -> None:
    client.get(f"/?token={TOKEN}")
    assert client.get(path).status_code == 404
