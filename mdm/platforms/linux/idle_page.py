"""What a kiosk shows when nobody is there: one page that is one large link, in the city's languages. Pure."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from mdm.platforms.linux.escape import one_line

PATH: Final = "/usr/local/share/havenmeester/kiosk/idle.html"
PAGE_URL: Final = f"file://{PATH}"
KEYS: Final = ("kiosk.idle_page", "kiosk.idle_text")
WORDS: Final = (
    ("nl", "Raak het scherm aan om te beginnen"),
    ("fr", "Touchez l'écran pour commencer"),
    ("en", "Touch the screen to begin"),
)
# The link covers the page and has the focus: a finger, a mouse and the Enter key all begin. What moves, moves a little,
# so that no picture burns into the screen; who asked for stillness gets it.
_STYLE: Final = (
    "html,body{height:100%;margin:0}body{background:#0b3d5c;color:#fff;font:600 clamp(1.5rem,4.4vw,4.5rem)/1.3 sans-serif}"
    "a{display:flex;flex-direction:column;justify-content:center;align-items:center;gap:.6em;min-height:100%;padding:1em;"
    "box-sizing:border-box;color:inherit;text-decoration:none;text-align:center;overflow-wrap:anywhere}"
    "a:focus{outline:none}p{margin:0;max-width:30em;text-wrap:balance}"
    "@keyframes drift{from{transform:translate(-1.5vw,-1.5vh)}to{transform:translate(1.5vw,1.5vh)}}"
    "@media(prefers-reduced-motion:no-preference){p{animation:drift 40s ease-in-out infinite alternate}}"
)


def shows_idle_page(settings: Mapping[str, Any]) -> bool:
    """Whether the kiosk has our own idle page: it is asked for, and the city has none of its own."""
    return "kiosk.url" in settings and settings.get("kiosk.idle_page") == "touch" and "kiosk.idle_url" not in settings


def idle_page(settings: Mapping[str, Any]) -> str:
    """The page as HTML without script; every text and the address are escaped."""
    own = [one_line(line) for line in settings.get("kiosk.idle_text", "").split("\n") if line.strip()]
    lines = [f"<p>{escape(line)}</p>" for line in own] or [f'<p lang="{code}">{text}</p>' for code, text in WORDS]
    language = "" if own else f' lang="{WORDS[0][0]}"'
    title = escape(own[0]) if own else WORDS[0][1]
    return (
        f'<!doctype html>\n<html{language}>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="referrer" content="no-referrer">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n"
        f'<body><a href="{escape(one_line(settings["kiosk.url"]))}" autofocus>\n'
        + "\n".join(lines)
        + "\n</a></body>\n</html>\n"
    )
