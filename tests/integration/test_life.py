"""A service's life: its start and what prevents it, restart, and its end under load."""

import asyncio
import signal
import socket
from urllib.parse import quote

import aiohttp
import numpy as np
import pytest

from tests.integration.rest import Rest
from tests.integration.service import Service, failed_start

DOMAIN = "/home/life.h5"


async def test_everything_is_there_after_a_restart(tmp_path):
    data = np.arange(100_000, dtype="<i4")
    with Service(tmp_path) as service:
        async with Rest(service.url) as rest:
            root = await rest.create(DOMAIN)
            dataset = await rest.dataset(DOMAIN, [100_000], chunks=[1000], gzip=True)
            await rest.ask("PUT", f"/groups/{root}/links/x", DOMAIN, json={"id": dataset})
            attribute = {"type": "H5T_STD_I32LE", "shape": [2], "value": [4, 2]}
            await rest.ask("PUT", f"/datasets/{dataset}/attributes/a", DOMAIN, json=attribute)
            await rest.write(DOMAIN, dataset, data)
        assert service.stop() == 0
        service.start()
        async with Rest(service.url) as rest:
            assert (await rest.ask("GET", "/", DOMAIN))["root"] == root
            assert (await rest.ask("GET", f"/groups/{root}/links/x", DOMAIN))["link"]["id"] == dataset
            assert (await rest.ask("GET", f"/datasets/{dataset}/attributes/a", DOMAIN))["value"] == [4, 2]
            assert await rest.read(DOMAIN, dataset) == data.tobytes()


async def test_home_is_there_and_says_so(service, rest):
    assert await rest.ask("GET", "/domains", "/home/") is not None
    assert (await rest.ask("GET", "/", "/home"))["class"] == "folder"
    assert (service.folder / "hsds-data" / "hsdstest" / "home" / ".domain.json").exists()
    assert any("h5pyd.File(" in line for line in service.welcome) or service.process.stdout


async def test_requests_in_flight_are_finished(service):
    """SIGTERM while 8 clients write: each request ends well, or was refused before it was taken."""
    async with Rest(service.url) as rest:
        await rest.create(DOMAIN)
        dataset = await rest.dataset(DOMAIN, [8, 250_000], chunks=[1, 250_000])
        broken: list[str] = []
        acknowledged = [0] * 8

        async def write(row: int) -> None:
            for number in range(1, 1000):
                data = np.full(250_000, number, "<i4")
                try:
                    await rest.write(DOMAIN, dataset, data, f"[{row}:{row + 1},0:250000]")
                except aiohttp.ClientConnectorError:
                    return
                except aiohttp.ClientError as error:  # an idle connection may be closed under a new request
                    broken.append(repr(error))
                    return
                acknowledged[row] = number

        writers = [asyncio.create_task(write(row)) for row in range(8)]
        await asyncio.sleep(1)
        status = await asyncio.to_thread(service.stop, seconds=10)
        await asyncio.gather(*writers)
    assert status == 0
    assert all("Disconnected" in text or "reset" in text.lower() for text in broken)
    service.start()
    async with Rest(service.url) as rest:
        stored = np.frombuffer(await rest.read(DOMAIN, dataset), "<i4").reshape(8, -1)
    assert (stored == stored[:, :1]).all()
    assert (stored[:, 0] >= acknowledged).all()


async def test_idle_connections_hold_up_no_end(service, rest):
    """Kept alive after a request, and never used at all."""
    await rest.ask("GET", "/about")
    host, _, port = service.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    assert await asyncio.to_thread(service.stop, seconds=5) == 0
    assert await reader.read() == b""
    writer.close()


def test_ctrl_c(service):
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(10) == 0


async def test_a_second_ctrl_c_does_not_wait(service, rest):
    """Not even for a request whose body never ends."""
    await rest.create(DOMAIN)
    dataset = await rest.dataset(DOMAIN, [1000])
    host, _, port = service.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"PUT /datasets/{dataset}/value?domain={DOMAIN} HTTP/1.1",
        "Host: localhost",
        "Content-Length: 4000",
    )
    writer.write("\r\n".join((*head, "Content-Type: application/octet-stream", "", "1234")).encode())
    await asyncio.sleep(0.3)
    service.process.send_signal(signal.SIGINT)
    await asyncio.sleep(0.5)
    assert service.process.poll() is None
    service.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(service.process.wait, 5) == 130
    writer.close()


async def test_unix_socket(tmp_path):
    path = tmp_path / "s.sock"
    with Service(tmp_path) as other:
        service = Service(tmp_path, "--root-dir", "second", "--socket", str(path))
        service.flags = service.flags[:-2]  # no port: the socket alone
        with service:
            assert service.url == f"http+unix://{quote(str(path), safe='')}"
            assert path.stat().st_mode & 0o077 == 0
            url = f"http://{quote(str(path), safe='')}/about"  # how h5pyd names a socket, in Host as well
            session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)))
            async with session, session.get(url) as answer:
                assert answer.status == 200
            assert "in use" in failed_start(tmp_path, "--root-dir", "third", "--socket", str(path))
            service.kill()
            assert path.exists()
            with service:  # what a killed one left is no hindrance
                assert service.url
        assert other.process.poll() is None


def test_port_in_use(service, tmp_path):
    port = service.url.rpartition(":")[2]
    said = failed_start(tmp_path, "--root-dir", "other", "--port", port)
    assert f"cannot listen on 127.0.0.1 port {port}: it is in use" in said


def test_directory_in_use(service, tmp_path):
    assert "is being served by another process" in failed_start(tmp_path, "--port", "0")


def test_unreadable_files(tmp_path):
    (tmp_path / "file").write_text("")
    assert "root_dir file" in failed_start(tmp_path, "--root-dir", "file")
    assert "nowhere.txt" in failed_start(tmp_path, "--password-file", "nowhere.txt")
    assert "logfile" in failed_start(tmp_path, "--logfile", "no/such/log")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", socket.gethostname()])
def test_no_listening_to_others_without_passwords(tmp_path, host):
    if host == socket.gethostname() and socket.gethostbyname(host).startswith("127."):
        host = "192.0.2.1"
    assert "without authentication" in failed_start(tmp_path, "--host", host, "--port", "0")


def test_with_a_user_it_listens_to_others(tmp_path):
    with Service(tmp_path, "--host", "0.0.0.0", "--hs_username", "joe", "--hs_password", "secret") as service:
        assert service.url.startswith("http://0.0.0.0:")
        assert not any("No passwords" in line for line in service.welcome)


def test_s3_that_does_not_answer(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said = failed_start(
            tmp_path,
            "--s3-endpoint",
            endpoint,
            "--aws-access-key-id",
            "k",
            "--aws-secret-access-key",
            "sesame",
        )
    assert "bucket hsdstest" in said
    assert "sesame" not in said


def test_dead_keys_are_one_line_of_the_log(tmp_path):
    with Service(tmp_path, "--sn_ram", "4", "--head_port=5100") as service:
        lines = [line for line in service.log.read_text().splitlines() if "no meaning here" in line]
    assert len(lines) == 1
    assert "head_port (command line), sn_ram (command line)" in lines[0]
