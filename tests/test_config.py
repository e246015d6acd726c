"""Settings and their sources: precedence, HSDS's keys, and what is said of mistakes."""

import ast
from pathlib import Path
from typing import Any

import pytest

import hsds
from hsds.config import Settings, parse_size
from hsds.configsources import DEAD_KEYS, load_settings
from hsds.errors import InvalidSettings


def load(
    flags: dict[str, Any] | None = None, environ: dict[str, str] | None = None, config: Path | None = None
) -> Settings:
    return load_settings(flags=flags or {}, environ=environ or {}, config=config).settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yml").write_text("bucket_name: from_config\nmax_request_size: 1m\nlog_level: ERROR\n")
    (tmp_path / "override.yml").write_text("max_request_size: 2m\nlog_level: DEBUG\n")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "size"),
    [("17", 17), ("1k", 1024), ("100m", 100 << 20), ("3G", 3 << 30), (" 2 t ", 2 << 40), (5, 5)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "m", "-1", "1x", "1.5m", "lots"])
def test_no_sizes(text):
    with pytest.raises(ValueError, match="a size is"):
        parse_size(text)


def test_defaults_are_hsds_defaults_or_stricter():
    settings = Settings()
    assert settings.bucket_name == "hsdstest"
    assert settings.sn_port == 5101
    assert settings.max_request_size == 100 << 20
    assert settings.chunk_mem_cache_size == 128 << 20
    assert settings.allowed_buckets == {"hsdstest"}
    assert not settings.allow_any_bucket_read
    assert not settings.allow_any_bucket_write
    assert not settings.has_users


def test_each_source_beats_the_one_below(folder):
    assert load(config=folder).bucket_name == "from_config"
    assert load(config=folder).max_request_size == 2 << 20
    environ = {"MAX_REQUEST_SIZE": "3m", "BUCKET_NAME": "from_environment"}
    assert load(environ=environ, config=folder).max_request_size == 3 << 20
    assert load({"max_request_size": "4m"}, environ, folder).max_request_size == 4 << 20
    assert load({"max_request_size": "4m"}, environ, folder).bucket_name == "from_environment"
    assert load({"max_request_size": "4m"}, environ, folder).log_level == "DEBUG"


def test_a_file_alone_is_read_without_its_neighbour(folder):
    assert load(config=folder / "config.yml").max_request_size == 1 << 20


def test_environment_names_of_hsds():
    settings = load(
        environ={
            "ROOT_DIR": "/data",
            "AWS_S3_GATEWAY": "http://s3:9000",
            "AWS_ACCESS_KEY_ID": "AKIA",
            "PASSWORD_FILE": "/p.txt",
            "GROUPS_FILE": "/g.txt",
            "LOG_LEVEL": "warn",
            "DEFAULT_PUBLIC": "True",
            "TOP_LEVEL_DOMAINS": "/home,/shared",
            "ADMIN_GROUP": "null",
            "HSDS_ENDPOINT": "",
            "HOST": "my-machine",
            "SOMETHING_ELSE": "1",
        }
    )
    assert settings.root_dir == Path("/data")
    assert settings.aws_s3_gateway == "http://s3:9000"
    assert settings.aws_access_key_id == "AKIA"
    assert settings.password_file == Path("/p.txt")
    assert settings.groups_file == Path("/g.txt")
    assert settings.log_level == "WARNING"
    assert settings.default_public
    assert settings.top_level_domains == ("/home", "/shared")
    assert settings.admin_group is None
    assert settings.hsds_endpoint is None
    assert settings.host == "127.0.0.1"


def test_null_means_the_default(tmp_path):
    (tmp_path / "config.yml").write_text(
        "root_dir: null\nmax_request_size: null\ncors_domain: null\naws_access_key_id: xxx\n"
    )
    settings = load(environ={}, config=tmp_path)
    assert settings.root_dir is None
    assert settings.max_request_size == 100 << 20
    assert settings.cors_domain is None
    assert settings.aws_access_key_id is None


def read_of_settings(path):
    """Names of what the code of a file takes of ``settings``, or, in its class, of ``self``."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
                if owner.lstrip("_") == "settings" or (path.name == "config.py" and owner == "self"):
                    yield name


def test_every_setting_is_read_by_something():
    package = Path(hsds.__file__).parent
    read = {name for path in package.rglob("*.py") for name in read_of_settings(path)}
    assert set(Settings.model_fields) - read == set()


def test_dead_keys_are_ignored_and_named(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text("head_port: 5100\nazure_connection_string: null\nsn_ram: 3g\n")
    loaded = load_settings(flags={"head_ram": "4"}, environ={"TARGET_DN_COUNT": "2"}, config=path)
    assert loaded.settings == Settings()
    assert loaded.ignored == (
        f"azure_connection_string ({path})",
        f"head_port ({path})",
        "head_ram (command line)",
        f"sn_ram ({path})",
        "target_dn_count (environment)",
    )


def test_a_key_is_alive_or_dead():
    assert not DEAD_KEYS & Settings.model_fields.keys()


def test_storage_of_the_command_line_beats_the_environment():
    environ = {"ROOT_DIR": "/data"}
    assert load({"aws_s3_gateway": "http://s3:9000"}, environ).root_dir is None
    with pytest.raises(InvalidSettings, match="--root-dir and --s3-endpoint exclude each other"):
        load({"aws_s3_gateway": "http://s3:9000", "root_dir": "x"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bucket_nme: x", r'config.yml: unknown key "bucket_nme"; did you mean "bucket_name"\?'),
        ("qqqqqqq: x", r'config.yml: unknown key "qqqqqqq"$'),
        ("max_request_size: lots", r"max_request_size \(.*config.yml\): a size is"),
        ("sn_port: 70000", r"sn_port \(.*config.yml\): Input should be less than or equal to 65535"),
        ("durability: maybe", r"durability \(.*\): Input should be 'stored' or 'flush'"),
        ("- a\n- b", "must hold keys with values"),
        ("a: [", "config.yml is not YAML"),
        ("azure_connection_string: here", "Azure storage is not supported"),
        ("aws_dynamodb_gateway: here", "users in DynamoDB are not supported"),
        ("hs_username: joe", "hs_username and hs_password are given together"),
        ("min_chunk_size: 8m", "min_chunk_size is larger than max_chunk_size"),
    ],
)
def test_mistakes_are_named_in_one_line(tmp_path, text, reason):
    (tmp_path / "config.yml").write_text(text + "\n")
    with pytest.raises(InvalidSettings, match=reason) as caught:
        load(config=tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InvalidSettings, match=r"none.yml cannot be read: No such file"):
        load(config=tmp_path / "none.yml")
    with pytest.raises(InvalidSettings, match=r"holds neither config.yml nor override.yml"):
        load(config=tmp_path)


def test_secrets_are_not_shown():
    with pytest.raises(InvalidSettings) as caught:
        load({"aws_secret_access_key": ["sesame"]})
    assert "sesame" not in str(caught.value)
    assert "sesame" not in repr(
        Settings(aws_secret_access_key="sesame", hs_password="sesame", password_salt="sesame")
    )
