"""Password and groups files, and who a header belongs to."""

import asyncio
import hashlib
import os
import time
from base64 import b64encode

import bcrypt
import pytest

from hsds.errors import InvalidInput, NotAuthenticated
from hsds.servicenode import auth as auth_module
from hsds.servicenode.auth import LocalAuthenticator, PasswordAuthenticator
from hsds.servicenode.passwords import GroupsFile, PasswordFile, Passwords, matches
from hsds.servicenode.permissions import ANONYMOUS


def basic(user, password):
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "passwd.txt"
    hashed = bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)).decode()
    path.write_text(
        f"# users\n\nadmin:admin\njoe:first:ignored\njoe:second\nann:{hashed}\nxy:long\nnocolon\n"
    )
    return path


@pytest.fixture
def passwords(file, clock):
    return Passwords(file=PasswordFile(file, clock))


@pytest.fixture
def authenticator(passwords):
    made = PasswordAuthenticator(passwords)
    yield made
    made.close()


def test_lines_of_the_file(passwords):
    assert passwords.stored("joe") == "first"  # the first line, and its first two fields
    assert passwords.stored("xy") is None  # too short
    assert passwords.stored("nobody") is None


def test_the_file_is_read_again_when_it_changes(passwords, file, clock):
    file.write_text("joe:other\n")
    assert not passwords.refresh()  # not yet a second later
    clock.now = 1.5
    assert passwords.refresh()
    assert passwords.stored("joe") == "other"
    assert passwords.stored("admin") is None
    clock.now = 3
    assert not passwords.refresh()


def test_a_file_that_vanishes_stays_in_force(passwords, file, clock):
    file.unlink()
    clock.now = 2
    assert not passwords.refresh()
    assert passwords.stored("joe") == "first"


def test_a_missing_file_is_an_error_at_start(tmp_path):
    with pytest.raises(InvalidInput, match=r"passwd\.txt cannot be read"):
        PasswordFile(tmp_path / "passwd.txt")


def test_groups(tmp_path, clock):
    path = tmp_path / "groups.txt"
    path.write_text("# groups\nlab: joe ann\nstaff: ann\nbroken\n")
    groups = GroupsFile(path, clock)
    assert groups.of("ann") == {"lab", "staff"}
    assert groups.of("bob") == frozenset()


@pytest.mark.parametrize("prefix", ["$2b$", "$2a$", "$2y$"])
def test_hashes(prefix):
    stored = prefix + bcrypt.hashpw(b"pass", bcrypt.gensalt(4)).decode()[4:]
    assert matches("pass", stored)
    assert not matches("Pass", stored)
    assert not matches("pass\0", stored)
    assert not matches("pass", "$2b$broken")
    assert not matches(stored, stored)


def test_long_passwords_count_to_the_72nd_byte():
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert matches("x" * 100, stored)


def test_salt():
    expected = hashlib.sha512(b"joepepper").hexdigest()[:32]
    assert matches(expected, Passwords(salt="pepper").stored("joe"))


async def test_identify(authenticator):
    assert await authenticator.identify(None) == ANONYMOUS
    joe = await authenticator.identify(basic("joe", "first"))
    assert (joe.name, joe.is_admin) == ("joe", False)
    assert (await authenticator.identify(basic("admin", "admin"))).is_admin
    assert (await authenticator.identify(basic("ann", "s3cret"))).name == "ann"
    assert (await authenticator.identify("bAsIc " + basic("joe", "first")[6:])).name == "joe"


@pytest.mark.parametrize("user", ["joe", "ann", "nobody"])
async def test_wrong_passwords(authenticator, user):
    with pytest.raises(NotAuthenticated):
        await authenticator.identify(basic(user, "wrong"))


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic am9l", basic("", "x"), basic("x", ""), "Digest x"],
)  # fmt: skip
async def test_unreadable_headers(authenticator, header):
    with pytest.raises(InvalidInput):
        await authenticator.identify(header)


async def test_bearer_tokens_are_not_known(authenticator):
    with pytest.raises(NotAuthenticated, match="Bearer"):
        await authenticator.identify("Bearer x")


async def test_a_verified_password_is_hashed_once(authenticator, monkeypatch):
    checks = []

    def slow(password, stored):
        checks.append(password)
        time.sleep(0.05)
        return matches(password, stored)

    monkeypatch.setattr(auth_module, "matches", slow)
    header = basic("ann", "s3cret")
    users = await asyncio.gather(*(authenticator.identify(header) for _ in range(20)))
    users.append(await authenticator.identify(header))
    assert {user.name for user in users} == {"ann"}
    assert checks == ["s3cret"]


async def test_a_changed_password_is_forgotten(authenticator, file, clock):
    header = basic("joe", "first")
    await authenticator.identify(header)
    file.write_text("joe:other\n")
    clock.now = 2
    with pytest.raises(NotAuthenticated):
        await authenticator.identify(header)


async def test_same_size_and_a_new_time_is_a_change(authenticator, file, clock):
    header = basic("joe", "first")
    await authenticator.identify(header)
    file.write_text(file.read_text().replace("first", "other"))
    os.utime(file, ns=(1, 1))
    clock.now = 2
    with pytest.raises(NotAuthenticated):
        await authenticator.identify(header)


async def test_admins_by_group(passwords, tmp_path, clock):
    path = tmp_path / "groups.txt"
    path.write_text("wheel: joe\n")
    made = PasswordAuthenticator(passwords, groups=GroupsFile(path, clock), admin_group="wheel")
    assert (await made.identify(basic("joe", "first"))).is_admin
    made.close()


async def test_everybody_is_the_local_user():
    made = LocalAuthenticator("joe")
    for header in (None, "Basic !!!", basic("ann", "x")):
        user = await made.identify(header)
        assert (user.name, user.is_admin) == ("joe", True)
