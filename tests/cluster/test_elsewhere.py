"""Processes without what only Linux offers, as on macOS: they start, serve, answer probes and keep values.

What Python lacks there is taken away before a process imports anything. The system below stays Linux.
"""

import time
from urllib.request import urlopen

import numpy as np
import pytest

from tests.cluster.processes import ROOT, Cluster
from tests.cluster.test_processes import VALUES, make_dataset, read

WITHOUT = r"""
import ctypes, fcntl, os, re, resource, signal, socket, time

LINUX_ONLY = {
    os: "memfd_|MFD_|eventfd|EFD_|RWF_|posix_fadvise|POSIX_FADV_|posix_fallocate|fdatasync"
    "|sched_[gs]etaffinity|copy_file_range|splice|SPLICE_|getrandom|GRND_|pidfd_|PIDFD_|pipe2|O_TMPFILE|O_PATH|O_DIRECT$|O_NOATIME"
    "|O_LARGEFILE|O_RSYNC|[gsl]\w*xattr|XATTR_|setresuid|getresuid|unshare|setns|CLONE_|timerfd|TFD_",
    time: "CLOCK_BOOTTIME|CLOCK_TAI",
    resource: "RUSAGE_THREAD|prlimit",
    fcntl: "F_OFD_|F_ADD_SEALS|F_GET_SEALS|F_SEAL_|F_SETPIPE_SZ|F_GETPIPE_SZ|F_NOTIFY|DN_",
    signal: "SIGRT|SIGPOLL|SIGPWR|SIGSTKFLT|sigwaitinfo|sigtimedwait",
    socket: "SOCK_CLOEXEC|SOCK_NONBLOCK|SO_PEERCRED|SO_PASSCRED|SO_BINDTODEVICE|SO_PRIORITY|SO_DOMAIN"
    "|SO_PROTOCOL|SO_MARK|SO_INCOMING_CPU|SO_PEERSEC|TCP_QUICKACK|TCP_DEFER_ACCEPT|TCP_USER_TIMEOUT|TCP_CORK|TCP_SYNCNT"
    "|TCP_LINGER2|TCP_WINDOW_CLAMP|TCP_CONGESTION|AF_NETLINK|AF_PACKET|AF_VSOCK|AF_ALG|AF_CAN|AF_TIPC"
    "|MSG_ERRQUEUE|MSG_CMSG_CLOEXEC|MSG_CONFIRM|MSG_MORE",
}
for module, names in LINUX_ONLY.items():
    for name in [name for name in dir(module) if re.match(names, name)]:
        delattr(module, name)

plain = ctypes.CDLL.__getitem__

def function_of(library, name):
    if name in ("renameat2", "sync_file_range", "mallopt", "memfd_create", "fallocate", "prctl"):
        raise AttributeError(name)
    return plain(library, name)

ctypes.CDLL.__getitem__ = function_of
if "TRACE" in os.environ:
    with open(os.environ["TRACE"], "a") as file:
        file.write(f"{hasattr(os, 'memfd_create')}\n")
"""


@pytest.fixture
def elsewhere(tmp_path):
    """The environment of a process that runs there."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT)
    return {"PYTHONPATH": f"{folder}:{ROOT}", "TRACE": str(tmp_path / "trace")}


@pytest.mark.parametrize(
    ("roles", "data_nodes"),
    [(("serve",), 1), (("serve --workers 2",), 2), (("sn", "dn"), 1)],
    ids=lambda value: ", ".join(value) if isinstance(value, tuple) else "",
)
def test_it_serves(elsewhere, tmp_path, roles, data_nodes):
    addresses = [f"127.0.48.{number}" for number in range(1, len(roles) + 1)]
    data = "http://" + addresses[-1] + ":6101"
    flags = () if roles[0].startswith("serve") else ("--discovery", "static", "--dn-urls", data)
    with Cluster(tmp_path, *flags) as cluster:
        for role, address in zip(roles, addresses, strict=True):
            cluster.start(role, address, **elsewhere)
        cluster.wait_ready(addresses[0], data_nodes)
        path = make_dataset(cluster, addresses[0])
        assert np.array_equal(read(cluster, path, addresses[0]), VALUES)
        if flags:
            for address in addresses:
                assert probe(address, "/livez") == probe(address, "/readyz") == 200
        for address in addresses:
            assert cluster.stop(address) == 0
            assert "Traceback" not in cluster.log(address)
        started = (tmp_path / "trace").read_text().split()
        assert len(started) >= len(roles)
        assert set(started) == {"False"}, "else it was not taken away"


def probe(address, path):
    until = time.monotonic() + 20
    while True:
        try:
            with urlopen(f"http://{address}:9100{path}", timeout=5) as answer:
                return answer.status
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)
