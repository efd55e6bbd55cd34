"""Where the files of the doors are."""

from pathlib import Path

WEB = Path(__file__).resolve().parent.parent
DIST = WEB / "static" / "dist"
