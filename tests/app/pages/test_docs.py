"""The page about the interface: made of the OpenAPI document, complete, offline, and with samples that run."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from urllib.request import Request, urlopen

import pytest
from PIL import Image

from app.api.openapi import samples
from app.api.operations import OPERATIONS
from app.api.samples import PHOTO
from tests.conftest import skip_or_fail
from tests.support.live_app import serving
from tests.support.requests import pixels


@pytest.fixture
def page(client) -> str:
    answer = client.get("/docs")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    return answer.text


def test_every_operation_and_schema_is_on_it(client, page):
    document = client.get("/api/v1/openapi.json").json
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f'id="{operation["operationId"]}"' in page
            assert f"{method.upper()}</span> <code>{path}</code>" in page
    for name, schema in document["components"]["schemas"].items():
        assert f'id="schema-{name}"' in page
        for field in schema["properties"]:
            assert f"<code>{field}</code>" in page
    for status, answer in document["components"]["responses"].items():
        assert f'id="status-{status}"' in page
        assert answer["description"].partition(" ")[0] in page


def test_the_samples_and_examples_are_on_it(client, page):
    shown = html.unescape(page)
    for operation in OPERATIONS:
        for sample in samples(operation, "http://localhost").values():
            assert sample in shown
        for summary in operation.body.examples if operation.body else ():
            assert summary in shown


def test_it_needs_no_script_and_no_other_site(page):
    assert "<script" not in page
    assert "style=" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    for address in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert address.startswith(("/", "#")), address
        assert not address.startswith("//")


def test_every_link_within_it_leads_somewhere(page):
    anchors = re.findall(r' id="([^"]*)"', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]*)"', page)) <= set(anchors)


def test_every_file_that_it_shows_is_there(client, page):
    for address in set(re.findall(r'(?:src|href)="(/static/[^"]*)"', page)):
        with client.get(address) as file:
            assert file.status_code == 200, address


def test_each_address_of_the_server_has_its_own_samples(client):
    for host in ("one.example", "two.example", "one.example"):
        hosted = {"headers": {"Host": host}}
        for answer in (client.get("/docs", **hosted), client.get("/api/v1/openapi.json", **hosted)):
            assert set(re.findall(r"//(\w+)\.example", answer.text)) == {host[:3]}


def test_the_document_is_built_once(client, monkeypatch):
    client.get("/docs")
    monkeypatch.setattr("app.api.openapi._operation", lambda *_: pytest.fail("built anew"))
    for address in ("/docs", "/api/v1/openapi.json"):
        assert client.get(address).status_code == 200


def test_a_hostile_host_is_only_text(client):
    answer = client.get("/docs", headers={"Host": "<script>alert(1)</script>"})
    assert "<script" not in answer.text


@pytest.mark.parametrize(("api_keys", "told"), [("", "has no API keys"), ("a:b:1 per day", "An API key makes you")])
def test_it_says_whether_there_are_keys(new_app, api_keys, told):
    assert told in new_app(api_keys=api_keys).test_client().get("/docs").text


@pytest.fixture
def folder(tmp_path, photo, painting):
    """Where the samples are run: with a photo and a painting, as the page asks for."""
    folder = tmp_path / "samples"
    folder.mkdir()
    for name, rgb in (("photo", photo), ("painting", painting)):
        Image.fromarray((rgb * 255).round().astype("uint8")).save(folder / f"{name}.jpg", quality=95)
    return folder


def run(command: list[str], folder, **variables: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, errors="replace", timeout=60
    )
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def sources(server: str, language: str):
    for operation in OPERATIONS:
        if source := samples(operation, server).get(language):
            yield operation.id, source


def test_every_shell_sample_runs(new_app, folder):
    """From top to bottom, as somebody would try them."""
    if shutil.which("curl") is None:
        skip_or_fail("curl is not installed: apt-get install curl.")
    ids = {"JOB": "", "STYLE": ""}
    with serving(new_app(worker=True)) as server:
        for id, source in sources(server, "Shell"):
            if id == "pause_job":  # only a refinement can be
                ids["JOB"] = refinement(server)
            answer = run(["bash", "-ec", source], folder, **ids)
            if made := {"add_job": "JOB", "add_style": "STYLE"}.get(id):
                ids[made] = json.loads(answer)["id"]
    assert json.loads((folder / "mosaic.style.json").read_text("utf-8"))["name"] == "Mosaic"
    shown = pixels((folder / "pastiche.png").read_bytes())
    assert abs(shown - (255.0 - pixels((folder / "photo.jpg").read_bytes()))).mean() < 3


def refinement(server: str) -> str:
    sent = json.dumps({"content": PHOTO, "style": "mosaic", "method": "gatys"}).encode()
    request = Request(f"{server}/api/v1/jobs", sent, {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)["id"]


@pytest.mark.parametrize("id", [id for id, _ in sources("", "Python")])
def test_every_python_sample_runs(new_app, folder, id):
    with serving(new_app(worker=True)) as server:
        said = run([sys.executable, "-c", dict(sources(server, "Python"))[id]], folder)
    pictures = list(folder.glob("pastiche.*"))
    assert pictures if id != "add_style" else said.startswith("/jobs/")
