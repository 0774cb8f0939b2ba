"""The page of `make ui` in a real browser, which asks a real server.

make test ARGS=tests/serve/test_page.py PAGE_IMAGES=write  # and makes the pictures of docs/
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from . import chromium
from .conftest import BOB, KEY, MODEL, ROOT, Server, free_port, in_a_terminal
from .forwarder import Forwarder
from .operators_values import both_modes

WRITE = os.environ.get("PAGE_IMAGES") == "write"
IMAGES = ROOT / "docs/images"
PRODUCT = "What is 347 * 86?"
CAPITAL = "What is the capital of France?"
SECONDS = 60  # for an answer, on two busy cores
expect.set_options(timeout=SECONDS * 1000)


@dataclass
class Ui:
    """A running `make ui`."""

    process: subprocess.Popen[str]
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    @contextlib.contextmanager
    def running(cls, base_url: str, key: str, folder: Path) -> Iterator["Ui"]:
        """Start one as a user would, and end it by Ctrl-C, which must leave no trace."""
        ui = cls.start(free_port(), folder, BASE_URL=base_url, API_KEY=key)
        try:
            ui.await_start()
            yield ui
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(ui.process.pid, signal.SIGINT)
            ui.process.wait(timeout=SECONDS)
        said = ui.output.read_text()
        assert "Traceback" not in said and key not in said, said

    @classmethod
    def start(cls, port: int, folder: Path, **environment: str) -> "Ui":
        output = folder / f"ui-{port}.log"
        command = ["make", "--no-print-directory", "ui", f"PORT={port}"]
        process = in_a_terminal(command, environment, output)
        return cls(process, port, output)

    def await_start(self) -> None:
        end = time.monotonic() + 300  # its environment may have to be built
        while self.url not in self.output.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"make ui did not start:\n{self.output.read_text()}")
            time.sleep(0.1)


@dataclass
class Tab:
    """One tab of the browser that has the page open, and what went wrong in it."""

    page: Page
    problems: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, browser: Browser, ui: Ui, **options) -> "Tab":
        tab = cls(browser.new_page(viewport={"width": 1100, "height": 720}, **options))
        tab.page.set_default_timeout(SECONDS * 1000)
        tab.page.on("console", tab._console)
        tab.page.on("pageerror", lambda error: tab.problems.append(str(error)))
        tab.page.on("request", tab._request)
        tab.page.on("websocket", tab._request)
        tab.page.goto(ui.url)
        # What is typed before the page has its connection, nobody hears.
        ready = tab.alert().or_(tab.page.locator(".model", has_text=MODEL)).first
        expect(ready).to_be_visible()
        return tab

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def _request(self, request) -> None:
        if not re.match(r"(https?|ws)://127\.0\.0\.1:|data:", request.url):
            self.problems.append(f"it asks {request.url}")

    def ask(self, question: str) -> None:
        self.page.get_by_label("Question").fill(question)
        self.page.get_by_role("button", name="Ask", exact=True).click()

    def answered(self) -> None:
        """Wait until the answer to the only question is whole."""
        done = self.page.locator(".took", has_text="token")
        expect(done.last).to_be_visible()
        expect(self.page.get_by_role("button", name="Ask", exact=True)).to_be_visible()

    def choose(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def said(self) -> Locator:
        """Return the last answer."""
        return self.page.locator(".nicegui-markdown").last

    def fold(self) -> Locator:
        return self.page.get_by_role("button", name=re.compile("Thought for|Thinking …"))

    def alert(self) -> Locator:
        return self.page.get_by_role("alert").filter(visible=True)

    def picture(self, name: str) -> None:
        """Keep what the tab shows, when the pictures are made."""
        if WRITE:
            IMAGES.mkdir(parents=True, exist_ok=True)
            self.page.mouse.move(0, 0)
            self.page.wait_for_timeout(500)  # a ripple, a cursor
            self.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")


# Not of the session: as long as it runs, other tests here could run no asyncio of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as browser:
        yield browser


@pytest.fixture(scope="module")
def ui(server: Server, tmp_path_factory) -> Iterator[Ui]:
    """Yield a page that asks the server, with the right key."""
    with Ui.running(server.base_url, KEY, tmp_path_factory.mktemp("ui")) as ui:
        yield ui


@pytest.fixture
def start_ui(tmp_path: Path) -> Iterator[Callable[..., Ui]]:
    """Return a function that starts another page; for a test that asks for `open_tab` after it."""
    with contextlib.ExitStack() as started:

        def start(asks: Server | Forwarder, key: str = KEY) -> Ui:
            url = asks.base_url if isinstance(asks, Server) else f"http://127.0.0.1:{asks.port}"
            return started.enter_context(Ui.running(url, key, tmp_path))

        yield start


@pytest.fixture
def way(server: Server) -> Iterator[Forwarder]:
    """Yield a way to the server that can be cut."""
    way = Forwarder(int(server.base_url.rpartition(":")[2]))
    yield way
    way.cut()


def wait_for(true: Callable[[], bool], otherwise: str) -> None:
    """Wait until something is so; fail when it takes longer than an answer may."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens a page; nothing may have gone wrong in any of them."""
    tabs: list[Tab] = []

    def open_one(ui: Ui, **options) -> Tab:
        tabs.append(Tab.open(browser, ui, **options))
        return tabs[-1]

    yield open_one
    for tab in tabs:
        tab.page.close()
    assert not [problem for tab in tabs for problem in tab.problems]


