"""A finished run in the folders that Snakemake gives it, made of the toy, and a review of it."""

import json
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from wsss_stages.roads.review_site.images import RunImages, key_of
from wsss_stages.roads.review_site.server import ReviewServer
from wsss_stages.roads.review_site.session import Session


def results_of(toy, root: Path) -> Path:
    """Return results/toy with links to the toy's stages."""
    results = root / "results" / "toy"
    (results / "box" / "ours").mkdir(parents=True)
    (results / "index.json").symlink_to(toy.full_index)
    (results / "box" / "index.json").symlink_to(toy.index)
    for stage in ("s3_seeds", "s5_graph", "s5_object_masks", "s6_propagate", "s9_review"):
        (results / "box" / "ours" / stage).symlink_to(toy.root / stage)
    return results


class Client:
    """A browser without a page."""

    def __init__(self, port: int, token: str):
        self.port, self.token = port, token

    @classmethod
    def at(cls, address: str) -> "Client":
        """Return the client of an address that the command has printed."""
        port, token = address.removeprefix("http://127.0.0.1:").strip("/").split("/")
        return cls(int(port), token)

    def ask(self, path: str, body: bytes | None = None, token: str | None = None, **headers: str):
        """Return status, headers and content; a body makes it a POST."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            method = "GET" if body is None else "POST"
            connection.request(method, f"/{self.token if token is None else token}/{path}", body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, path: str, content: object = None):
        status, _, found = self.ask(path, None if content is None else json.dumps(content).encode())
        return status, json.loads(found)


@contextmanager
def reviewing(results: Path, who: str = "Ada", read_only: bool = False):
    """Serve a review in this process."""
    images = RunImages.open(results, "box", "ours")
    session = Session(images, results / "review", who, read_only)
    server = ReviewServer(session)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Client.at(server.address), session
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        session.close()


__all__ = ["Client", "key_of", "results_of", "reviewing"]
