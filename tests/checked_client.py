"""A test client that checks every page it fetches, and sends forms with what they carry."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from flask import g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from webapp.kernel import db


class Form:
    """A form on a page: where it goes, how, and the fields that it would send."""

    def __init__(self, attributes: dict[str, str | None]) -> None:
        self.action = attributes.get("action") or ""
        self.method = (attributes.get("method") or "get").lower()
        self.fields: dict[str, str] = {}


class Page(HTMLParser):
    """What a test wants to know of a page: title, headings, text, links, ids and forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.title = ""
        self.headings: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.forms: list[Form] = []
        self.styles: list[str] = []
        self.inline_scripts = 0
        self._open: list[str] = []
        self._text: list[str] = []
        self._select: str | None = None
        self.feed(html)
        self.text = re.sub(r"\s+", " ", " ".join(self._text)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._note(tag, found)
        if tag == "form":
            self.forms.append(Form(found))
        elif self.forms:
            self._field(tag, found)
        if tag not in {"input", "img", "br", "meta", "link", "hr", "source", "use", "path", "col"}:
            self._open.append(tag)
        if tag == "h1":
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if "title" in self._open and "svg" not in self._open:
            self.title += data
        elif "h1" in self._open:
            self.headings[-1] += data
        if not {"script", "style"} & set(self._open):
            self._text.append(data)

    def form(self, action: str) -> Form:
        """Return the form whose action ends so; one that is posted before one that searches."""
        found = [form for form in self.forms if form.action.split("?")[0].endswith(action)]
        return min(found, key=lambda form: form.method != "post")

    def _note(self, tag: str, found: dict[str, str | None]) -> None:
        if (identity := found.get("id")) is not None:
            self.ids.append(identity)
        if tag == "a" and (target := found.get("href")):
            self.links.append(target)
        if "style" in found or tag == "style":
            self.styles.append(tag)
        if tag == "script" and "src" not in found and found.get("type") != "application/json":
            self.inline_scripts += 1

    def _field(self, tag: str, found: dict[str, str | None]) -> None:
        fields = self.forms[-1].fields
        name = found.get("name")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" not in found and self._select in fields:
                return
            fields[self._select] = found.get("value") or ""
        elif tag in {"input", "textarea"} and name:
            kind = found.get("type") or "text"
            if kind not in {"radio", "checkbox"} or "checked" in found:
                fields[name] = found.get("value") or ""


class CheckedClient(FlaskClient):
    """Fails a test whose page has no matching title and heading, a bare form, or inline code."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        db.end_reads()
        for name in list(g):
            g.pop(name)
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and "X-Fragment" not in response.request.headers:
            check(response.get_data(as_text=True))
        return response

    def page(self, url: str, *, status: int = 200) -> Page:
        """Fetch a page and return it; the status must be as given."""
        response = self.get(url)
        told = response.get_data(as_text=True)[:2000]
        assert response.status_code == status, (response.status_code, told)
        return Page(response.get_data(as_text=True))

    def send(self, url: str, action: str, **fields: Any) -> TestResponse:
        """Open the page at `url`, fill in its form with that action, and send it."""
        form = self.page(url).form(action)
        target = form.action or url
        return self.post(target, data={**form.fields, **fields})


def check(html: str) -> None:
    """Assert what holds of every page."""
    page = Page(html)
    assert html.lstrip().lower().startswith("<!doctype html>"), "a page begins with its doctype"
    assert len(page.headings) == 1, f"a page has one heading, not {page.headings}"
    heading = re.sub(r"\s+", " ", page.headings[0]).strip()
    assert heading, "the heading is not empty"
    assert heading in re.sub(r"\s+", " ", page.title), f"title {page.title!r} lacks {heading!r}"
    assert len(page.ids) == len(set(page.ids)), "ids are unique"
    assert not page.styles, f"inline style on {page.styles}"
    assert page.inline_scripts == 0, "no inline script"
    for form in page.forms:
        if form.method == "post":
            assert "csrf_token" in form.fields, f"form to {form.action!r} lacks its csrf token"
