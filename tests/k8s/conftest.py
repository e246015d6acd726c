"""What the tests of the manifests need: kubectl, and the schemas of an API server."""

import shutil

import pytest

from tests.k8s.rendering import KUBECTL, combinations, render
from tests.k8s.schema import FOLDER
from tests.tools.kubeaccount import Authority


@pytest.fixture(params=combinations(), ids=lambda pair: "+".join((pair[0], *pair[1])))
def objects(request: pytest.FixtureRequest) -> tuple[dict, ...]:
    """All objects of an overlay, with no, one and all components."""
    if KUBECTL is None:
        pytest.skip("no kubectl on this machine")
    return render(*request.param)


@pytest.fixture
def schemas() -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"no OpenAPI documents: HSDS_TEST_KUBE is not set, and there is no {FOLDER}")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of an API server."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed")
    return Authority(tmp_path_factory.mktemp("authority"))
