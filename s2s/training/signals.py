"""A request to stop: a run saves first, at the end of the step it is in. Ctrl-C and SIGTERM make one where they may."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class StopRequest:
    """with StopRequest(signals=True) as request: ... if request.asked: save and leave

    signals  Ctrl-C and SIGTERM ask, while it is entered in the main thread; a second Ctrl-C does not wait: it
             interrupts as it always does. Without, the process stays as it is: only ask() asks, from any thread.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, signals: bool = False) -> None:
        self.signals = signals
        self.asked = False
        self._before: dict[int, Any] = {}

    def ask(self) -> None:
        self.asked = True

    def __enter__(self) -> Self:
        # Python allows handlers in no other thread.
        if self.signals and threading.current_thread() is threading.main_thread():
            for number in self.SIGNALS:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.ask()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: it was no handler of Python's
