"""What a process logs: one JSON object per line, with a request id, without control characters or secrets."""

import json
import subprocess
import sys

CODE = """
import logging, structlog
from mdm.operation import logs
logs.configure("test", "info")
logs.about(request_id="r-1")
structlog.get_logger("a").info("a name", name="x\\x1b[31m\\u202ey", password="hunter2", nested={"k": "\\x07z"})
logging.getLogger("b").warning("from the library: %s", "\\x1b]0;title\\x07")
logs.forget()
structlog.get_logger("a").debug("not shown")
try:
    raise ValueError("broken")
except ValueError:
    structlog.get_logger("a").exception("it broke")
"""
NAMES = """
import logging, structlog
from sqlalchemy import text
from mdm.operation import logs
from mdm.storage.engine import make_engine
logs.configure("test", "info")
structlog.get_logger("a").warning("refused", why="no mailbox for qzvk.wyxjo+a@stad.example.be.", at={"qzvk@wyxjo.be": 1})
logging.getLogger("psycopg").error("duplicate\\nDETAIL:  Key (name)=(Qzvk Wyxjo) already exists.\\nmore")
try:
    with make_engine("sqlite://").connect() as connection:
        connection.execute(text("INSERT INTO person (name) VALUES (:name)"), {"name": "Qzvk Wyxjo"})
except Exception:
    structlog.get_logger("a").exception("it broke")
"""


def test_every_line_is_json_with_the_request_id_and_without_control_characters_or_secrets() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    first, second, third = (json.loads(line) for line in done.stderr.splitlines())
    assert (first["request_id"], first["process"], first["level"]) == ("r-1", "test", "info")
    assert (first["name"], first["nested"]) == ("x[31my", {"k": "z"})
    assert "hunter2" not in done.stderr
    assert second["event"] == "from the library: ]0;title"
    assert "request_id" not in third
    assert "ValueError: broken" in third["exception"]
    assert "\x1b" not in done.stderr


def test_no_line_repeats_an_address_or_what_a_statement_was_to_write() -> None:
    done = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=True)
    first, second, third = (json.loads(line) for line in done.stderr.splitlines())

    assert first["why"] == "no mailbox for (address)."
    assert first["at"] == {"(address)": 1}
    assert second["event"] == "duplicate\nDETAIL: (not logged)\nmore"
    assert "no such table: person" in third["exception"]
    assert "qzvk" not in done.stderr.lower()
