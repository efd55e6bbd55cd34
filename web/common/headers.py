"""What every answer carries: what the browser may do with it, that nobody keeps it, which request it belongs to."""

import re
from typing import Any

from flask import Flask, Response, g, request
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

YEAR = 31_536_000
DIGEST = re.compile(r"-[0-9A-Za-z]{8}\.")


def _policy(*scripts: str) -> ContentSecurityPolicy:
    """Nothing but what we serve ourselves; pictures may also be inside the page (QR codes)."""
    return (
        ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'", *scripts)
        .style_src("'self'")
        .img_src("'self'", "data:")
        .font_src("'self'")
        .connect_src("'self'")
        .manifest_src("'self'")
        .form_action("'self'")
        .frame_ancestors("'none'")
        .base_uri("'none'")
    )


def furnish_headers(app: Flask, *, tls: bool) -> None:
    """Sets the headers on every answer of ``app``; HSTS only where it is reached over TLS."""
    options: dict[str, Any] = {
        "csp": _policy(),
        "coop": CrossOriginOpenerPolicy().same_origin(),
        "corp": CrossOriginResourcePolicy().same_origin(),
        "permissions": PermissionsPolicy().geolocation().microphone().camera(),
        "referrer": ReferrerPolicy().same_origin(),
        "xcto": XContentTypeOptions().nosniff(),
        "xfo": XFrameOptions().deny(),
    }
    if tls:
        options["hsts"] = StrictTransportSecurity().max_age(YEAR)
    headers = dict(Secure(**options).header_items())
    # A page that scans (it sets ``g.camera``) may ask for the camera and run the reader of barcodes, which is WebAssembly.
    options["csp"] = _policy("'wasm-unsafe-eval'")
    options["permissions"] = PermissionsPolicy().geolocation().microphone().camera("self")
    scanning = dict(Secure(**options).header_items())
    # The page of the panic button (it sets ``g.geolocation``) may ask where the phone is, when the button is pressed.
    options["csp"] = _policy()
    options["permissions"] = PermissionsPolicy().geolocation("self").microphone().camera()
    locating = dict(Secure(**options).header_items())

    @app.after_request
    def _headers(response: Response) -> Response:
        for name, value in (scanning if g.get("camera") else locating if g.get("geolocation") else headers).items():
            response.headers.setdefault(name, value)
        if request.endpoint == "static" and response.status_code in (200, 304) and DIGEST.search(request.path):
            # What is behind a name that carries a digest of its content never changes.
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        else:
            response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Request-Id"] = request.environ.get("havenmeester.request_id", "-")
        return response