@pytest.fixture
def tab(ui: Ui, open_tab) -> Tab:
    return open_tab(ui)


def test_thinking_is_folded_under_its_seconds_and_tokens(tab):
    tab.ask(PRODUCT)
    tab.answered()
    expect(tab.fold()).to_have_text(re.compile(r"Thought for \d+\.\d s, \d\d+ tokens"))
    thinking = tab.page.locator(".thinking")
    expect(thinking).to_be_hidden()
    expect(tab.said()).to_contain_text("29842")
    tab.fold().click()
    expect(thinking).to_be_visible()
    expect(thinking).to_contain_text("347")
    tab.picture("page-chat")
    tab.fold().click()
    expect(thinking).to_be_hidden()


def test_thinking_off(tab):
    tab.choose("Off")
    tab.ask(CAPITAL)
    tab.answered()
    expect(tab.said()).to_contain_text("Paris")
    expect(tab.fold()).to_be_hidden()
    expect(tab.page.locator(".took")).to_have_text(re.compile(r"^\d+ tokens, no thinking · "))


def test_adaptive_thinks_where_the_model_is_in_doubt(tab):
    tab.choose("Adaptive")
    tab.ask(CAPITAL)
    tab.answered()
    expect(tab.page.locator(".took")).to_contain_text("no thinking")
    tab.choose("New chat")
    tab.ask(PRODUCT)
    tab.answered()
    expect(tab.fold()).to_contain_text("Thought for")
    expect(tab.page.locator(".took")).to_have_text(re.compile(r"\d+ a draft, \d+ thinking"))


def test_a_budget_ends_the_thinking(tab):
    tab.page.get_by_label("Budget").fill("12")
    tab.ask(PRODUCT)
    tab.answered()
    thought = re.search(r"(\d+) tokens", tab.fold().inner_text())
    assert thought and 0 < int(thought[1]) <= 12 + 2  # the tags themselves may count


def test_a_question_may_refer_to_the_one_before_until_the_chat_is_new(tab):
    tab.choose("Off")
    tab.ask(CAPITAL)
    tab.answered()
    tab.ask("And of Spain?")
    expect(tab.said()).to_contain_text("Madrid")
    tab.choose("New chat")
    expect(tab.said()).to_be_hidden()


def test_side_by_side_shows_what_thinking_costs(tab):
    tab.choose("Side by side")
    tab.ask(PRODUCT)
    off = tab.page.get_by_role("region", name="Thinking off")
    on = tab.page.get_by_role("region", name="Thinking on")
    expect(tab.page.get_by_text("times the tokens")).to_be_visible()
    expect(on.locator(".nicegui-markdown")).to_contain_text("29842")
    expect(off.get_by_text("Thought for")).to_be_hidden()
    expect(on.get_by_text("Thought for")).to_be_visible()
    figures = [side.locator(".figure").all_inner_texts() for side in (off, on)]
    (few, quick), (many, slow) = [
        [float(f.split()[0].replace(",", "")) for f in p] for p in figures
    ]
    assert many > 3 * few and slow > quick
    tab.picture("page-side-by-side")


