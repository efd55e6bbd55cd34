"""The console and the API as one WSGI callable, made in the process that serves it."""

from typing import TYPE_CHECKING

from mdm.operation import logs
from mdm.operation.parent import die_with_parent
from mdm.settings import load

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def application() -> "WSGIApplication":
    """Pages below ``/``, the API below ``/api/v1``."""

    import importlib

    from web.api.app import make_api, mount

    make_console = importlib.import_module("web.console.app").make_console

    die_with_parent()
    settings = load()
    logs.configure("console", settings.log_level)
    return mount(make_console(settings), make_api(settings))
