"""Translates what is being typed, in a thread of its own: the newest text wins."""

import threading
from collections.abc import Callable

MAX_ECHO_CHARACTERS = 500  # characters: a longer text was pasted, and is not worth a guess


class Live:
    """live = Live(preview, show); live.type("Ein Hu"); ... live.shown is its translation so far

    preview  is called as preview(text, tell), and tells the answer as it grows
    show    is called, from the other thread, whenever `shown` has changed
    wait    seconds without a keystroke before it begins
    exact   blanks at the ends of a text mean something

    Whatever goes wrong in it leaves `shown` as it is: the answer proper will tell.
    """

    def __init__(
        self,
        preview: Callable[[str, Callable[[str], None]], None],
        show: Callable[[], None],
        wait: float = 0.15,
        exact: bool = False,
    ) -> None:
        self.preview, self.show, self.wait, self.exact = preview, show, wait, exact
        self.on = True
        self.shown = ""
        self._wanted, self._number, self._begun = "", 0, 0  # the text, the how manieth it is, and the last one taken up
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="live translation", daemon=True)
        self._thread.start()

    def type(self, text: str) -> None:
        """The text is now this; commands, and texts too long, have no translation."""
        text = text if self.exact and text.strip() else text.strip()
        wanted = text if self.on and len(text) <= MAX_ECHO_CHARACTERS and not text.startswith(":") else ""
        with self._changed:
            if wanted != self._wanted:
                self._wanted, self._number = wanted, self._number + 1
                self.shown = self.shown if wanted else ""
                self._changed.notify()

    def close(self) -> None:
        """End the thread, and wait for it: torch must not be at work while Python shuts down."""
        with self._changed:
            self._number, self._closed = self._number + 1, True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._number != self._begun)
                while not self._closed and self._changed.wait(self.wait):
                    pass  # another keystroke
                if self._closed:
                    return
                text, self._begun = self._wanted, self._number
            if text:
                self._translate(text, self._begun)

    def _translate(self, text: str, number: int) -> None:
        def tell(grown: str) -> None:
            with self._changed:
                if self._number != number:
                    raise Outdated
                self.shown = grown
            self.show()

        try:
            self.preview(text, tell)
        except Exception:
            return


class Outdated(Exception):
    """Something else is being typed by now: what writes need not go on."""
