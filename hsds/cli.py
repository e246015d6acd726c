"""The command ``hsds``: what was asked for, read from the command line, and how it ends.

Flags are taken with hyphens or underscores. Every key of ``Settings`` is a flag; those that people need are
in ``--help`` under a short name, with HSDS's spellings as further names.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import hsds
from hsds import admin, kubesecrets, status
from hsds.config import Settings
from hsds.configsources import DEAD_KEYS, Loaded, closest, load_settings
from hsds.errors import AdminError, InvalidSettings
from hsds.memorylimit import Role
from hsds.node import run_node
from hsds.roles import ROLES
from hsds.serve import serve

COMMANDS = ("serve", "sn", "dn", "node", "status", "admin", "secrets")

_FLAGS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "root_dir": (("--root-dir",), "DIR", "keep data in this directory (default: ./hsds-data)"),
    "aws_s3_gateway": (("--s3-endpoint", "--s3-gateway"), "URL", "keep data in S3, at this endpoint"),
    "aws_access_key_id": (("--access-key-id",), "ID", "S3 key; default: as AWS tools find it"),
    "aws_secret_access_key": (("--secret-access-key",), "KEY", "its secret (AWS_SECRET_ACCESS_KEY is safer)"),
    "aws_region": ((), "NAME", "region of the bucket (default: us-east-1)"),
    "bucket_name": (("--bucket",), "NAME", "default bucket (default: hsdstest)"),
    "host": (("--host",), "NAME", "address to listen on (default: 127.0.0.1)"),
    "sn_port": (("--port", "-p"), "N", "port to listen on (default: 5101); 0 for any free one"),
    "socket": (("--socket",), "PATH", "listen on this Unix socket, instead of a port unless one is given"),
    "workers": (("--workers", "--count"), "N", "processes that share the port and the work (default: 1)"),
    "password_file": ((), "FILE", "users, one user:password a line, plain or bcrypt"),
    "groups_file": ((), "FILE", "groups, one group: user user ... a line"),
    "hs_username": ((), "NAME", "one more user, an admin"),
    "hs_password": ((), "TEXT", "its password"),
    "log_level": (("--loglevel",), "LEVEL", "DEBUG, INFO (default), WARNING or ERROR"),
    "log_format": ((), "FORM", "text (default) or json"),
    "logfile": ((), "FILE", "append log lines to this file (default: standard error)"),
}
"""Key -> further names, what its value is called, help. Listed by ``--help`` in this order."""

_DESCRIPTION = """\
HDF5 over HTTP. With nothing but the command, data is kept in ./hsds-data and served at
http://127.0.0.1:5101 to this machine only. Every key of docs/configuration.md is a flag as well.
For a user's home folder on a running service: hsds admin mkhome USER.
The nodes of a cluster are hsds sn, hsds dn and hsds node --roles sn,dn; hsds status shows them all.
"""


class _Parser(argparse.ArgumentParser):
    """Says what was wrong as everything else does: by an exception."""

    def error(self, message: str) -> NoReturn:
        raise InvalidSettings(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0, 2 for what was wrong before anything ran, 1 for a refused task."""
    words = [_hyphens(word) for word in (sys.argv[1:] if argv is None else argv)]
    try:
        if words and not words[0].startswith("-"):
            command, *words = words
            if command not in COMMANDS:
                raise InvalidSettings(f'unknown command "{command}"{closest(command, COMMANDS)}')
            if command == "status":
                return status.run(words, _Parser, sys.stdout)
            if command in ("sn", "dn", "node"):
                roles, words = _roles(command, words)
                run_node(parse(words), roles, os.environ)
                return 0
            if command == "admin":
                print(admin.run(words, _Parser))
                return 0
            if command == "secrets":
                print(kubesecrets.run(words, _Parser, os.environ), end="")
                return 0
        elif not words:
            words = ["--help"]
        serve(parse(words))
    except InvalidSettings as error:
        print(f"hsds: {error}", file=sys.stderr)
        return 2
    except AdminError as error:
        print(f"hsds: {error}", file=sys.stderr)
        return 1
    return 0


def _roles(command: str, words: Sequence[str]) -> tuple[tuple[Role, ...], list[str]]:
    """The roles of ``sn``, ``dn`` and ``node --roles sn,dn``, and the words without those that say so."""
    parser = _Parser(allow_abbrev=False, add_help=False)
    parser.add_argument("--roles", default=command)
    options, rest = parser.parse_known_args(words)
    asked = options.roles.split(",")
    found = tuple(role for role in ROLES if role in asked)
    if not found or len(found) != len(asked) or (command != "node" and found != (command,)):
        raise InvalidSettings(f"{command}: --roles is sn, dn, or sn,dn, and for hsds node only")
    return found, rest


def parse(words: Sequence[str]) -> Loaded:
    """Settings from flags (already with hyphens), the environment, and the files they name."""
    options, rest = _parser().parse_known_args(words)
    flags: dict[str, Any] = dict(vars(options)) | _dead_flags(rest)
    config = flags.pop("config", None) or os.environ.get("CONFIG_DIR")
    if directory := flags.pop("socket_dir", None):
        flags.setdefault("socket", str(Path(directory, "sn_1.sock")))
    if "socket" in flags and "host" not in flags:
        flags.setdefault("sn_port", None)
    return load_settings(
        flags=flags, environ=os.environ, config=Path(config).expanduser() if config else None
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="hsds [serve]",
        description=_DESCRIPTION,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="hsds [serve] [flags]",
    )
    parser.add_argument("--version", action="version", version=f"hsds {hsds.__version__}")
    parser.add_argument(
        "--config",
        "--config-dir",
        metavar="PATH",
        help="a YAML file, or a directory with config.yml, override.yml",
    )
    parser.add_argument("--socket-dir", metavar="DIR", help="listen on DIR/sn_1.sock")
    for key, (names, metavar, text) in _FLAGS.items():
        spellings = dict.fromkeys((*names, _flag(key)))
        parser.add_argument(*spellings, dest=key, metavar=metavar, help=text)
    for key, field in Settings.model_fields.items():
        if key not in _FLAGS:
            switch: dict[str, Any] = {"nargs": "?", "const": True} if field.annotation is bool else {}
            parser.add_argument(_flag(key), dest=key, help=argparse.SUPPRESS, **switch)
    return parser


def _dead_flags(rest: Sequence[str]) -> dict[str, Any]:
    """Flags that HSDS knows and that mean nothing here, with their values; any other word is an error."""
    words = list(rest)
    dead: dict[str, Any] = {}
    while words:
        name, has_value, value = words.pop(0).partition("=")
        key = name.removeprefix("--").replace("-", "_")
        if not name.startswith("--") or key not in DEAD_KEYS:
            known = [_flag(key) for key in Settings.model_fields] + [n for f in _FLAGS.values() for n in f[0]]
            raise InvalidSettings(f'unknown argument "{name}"{closest(name, known)}')
        if not has_value and words and not words[0].startswith("--"):
            value = words.pop(0)
        dead[key] = value
    return dead


def _flag(key: str) -> str:
    return "--" + key.replace("_", "-")


def _hyphens(word: str) -> str:
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value
