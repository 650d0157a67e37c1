"""Ctrl-C that is not lost: Python drops what a signal handler raises inside a destructor, and a library's may be at
work at any time.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interrupts"]


@contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """Inside the block, a function that raises the KeyboardInterrupt that came but did not get through.

    Where signals are not this block's affair (another thread, another handler) the function does nothing.
    """
    came = False

    def check() -> None:
        if came:
            raise KeyboardInterrupt

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        if not _in_destructor(frame):
            raise KeyboardInterrupt

    mine = threading.current_thread() is threading.main_thread()
    if not (mine and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
        yield check
        return
    signal.signal(signal.SIGINT, handle)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _in_destructor(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
