"""The set-up is read from the environment once, and its secrets are not shown."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from server.kit.config import ConfigError, default_data_dir, load_config, make_data_dir


def test_nothing_set_means_a_file_in_the_users_data_directory(home: Path) -> None:
    config = load_config(environ={})
    assert config.data_dir == default_data_dir()
    assert home in config.data_dir.parents
    assert config.is_file
    assert config.variables == {}
    assert (config.secret_key, config.secret_key_file, config.credentials_dir) == (None, None, None)
    assert config.allowed_hosts == ()


def test_everything_is_read(tmp_path: Path) -> None:
    config = load_config(
        environ={
            "SHOPBELL_DATA": str(tmp_path),
            "SHOPBELL_DATABASE_URL": "postgresql://shop:very-secret@db/shop",
            "SHOPBELL_STRIPE_WEBHOOK_SECRETS": "whsec_new, whsec_old,",
            "SHOPBELL_MAIL_ADAPTER": "",
            "HOME": "/somewhere",
            "SHOPBELL_SECRET_KEY": "00ff" * 16,
            "SHOPBELL_SECRET_KEY_FILE": str(tmp_path / "key"),
            "CREDENTIALS_DIRECTORY": str(tmp_path),
            "SHOPBELL_ALLOWED_HOSTS": "Shop.example.com,shop.example.com:8443,[::1]:9000",
        }
    )
    assert config.data_dir == tmp_path
    assert not config.is_file
    assert config.variables["SHOPBELL_STRIPE_WEBHOOK_SECRETS"] == "whsec_new, whsec_old,"
    assert config.allowed_hosts == ("shop.example.com", "shop.example.com:8443", "[::1]:9000")
    assert not {"SHOPBELL_MAIL_ADAPTER", "HOME"} & config.variables.keys()
    assert config.secret_key == "00ff" * 16
    assert (config.secret_key_file, config.credentials_dir) == (tmp_path / "key", tmp_path)
    assert "secret" not in repr(config).replace("secret_key_file", "")
    assert "00ff" not in repr(config)
    assert "whsec" not in repr(config)


def test_the_command_line_goes_before_the_environment(tmp_path: Path) -> None:
    config = load_config(tmp_path / "given", environ={"SHOPBELL_DATA": str(tmp_path / "other")})
    assert config.data_dir == tmp_path / "given"


@pytest.mark.parametrize(
    "hosts", ["https://shop.example.com", "shop.example.com/path", "*", "a b", "shop..,:80"]
)
def test_what_is_no_host_is_refused(hosts: str) -> None:
    with pytest.raises(ConfigError, match="no host name"):
        load_config(environ={"SHOPBELL_ALLOWED_HOSTS": hosts})


def test_the_data_directory_is_private_and_so_is_what_is_made_in_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_data_dir(tmp_path / "a" / "shop")
        (tmp_path / "a" / "shop" / "file").touch()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a" / "shop").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "shop" / "file").stat().st_mode) == 0o600


def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = os.umask(0o077)
    try:
        with pytest.raises(ConfigError, match="cannot be made: Not a directory"):
            make_data_dir(tmp_path / "file" / "shop")
    finally:
        os.umask(before)
