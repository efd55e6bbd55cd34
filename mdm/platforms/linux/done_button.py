"""What runs on a kiosk beside its web page: a button with which a citizen says that they are done.

``done CORNER FINISHED PROGRAM``: pressed twice, it writes the file FINISHED and ends the process PROGRAM; the session does the
rest. It is a window of its own above the browser's and listens nowhere, so no site, and nobody on the network, can press it.
Standard library and Tk alone.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
import tkinter
from pathlib import Path
from typing import Final

WORDS: Final = "Klaar · Terminé · Done"
AGAIN: Final = "Nog eens · Encore · Again"
AGAIN_MS: Final = 6000
"""A press by mistake is forgotten after that."""
LOOK_MS: Final = 1000
LEAST: Final = 12.0
"""Seconds of a session without a button. Whoever presses for fun shall not begin so many that systemd gives the kiosk up."""
MARGIN: Final = 12
VIEWABLE: Final = 2
_QUIET, _LOUD = ("#0b3d5c", "#ffffff"), ("#8a1c1c", "#ffffff")


class _Attributes(ctypes.Structure):
    """XWindowAttributes of Xlib.h."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        ("visual", ctypes.c_void_p),
        ("root", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("window_class", "bit_gravity", "win_gravity", "backing_store")),
        ("backing_planes", ctypes.c_ulong),
        ("backing_pixel", ctypes.c_ulong),
        ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong),
        ("map_installed", ctypes.c_int),
        ("map_state", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("all_events", "your_events", "do_not_propagate")),
        ("override_redirect", ctypes.c_int),
        ("screen", ctypes.c_void_p),
    )


class Others:
    """The windows of other programs on this screen."""

    def __init__(self) -> None:
        self.x = ctypes.CDLL("libX11.so.6")
        self.x.XOpenDisplay.restype = ctypes.c_void_p
        self.x.XDefaultRootWindow.restype = ctypes.c_ulong
        self.display = ctypes.c_void_p(self.x.XOpenDisplay(None))
        self.root = ctypes.c_ulong(self.x.XDefaultRootWindow(self.display))
        # A window that goes while it is looked at is none.
        self.ignore = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda _display, _error: 0)
        self.x.XSetErrorHandler(self.ignore)

    def shown(self) -> list[int]:
        """The windows that a compositor manages, the lowest first; menus and the like, and this button, are none."""
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        found = self.x.XQueryTree(
            self.display, self.root, *(ctypes.byref(one) for one in (root, parent, children, count))
        )
        if not found or not children:
            return []
        windows = [int(children[number]) for number in range(count.value)]
        self.x.XFree(children)
        return [window for window in windows if self._managed(window)]

    def _managed(self, window: int) -> bool:
        seen = _Attributes()
        known = self.x.XGetWindowAttributes(self.display, ctypes.c_ulong(window), ctypes.byref(seen))
        return bool(known) and seen.map_state == VIEWABLE and not seen.override_redirect


class Done:
    """The button. ``end`` is what it does when it was pressed a second time."""

    def __init__(self, corner: str, finished: Path, program: int) -> None:
        self.corner, self.finished, self.program = corner, finished, program
        self.window = tkinter.Tk(className="havenmeester-done")
        self.window.withdraw()
        self.window.overrideredirect(boolean=True)
        size = max(18, self.window.winfo_screenheight() // 40)
        self.button = tkinter.Button(
            self.window, font=("sans-serif", -size), padx=size, pady=size * 3 // 4, bd=0, highlightthickness=2,
            width=max(len(WORDS), len(AGAIN)), takefocus=0, command=self.press,
        )  # fmt: skip
        self.button.pack()
        self.asked = False
        self.later = ""
        self.others, self.below = Others(), [0]
        self.begun = time.monotonic()
        self._say(WORDS, _QUIET)
        self._look()

    def _say(self, words: str, colours: tuple[str, str]) -> None:
        back, front = colours
        self.button.configure(text=words, bg=back, fg=front, activebackground=back, activeforeground=front)

    def _show(self) -> None:
        """Shows it above whatever is there: the compositor puts what is shown last on top, and takes no other word for it."""
        self.window.withdraw()
        self.window.update()
        width, height = self.window.winfo_reqwidth(), self.window.winfo_reqheight()
        x = self.window.winfo_screenwidth() - width - MARGIN
        y = MARGIN if self.corner == "top" else self.window.winfo_screenheight() - height - MARGIN
        self.window.geometry(f"+{x}+{y}")
        self.window.deiconify()
        self.window.lift()

    def _look(self) -> None:
        """Comes up again when another window has come, and not while there is none."""
        below = self.others.shown()
        if below != self.below and time.monotonic() - self.begun >= LEAST:
            self.below = below
            if below:
                self._show()
        self.window.after(LOOK_MS, self._look)

    def press(self) -> None:
        """Asks once more, then ends the session: nobody loses what they wrote by one touch."""
        if self.asked:
            self.end()
            return
        self.asked = True
        self._say(AGAIN, _LOUD)
        self.later = self.window.after(AGAIN_MS, self._forget)

    def _forget(self) -> None:
        self.asked = False
        self._say(WORDS, _QUIET)

    def end(self) -> None:
        """Ends the session."""
        self.finished.touch()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.program, signal.SIGKILL)
        self.window.destroy()


if __name__ == "__main__":
    Done(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])).window.mainloop()
