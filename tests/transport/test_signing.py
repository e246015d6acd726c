"""Signatures: who is believed, for how long, and how secrets change."""

import pytest

from hsds.errors import InvalidSettings, NotAuthenticated, NotPermitted
from hsds.transport.signing import WINDOW, Secrets, Signer

OLD, NEW = b"old secret of nodes", b"new secret of nodes"


def signer(*secrets, now=1000.0):
    return Signer(lambda: secrets, lambda: now)


@pytest.mark.parametrize("epoch", [None, 0, 12345678])
def test_a_signature_is_believed_and_names_the_epoch(epoch):
    header = signer(OLD).sign("POST", "/execute", epoch)
    assert signer(OLD).check(header, "POST", "/execute") == epoch


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer x y z"])
def test_without_a_signature(header):
    with pytest.raises(NotAuthenticated):
        signer(OLD).check(header, "POST", "/execute")


def test_everything_but_the_body_is_signed():
    good = signer(OLD).sign("POST", "/execute", 3)
    scheme, date, epoch, signature = good.split(" ")
    wrong = [
        (good, "GET", "/execute"),
        (good, "POST", "/word"),
        (good, "POST", "/execute?x=1"),
        (f"{scheme} {int(date) + 1} {epoch} {signature}", "POST", "/execute"),
        (f"{scheme} {date} 4 {signature}", "POST", "/execute"),
        (f"{scheme} {date} - {signature}", "POST", "/execute"),
        (f"{scheme} {date} {epoch} {signature[:-1]}", "POST", "/execute"),
        (f"{scheme} {date} {epoch} {signature} more", "POST", "/execute"),
        (f"{scheme} {date} {epoch} ünicode", "POST", "/execute"),
        (f"{scheme} \udcff {epoch} {signature}", "POST", "/execute"),
        (f"{scheme} {'9' * 5000} {epoch} {signature}", "POST", "/execute"),
        (f"{scheme} ٣ {epoch} {signature}", "POST", "/execute"),
        (scheme, "POST", "/execute"),
    ]
    for header, method, path in wrong:
        with pytest.raises(NotPermitted, match=r"^the signature is not valid$"):
            signer(OLD).check(header, method, path)


def test_an_old_request_and_one_from_the_future_are_refused():
    header = signer(OLD).sign("POST", "/execute", 3)
    for now in (1000 - WINDOW, 1000 + WINDOW):
        assert signer(OLD, now=now).check(header, "POST", "/execute") == 3
    for now in (998 - WINDOW, 1002 + WINDOW):
        with pytest.raises(NotPermitted):
            signer(OLD, now=now).check(header, "POST", "/execute")


def test_two_secrets_are_valid_at_once():
    for signing in (signer(OLD), signer(NEW), signer(OLD, NEW), signer(NEW, OLD)):
        signer(NEW, OLD).check(signing.sign("GET", "/view", None), "GET", "/view")
    with pytest.raises(NotPermitted):
        signer(NEW).check(signer(OLD, NEW).sign("GET", "/view", None), "GET", "/view")


def test_secrets_are_read_again_when_the_file_changes(tmp_path):
    path, now = tmp_path / "secret", [0.0]
    path.write_bytes(OLD.replace(b" ", b"_") + b"\n")
    secrets = Secrets(path, clock=lambda: now[0])
    assert secrets.current() == (b"old_secret_of_nodes",)
    other = tmp_path / "..data"
    other.write_bytes(b"new_secret_of_nodes\nold_secret_of_nodes\n")
    other.replace(path)
    assert len(secrets.current()) == 1, "not looked at more than once a second"
    now[0] = 1.5
    assert secrets.current() == (b"new_secret_of_nodes", b"old_secret_of_nodes")
    path.write_text("short")
    now[0] = 3.0
    assert len(secrets.current()) == 2, "a spoilt file leaves the last good secrets"
    path.unlink()
    now[0] = 5.0
    assert len(secrets.current()) == 2
    path.write_bytes(b"third_secret_of_nodes")
    now[0] = 7.0
    assert secrets.current() == (b"third_secret_of_nodes",)
    assert "third" not in repr(secrets)


@pytest.mark.parametrize("text", ["", "\n", "short", "a_long_enough_secret\nshort"])
def test_a_file_without_good_secrets_prevents_the_start(tmp_path, text):
    path = tmp_path / "secret"
    path.write_text(text)
    with pytest.raises(InvalidSettings, match="16 or more characters"):
        Secrets(path)
    with pytest.raises(InvalidSettings, match="cannot be read"):
        Secrets(tmp_path / "missing")
