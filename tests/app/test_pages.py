"""The page as it works without JavaScript, and what keeps it private."""

from __future__ import annotations

import html
import io
import re
import tempfile

import pytest
from PIL import Image

from model.options import StylizeOptions
from tests.app.answers import NEGATIVE, from_data_url, pixels, upload


def pictures(answer):
    """The pictures in a page, by their element's id."""
    found = re.findall(r'<img id="(\w+)"[^>]* src="(data:[^"]+)"', answer.text)
    return {name: pixels(from_data_url(url)) for name, url in found}


def test_the_form_asks_for_what_the_options_allow(client):
    page = client.get("/").text
    assert 'method="post"' in page
    assert 'enctype="multipart/form-data"' in page
    for name in ("content", "style", "strength", "size", "format"):
        assert f'name="{name}"' in page
    asked = set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page))
    assert asked - {"content", "style"} <= StylizeOptions.model_fields.keys()
    assert "Your pastiche" in page
    assert pictures(client.get("/")) == {}


def test_form_gives_a_page_with_both_pictures(client, form, photo_png):
    answer = client.post("/", data=form(size="own", strength="1", format="png"))
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    shown = pictures(answer)
    photo = pixels(photo_png).astype(int)
    assert abs(shown["after"] - (255 - photo)).mean() < 10  # both are shown as a JPEG
    assert abs(shown["before"] - photo).mean() < 10
    download = re.findall(r'download="pastiche.png" href="(data:image/png;base64,[^"]+)"', answer.text)
    assert abs(pixels(from_data_url(download[0])) - (255 - photo)).max() <= 1
    assert NEGATIVE in answer.text


def test_a_large_pastiche_is_in_the_page_once_and_shown_smaller(client, form):
    answer = client.post("/", data=form(size="1100"))
    assert answer.text.count("data:image/png") == 1
    assert {max(picture.shape) for name, picture in pictures(answer).items() if name == "after"} == {1024}


def test_what_is_clear_is_shown_white(client, form):
    file = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(file, "PNG")
    shown = pictures(client.post("/", data=form(content=upload(file.getvalue()))))
    assert shown["before"].min() > 250
    assert shown["after"].min() > 250


def test_the_form_is_sent_without_the_query_of_its_address(client):
    assert 'action="/#result"' in client.get("/?source=elsewhere").text


def test_a_refusal_shows_the_form_again_beside_the_field(client, form):
    answer = client.post("/", data=form(content=upload(b"no picture"), strength="0.35", size="512", format="webp"))
    assert (answer.status_code, answer.mimetype) == (415, "text/html")
    beside = re.search(r'id="content-problem" role="alert">([^<]+)<', answer.text)
    assert "not a picture" in beside[1]
    assert 'value="0.35"' in answer.text
    assert '<option value="512" selected>' in answer.text
    assert '<option value="webp" selected>' in answer.text


def test_a_body_too_large_shows_the_form_again(client, form):
    client.application.config["MAX_CONTENT_LENGTH"] = 1000
    answer = client.post("/", data=form())
    assert answer.status_code == 413
    assert re.search(r'id="form-problem" role="alert">[^<]*smaller', answer.text)


def test_hostile_text_is_escaped(client, form):
    script = "<script>alert(1)</script>"
    answer = client.post("/", data=form(strength=script, **{script: "1"}))
    assert script not in answer.text
    assert html.escape(script) in answer.text


def test_a_friendly_page_for_a_wrong_address(client):
    answer = client.get("/nothing/<script>", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "nothing at this address" in answer.text
    assert "<script>" not in answer.text
    assert client.get("/nothing", headers={"Accept": "application/json"}).json["error"]["code"] == "not_found"


@pytest.mark.parametrize("url", ["/", "/nothing", "/healthz", "/api/v1/stylize", "/static/style.css"])
def test_headers_on_every_answer(client, url):
    with client.get(url) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Permissions-Policy" in headers
    assert "Set-Cookie" not in headers


def test_no_inline_script_or_style(client, form):
    for page in (client.get("/"), client.post("/", data=form())):
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page.text)


def test_nothing_of_a_request_stays(client, form, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    answer = client.post("/", data=form())
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(tmp_path.iterdir()) == []
    assert pictures(client.get("/")) == {}
