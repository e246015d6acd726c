"""Builds the image with buildah, without a daemon or privileges beyond root's, and runs its root directory.

Isolation is chroot, so that it works inside containers too. The base image is a fresh Debian made by
debootstrap, because images of registries may be out of reach.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PROGRAMS = ("buildah", "debootstrap", "unshare", "chroot")
USER = "10001:10001"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def missing() -> str | None:
    """Why no image can be built here; None if it can."""
    if os.geteuid() != 0:
        return "images are built as root only"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"missing {', '.join(absent)}" if absent else None


@dataclass(frozen=True, slots=True)
class Engine:
    """buildah with its storage in a directory of its own."""

    directory: Path

    def __call__(self, *arguments: object) -> str:
        """Run buildah; what it prints."""
        places = ("--root", self.directory / "storage", "--runroot", self.directory / "run")
        return run("buildah", *places, "--storage-driver", "vfs", *arguments)

    def make_base(self) -> str:
        """A Debian with Python, as the local image whose name is returned."""
        container = self("from", "scratch").strip()
        root = self("mount", container).strip()
        run(
            "debootstrap",
            "--variant=minbase",
            "--include=python3,python3-venv,ca-certificates",
            "bookworm",
            root,
        )
        self("commit", "-q", container, "localhost/base")
        self("rm", container)
        return "localhost/base"

    def build(self, base: str) -> str:
        """The image of this checkout; its name."""
        config = self.directory / "pip.conf"
        config.write_text(_pip_config())
        volumes = [f"--volume={config}:/etc/pip.conf:ro"]
        if Path(_BUNDLE).exists():
            volumes.append(f"--volume={_BUNDLE}:{_BUNDLE}:ro")
        self(
            "bud", "--isolation", "chroot", "--build-arg", f"BASE_IMAGE={base}", *volumes,
            "-t", "localhost/hsds", CHECKOUT,
        )  # fmt: skip
        return "localhost/hsds"

    def mount(self, image: str) -> Path:
        """The root directory of a container of the image."""
        return Path(self("mount", self("from", image).strip()).strip())


def _pip_config() -> str:
    """How pip finds packages on this machine, for the pip in the container."""
    lines = ["[global]"]
    for key in ("cert", "index-url", "timeout"):
        said = subprocess.run(
            [sys.executable, "-m", "pip", "config", "get", f"global.{key}"],
            capture_output=True, text=True, check=False,
        ).stdout.strip()  # fmt: skip
        value = os.environ.get(f"PIP_{key.upper().replace('-', '_')}") or said
        if value:
            lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def contained(root: Path, *command: str) -> list[str]:
    """A command line that runs ``command`` as the image's user, the root read-only but for an empty /tmp."""
    script = (
        f"mount --bind {root} {root} && mount -o remount,bind,ro {root} && "
        f"mount -t tmpfs tmpfs {root}/tmp && "
        f"mount -t proc proc {root}/proc && mount --bind /dev {root}/dev && "
        f'exec chroot --userspec={USER} {root} "$@"'
    )
    return ["unshare", "--mount", "sh", "-c", script, "sh", *command]


def run(*command: object) -> str:
    """Run to the end; its standard output. Its errors are in the exception's text."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        tail = (done.stdout + done.stderr)[-3000:]
        raise RuntimeError(f"{command[0]} exited with {done.returncode}: {tail}")
    return done.stdout
