"""Every way into the house, found in the house itself: routes, commands, jobs, topics. Nothing is listed by hand."""

import json
from collections.abc import Iterator
from typing import Any

import rich_click as click
from flask import Flask

from mdm.cli.main import COMMANDS, havenmeester
from mdm.worker.table import jobs
from mdm.worker.topics import TOPICS
from web.api.openapi import document

Way = tuple[str, str]
"""Door and name."""


def routes(door: str, app: Flask) -> Iterator[Way]:
    """Every rule with each of its methods."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.endpoint.endswith(".static"):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield door, f"{method} {rule.rule}"


def operations(app: Flask) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Method, address and declaration of every operation of the API, by its rule as ``routes`` names it."""
    found: dict[str, Any] = json.loads(document(app))
    return {
        item["operationId"]: (method.upper(), path, item)
        for path, items in found["paths"].items()
        for method, item in items.items()
    }


def commands() -> Iterator[Way]:
    """Every command of the command line that does something, with the groups that it stands in."""
    for name in COMMANDS:
        context = click.RichContext(havenmeester)
        command = havenmeester.get_command(context, name)
        assert command is not None
        yield from _below(command, name)


def _below(command: click.Command, name: str) -> Iterator[Way]:
    if isinstance(command, click.Group):
        for inner in sorted(command.commands):
            yield from _below(command.commands[inner], f"{name} {inner}")
        if command.invoke_without_command:
            yield "command", name
    else:
        yield "command", name


def clockwork() -> Iterator[Way]:
    """Every job of the clock and every topic of the post."""
    for job in jobs(lambda: False):
        yield "job", job.name
    for topic in TOPICS:
        yield "topic", topic
