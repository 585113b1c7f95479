"""The keys that sign cookies: whole after a power cut, long enough, and changed without sending anybody away."""

from __future__ import annotations

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.failures import CannotStart
from app.http.signing_keys import signing_keys
from app.settings import Settings
from tests.support.gunicorn import QUICK_COMMAND, ROOT

OLD, NEW = "the old key's letters", "the new key's letters"


def make(folder: Path) -> str:
    (key,) = signing_keys(Settings(data_dir=folder))
    return key


def test_a_key_is_made_once_for_its_user_alone(tmp_path):
    key = make(tmp_path / "data")
    assert len(key) == 64
    assert make(tmp_path / "data") == key
    file = tmp_path / "data" / "cookie.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("left", [b"", b"\n", b"\0" * 64])
def test_a_key_that_a_power_cut_left_empty_is_made_anew(tmp_path, caplog, left):
    (tmp_path / "cookie.key").write_bytes(left)
    key = make(tmp_path)
    assert len(key) == 64
    assert make(tmp_path) == key
    assert "a new key is made" in caplog.text


@pytest.mark.parametrize("content", [b"short", b"\xff" * 64])
def test_a_file_that_holds_no_key_is_refused_by_its_name(tmp_path, content):
    (tmp_path / "cookie.key").write_bytes(content)
    with pytest.raises(CannotStart, match=r"cookie\.key .* Delete it"):
        make(tmp_path)


def test_all_who_start_at_once_take_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, [tmp_path] * 8))) == 1


def test_pages_are_served_with_a_key_that_was_left_empty(new_app, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cookie.key").touch()
    assert new_app().test_client().get("/").status_code == 200


@pytest.mark.parametrize("keys", ["a", f"{NEW},short", f"{NEW},", ","])
def test_a_key_that_is_too_short_is_refused_and_not_repeated(new_app, keys):
    with pytest.raises(CannotStart, match=r"STYLE_SECRET_KEY: key [12] must have 16") as refusal:
        new_app(secret_key=keys)
    assert NEW not in str(refusal.value)


def test_whoever_has_a_cookie_of_the_earlier_key_stays_who_they_are(new_app):
    def owner(keys: str, cookie: str | None) -> tuple[str, str]:
        client = new_app(secret_key=keys).test_client()
        if cookie:
            client.set_cookie("owner", cookie)
        client.get("/")
        with client.session_transaction() as session:
            return session["owner"], client.get_cookie("owner").value

    first, signed_by_old = owner(OLD, None)
    second, signed_by_new = owner(f"{NEW}, {OLD}", signed_by_old)
    assert second == first
    assert owner(NEW, signed_by_new)[0] == first
    assert owner(NEW, signed_by_old)[0] != first


def test_a_server_says_in_a_sentence_why_it_does_not_start(monkeypatch, tmp_path):
    monkeypatch.setenv("STYLE_SECRET_KEY", "a")
    monkeypatch.setenv("PORT", "0")
    done = subprocess.run(QUICK_COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 4
    assert "STYLE_SECRET_KEY: key 1 must have 16 or more characters." in done.stderr
    assert "Traceback" not in done.stderr