def test_a_phone_and_the_dark(ui, open_tab):
    tab = open_tab(ui, color_scheme="dark")
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tab.choose("Side by side")
    tab.ask(PRODUCT)
    expect(tab.page.get_by_text("times the tokens")).to_be_visible()
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = [side.bounding_box() for side in tab.page.locator(".side").all()]
    assert boxes[0]["x"] == boxes[1]["x"] and boxes[0]["y"] < boxes[1]["y"]
    colors = (
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    ground, text = [sum(map(int, re.findall(r"\d+", c)[:3])) for c in tab.page.evaluate(colors)]
    assert ground < 150 < 600 < text
    tab.picture("page-phone-dark")


def test_an_answer_can_be_stopped_and_a_closed_tab_stops_it(way, start_ui, open_tab):
    tab = open_tab(start_ui(way))
    way.hold_after = 3000  # bytes, somewhere in the thinking
    tab.ask(PRODUCT)
    expect(tab.fold()).to_be_visible()
    tab.choose("Stop")
    expect(tab.alert()).to_have_text("It was stopped.")
    tab.ask(PRODUCT)
    wait_for(lambda: way.held == 1, "nothing was asked")
    tab.choose("New chat")
    wait_for(lambda: way.held == 0, "the server still answers in a chat that is gone")
    expect(tab.page.locator(".answer")).to_have_count(0)
    tab.ask(PRODUCT)
    wait_for(lambda: way.held == 1, "nothing was asked")
    tab.page.close()
    wait_for(lambda: way.held == 0, "the server still answers a tab that is closed")


def test_a_wrong_key(server, start_ui, open_tab):
    wrong = "sk-wrong-key-of-somebody"
    tab = open_tab(start_ui(server, wrong))
    expect(tab.alert()).to_contain_text("API key")
    expect(tab.alert()).to_contain_text("API_KEY")
    tab.ask(CAPITAL)
    expect(tab.page.locator(".answer").get_by_role("alert")).to_contain_text("API_KEY")
    assert wrong not in tab.page.content()


def test_a_server_that_is_gone_and_comes_back(way, start_ui, open_tab):
    way.cut()
    tab = open_tab(start_ui(way))
    expect(tab.alert()).to_contain_text("Nothing answers at")
    way.open()
    tab.ask(CAPITAL)
    tab.answered()
    expect(tab.said()).to_contain_text("Paris")
    expect(tab.alert()).to_be_hidden()
    way.hold_after = 3000
    tab.ask(PRODUCT)
    wait_for(lambda: way.held == 1, "nothing was asked")
    way.cut()
    expect(tab.alert()).to_contain_text("The answer broke off.")
    tab.ask(CAPITAL)
    expect(tab.alert().last).to_contain_text("Is `make run` up there?")


@both_modes
def test_what_the_policy_refuses(server, start_ui, open_tab):
    tab = open_tab(start_ui(server, BOB))
    tab.ask(CAPITAL)  # this key never thinks
    expect(tab.alert()).to_contain_text("thinking")
    tab.choose("Off")
    tab.ask(CAPITAL)
    expect(tab.said()).to_contain_text("Paris")


def test_the_key_is_not_in_the_page(ui, tab):
    tab.ask(CAPITAL)
    tab.answered()
    assert KEY not in tab.page.content()
    assert KEY not in httpx.get(ui.url).text


def test_only_this_machine_reaches_it(ui):
    (process, *_) = [
        each
        for each in [psutil.Process(ui.process.pid), *psutil.Process(ui.process.pid).children(True)]
        if any(one.status == "LISTEN" for one in each.net_connections())
    ]
    listening = [one for one in process.net_connections() if one.status == "LISTEN"]
    assert {one.laddr.ip for one in listening} == {"127.0.0.1"}
    assert httpx.get(ui.url, headers={"host": "rebound.example.com"}).status_code == 400


def test_an_answer_loads_nothing_from_elsewhere(browser, ui):
    tab = Tab.open(browser, ui)
    refused = tab.page.evaluate(
        """() => new Promise(done => {
            document.addEventListener("securitypolicyviolation", event => done(event.blockedURI));
            new Image().src = "http://127.0.0.2:9/tracker.png";
        })"""
    )
    assert refused == "http://127.0.0.2:9/tracker.png"
    tab.page.close()


def test_a_port_that_is_taken(ui, tmp_path):
    second = Ui.start(ui.port, tmp_path)
    assert second.process.wait(timeout=300) != 0
    said = second.output.read_text()
    assert f"port {ui.port} on 127.0.0.1" in said and "PORT=7861" in said
    assert "Traceback" not in said


@pytest.mark.skipif(WRITE, reason="they are being made")
def test_the_pictures_are_small():
    pictures = list(IMAGES.glob("page-*.png"))
    assert pictures and all(picture.stat().st_size < 150_000 for picture in pictures)
