"""``hsds status`` and the commands of nodes, as far as they go without a cluster."""

import json

import pytest

from hsds import cli, status
from hsds.status import table

NODES = [
    {"id": "dn-000", "role": "dn", "address": "fd00::1", "port": 6101, "state": "RUNNING", "leased": True,
     "live_slots": 9, "owned_slots": 10, "epoch": 7, "version": "1.2", "start_time": 0,
     "requests_per_second": 3.5},
    {"id": "dn-001", "role": "dn", "address": "10.0.0.1", "port": 6101, "state": "UNREACHABLE"},
]  # fmt: skip


def test_the_table():
    text = table(
        {"state": "WAITING", "reason": "data node 1 does not answer", "epoch": 7, "nodes": NODES}, now=3700
    )
    first, head, running, silent = text.splitlines()
    assert first == "WAITING: data node 1 does not answer, epoch 7"
    assert " ".join(head.split()) == "NODE ROLE ADDRESS STATE LEASED SLOTS EPOCH VERSION UPTIME REQ/S"
    assert " ".join(running.split()) == "dn-000 dn [fd00::1]:6101 RUNNING yes 9/10 7 1.2 1h1m 3.5"
    assert " ".join(silent.split()) == "dn-001 dn 10.0.0.1:6101 UNREACHABLE - - - - - -"


def test_nobody_there(capsys):
    assert cli.main(["status", "--endpoint", "http://127.0.0.1:9"]) == 2
    assert "does not answer as a service would" in capsys.readouterr().out
    assert cli.main(["status", "--endpoint", "ftp://x"]) == 2


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["node", "--roles", "sn,head"], "--roles is sn, dn, or sn,dn"),
        (["node"], "--roles is sn, dn, or sn,dn"),
        (["dn", "--roles", "sn"], "--roles is sn, dn, or sn,dn"),
        (["dn", "--discovery", "static", "--dn-urls", "http://127.0.0.1:6101"], "node_secret_file"),
        (["dn", "--node-secret-file", "SECRET", "--discovery", "static"], "static needs dn_urls"),
        (["dn", "--node-secret-file", "SECRET"], "needs the service account of a pod"),
        (
            ["dn", "--node-secret-file", "SECRET", "--discovery", "static", "--dn-urls", "http://10.0.0.1:1"],
            "dn_urls does not name this data node, http://127.0.0.1:6101",
        ),
        (["sn", "--host", "0.0.0.0", "--node-secret-file", "SECRET"], "without authentication"),
    ],
)
def test_what_prevents_the_start_is_named(words, fault, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    secret = tmp_path / "secret"
    secret.write_text("a-secret-of-the-nodes")
    words = [str(secret) if word == "SECRET" else word for word in words]
    assert cli.main([*words, "--metrics-port", "0", "--root-dir", str(tmp_path / "data")]) == 2
    assert fault in capsys.readouterr().err


@pytest.mark.parametrize(
    ("state", "code"), [("READY", 0), ("WAITING", 1), ("INITIALIZING", 1), ("TERMINATING", 1)]
)
def test_the_exit_status_is_the_state(state, code, monkeypatch, capsys):
    answer = {"state": state, "reason": "", "epoch": 7, "nodes": NODES}
    monkeypatch.setattr(status, "ask", lambda *_: answer)
    assert cli.main(["status"]) == code
    assert capsys.readouterr().out.startswith(f"{state}, epoch 7\nNODE")
    assert cli.main(["status", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == answer


def test_watching_goes_on(monkeypatch, capsys):
    answers = iter(["WAITING", None, "READY"])

    def ask(*_):
        state = next(answers)
        if state is None:
            raise status.NoAnswerError("nobody answers")
        return {"state": state, "nodes": []}

    def pause(_):
        if not answers.__length_hint__():
            raise KeyboardInterrupt

    monkeypatch.setattr(status, "ask", ask)
    monkeypatch.setattr(status.time, "sleep", pause)
    with pytest.raises(KeyboardInterrupt):
        cli.main(["status", "--watch"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("NODE ")] == [
        "WAITING",
        "hsds: nobody answers",
        "READY",
    ]
