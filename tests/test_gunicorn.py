"""gunicorn.conf.py: what gunicorn makes of requests before the app has them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.gunicorn import QUICK_COMMAND, Server, running


@pytest.fixture(scope="module", params=["0", "1"], ids=["no proxy", "a proxy"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running(folder, QUICK_COMMAND, STYLE_WORKER="no", STYLE_PROXIES=request.param) as server:
        yield server


@pytest.mark.parametrize("header", ["SCRIPT_NAME", "Script-Name", "X-Forwarded-Prefix"])
def test_no_header_mounts_the_app_elsewhere(server, header):
    assert requests.get(f"{server.address}/x/metrics", headers={header: "/x"}, timeout=20).status_code == 404


@pytest.mark.parametrize("header", ["SCRIPT_NAME", "Script-Name", "X-Forwarded-Prefix"])
def test_no_header_redirects_to_another_site(server, header):
    address = "//evil.example/history/delete"
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=20)
    connection.request("POST", address, headers={header: "//evil.example"})
    told = connection.getresponse()
    told.read()
    connection.close()
    target = urlsplit(told.headers.get("Location", ""))
    assert target.netloc in ("", urlsplit(server.address).netloc)


def test_the_environment_mounts_the_app_below_a_path(tmp_path):
    with running(tmp_path, QUICK_COMMAND, path="/style/healthz", STYLE_WORKER="no", SCRIPT_NAME="/style") as server:
        page = requests.get(f"{server.address}/style/", timeout=20)
        assert 'href="/style/history"' in page.text


def test_a_server_that_was_told_to_stop_says_so(tmp_path):
    with running(tmp_path, QUICK_COMMAND, STYLE_WORKER="no") as server:
        connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=20)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.5)  # an open connection is heard for two seconds more
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["error"]["code"]) == (503, "stopping")
        assert answer.headers["Connection"] == "close"
        connection.close()


def test_without_a_proxy_no_header_says_that_it_came_by_tls(server, request):
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Protocol": "ssl", "X-Forwarded-Ssl": "on"}
    cookie = requests.get(f"{server.address}/", headers=headers, timeout=20).headers["Set-Cookie"]
    behind_proxy = "a proxy" in request.node.name
    assert ("Secure" in cookie) == behind_proxy
