"""What goes around every response: a strict content policy, compression, and caching that never goes stale."""

import logging
from collections.abc import Sequence

import flask
from dash import Dash
from flask_compress import Compress
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, MethodNotAllowed, NotFound

log = logging.getLogger(__name__)

LARGEST_REQUEST = 256 * 1024  # bytes; callbacks send an address, nothing more
FOR_PROGRAMS = ("/api", "/download", "/health")
FINGERPRINTED = ("/assets/", "/_dash-component-suites/")
COMPRESSED = [
    "text/html", "text/css", "text/csv", "text/plain", "text/javascript", "application/javascript", "application/json",
    "image/svg+xml",
]  # fmt: skip
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def protect(app: Dash) -> None:
    """Adds headers and compression. Call it last: the policy names the inline scripts there are by then."""
    app.server.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, COMPRESS_MIN_SIZE=1024, COMPRESS_MIMETYPES=COMPRESSED)

    @app.server.after_request
    def _add(response: flask.Response) -> flask.Response:
        policy = app.server.config.get("CONTENT_POLICY", "default-src 'none'")
        response.headers.update({**FIXED, "Content-Security-Policy": policy, "Cache-Control": caching()})
        return response

    app.server.register_error_handler(Exception, refuse)
    Compress(app.server)
    # Dash adds the last of its inline scripts when it answers for the first time.
    app.server.test_client().get("/_dash-dependencies")
    app.server.config["CONTENT_POLICY"] = content_policy(app.csp_hashes())


def refuse(error: Exception) -> HTTPException | flask.Response:
    """The answer to a request that failed: in JSON where programs ask, else plain."""
    found = _refusal(error)
    if not flask.request.path.startswith(FOR_PROGRAMS):
        return found
    response = flask.jsonify(error=found.description, hint="See: /api")
    response.status_code = found.code or 500
    if isinstance(found, MethodNotAllowed) and found.valid_methods:
        response.headers["Allow"] = ", ".join(found.valid_methods)
    return response


def _refusal(error: Exception) -> HTTPException:
    """What a failure is in HTTP.

    Our pages turn their own trouble into pages, so what fails under Dash's addresses is a request nobody's browser
    sends: 400 for a payload, 404 for a file.
    """
    if isinstance(error, HTTPException):
        return error
    if flask.request.path.startswith("/_dash-"):
        log.info("Refused a malformed request for %s: %r", flask.request.path, error)
        return BadRequest() if flask.request.method == "POST" else NotFound()
    log.error("The request for %s failed", flask.request.path, exc_info=error)
    return InternalServerError()


def content_policy(script_hashes: Sequence[str]) -> str:
    """The Content-Security-Policy: everything from here, no inline script but the named ones, no eval, no frames.

    AG Grid and Plotly write style sheets and use images and fonts from data addresses.
    """
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src 'self'", *(f"'{item.strip(chr(39))}'" for item in script_hashes)]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def caching() -> str:
    """Cache-Control of the current request: for ever where its address changes with its content, else not at all."""
    path = flask.request.path
    is_versioned = "m" in flask.request.args or ".v" in path.rsplit("/", 1)[-1]
    if path.startswith(FINGERPRINTED) and is_versioned:
        return "public, max-age=31536000, immutable"
    return "no-cache"
