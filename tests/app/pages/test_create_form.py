"""The Create page's form: every control, as it is sent, refused, and filled in again."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from werkzeug.datastructures import MultiDict

from app.jobs.order import Order
from app.pages.create_form import PRINT, FormValues
from app.pages.page_options import CONTROLS
from app.storage import gallery
from model.options import StylizeOptions
from tests.support.pages import checked, ended, pictures, problem_at
from tests.support.requests import upload

WISHES = {
    "keep_colours": "0.5",
    "keep_light": "0.25",
    "match_colours": "covariance",
    "style_scale": "2",
    "network": "shared",
    "steady": "yes",
    "quality": "80",
    "dpi": "150",
}


def printing(width="60", height="40.5", unit="cm"):
    return {"size": "print", "print_width": width, "print_height": height, "print_unit": unit}


def has(page, name, value):
    """Whether a control stands there."""
    ticked = rf'name="{name}" value="{value}"[^>]* checked'
    chosen = rf'name="{name}"[^>]*>(?:(?!</select>).)*<option[^>]*(?: value="{value}" selected|selected>{value})'
    return any(re.search(one, page, re.DOTALL) for one in (rf'name="{name}"[^>]* value="{value}"', ticked, chosen))


def test_the_form_asks_for_what_the_options_allow(client):
    page = client.get("/").text
    assert 'method="post"' in page
    assert 'enctype="multipart/form-data"' in page
    asked = set(re.findall(r'<(?:input|select)[^>]* name="([\w-]+)"', page))
    sliders = {name for name in asked if name.startswith("weight-")}
    assert {"weight-own"} | {f"weight-{style.id}" for style in gallery.shipped()} <= sliders
    asked -= sliders | {"weight-new"}
    options = {"strength", "size", "dpi", "keep_colours", "keep_light", "match_colours", "style_scale", "steady"}
    options |= {"format", "quality", "feather", "paint", "network"}
    parts = {"print_width", "print_height", "print_unit"}  # of the option 'print'
    assert asked == options | parts | {"content", "style", "mask", "no_store"}
    assert options <= StylizeOptions.model_fields.keys()
    assert pictures(client.get("/")) == {}


def test_every_control_has_its_value_in_the_form():
    assert {*CONTROLS} - {PRINT} <= {value.name for value in fields(FormValues)}


def test_every_wish_of_the_form_is_in_the_order(job_of):
    options = job_of(**WISHES, **printing()).order.options
    assert (options.print, options.size, options.dpi) == ("60x40.5cm", None, 150)
    assert (options.keep_colours, options.keep_light, options.match_colours) == (0.5, 0.25, "covariance")
    assert (options.style_scale, options.network) == (2, "shared")
    assert (options.steady, options.quality) == (True, 80)


def test_what_a_form_leaves_empty_is_not_asked_for(job_of):
    options = job_of(size="512", dpi="", print_width="60", print_height="", print_unit="cm", quality="").order.options
    assert options.model_dump(exclude={"size"}) == StylizeOptions().model_dump(exclude={"size"})


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        (printing(height=""), "print", "how wide and how high"),
        (printing("60", "forty"), "print", "two sides of a print"),
        (printing("0.1", "0.1"), "print", "ask for more"),
        (printing() | {"dpi": "5"}, "dpi", "30 or more"),
        ({"style_scale": "9"}, "style_scale", "4 or less"),
        ({"keep_colours": "2"}, "keep_colours", "1 or less"),
        ({"quality": "none"}, "quality", "whole number"),
    ],
)
def test_a_wish_that_is_refused_is_told_beside_its_field(client, form, sent, field, words):
    answer = client.post("/", data=form(**sent))
    assert answer.status_code == 422
    assert words in problem_at(answer.text, field)
    for name, value in sent.items():
        assert name == "print_height" or has(answer.text, name, value) or field in (name, "print")


def test_a_refusal_keeps_every_wish(client, form):
    sent = WISHES | printing(unit="in")
    page = client.post("/", data=form(content=upload(b"no picture"), **sent)).text
    assert [name for name, value in sent.items() if not has(page, name, value)] == []
    assert '<details class="more fold" id="more" open>' in page


def test_what_is_folded_away_opens_only_where_something_is_set(client, form):
    assert '<details class="more fold" id="more">' in client.get("/").text
    page = client.post("/", data=form(content=upload(b"no picture"), style_scale="1.0", keep_colours="0")).text
    assert '<details class="more fold" id="more" open>' in page  # nobody's form says 1.0
    page = client.post("/", data=form(content=upload(b"no picture"), strength="0.5")).text
    assert '<details class="more fold" id="more">' in page


def test_another_like_this_has_every_wish(client, job_of):
    page = client.get(f"/?from={job_of(**WISHES, **printing('24', '16', 'in')).id}").text
    wanted = WISHES | printing("24", "16", "in")
    assert [name for name, value in wanted.items() if not has(page, name, value)] == []


def test_another_like_this_restores_every_control(app, client, job_of, shipped, painting_png, working):
    sliders = {f"weight-{shipped[0]}": "20", f"weight-{shipped[1]}": "100", "weight-own": "60"}
    files = [*shipped, upload(painting_png, "a painting.png")]
    id = job_of(style=files, strength="0.65", size="777", format="jpeg", **sliders).id
    ended(app, id)
    page = client.get(f"/?from={id}").text
    assert checked(page) == set(shipped)
    for name, value in (sliders | {"strength": "0.65"}).items():
        if name != "weight-own":
            assert re.search(rf'name="{name}"[^>]* value="{value}"', page), name
    assert f'href="/jobs/{id}/paintings/2" data-weight="60"' in page
    assert '<option value="777" selected>' in page
    assert '<option value="jpeg" selected data-lossy>' in page
    assert f'name="content" value="result:{id}"' in page
    assert f'src="/results/{id}/before"' in page
    again = {"content": f"result:{id}", "style": shipped[0]}
    again = client.post("/", data=again, content_type="multipart/form-data")
    assert again.status_code == 303


def test_sliders_show_the_weights_of_programs():
    def weights(*values):
        styles = [{"name": name, "id": name, "shipped": name} for name in "abc"[: len(values)]]
        options = {"weights": list(values)}
        order = Order.model_validate({"content": "k", "content_name": "n", "styles": styles, "options": options})
        return list(FormValues.of_order(order, "").weights.values())

    assert weights(50, 100) == ["50", "100"]
    assert weights(0.25, 0.5) == ["50", "100"]
    assert weights(500, 1000) == ["50", "100"]
    assert weights(3) == ["3"]


def test_a_form_as_it_was_sent():
    fields = MultiDict([("style", "a"), ("style", "b"), ("weight-a", "5"), ("size", ""), ("no_store", "yes")])
    form = FormValues.of_fields(fields)
    assert form.styles == {"a", "b"}
    assert (form.weight_of("a"), form.weight_of("b"), form.size, form.no_store) == ("5", "50", "own", True)
