"""Downloads, from a server on this machine."""

import hashlib
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from cortiscope.errors import InputError
from cortiscope.networks import weights

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves CONTENT, with ranges; cuts the first answers short where told to."""

    def __init__(self, asked, cuts, ranges, *arguments):
        self.asked, self.cuts, self.ranges = asked, cuts, ranges
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def answer(self):
        if self.path == "/none":
            return self.send_error(404)
        wanted = self.headers["Range"] if self.ranges else None
        self.asked.append(self.headers["Range"])
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if wanted and start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        stop = self.cuts.pop(0) if self.cuts else len(CONTENT)
        self.wfile.write(CONTENT[start:stop])
        return None


# The name that the base class looks for.
Handler = type("Handler", (Server,), {"do_GET": Server.answer})


@pytest.fixture
def serve():
    servers = []

    def start(cuts=(), ranges=True):
        asked = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, asked, list(cuts), ranges))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_download_verifies_then_names(tmp_path, serve):
    address, _ = serve()
    path = tmp_path / "new" / "net.pth"
    weights.download(f"{address}/net-{SUM[:8]}.pth", path, (SUM[:8], SUM))
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("ranges", [True, False])
def test_download_goes_on_where_it_stopped(tmp_path, serve, ranges):
    address, asked = serve([1_000_000], ranges)
    path = tmp_path / "net.pth"
    with pytest.raises(InputError, match="run again to go on") as caught:
        weights.download(f"{address}/net.pth", path, (SUM,))
    assert "\n" not in str(caught.value)
    assert not path.exists()
    weights.download(f"{address}/net.pth", path, (SUM,))
    assert path.read_bytes() == CONTENT
    assert asked == [None, "bytes=1000000-"]


def test_a_whole_part_is_not_fetched_again(tmp_path, serve):
    address, _ = serve()
    (tmp_path / "net.pth.part").write_bytes(CONTENT)
    weights.download(f"{address}/net.pth", tmp_path / "net.pth", (SUM,))
    assert (tmp_path / "net.pth").read_bytes() == CONTENT


def test_a_wrong_download_is_removed_and_both_sums_named(tmp_path, serve):
    address, _ = serve()
    with pytest.raises(InputError, match=rf"has SHA-256 {SUM}, expected 00000000"):
        weights.download(f"{address}/net.pth", tmp_path / "net.pth", ("00000000",))
    assert not list(tmp_path.iterdir())


def test_failed_requests_are_one_line(tmp_path, serve):
    address, _ = serve()
    with pytest.raises(InputError, match="answers 404"):
        weights.download(f"{address}/none", tmp_path / "net.pth", ())
    for url in ("http://127.0.0.1:9/x", "nonsense"):
        with pytest.raises(InputError, match="cannot be fetched"):
            weights.download(url, tmp_path / "net.pth", ())
