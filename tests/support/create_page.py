"""The create page's parts by what people call them, and what it sends."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from app.storage import gallery

KEEP_COLOURS, KEEP_LIGHT = "Keep the photo\u2019s colours", "Keep the photo\u2019s light"
MATCH = "Match the painting\u2019s colours"
FLOW, OTHER = (style.name for style in gallery.shipped()[:2])


def photo(page: Page):
    return page.get_by_label("Photo", exact=True)


def own(page: Page):
    return page.get_by_label("Your own painting", exact=True)


def style(page: Page, name: str):
    return page.get_by_role("checkbox", name=name, exact=True)


def weight(page: Page, name: str):
    return page.get_by_role("slider", name=f"How much of {name}", exact=True)


def paint(page: Page) -> None:
    page.get_by_role("button", name="Paint it").click()


def result(page: Page):
    return page.get_by_role("region", name="Your pastiche")


def move(slider, value) -> None:
    slider.evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', { bubbles: true })) }", value
    )


class Sent:
    """The forms that a page sends from now on: {name: [values]}, a file by its name."""

    def __init__(self, page: Page) -> None:
        self.forms: list[dict] = []
        page.expose_function("tell_sent", lambda form: self.forms.append(form))
        page.evaluate(
            """() => {
                const send = window.fetch, told = value => value.name ? value.name + " " + value.size : value;
                window.fetch = (url, options = {}) => {
                    const names = [...new Set(options.body?.keys() ?? [])];
                    const form = names.map(name => [name, options.body.getAll(name).map(told)]);
                    if (names.length) window.tell_sent({ url, ...Object.fromEntries(form) });
                    return send(url, options);
                };
            }"""
        )

    def all(self, url: str) -> list[dict]:
        return [form for form in self.forms if form["url"] == url]

    @property
    def job(self) -> dict:
        (form,) = self.all("/api/v1/jobs")
        return form

    @property
    def previews(self) -> list[dict]:
        return self.all("/api/v1/stylize")


def colour(page: Page) -> list[int]:
    """The preview's mean, red, green and blue."""
    return page.locator("#preview").evaluate(
        """async picture => {
            await picture.decode();
            const canvas = new OffscreenCanvas(1, 1), context = canvas.getContext("2d");
            context.drawImage(picture, 0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )


def expect_previewed(page: Page) -> None:
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator(".photo-frame")).not_to_have_class(re.compile("is-working"))


def data_transfer(page: Page, data: bytes, name: str = "brought.png", kind: str = "image/png"):
    return page.evaluate_handle(
        """([bytes, name, type]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
            return transfer;
        }""",
        [list(data), name, kind],
    )


def drop(page: Page, at: str, transfer) -> None:
    page.evaluate(
        """([at, data]) => document.querySelector(at).dispatchEvent(
            new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }))""",
        [at, transfer],
    )
