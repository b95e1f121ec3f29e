"""The review page's server: this machine alone, a token in every address, nothing but images of the index and three files of the page."""

import gzip
import hmac
import json
import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from wsss_stages.roads.review_site.session import RefusedError, Session

HERE = "127.0.0.1"
HOSTS = {"127.0.0.1", "localhost", "[::1]"}
"""Names that a browser on this machine, or one that SSH forwards, has for the server; any other is another site's, whose DNS
points here.
"""
LARGEST = 64 << 20
"""Bytes of a request's content."""
FILES = {
    "": ("index.html", "text/html"),
    "page.js": ("page.js", "text/javascript"),
    "page.css": ("page.css", "text/css"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Reply = tuple[bytes, str, bool]
"""Content, its type, and whether the browser may keep it."""


class ReviewServer(ThreadingHTTPServer):
    """A server of one session."""

    daemon_threads = True

    def __init__(self, session: Session, port: int = 0, token: str = ""):
        """Listen on a port; 0: any that is free. Raises ValueError if it is in use."""
        self.session, self.token = session, token or secrets.token_urlsafe(24)
        page = resources.files("wsss_stages.roads.review_site") / "page"
        self.files = {path: ((page / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}
        try:
            super().__init__((HERE, port), Handler)
        except OSError as error:
            raise ValueError(
                f"port {port}: found it in use ({error.strerror}); wanted a free one. Leave out --port."
            ) from error

    @property
    def address(self) -> str:
        """Return the address to open."""
        return f"http://{HERE}:{self.server_port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error in one line; a browser that went away is none."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            sys.stderr.write(f"review page: {type(error).__name__}: {error}\n")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: ReviewServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, *_: object) -> None:
        """Say nothing: addresses hold the token."""

    def version_string(self) -> str:
        """Return the name of the server, without versions."""
        return "wsss"

    def _answer(self, handle: Callable[[list[str], dict[str, str]], Reply]) -> None:
        try:
            self._check_site()
            url = urlsplit(self.path)
            token, *parts = url.path.removeprefix("/").split("/")
            if not hmac.compare_digest(token.encode(), self.server.token.encode()):
                self._refuse(HTTPStatus.FORBIDDEN, "Open the whole address that the command printed.")
                return
            query = {key: values[-1] for key, values in parse_qs(url.query).items()}
            content, kind, cached = handle([unquote(part) for part in parts] or [""], query)
        except PermissionError as error:
            self._refuse(HTTPStatus.FORBIDDEN, str(error))
        except LookupError:
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such page, image or step.")
        except RefusedError as error:
            status = HTTPStatus.FORBIDDEN if self.server.session.read_only else HTTPStatus.UNPROCESSABLE_ENTITY
            self._refuse(status, str(error))
        except OverflowError as error:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        except OSError as error:
            if isinstance(error, ConnectionError | TimeoutError):
                raise
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"Nothing was saved: {error}")
        except ValueError as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            self._send(HTTPStatus.OK, content, kind, cached)

    def _check_site(self) -> None:
        """Raise PermissionError for a request that another site's page makes."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0] if "]" not in self.headers.get("Host", "") else "[::1]"
        origin = self.headers.get("Origin")
        if host not in HOSTS or (origin and urlsplit(origin).netloc != self.headers.get("Host")):
            raise PermissionError("This server answers its own page only.")

    def _get(self, parts: list[str], query: dict[str, str]) -> Reply:
        session = self.server.session
        match parts:
            case [name] if name in self.server.files:
                content, kind = self.server.files[name]
                return content, f"{kind}; charset=utf-8", False
            case ["api", "run"]:
                return _json(session.run())
            case ["api", "images"]:
                start, count = (_number(query.get(name, "0")) for name in ("start", "count"))
                return _json(session.listed(start, count, query.get("state", "all")))
            case ["api", "image", key]:
                return _json(session.image(self._image(key)))
            case ["photo", key]:
                return session.images.photograph(self._image(key)), "image/jpeg", True
            case ["thumbnail", key]:
                image = self._image(key)
                return session.thumbnail(image, session.version(image)), "image/jpeg", False
            case ["mask", key]:
                return _packed(session.mask(self._image(key)).tobytes())
            case ["step", key, title]:
                return _packed(session.step(self._image(key), title).tobytes())
        raise LookupError

    def _post(self, parts: list[str], query: dict[str, str]) -> Reply:
        session, content = self.server.session, self._content()
        match parts:
            case ["api", "mask", key]:
                session.paint(image := self._image(key), content)
            case ["api", "boxes", key]:
                entry = _object(content)
                boxes, classes = entry.get("boxes"), entry.get("classes")
                if (
                    not isinstance(boxes, list)
                    or not isinstance(classes, list)
                    or not all(isinstance(b, list) for b in boxes)
                ):
                    raise RefusedError("found no boxes and classes; wanted lists of them")
                session.draw(image := self._image(key), boxes, classes)
            case ["api", "verdict", key]:
                session.decide(image := self._image(key), str(_object(content).get("state")))
            case _:
                raise LookupError
        return _json(session.image(image))

    def _image(self, key: str) -> str:
        """Return the id of an image; addresses have no other way to a file."""
        return self.server.session.images.keys[key]

    def _content(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            raise OverflowError(f"found a content of {length or 'no'} bytes; wanted at most {LARGEST}")
        return self.rfile.read(int(length))

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        content, kind, _ = _json({"error": text})
        self.close_connection = self.close_connection or self.command == "POST"
        self._send(status, content, kind, False)

    def _send(self, status: HTTPStatus, content: bytes, kind: str, cached: bool) -> None:
        self.send_response(status)
        packed = kind == "application/gzip"
        headers = {"Content-Type": "application/octet-stream" if packed else kind, "Content-Length": str(len(content))}
        headers |= {"Content-Encoding": "gzip"} if packed else {}
        headers["Cache-Control"] = "private, max-age=3600" if cached else "no-store"
        for name, value in {**headers, **HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _json(content: object) -> Reply:
    return json.dumps(content).encode(), "application/json", False


def _packed(content: bytes) -> Reply:
    return gzip.compress(content, 1), "application/gzip", False


def _object(content: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"found no JSON ({error})") from error
    if not isinstance(entry, dict):
        raise RefusedError("found no JSON object; wanted one")
    return entry


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise RefusedError(f"found {text[:20]!r}; wanted a whole number")
    return int(text)
