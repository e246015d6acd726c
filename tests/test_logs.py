"""Log lines in both forms."""

import json
import logging

import pytest

from hsds.config import Settings
from hsds.logs import Access, configure, log_access


@pytest.fixture
def lines(tmp_path):
    """Configures logging to a file with the given settings; calling it gives the lines so far."""

    def start(**values):
        path = tmp_path / "log"
        return configure(Settings(logfile=path, **values), node="sn-1"), lambda: path.read_text().splitlines()

    yield start
    logger = logging.getLogger("hsds")
    for handler in logger.handlers:
        handler.close()
    logger.handlers.clear()
    logger.propagate = True


def request(logger, **changes):
    values = {
        "request_id": "r1",
        "method": "GET",
        "route": "/datasets/{id}",
        "path": "/datasets/d-1",
        "domain": "/home/x.h5",
        "user": "joe",
    }
    log_access(logger, Access(**(values | {"status": 200, "bytes": 12, "seconds": 0.0015} | changes)))


def test_text(lines):
    logger, read = lines(log_prefix="A ", log_timestamps=False)
    request(logger)
    logger.warning("slow %s", "store")
    assert read() == [
        "A INFO> [r1] GET /datasets/d-1 /home/x.h5 200 12 bytes 1.5 ms",
        "A WARNING> slow store",
    ]


def test_text_has_a_time(lines):
    logger, read = lines()
    logger.info("x")
    time, level, message = read()[0].split()
    assert time.endswith("Z")
    assert (level, message) == ("INFO>", "x")


def test_json(lines):
    logger, read = lines(log_format="json")
    request(logger, bytes=None)
    line = json.loads(read()[0])
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "node": "sn-1",
        "msg": "GET /datasets/d-1 /home/x.h5 200 ? bytes 1.5 ms",
        "request_id": "r1",
        "method": "GET",
        "route": "/datasets/{id}",
        "path": "/datasets/d-1",
        "domain": "/home/x.h5",
        "user": "joe",
        "status": 200,
        "seconds": 0.0015,
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_a_client_sends_makes_a_second_line(lines, form):
    logger, read = lines(log_format=form)
    request(logger, domain="/home/a\nERROR> fake\x1b[2J\u2028")
    assert len(read()) == 1
    assert "\x1b" not in read()[0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_was_refused_says_why(lines, form):
    logger, read = lines(log_format=form)
    request(logger, status=400, error="a chunk of 8000 bytes is over the limit of 5000")
    (line,) = read()
    assert "400 12 bytes 1.5 ms: a chunk of 8000 bytes is over the limit of 5000" in line
    if form == "json":
        assert json.loads(line)["error"] == "a chunk of 8000 bytes is over the limit of 5000"


def test_exceptions_are_shown(lines):
    logger, read = lines(log_format="json")
    try:
        raise ValueError("why")
    except ValueError:
        logger.exception("failed")
    assert "ValueError: why" in json.loads(read()[0])["exception"]


def test_levels(lines):
    logger, read = lines(log_level="WARNING")
    request(logger)
    assert read() == []
