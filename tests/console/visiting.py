"""Somebody at a browser, as far as forms and links go."""

import re

from flask import Flask
from flask.testing import FlaskClient

CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """Somebody at a browser: sends forms as the browser does, with the token of the page that it stands on."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = ""

    def get(self, address: str, **options: object):
        """Opens a page and remembers its form token."""
        answer = self.client.get(address, **options)
        found = CSRF.search(answer.text) if answer.mimetype == "text/html" else None
        if found:
            self.token = found[1]
        return answer

    def post(self, address: str, **fields: object):
        """Sends a form."""
        return self.client.post(address, data={"csrf_token": self.token, **fields})
