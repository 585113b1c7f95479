"""A job's page: how far it is, and where it leads."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.jobs.attempts import Attempts
from app.jobs.order import Order, OrderStyle
from app.jobs.queue import Job
from app.storage import gallery
from model.errors import BrokenImage
from model.options import RefineOptions
from model.progress import Step
from tests.support.browsers import LEFT_OPEN, Stand, expect_loaded

pytestmark = [pytest.mark.browser, LEFT_OPEN]

FLOW = gallery.shipped()[0].name


def send(page: Page, files, own: bool = False) -> None:
    page.get_by_label("Photo", exact=True).set_input_files(files[0])
    if own:
        page.get_by_label("Your own painting", exact=True).set_input_files(files[1])
    page.get_by_role("checkbox", name=FLOW, exact=True).check()
    page.get_by_label(re.compile("Strength")).fill("0.6")
    page.get_by_role("button", name="Paint it").click()
    page.wait_for_url("**/jobs/*")


def expect_a_preview(page: Page) -> None:
    picture = page.get_by_role("img", name="The picture so far")
    expect(picture).to_have_attribute("src", re.compile("/preview"))
    expect_loaded(page.locator("#picture"))


def test_progress_and_preview_then_the_result(new_page, files, painter):
    painter.steps, painter.pause = 5, 0.5
    page = new_page()
    send(page, files)
    expect(page.get_by_role("status")).to_contain_text("of 5 · about")
    expect(page).to_have_title(re.compile(r"\d+ % · Pastiche"))
    expect_a_preview(page)
    assert 0 < page.get_by_role("progressbar").evaluate("bar => bar.position") < 1
    page.wait_for_url("**/results/*")


def test_each_preview_is_fetched_once(new_page, files, painter):
    painter.steps, painter.pause = 12, 0.4
    page = new_page()
    fetched = []
    page.on("request", lambda request: fetched.append(request.url) if "/preview" in request.url else None)
    send(page, files)
    page.wait_for_url("**/results/*")
    assert len(fetched) == len(set(fetched)) > 0


def test_the_picture_so_far_is_replaced_by_the_next(new_page, files, painter):
    painter.steps, painter.pause, painter.fades_in = 12, 0.4, True
    page = new_page()
    send(page, files)
    expect_a_preview(page)
    picture = page.get_by_role("img", name="The picture so far")
    expect(picture).not_to_have_attribute("src", picture.get_attribute("src"))
    page.wait_for_url("**/results/*")


def test_cancelled_keeps_the_best_so_far(new_page, files, painter):
    painter.steps, painter.pause = 40, 0.4
    page = new_page()
    send(page, files)
    expect_a_preview(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Stopping…")).to_be_disabled()
    page.wait_for_url("**/results/*")
    expect(page.get_by_text("best there was")).to_be_visible()


def test_cancelled_before_there_is_anything(new_page, new_site, files):
    page = new_page(new_site(worker=False))
    send(page, files)
    expect(page.get_by_role("status")).to_have_text("Next in line.")
    expect(page.get_by_role("heading", name="waits its turn")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    page.get_by_role("link", name="Back to the settings").click()
    expect(page.get_by_role("checkbox", name=FLOW, exact=True)).to_be_checked()


def test_position_in_the_queue(new_page, new_site, files):
    site = new_site(worker=False)
    page = new_page(site)
    send(page, files)
    second = new_page(site)
    send(second, files)
    expect(second.get_by_role("status")).to_have_text("1 picture is ahead of yours.")
    page.get_by_role("button", name="Cancel").click()
    expect(second.get_by_role("status")).to_have_text("Next in line.")


def test_a_failed_job_says_why_and_leads_back(new_page, files, painter):
    painter.job_error, painter.pause = BrokenImage("The photo is broken.", "content"), 0.5
    page = new_page()
    send(page, files, own=True)
    expect(page.get_by_role("heading", name="could not be painted")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text("The photo is broken.")
    page.get_by_role("link", name="Back to the settings").click()
    expect(page.get_by_role("checkbox", name=FLOW, exact=True)).to_be_checked()
    expect(page.get_by_label(re.compile("Strength"))).to_have_value("0.6")
    expect(page.get_by_role("checkbox", name="painting", exact=True)).to_be_checked()
    expect(page.locator("#content-hint")).to_contain_text("photo")
    painter.job_error = None
    page.get_by_role("button", name="Paint it").click()
    page.wait_for_url("**/results/*")


def test_it_is_asked_for_where_events_are_refused(new_page, files, painter):
    painter.steps, painter.pause = 4, 0.6
    page = new_page()
    page.route("**/events", lambda route: route.fulfill(status=503, body="{}"))
    send(page, files)
    expect(page.get_by_role("status")).to_contain_text("of 4")
    page.wait_for_url("**/results/*")


def test_a_server_out_of_reach_is_waited_for(new_page, files, painter):
    painter.steps, painter.pause = 30, 0.3
    page = new_page()
    page.route("**/events", lambda route: route.fulfill(status=503, body="{}"))
    page.route(re.compile("/api/v1/jobs/[0-9a-f]+$"), lambda route: route.abort())
    send(page, files)
    expect(page.get_by_role("status")).to_contain_text("cannot be reached")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It could not be cancelled.")).to_be_visible()
    page.unroute(re.compile("/api/v1/jobs/[0-9a-f]+$"))
    expect(page.get_by_role("status")).to_contain_text("Step")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url("**/results/*")


def test_the_way_back_from_a_job_finds_the_form_usable(new_page, new_site, files):
    page = new_page(new_site(worker=False))
    send(page, files)
    page.go_back()
    expect(page.get_by_role("button", name="Paint it")).to_be_enabled()


def test_nobody_elses_job_is_shown(new_page, new_site, files):
    site = new_site(worker=False)
    page = new_page(site)
    send(page, files)
    stranger = new_page(page.url)
    expect(stranger.get_by_text("404")).to_be_visible()


def refinement(stand: Stand, photo: bytes) -> Job:
    """Ann's; nobody paints it."""
    content = stand.app.extensions["library"].put_picture("ann", photo)
    options, style = RefineOptions(encoder="vgg16"), OrderStyle(name="itself", picture=content)
    order = Order(content=content, content_name="photo", styles=[style], method="gatys", options=options)
    return stand.app.extensions["jobs"].submit("ann", order)


