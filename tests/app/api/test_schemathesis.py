"""schemathesis, over the OpenAPI document, against a live server: no server error, no answer that is not described."""

from __future__ import annotations

import subprocess
import sys

from tests.support.live_app import serving
from tests.support.requests import metrics_of

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
OPTIONS = {
    "--checks": ",".join(CHECKS),
    "--phases": "examples,coverage,fuzzing,stateful",
    "--max-examples": "10",
    "--header": "X-API-Key: secret",  # so that what it adds is its own to look at, to change and to delete
    "--generation-with-security-parameters": "false",
    "--suppress-health-check": "all",
    "--request-timeout": "30",
}
A_MATTER_OF_TIME = ("api_jobs.job_preview", "api_jobs.job_result")  # the one is soon gone, the other not there at once
FLAGS = ("--generation-deterministic", "--no-shrink", "--continue-on-failure", "--no-color")


def test_nothing_breaks_and_nothing_is_left_undescribed(new_app, tmp_path):
    app = new_app(worker=True, api_keys="tester:secret:1000000 per day", jobs=100_000, queue=1000)
    app.test_client().get("/readyz")
    app.extensions["engine"].run(lambda: None)  # until it is loaded: /readyz is 200 from here on
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
    with serving(app) as server:
        options = [word for option in OPTIONS.items() for word in option]
        address = f"{server}/api/v1/openapi.json"
        run = subprocess.run(
            [*command, *options, *FLAGS, address], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert untouched(app) <= {*A_MATTER_OF_TIME}, run.stdout[-3000:]


def untouched(app) -> set[str]:
    """Endpoints for programs that were never asked for what they then gave."""
    counted = metrics_of(app.test_client())
    good = {labels[0] for name, *labels in counted if name == "style_requests_total" and labels[1].startswith("2")}
    programs = ("api_jobs.", "api_encoders.", "api_styles.", "api_legacy.", "docs.openapi", "health.", "metrics.")
    return {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith(programs)} - good
