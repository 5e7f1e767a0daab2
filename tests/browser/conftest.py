"""Headless Chromium against a real server. A console error, a CSP violation or a request elsewhere fails the test."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Protocol
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from identity.actors import actor_of
from identity.models import Role, Tenant, User
from publishing import actions
from publishing.models import Flow
from tests.conftest import echo_document
from tests.support.serving import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
]
SKIPPED = "browser tests skipped: no chromium is installed (Debian: apt-get install chromium)"


class Visit(Protocol):
    """Signs a user in and gives the page; with or without scripts."""

    def __call__(self, user: User, *, has_scripts: bool = True) -> Page: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none."""
    for item in items:
        if CHROMIUM is None and "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.skip(reason=SKIPPED))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so in a line that nobody can miss."""
    if CHROMIUM is None:
        terminalreporter.write_line(SKIPPED, yellow=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, and Django refuses to make test data next to one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def is_fine(said: ConsoleMessage, has_scripts: bool) -> bool:
    """Whether a line of the console is no error, or the browser's own about a form that was answered by 409."""
    return said.type != "error" or (not has_scripts and "409 (Conflict)" in said.text)


@pytest.fixture
def open_page(browser: Browser, lean_server: Server, transactional_db: None) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own, watched until the test ends."""
    wrongs: list[str] = []

    def watch_request(request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https", "ws", "wss") and not request.url.startswith(
            lean_server.url
        ):
            wrongs.append(f"a request to {request.url}")

    def opened(*, has_scripts: bool = True) -> Page:
        context = browser.new_context(base_url=lean_server.url, java_script_enabled=has_scripts)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(10_000)
        context.on("request", watch_request)
        context.on(
            "console", lambda said: None if is_fine(said, has_scripts) else wrongs.append(f"console: {said.text}")
        )
        context.on("weberror", lambda error: wrongs.append(f"uncaught: {error.error}"))
        contexts.append(context)
        return context.new_page()

    contexts: list[BrowserContext] = []
    yield opened
    for context in contexts:
        context.close()
    assert not wrongs


@pytest.fixture
def visit(open_page: Callable[..., Page]) -> Visit:
    """Signs a user in by the form; gives the page with the flows, whoever it is."""

    def signed_in(user: User, *, has_scripts: bool = True) -> Page:
        page = open_page(has_scripts=has_scripts)
        page.goto("/")
        page.get_by_label("E-mail address").fill(user.email)
        page.get_by_label("Password").fill("change-me")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile("/(flows|models)/$"))
        if page.url.endswith("/models/"):
            page.goto("/flows/")
        return page

    return signed_in


@pytest.fixture
def draft(acme: Tenant, root: User) -> Flow:
    """The echo flow, saved without its tick, not deployed."""
    return actions.create_flow(
        tenant=acme,
        name="Echo Agent",
        content=echo_document(publish_as_model=False),
        owner=root,
        actor=actor_of(root),
        at=timezone.now(),
    )


@pytest.fixture
def second(acme: Tenant) -> User:
    """Another admin of Root's tenant."""
    return User.objects.create_user("second@acme.test", tenant=acme, role=Role.ADMIN, password="change-me")


def open_flow(page: Page) -> Page:
    """From the list of flows to the flow's own properties."""
    page.get_by_role("link", name="Echo Agent").click()
    page.get_by_role("application").click(position={"x": 8, "y": 8})
    expect(page.get_by_role("heading", name="Flow properties")).to_be_visible()
    return page
