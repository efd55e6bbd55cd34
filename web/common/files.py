"""The front end's files, compressed where the browser takes it: the style sheet alone has 650 KB, and a tenth of that so."""

import mimetypes
from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from werkzeug.security import safe_join

ENCODING = "gzip"
SUFFIX = ".gz"
"""What the build appends to the name of a file that it compressed."""


class Compressed(Flask):
    """A Flask application that sends what the build compressed beside a file, to whoever can read it."""

    def send_static_file(self, filename: str) -> Response:
        """The file, or its compressed twin; 404 for what is not below the folder of static files."""
        folder = str(self.static_folder)
        twin = safe_join(folder, filename + SUFFIX)
        if twin is None or not Path(twin).is_file():
            return super().send_static_file(filename)
        if request.accept_encodings.quality(ENCODING) > 0 and "Range" not in request.headers:
            kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
            response = send_from_directory(folder, filename + SUFFIX, mimetype=kind)
            response.headers["Content-Encoding"] = ENCODING
        else:
            response = super().send_static_file(filename)
        response.vary.add("Accept-Encoding")
        return response
