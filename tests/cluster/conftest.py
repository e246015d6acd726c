"""What the tests of clusters share."""

import shutil

import pytest

from tests.tools.kubeaccount import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """The authority of an API server."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed")
    return Authority(tmp_path_factory.mktemp("authority"))
