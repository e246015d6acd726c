"""The command line: spellings of flags, what is said of mistakes, and what is not imported."""

import subprocess
import sys
from pathlib import Path

import pytest

import hsds
from hsds import cli
from hsds.configsources import Loaded
from hsds.errors import InvalidSettings


@pytest.fixture
def served(monkeypatch) -> list[Loaded]:
    """What ``serve`` was called with."""
    calls: list[Loaded] = []
    monkeypatch.setattr(cli, "serve", calls.append)
    for name in ("ROOT_DIR", "BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    return calls


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        ("--root-dir X", "root_dir", Path("X")),
        ("--root_dir X", "root_dir", Path("X")),
        ("--root_dir=X", "root_dir", Path("X")),
        ("--bucket b", "bucket_name", "b"),
        ("--bucket_name b", "bucket_name", "b"),
        ("--host ::1", "host", "::1"),
        ("--port 7", "sn_port", 7),
        ("-p 7", "sn_port", 7),
        ("--sn_port 7", "sn_port", 7),
        ("--hs_username joe --hs_password a-b_c", "hs_password", "a-b_c"),
        ("--password_file p", "password_file", Path("p")),
        ("--loglevel debug", "log_level", "DEBUG"),
        ("--log-level DEBUG", "log_level", "DEBUG"),
        ("--logfile l", "logfile", Path("l")),
        ("--s3-endpoint http://s3", "aws_s3_gateway", "http://s3"),
        ("--s3-gateway http://s3", "aws_s3_gateway", "http://s3"),
        ("--aws-access-key-id k", "aws_access_key_id", "k"),
        ("--access-key-id k", "aws_access_key_id", "k"),
        ("--secret-access-key k", "aws_secret_access_key", "k"),
        ("--max-request-size 5m", "max_request_size", 5 << 20),
        ("--max_request_size=5m", "max_request_size", 5 << 20),
        ("--default-public", "default_public", True),
        ("--default_public=false --port 1", "default_public", False),
        ("--socket s", "socket", Path("s")),
        ("--socket s", "sn_port", None),
        ("--socket s --port 8", "sn_port", 8),
        ("--workers 3", "workers", 3),
        ("--count 4", "workers", 4),
        ("--socket_dir d", "socket", Path("d/sn_1.sock")),
    ],
)
def test_spellings(served, words, key, value):
    for command in ([], ["serve"]):
        assert cli.main([*command, *words.split()]) == 0
    assert [getattr(loaded.settings, key) for loaded in served] == [value, value]


def test_config_dir(served, tmp_path):
    (tmp_path / "config.yml").write_text("bucket_name: configured\n")
    for flag in ("--config", "--config_dir", "--config-dir"):
        assert cli.main([flag, str(tmp_path)]) == 0
    assert [loaded.settings.bucket_name for loaded in served] == ["configured"] * 3


def test_dead_flags_are_ignored_and_named(served):
    words = ["serve", "--target-sn-count", "4", "--target_dn_count=2", "--port", "9", "--azure-resource-id"]
    assert cli.main(words) == 0
    assert served[0].settings.sn_port == 9
    assert [line.split()[0] for line in served[0].ignored] == [
        "azure_resource_id",
        "target_dn_count",
        "target_sn_count",
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--root-dri X", 'unknown argument "--root-dri"; did you mean "--root-dir"?'),
        ("serve --pasword_file X", 'unknown argument "--pasword-file"; did you mean "--password-file"?'),
        ("serve more", 'unknown argument "more"'),
        ("serv", 'unknown command "serv"; did you mean "serve"?'),
        ("--port many", "sn_port (command line): Input should be a valid integer"),
        ("--port", "expected one argument"),
        ("--config /nowhere/c.yml", "/nowhere/c.yml cannot be read"),
    ],
)
def test_mistakes_are_one_line_and_status_2(served, capsys, words, reason):
    assert cli.main(words.split()) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.startswith("hsds: ")
    assert said.count("\n") == 1
    assert not served


def test_faults_found_at_start_are_status_2(monkeypatch, capsys):
    def refuse(_: Loaded) -> None:
        raise InvalidSettings("the port is taken")

    monkeypatch.setattr(cli, "serve", refuse)
    assert cli.main(["serve"]) == 2
    assert capsys.readouterr().err == "hsds: the port is taken\n"


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["serve", "--help"], []])
def test_version_and_help(served, capsys, words):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    if words == ["--version"]:
        assert said == f"hsds {hsds.__version__}\n"
    else:
        assert "--root-dir" in said
        assert "--lease-time" not in said


def test_serve_knows_nothing_of_kubernetes():
    code = "import sys, hsds.cli; sys.exit(any('kubernetes' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_python_m():
    done = subprocess.run(
        [sys.executable, "-m", "hsds", "--version"], capture_output=True, text=True, check=False
    )
    assert done.stdout == f"hsds {hsds.__version__}\n"
