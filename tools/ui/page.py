"""The page of one browser tab: a conversation, and the same question without and with thinking."""

import asyncio
from pathlib import Path

from nicegui import background_tasks, ui

from .asking import ADAPTIVE, OFF, ON, Answer, CannotAsk, Endpoint
from .shown import Comparison, ShownAnswer

STYLE = Path(__file__).with_name("page.css")
CHAT, SIDE_BY_SIDE = "Chat", "Side by side"
QUESTIONS = (
    "What is 347 * 86?",
    "What is greater between 7.8 and 7.11?",
    "What is the capital of France?",
)


class Page:
    """What one tab shows and knows."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Make one for an endpoint."""
        self._endpoint = endpoint
        self._history: list[dict[str, str]] = []
        self._asking: asyncio.Task[None] | None = None

    def build(self) -> None:
        """Make the page's elements."""
        ui.add_css(STYLE)
        ui.colors(primary="#3b5bdb")
        with ui.header().classes("bar"), ui.row().classes("page items-center"):
            ui.label("hybrid-llm").classes("name")
            self._view = ui.toggle([CHAT, SIDE_BY_SIDE], value=CHAT, on_change=self._show_view)
            self._view.props("no-caps unelevated dense padding='4px 12px'")
            ui.space()
            self._model = ui.select([], label="Model").props("dense options-dense borderless")
            self._model.classes("model")
        with ui.column().classes("page"):
            self._problem = ui.label().classes("error").props("role=alert")
            self._problem.set_visibility(False)
            self._chat = ui.column().classes("answers")
            self._pair = ui.column().classes("answers")
            self._examples = ui.row().classes("examples")
            with self._examples:
                for question in QUESTIONS:
                    ui.button(question, on_click=lambda q=question: self._fill(q)).props(
                        "outline no-caps rounded dense padding='4px 12px'"
                    )
        self._composer()
        self._show_view()
        ui.timer(0, self._find_models, once=True)
        self._tab = ui.context.client
        self._tab.on_disconnect(self._stop)  # a tab that is closed ends its answer in the engine

    def _composer(self) -> None:
        with ui.footer().classes("bar"), ui.column().classes("page composer"):
            with ui.row().classes("line"):
                self._question = ui.textarea(placeholder="Ask something").props(
                    "autogrow autofocus outlined dense input-style='max-height: 30vh'"
                    " aria-label=Question"
                )
                self._question.classes("question")
                self._question.on("keydown.enter.exact.prevent", self._send)
                self._button = ui.button("Ask", on_click=self._send_or_stop).props("no-caps")
            with ui.row().classes("line items-center"):
                self._thinking = ui.label("Thinking")
                self._mode = ui.toggle({ON: "On", OFF: "Off", ADAPTIVE: "Adaptive"}, value=ON)
                self._mode.props("no-caps unelevated dense padding='4px 10px'")
                self._budget = ui.number("Budget, tokens", min=0, precision=0).props(
                    "dense outlined clearable"
                )
                self._budget.props("placeholder='no limit' stack-label").classes("budget")
                ui.space()
                self._clear = ui.button("New chat", on_click=self._forget).props("flat no-caps")

    def _show_view(self) -> None:
        chat = self._view.value == CHAT
        for element, shown in ((self._chat, chat), (self._pair, not chat), (self._clear, chat)):
            element.set_visibility(shown)
        # Side by side there is always one with thinking and one without.
        self._thinking.set_visibility(chat)
        self._mode.set_visibility(chat)
        shown = self._chat if chat else self._pair
        self._examples.set_visibility(not shown.default_slot.children)

    def _fill(self, question: str) -> None:
        self._question.value = question
        self._question.run_method("focus")

    def _forget(self) -> None:
        self._stop()
        self._history.clear()
        self._chat.clear()
        self._show_view()

    async def _find_models(self) -> None:
        """Fill the list of models, or say why there is none."""
        try:
            names = await self._endpoint.models()
        except CannotAsk as reason:
            self._problem.set_text(str(reason))
        else:
            self._problem.set_text("")
            self._model.set_options(names, value=names[0])
        self._problem.set_visibility(bool(self._problem.text))

    def _send_or_stop(self) -> None:
        if self._asking:
            self._stop()
        else:
            self._send()

    def _stop(self) -> None:
        if self._asking:
            self._asking.cancel()

    def _send(self) -> None:
        question = (self._question.value or "").strip()
        if self._asking or not question:
            return
        self._question.value = ""
        self._button.set_text("Stop")
        answering = self._converse if self._view.value == CHAT else self._compare
        self._asking = background_tasks.create(answering(question))
        self._asking.add_done_callback(lambda _: self._ready())

    def _ready(self) -> None:
        self._asking = None
        self._button.set_text("Ask")

    async def _converse(self, question: str) -> None:
        with self._chat:
            ui.label(question).classes("asked")
            shown = ShownAnswer()
        self._bring_up()
        asked = [*self._history, {"role": "user", "content": question}]
        await self._ask(asked, self._mode.value, shown)
        text = shown.answer.text.strip()
        if text:
            self._history = [*asked, {"role": "assistant", "content": text}]

    async def _compare(self, question: str) -> None:
        self._pair.clear()
        with self._pair:
            ui.label(question).classes("asked")
            comparison = Comparison()
        self._bring_up()
        asked = [{"role": "user", "content": question}]
        await asyncio.gather(
            self._ask(asked, OFF, comparison.off), self._ask(asked, ON, comparison.on)
        )
        comparison.conclude()

    def _bring_up(self) -> None:
        self._examples.set_visibility(False)
        self._tab.run_javascript("window.scrollTo(0, document.body.scrollHeight)")

    async def _ask(self, messages: list[dict[str, str]], mode: str, shown: ShownAnswer) -> None:
        answer = shown.answer = Answer()
        try:
            if not self._model.value:
                await self._find_models()
            if model := self._model.value:
                budget = None if self._budget.value is None else int(self._budget.value)
                await self._endpoint.ask(model, messages, mode, budget, answer)
            else:
                answer.end(self._problem.text)
        finally:
            if answer.ended_at is None:
                answer.end("It was stopped.")
            shown.refresh()
