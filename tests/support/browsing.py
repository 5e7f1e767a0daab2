"""The web pages without a browser: a form is sent with every field that the page carried."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

from publishing.models import Flow


class Fields(HTMLParser):
    """The values that a browser would send for the form with the id `properties`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._area: str | None = None
        self._select = ""
        self._is_inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_inside = given.get("id") == "properties"
        elif self._is_inside and tag == "textarea":
            self._area = str(given["name"])
            self.values[self._area] = ""
        elif self._is_inside and tag == "select":
            self._select = str(given["name"])
        elif self._is_inside and tag == "option" and "selected" in given:
            self.values[self._select] = str(given["value"])
        elif self._is_inside and tag == "input" and (given["type"] != "checkbox" or "checked" in given):
            self.values[str(given["name"])] = given.get("value") or ("on" if given["type"] == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        self._area = None if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            # A browser drops the first line end of a text area and sends the others as CRLF.
            self.values[self._area] += data.removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")


def opened(client: Client, flow: Flow) -> dict[str, str]:
    """The fields of the flow's page as they are saved."""
    return fields_of(client.get(f"/flows/{flow.pk}/"))


def fields_of(response: Any, *, status: int = 200) -> dict[str, str]:
    """The fields that a page carries."""
    return Fields(page_of(response, status=status)).values


def page_of(response: Any, *, status: int = 200) -> str:
    """The page as text; another status is an error."""
    assert response.status_code == status
    return str(response.content.decode())


def save(client: Client, flow: Flow, fields: dict[str, str], **changes: str | None) -> HttpResponse:
    """Send the form with some fields changed; None takes a field away, as an unticked box does."""
    return _post(client, f"/flows/{flow.pk}/", fields, changes)


def deploy(client: Client, flow: Flow, fields: dict[str, str], **changes: str | None) -> HttpResponse:
    """The same with the other button."""
    return _post(client, f"/flows/{flow.pk}/deploy/", fields, changes)


def toasts(client: Client, response: Any) -> list[str]:
    """What the page behind the redirect says."""
    assert response.status_code == 302, response.content.decode()
    return [str(message) for message in client.get(response.url).context["messages"]]


def _post(client: Client, url: str, fields: dict[str, str], changes: dict[str, str | None]) -> Any:
    sent = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    return client.post(url, sent)
