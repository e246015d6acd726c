"""``hsds-node-state`` answers as the command of HSDS 1.0.2, which is run beside it where it is installed."""

from __future__ import annotations

import io
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hsds.nodestate import run

NOWHERE = "1"
ANSWERS = [
    ('{"node": {"state": "READY"}}', 200, 0),
    ('{"node": {"state": "WAITING"}}', 200, 1),
    ('{"node": {"state": "INITIALIZING"}}', 200, 1),
    ('{"node": {"state": "TERMINATING"}}', 200, 1),
    ('{"node": {}}', 200, 1),
    ("{}", 200, 1),
    ("[]", 200, 1),
    ("no JSON", 200, 1),
    ('{"node": {"state": "READY"}}', 503, 1),
    ('{"node": {"state": "READY"}}', 404, 1),
]


class Answering(HTTPServer):
    """Answers every request alike."""

    def __init__(self, text: str, status: int) -> None:
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        server = self

    def __enter__(self) -> Answering:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def ours(**environ: str) -> tuple[int, str, str]:
    out, errors = io.StringIO(), io.StringIO()
    return run(environ, out, errors), out.getvalue(), errors.getvalue()


def theirs(**environ: str) -> tuple[int, str, str]:
    python = os.environ.get("HSDS_TEST_HSDS102")
    if python is None:
        pytest.skip("HSDS_TEST_HSDS102 names no python with HSDS 1.0.2")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [str(Path(python).parent / "hsds-node-state")],
        capture_output=True,
        text=True,
        check=False,
        env=kept | environ,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("text", "status", "expected"), ANSWERS)
def test_state_and_exit_status(text, status, expected):
    with Answering(text, status) as server:
        code, out, errors = ours(SN_PORT=str(server.server_port))
    assert code == expected
    assert server.asked == ["/info"]
    assert bool(out) != bool(errors), "the state, or why there is none"
    if status != 200:
        assert str(status) in errors


@pytest.mark.parametrize(("text", "status", "expected"), ANSWERS)
def test_as_hsds(text, status, expected):
    with Answering(text, status) as server:
        environ = {"SN_PORT": str(server.server_port)}
        assert ours(**environ) == theirs(**environ)


@pytest.mark.parametrize("environ", [{"SN_PORT": NOWHERE}, {"NODE_TYPE": "dn", "DN_PORT": NOWHERE}])
def test_nobody_there(environ):
    code, out, errors = ours(**environ)
    assert (code, out) == (1, "")
    assert errors.startswith("http://localhost:1/info: ")


@pytest.mark.parametrize("environ", [{"SN_PORT": NOWHERE}, {"NODE_TYPE": "dn", "DN_PORT": NOWHERE}])
def test_nobody_there_as_hsds(environ):
    assert ours(**environ) == theirs(**environ)
