"""The filters of all templates."""

from __future__ import annotations

import pytest

from app.pages.template_helpers import code_spans, duration_text, iso_time, schema_name, two_digits, utc_date

DAY = 86400


@pytest.mark.parametrize(
    ("value", "text"), [(0.0961, "0.096"), (0.5, "0.5"), (0, "0"), (12.34, "12"), (1234567, "1,200,000")]
)
def test_two_digits(value, text):
    assert two_digits(value) == text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3 * DAY, "3 days"),
        (3 * DAY - 60, "2 days, 23 hours"),
        (DAY + 3700, "1 day, 1 hour"),
        (DAY, "1 day"),
        (7200, "2 hours"),
        (3599, "1 hour"),
        (61, "1 minute"),
        (-5, "1 minute"),
    ],
)
def test_durations_in_words(seconds, words):
    assert duration_text(seconds) == words


def test_moments():
    moment = 1_700_000_000.6
    assert utc_date(moment) == "14 November 2023, 22:13 UTC"
    assert iso_time(moment) == "2023-11-14T22:13:20+00:00"


def test_code_spans_escape_all_else():
    assert code_spans("`mask` & <b>") == "<code>mask</code> &amp; &lt;b&gt;"


def test_the_name_of_a_schema():
    assert schema_name({"$ref": "#/components/schemas/Job"}) == "Job"
