"""The fields of the Explore page, read from its HTML."""

from __future__ import annotations

from html.parser import HTMLParser

from model.options import RefineOptions


class ExploreFields(HTMLParser):
    """What a browser would send of a page, its files left out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.choices: dict[str, list[str]] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "option":
            self.choices[self._select].append(named["value"])
            if "selected" in named:
                self.values[self._select] = named["value"]
        if tag in ("input", "select") and "name" in named:
            self.attributes[named["name"]] = named
        if tag == "select":
            self._select = named["name"]
            self.choices[self._select] = []
        elif tag == "input" and "name" in named and (named["type"] not in ("file", "checkbox") or "checked" in named):
            self.values[named["name"]] = named["value"]

    def layers(self, kind: str) -> dict[str, str]:
        """Return the weights of the layers that are used."""
        prefix = f"{kind}-layer-"
        return {
            name.removeprefix(prefix): text for name, text in self.values.items() if name.startswith(prefix) and text
        }

    def options(self) -> dict[str, str]:
        return {name: text for name, text in self.values.items() if name in RefineOptions.model_fields and text}


APART = {"content_layers", "style_layers", "weights", "feather", "paint"}  # have fields of their own, or are for masks


def as_asked(options: RefineOptions) -> dict[str, object]:
    return options.model_dump(exclude=APART)


def as_numbers(texts: dict[str, str]) -> dict[str, object]:
    """As the model reads them, the pictures of results left out."""
    return as_asked(RefineOptions.parse(texts))
