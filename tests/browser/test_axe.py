"""axe-core on every page: no violation."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from app.jobs import style_builder
from app.jobs.order import Order, OrderStyle, TrainingOrder
from app.storage.records import Style, TrainingSummary
from app.storage.tables import JobRow
from model.options import StylizeOptions, TrainOptions
from model.style_file import StyleFile
from tests.support.axe import violations
from tests.support.browsers import LEFT_OPEN, PHONE, standing
from tests.support.stored_results import add_result

pytestmark = [pytest.mark.browser, LEFT_OPEN]


@pytest.fixture(scope="module")
def stand(module_painter, tmp_path_factory):
    with standing(tmp_path_factory.mktemp("axe"), module_painter) as stand:
        yield stand


def add_job(stand, photo, state="queued", **more) -> str:
    library, jobs = stand.app.extensions["library"], stand.app.extensions["jobs"]
    content = library.put_picture("ann", photo)
    styles = [OrderStyle(name="Flow", id="flow", shipped="flow")]
    job = jobs.submit("ann", Order(content=content, content_name=state, styles=styles, options=StylizeOptions()))
    with library.begin() as session:
        row = session.get_one(JobRow, job.id)
        row.state = state
        for name, value in more.items():
            setattr(row, name, value)
    return f"/jobs/{job.id}"


def add_training(stand, style: Style) -> str:
    """Of a style that has a network already."""
    library, jobs = stand.app.extensions["library"], stand.app.extensions["jobs"]
    if running := jobs.training_of("ann", style.id):
        return f"/jobs/{running.id}"
    file = StyleFile(name="Harbour", weights="w", weights_sha256="0" * 64, vector=np.zeros(4, "float32"))
    key = library.put_picture("ann", b"network")
    order = TrainingOrder(style=style.id, name=style.name, picture=style.picture, options=TrainOptions())
    job = jobs.submit("ann", order)
    with library.begin() as session:
        row = session.get_one(JobRow, job.id)
        row.state, row.step, row.steps, row.losses = "running", 2, 5, [[1, 0, 0.5, 0.4, 0], [2, 0, 0.5, 0.3, 0]]
        library.set_network(session, "ann", style.id, key, file, TrainingSummary("1", 5, 60, True, ["A note."]))
    return f"/jobs/{job.id}"


def add_style(stand, painting, name, keep="picture") -> str:
    library, engine = (stand.app.extensions[part] for part in ("library", "engine"))
    return "/styles/" + style_builder.add_painting(library, engine, "ann", [painting], name=name, keep=keep).id


@pytest.fixture
def pages(stand, photo_png, painting_png) -> dict[str, str]:
    """Every page there is, and each of its faces -> its address."""
    library = stand.app.extensions["library"]
    if len(library.styles("ann")) == len(library.styles(None)):
        add_style(stand, painting_png, "Harbour")
        add_style(stand, painting_png, "W" * 80, "vector")
    own = next(style for style in library.styles("ann") if style.name == "Harbour")
    painting, numbers = (f"/styles/{style.id}" for style in library.styles("ann") if style.own)
    result = add_result(stand.app, "ann", photo_png, painting_png)
    stopped = add_result(stand.app, "ann", photo_png, complete=False, name="stopped")
    return {
        "create": "/",
        "create again": f"/?from={result}",
        "create in a style": "/?style=flow",
        "queued job": add_job(stand, photo_png),
        "running job": add_job(stand, photo_png, "running", step=2, steps=5, seconds_left=3.0),
        "running training": add_training(stand, own),
        "failed job": add_job(stand, photo_png, "failed", error={"code": "broken_image", "message": "It is damaged."}),
        "cancelled job": add_job(stand, photo_png, "cancelled"),
        "result": f"/results/{result}",
        "stopped result": f"/results/{stopped}",
        "explore": "/explore",
        "explore many layers": "/explore?encoder=densenet121&preset=best",
        "explore again": f"/explore?from={result}",
        "history": "/history",
        "styles": "/styles",
        "painting": painting,
        "numbers": numbers,
        "shipped style": "/styles/flow",
        "documentation": "/docs",
        "nothing": "/nothing",
    }


def opened(page: Page) -> Page:
    """With all that can be unfolded."""
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    return page


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page(visit, pages, scheme, device):
    page = visit("/", color_scheme=scheme, reduced_motion="reduce", **device)
    found = {}
    for name, address in pages.items():
        page.goto(address)
        if wrong := violations(opened(page)):
            found[name] = wrong
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_empty_and_refused(visit, files, tmp_path, scheme):
    page = visit("/history", None, color_scheme=scheme)
    assert violations(opened(page)) == ""
    page.goto("/styles")
    assert violations(page) == ""
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.get_by_label("Picture").set_input_files(broken)
    page.get_by_role("button", name="Add this style").click()
    page.wait_for_selector("[role=alert]")
    assert violations(page) == ""


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_create_page_with_all_that_can_appear(visit, pages, photo_png, scheme, device):
    page = visit(pages["create in a style"], color_scheme=scheme, reduced_motion="reduce", **device)
    page.get_by_label("Long side").select_option("print")
    page.get_by_label("File", exact=True).select_option("jpeg")
    page.get_by_role("button", name="Paint it").click()  # without a photo
    page.locator("#recipe").evaluate("notice => notice.hidden = false")
    assert page.get_by_role("alert").first.is_visible()
    assert violations(opened(page)) == ""
    page.get_by_label("Photo", exact=True).set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": photo_png}
    )
    page.get_by_label("Wide").fill("30")
    page.get_by_label("High").fill("20")
    page.locator("#forecast").filter(has_text="pixels").wait_for()
    assert violations(page) == ""


def test_without_javascript(stand, browser, pages):
    """axe needs scripts, the pages' own are kept away."""
    context = browser.new_context(base_url=stand.url)
    context.add_cookies([stand.cookie("ann")])
    context.route("**/*.js", lambda route: route.abort())
    page = context.new_page()
    found = {}
    for name in ("create", "explore", "result", "styles", "history"):
        page.goto(pages[name])
        if wrong := violations(opened(page)):
            found[name] = wrong
    context.close()
    assert found == {}


def test_a_violation_is_seen(visit):
    page = visit("/history")
    page.evaluate("document.querySelector('h1').outerHTML = '<img src=x><h1></h1>'")
    assert violations(page)
