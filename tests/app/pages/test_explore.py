"""The Explore page: what is chosen on it is ordered, refused beside its field, and there again as it was."""

from __future__ import annotations

import re

import pytest

from app.jobs import style_builder
from app.jobs.order import Order, OrderStyle
from app.storage import gallery
from app.storage.tables import JobRow, ResultRow
from model.options import RefineOptions
from model.refinement.encoder_registry import ENCODERS
from tests.support.explore_page import ExploreFields, as_asked, as_numbers
from tests.support.pages import problem_at
from tests.support.stored_results import add_result, sign_in

MULTIPART = "multipart/form-data"


SMALLEST = {"method": "gatys", "style": "flow"}


FLOW, OTHER = (style.id for style in gallery.shipped()[:2])


def test_the_form_becomes_a_refinement(app, post_explore, explore_fields):
    styles = {"style": [FLOW, OTHER], f"weight-{FLOW}": "20"}
    layers = {"style-layer-block1_conv2": "0.25", "style-layer-block1_conv1": "0"}
    numbers = {"optimizer": "lbfgs", "steps": "", "seconds": "30"}
    answer = post_explore(explore_fields("/explore?encoder=vgg16"), **styles, **layers, **numbers)
    assert answer.status_code == 303
    order = app.extensions["jobs"].get(answer.location.removeprefix("/jobs/")).order
    options = order.options
    assert (order.method, options.encoder, options.optimizer) == ("gatys", "vgg16", "lbfgs")
    assert (options.steps, options.seconds, options.weights) == (120, 30, [20, 50])
    assert options.style_layers == dict.fromkeys(list(ENCODERS["vgg16"].style)[1:], 1) | {"block1_conv2": 0.25}
    assert options.content_layers == {"block4_conv2": 1}


