"""``hsds secrets``: the Secrets that the manifests in ``k8s/`` mount, as manifests to pipe into kubectl.

Nothing is sent anywhere. Passwords leave as bcrypt hashes; AWS keys are taken from files or the environment,
never from flags, which others can see.
"""

from __future__ import annotations

import argparse
import base64
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import bcrypt
import yaml

from hsds.errors import InvalidSettings

AWS_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_KINDS = ("users", "aws", "node")
_HASHED = ("$2a$", "$2b$", "$2y$")
_SHORTEST = 3
_SHORTEST_NODE_SECRET = 16
_BCRYPT_BYTES = 72
"""What bcrypt sees of a password."""
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DESCRIPTION = """\
Print the Secrets of a deployment on Kubernetes: user-password, aws-auth-keys and node-secret.

    hsds secrets --password-file users.txt | kubectl apply -f -

AWS keys are those of --aws-keys, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment. The node
secret is a new one each time: on a cluster that runs, name with --only what is to change.
"""

Parser = Callable[..., argparse.ArgumentParser]


def run(words: Sequence[str], parser: Parser, environ: Mapping[str, str]) -> str:
    """The manifests that the words of the command line ask for. Raises ``InvalidSettings``."""
    options = _parser(parser).parse_args(words)
    if not _NAMESPACE.fullmatch(options.namespace):
        raise InvalidSettings(f'--namespace "{options.namespace}" is no name of a namespace')
    wanted = options.only or _KINDS
    found: dict[str, dict[str, str]] = {}
    if "users" in wanted and (options.password_file or options.only):
        found["user-password"] = {"passwd.txt": hashed(_required(options.password_file, "--password-file"))}
    if "aws" in wanted:
        keys = aws_keys(options.aws_keys, environ)
        if keys:
            found["aws-auth-keys"] = keys
        elif options.only:
            raise InvalidSettings("no AWS keys: give --aws-keys, or set AWS_ACCESS_KEY_ID and its secret")
    if "node" in wanted:
        found["node-secret"] = {"secret": node_secret(options.node_secret_file)}
    return yaml.safe_dump_all(
        (manifest(name, data, options.namespace) for name, data in found.items()), sort_keys=False
    )


def _parser(parser: Parser) -> argparse.ArgumentParser:
    top = parser(
        prog="hsds secrets",
        description=_DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--namespace", default="hsds", metavar="NAME", help="of the deployment (default: hsds)")
    top.add_argument(
        "--password-file", type=Path, metavar="FILE", help="lines of user:password, plain or hashed"
    )
    top.add_argument(
        "--aws-keys", type=Path, metavar="DIR", help=f"directory with files {', '.join(AWS_KEYS[:2])}"
    )
    top.add_argument(
        "--node-secret-file", type=Path, metavar="FILE", help="one or two secrets to keep, one a line"
    )
    top.add_argument("--only", choices=_KINDS, action="append", help="this one; may be given twice")
    return top


def manifest(name: str, data: Mapping[str, str], namespace: str) -> dict[str, object]:
    """A Secret of the Kubernetes API, v1."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "hsds"}},
        "type": "Opaque",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    }


def hashed(path: Path) -> str:
    """A password file with its plain passwords hashed to ``$2b$``. Comments are left out."""
    lines = []
    for number, line in enumerate(_read(path).splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, _, rest = text.partition(":")
        name, password = name.strip(), rest.partition(":")[0].strip()
        if min(len(name), len(password)) < _SHORTEST:
            raise InvalidSettings(
                f"{path} line {number}: expected user:password, each of 3 or more characters"
            )
        lines.append(f"{name}:{password if password.startswith(_HASHED) else _hash(password)}\n")
    if not lines:
        raise InvalidSettings(f"{path} names no users")
    return "".join(lines)


def _hash(password: str) -> str:
    return bcrypt.hashpw(password.encode()[:_BCRYPT_BYTES], bcrypt.gensalt(prefix=b"2b")).decode()


def aws_keys(directory: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The keys by the names of their files; empty where there are none."""
    if directory is not None:
        keys = {name: _read(directory / name).strip() for name in AWS_KEYS if (directory / name).exists()}
    else:
        keys = {name: environ[name.upper()] for name in AWS_KEYS if environ.get(name.upper())}
    if (keys or directory) and not {*AWS_KEYS[:2]} <= set(keys):
        raise InvalidSettings(f"{directory or 'the environment'} holds no {AWS_KEYS[0]} with {AWS_KEYS[1]}")
    return keys


def node_secret(path: Path | None) -> str:
    """A new secret, or those in a file: the first signs requests between nodes, all are believed."""
    if path is None:
        return secrets.token_urlsafe(32) + "\n"
    lines = _read(path).split()
    if not lines or min(map(len, lines)) < _SHORTEST_NODE_SECRET:
        raise InvalidSettings(f"{path}: expected secrets of {_SHORTEST_NODE_SECRET} or more characters")
    return "".join(f"{line}\n" for line in lines)


def _required(path: Path | None, flag: str) -> Path:
    if path is None:
        raise InvalidSettings(f"{flag} is missing")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InvalidSettings(f"{path} cannot be read: {reason}") from error
