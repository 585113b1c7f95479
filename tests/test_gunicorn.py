"""gunicorn.conf.py: what gunicorn makes of requests before the app has them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
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


def send(server: Server, *lines: str, body: bytes = b"") -> socket.socket:
    """Send a request to /api/v1/jobs, whose body may be the beginning of one."""
    host = urlsplit(server.address)
    connection = socket.create_connection((host.hostname, host.port), timeout=60)
    head = "\r\n".join(["POST /api/v1/jobs HTTP/1.1", f"Host: {host.netloc}", *lines, "", ""])
    connection.sendall(head.encode() + body)
    return connection


FORM = "Content-Type: multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([FORM, "Content-Length: 500000000"], 413),
        (["Content-Type: text/plain", "Content-Length: 1000"], 415),
        ([FORM, "Content-Length: 1000", "Sec-Fetch-Site: cross-site"], 403),
        (["Content-Type: text/plain", "Transfer-Encoding: chunked"], 415),
    ],
)
def test_a_refusal_before_the_end_of_a_body_says_that_it_closes(server, lines, status):
    with send(server, *lines, body=b"3\r\nabc\r\n") as connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.headers["Connection"]) == (status, "close")
        assert json.load(answer)["error"]["message"]


def test_a_refusal_of_a_whole_body_keeps_the_connection(server):
    with send(server, "Content-Type: application/json", "Content-Length: 2", body=b"{}") as connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.headers["Connection"]) == (422, "keep-alive")


def test_whoever_sends_too_much_reads_why(server):
    # More than gunicorn itself would take in, and than the buffers between here and there.
    answer = requests.post(f"{server.address}/api/v1/jobs", files={"content": bytes(80_000_000)}, timeout=60)
    assert (answer.status_code, answer.headers["Connection"]) == (413, "close")


BEGUN = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'


def test_a_stalled_upload_holds_up_no_stop(tmp_path):
    with (
        running(tmp_path, QUICK_COMMAND, STYLE_WORKER="no") as server,
        send(server, FORM, "Content-Length: 100000", body=BEGUN) as stalled,
    ):
        time.sleep(0.5)
        os.kill(server.pid, signal.SIGTERM)
        answer = http.client.HTTPResponse(stalled)
        answer.begin()
        assert (answer.status, answer.headers["Connection"]) == (400, "close")
        assert has_ended(server.pid, seconds=30)


def has_ended(pid: int, seconds: float) -> bool:
    """Wait for a child to end, which is then still there to be waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return True
        time.sleep(0.1)
    return False


def test_without_a_proxy_no_header_says_that_it_came_by_tls(server, request):
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Protocol": "ssl", "X-Forwarded-Ssl": "on"}
    cookie = requests.get(f"{server.address}/", headers=headers, timeout=20).headers["Set-Cookie"]
    behind_proxy = "a proxy" in request.node.name
    assert ("Secure" in cookie) == behind_proxy