def test_what_is_chosen_for_all_is_what_is_painted(app, post_explore, explore_fields):
    """Sent as it is explore_fields, the form orders what the preset alone would."""
    answer = post_explore(explore_fields("/explore?preset=stransfer"))
    options = app.extensions["jobs"].get(answer.location.removeprefix("/jobs/")).order.options
    assert as_asked(options) == as_asked(RefineOptions.parse({"preset": "stransfer"}))


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("rate", "9", "1 or less"),
        ("steps", "many", "whole number"),
        ("optimizer", "guess", "adam"),
        ("strength", "2", "1 or less"),
        ("content_weight", "-1", "0 or more"),
        ("start", "result:nothing", "not here"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_else_is_lost(post_explore, explore_fields, field, text, said):
    chosen = {"style": FLOW, "encoder": "vgg16", "scales": "3", "style-layer-block1_conv2": "0.25", "loss": "absolute"}
    answer = post_explore(explore_fields("/explore?encoder=vgg16"), **(chosen | {field: text}))
    assert answer.status_code == 422
    assert said in problem_at(answer.text, field)
    assert len(re.findall(r'role="alert">[^<]', answer.text)) == 1
    fields = ExploreFields(answer.text)
    assert fields.attributes[field]["aria-invalid"] == "true"
    for name, value in chosen.items():
        assert fields.values[name] == value
    if field in ("rate", "strength", "content_weight"):
        assert fields.values[field] == text
    assert f'value="{FLOW}" checked' in answer.text


def test_a_mistake_in_the_fold_opens_it(post_explore, explore_fields):
    assert '<details class="section descent fold" id="descent">' in post_explore(explore_fields(), strength="2").text
    assert '<details class="section descent fold" id="descent" open>' in post_explore(explore_fields(), rate="2").text


def test_a_layers_mistake_is_told_at_the_layers(post_explore, explore_fields):
    fields = explore_fields("/explore?encoder=vgg16")
    answer = post_explore(fields, **{"style-layer-block1_conv1": "3"})
    assert "1 or less" in problem_at(answer.text, "style_layers")
    assert ExploreFields(answer.text).layers("style")["block1_conv1"] == "3"
    answer = post_explore(fields, **{"content-layer-nothing": "1"})
    assert "no layer 'nothing'" in problem_at(answer.text, "content_layers")


def test_what_is_missing_is_told(client):
    assert "no photo" in problem_at(client.post("/explore", data=SMALLEST, content_type=MULTIPART).text, "content")


def test_no_layer_at_all_is_refused(post_explore, explore_fields):
    fields = explore_fields()
    none = {name: "" for name in fields.values if "-layer-" in name}
    assert "more than 0" in problem_at(post_explore(fields, **none).text, "style_layers")


def test_style_alone_left_out_stays_so(app, client, post_explore, explore_fields):
    fields = explore_fields("/explore?encoder=vgg16")
    none = {name: "0" for name in fields.values if name.startswith("style-layer-")}
    id = post_explore(fields, **none).location.removeprefix("/jobs/")
    assert app.extensions["jobs"].get(id).order.options.style_layers == {}
    assert explore_fields(f"/explore?from={id}").layers("style") == {}


def test_another_preset_without_javascript(client, explore_fields):
    fields = explore_fields().values | {
        "style": FLOW,
        f"weight-{FLOW}": "35",
        "preset": "paper",
        "strength": "0.3",
        "rate": "0.5",
    }
    answer = client.post("/explore/preset", data=fields)
    shown_now = ExploreFields(answer.text)
    assert as_numbers(shown_now.options()) == as_asked(RefineOptions.parse({"preset": "paper"}))
    assert shown_now.values[f"weight-{FLOW}"] == "35"
    assert f'value="{FLOW}" checked' in answer.text


def test_another_encoder_without_javascript(client, explore_fields):
    fields = explore_fields().values | {"style": FLOW, "encoder": "resnet50", "rate": "0.5", "preset": "best"}
    answer = client.post("/explore/encoder", data=fields)
    shown_now = ExploreFields(answer.text)
    assert shown_now.layers("style") == dict.fromkeys(ENCODERS["resnet50"].style, "1")
    assert (shown_now.values["rate"], shown_now.values["preset"]) == ("0.5", "best")
    assert shown_now.values["steps"] == fields["steps"]
    assert f'value="{FLOW}" checked' in answer.text


REFINED = {
    "preset": "best",
    "encoder": "xception",
    "content_layers": {"block14_sepconv2_act": 0.375},
    "style_layers": {"block1_conv1_act": 1, "block9_sepconv1_act": 0.5},
    "variation_weight": 3,
    "optimizer": "lbfgs",
    "seconds": 45,
    "start": "noise",
    "seed": 7,
    "style_scale": 2.5,
    "strength": 0.75,
    "weights": [1, 3],
    "format": "webp",
    "quality": 50,
}


@pytest.fixture
def refined(app, client, photo_png, painting_png):
    """The id of a refined result of the client's."""
    library, owner = app.extensions["library"], sign_in(client, "ann")
    id = add_result(app, owner, photo_png, painting_png)
    painting = library.put_picture(owner, painting_png)
    styles = [OrderStyle(name="Flow", id=FLOW, shipped=FLOW), OrderStyle(name="Harbour", picture=painting)]
    content, options = library.put_picture(owner, photo_png), RefineOptions.parse(REFINED)
    order = Order(content=content, content_name="My-photo", styles=styles, method="gatys", options=options)
    with library.begin() as session:
        session.get_one(JobRow, id).order = order.model_dump(mode="json")
        session.get_one(ResultRow, id).order = order.model_dump(mode="json")
    return id


def test_from_a_refined_result_all_is_as_it_was(client, explore_fields, refined):
    fields = explore_fields(f"/explore?from={refined}")
    assert as_numbers(fields.options()) == as_asked(RefineOptions.parse(REFINED))
    assert fields.layers("content") == {"block14_sepconv2_act": "0.375"}
    assert fields.layers("style") == {"block1_conv1_act": "1", "block9_sepconv1_act": "0.5"}
    assert fields.values["content"] == f"result:{refined}"
    assert fields.choices["start"] == ["pastiche", "content", "noise", f"result:{refined}"]
    page = client.get(f"/explore?from={refined}").text
    assert f'data-src="/results/{refined}/before"' in page
    assert f'value="{FLOW}" checked' in page
    assert f'href="/jobs/{refined}/paintings/1" data-weight="3"' in page


def test_from_a_pastiche_it_goes_on_with_its_picture(app, client, explore_fields, photo_png):
    id = add_result(app, sign_in(client, "ann"), photo_png, strength=0.4, format="jpeg")
    fields = explore_fields(f"/explore?from={id}")
    assert (fields.values["start"], fields.values["size"]) == (f"result:{id}", "128")
    assert (fields.values["strength"], fields.values["format"]) == ("0.4", "jpeg")
    answer = client.post("/explore", data=fields.values | {"style": FLOW}, content_type=MULTIPART)
    order = app.extensions["jobs"].get(answer.location.removeprefix("/jobs/")).order
    assert order.start == app.extensions["library"].result("ann", id).picture


def test_that_only_parts_were_painted_is_told_where_all_is_refined(client, form):
    client.get("/")
    for fields, told in (({"mask": "everywhere"}, True), ({}, False)):
        id = client.post("/api/v1/jobs", data=form(style="mosaic", **fields)).json["id"]
        assert ("only parts were painted" in client.get(f"/explore?from={id}").text) is told


def test_what_a_given_picture_began_begins_with_it_again(app, client, explore_fields, photo_png, painting_png):
    library = app.extensions["library"]
    start = library.put_picture(sign_in(client, "ann"), painting_png)
    id = add_result(app, "ann", photo_png, painting_png, method="gatys")
    with library.begin() as session:
        row = session.get_one(JobRow, id)
        row.order = session.get_one(ResultRow, id).order = row.order | {"start": start}
        library.hold(session, id, [start])
    fields = explore_fields(f"/explore?from={id}")
    assert fields.values["start"] == f"job:{id}"
    assert "The same picture as before" in client.get(f"/explore?from={id}").text
    answer = client.post("/explore", data=fields.values | {"style": FLOW}, content_type=MULTIPART)
    again = answer.location.removeprefix("/jobs/")
    assert app.extensions["jobs"].get(again).order.start == start
    assert explore_fields(f"/explore?from={again}").values["start"] == f"job:{again}"
    for other in (f"preset=best&content=result:{id}", f"start=job:{id}", "content=result:nothing"):
        assert (f"job:{id}" in explore_fields(f"/explore?{other}").choices["start"]) == (id in other)
    refused = client.post("/explore", data=fields.values | {"style": FLOW, "rate": "9"}, content_type=MULTIPART)
    assert ExploreFields(refused.text).values["start"] == f"job:{id}"


def test_the_picture_stays_a_choice_with_other_controls(app, client, explore_fields, photo_png):
    id = add_result(app, sign_in(client, "ann"), photo_png)
    assert f"result:{id}" in explore_fields(f"/explore?preset=best&content=result:{id}").choices["start"]
    assert explore_fields("/explore?content=nothing").choices["start"] == ["pastiche", "content", "noise"]


def test_of_a_job_without_a_result_the_settings_are_there(app, client, explore_fields, photo_png, post_explore):
    sign_in(client, "ann")
    id = post_explore(explore_fields(), style=FLOW, steps="33").location.removeprefix("/jobs/")
    fields = explore_fields(f"/explore?from={id}")
    assert fields.values["steps"] == "33"
    assert "content" not in fields.values
    assert f'data-src="/jobs/{id}/photo"' in client.get(f"/explore?from={id}").text


def test_what_was_made_is_its_owners_alone(app, client, refined):
    assert app.test_client().get(f"/explore?from={refined}").status_code == 404
    assert client.get("/explore?from=nothing").status_code == 404


def test_styles_of_which_only_numbers_are_kept_are_not_offered(app, client, photo_png, painting_png):
    owner = sign_in(client, "ann")
    library, engine = app.extensions["library"], app.extensions["engine"]
    kept = [
        style_builder.add_painting(library, engine, owner, [painting_png], name=name, keep=keep).id
        for name, keep in (("Harbour", "picture"), ("Numbers", "vector"))
    ]
    page = client.get("/explore").text
    assert f'value="{kept[0]}"' in page
    assert f'value="{kept[1]}"' not in page
    style = OrderStyle(name="Numbers", id=kept[1], picture=library.put_picture(owner, painting_png))
    id = add_result(app, owner, photo_png, styles=[style])
    assert "not here as a painting" in client.get(f"/explore?from={id}").text


def test_a_program_is_refused_in_json(client):
    answer = client.post("/explore", data=SMALLEST, content_type=MULTIPART, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]["field"]) == (422, "content")


def test_a_body_too_large_is_told(app, post_explore, explore_fields):
    app.config["MAX_CONTENT_LENGTH"] = 500
    answer = post_explore(explore_fields())
    assert answer.status_code == 413
    assert "smaller" in problem_at(answer.text, "form")


def test_hostile_text_is_escaped_and_nothing_is_inline(client, post_explore, explore_fields):
    script = "<script>alert(1)</script>"
    for answer in (
        post_explore(explore_fields(), rate=script, style=script, **{script: "1"}),
        client.get(f"/explore?content=result:{script}"),
    ):
        assert script not in answer.text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", answer.text)


def test_the_pages_lead_to_it(client):
    assert '<a href="/explore">Explore</a>' in client.get("/").text
    assert '<a href="/explore" aria-current="page">Explore</a>' in client.get("/explore").text