def test_a_paused_one_is_looked_at_now_and_then(stand, visit, photo_png):
    jobs, job = stand.app.extensions["jobs"], refinement(stand, photo_png)
    jobs.pause(job.id)
    page, asked = visit(f"/jobs/{job.id}"), []
    page.on("request", lambda request: asked.append(request.url) if job.id in request.url else None)
    page.wait_for_timeout(2500)
    assert asked == []
    jobs.resume(job.id)
    expect(page.get_by_role("heading", name="waits its turn")).to_be_visible(timeout=10_000)
    assert asked[0].endswith(f"/api/v1/jobs/{job.id}")
    jobs.pause(job.id)
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    before = len(asked)
    page.wait_for_timeout(2500)
    assert len(asked) == before


def test_curves_stay_between_events_with_losses(stand, visit, photo_png):
    job, attempts = refinement(stand, photo_png), Attempts(*map(stand.app.extensions.get, ("jobs", "library")), "w")
    job, rows = attempts.claim(), [[1.0, 0.4, 0.3, 0.2, 0.1], [2.0, 0.3, 0.2, 0.1, 0.1]]
    attempts.report_progress(job, Step(2, 80), None, rows)
    page = visit(f"/jobs/{job.id}")
    told = page.locator("#losses-summary")
    expect(told).to_contain_text("0.2 → 0.1")
    attempts.report_progress(job, Step(3, 80), None, [*rows, [3.0, 0.2, 0.1, 0.05, 0.1]])
    expect(page.get_by_role("status")).to_have_text("Step 3 of 80")
    expect(told).to_contain_text(re.compile(r"0\.2 → 0\.(1|05)"))
    attempts.give_all_back()
    expect(page.get_by_role("status")).to_have_text("Next in line.")
    expect(page.get_by_role("button", name="Stop and keep")).to_be_visible()


def test_one_that_could_not_go_on_says_why(stand, visit, photo_png):
    refinement(stand, photo_png)
    attempts = Attempts(*map(stand.app.extensions.get, ("jobs", "library")), "w")
    job = attempts.claim()
    page = visit(f"/jobs/{job.id}")
    expect(page.get_by_role("status")).to_have_text("Starting…")
    attempts.save_checkpoint(job, photo_png, 3, 1.0)
    attempts.fail(job, {"code": "image_too_large", "message": "There is no memory for this."})
    expect(page.get_by_text("There is no memory for this.")).to_be_visible()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    expect(page.get_by_role("button", name="Stop and keep")).to_be_visible()
