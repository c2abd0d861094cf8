"""Makes clients from the OpenAPI document, compiles them, and runs them against a server of this tree.

    python -m bench.clients [the generators to try]

The server stands on a free loopback port with an empty SQLite database, sandboxed vendors and sign-in by its own
tokens. What the generators need is fetched into `.clients` (bench/clients/fetch.py says what); nothing of it is part
of the server. Swift is only made: there is no compiler for it in the registries that the rest comes from.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.clients.fetch import HERE, PROGRAMS, MissingError, java, kotlin, node, python, run
from bench.database import ROOT
from bench.server import gunicorn

MADE = HERE / "made"
DOCUMENT = MADE / "openapi.json"
ANSWERS = MADE / "answers"
STAFF = """
from users.services import sign_up
anna, _ = sign_up(email={!r}, display_name="Anna", avatar=None)
type(anna).objects.filter(pk=anna.pk).update(is_staff=True)
"""
PEOPLE = ("anna@example.com", "ben@example.com")


class Running(NamedTuple):
    """A server with two people: the first is staff."""

    url: str
    tokens: list[str]


def main() -> int:
    wanted = sys.argv[1:] or list(CLIENTS)
    if unknown := set(wanted) - CLIENTS.keys():
        sys.exit(f"Unknown: {', '.join(sorted(unknown))}. There are: {', '.join(CLIENTS)}.")
    shutil.rmtree(MADE, ignore_errors=True)
    ANSWERS.mkdir(parents=True)
    failed = []
    for name in wanted:
        try:
            with serve() as server:
                run([sys.executable, "manage.py", "spectacular", "--format", "openapi-json", "--file", str(DOCUMENT)])
                print(f"{name:20} {CLIENTS[name](name, server)}", flush=True)
        except (MissingError, subprocess.TimeoutExpired) as error:
            failed.append(name)
            print(f"{name:20} FAILED: {error}", flush=True)
    return 1 if failed else 0


@contextmanager
def serve() -> Iterator[Running]:
    with TemporaryDirectory() as folder:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        settings = {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "SIGN_IN": "on", "SECRET_KEY": "only here " * 6}
        environment = {**kept, **settings, "DB_ENV": "testing", "WEB_CONCURRENCY": "1"}
        manage("migrate", "--verbosity", "0", environment=environment)
        tokens = [manage("issue_token", email, environment=environment).split()[-1] for email in PEOPLE]
        manage("shell", "--verbosity", "0", "-c", STAFF.format(PEOPLE[0]), environment=environment)
        with gunicorn("voicechat.wsgi", [], environment, probe="/healthz") as server:
            yield Running(f"http://127.0.0.1:{server.port}", tokens)


def manage(*words: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingError(f"{words[0]}: {done.stderr}")
    return done.stdout


def generate(name: str, *options: str) -> Path:
    folder = MADE / name
    command = [str(python()), "-m", "openapi_generator_cli", "generate", "-i", str(DOCUMENT), "-o", str(folder)]
    if not (python().parent / "openapi-generator-cli").exists():
        raise MissingError("openapi-generator-cli is not in its environment.")
    command[:3] = [str(python().parent / "openapi-generator-cli")]
    run([*command, "-g", name, *options])
    return folder


def in_python(name: str, server: Running) -> str:
    folder = generate(name)
    shutil.copy(PROGRAMS / "scenario.py", folder)
    run([str(python()), "-m", "mypy", "--no-error-summary", "scenario.py"], folder)
    return run([str(python()), "scenario.py", server.url, *server.tokens, str(ANSWERS)], folder).strip()


def in_typescript(name: str, server: Running) -> str:
    options = {"typescript-axios": ("--additional-properties=useSingleRequestParameter=true",)}
    folder = generate(name, *options.get(name, ()))
    shutil.copy(PROGRAMS / "scenario.ts", folder)
    shutil.copy(PROGRAMS / f"{name}.ts", folder / "body.ts")
    return compiled_and_run(folder, server)


def in_openapi_typescript(name: str, server: Running) -> str:
    folder = MADE / name
    folder.mkdir()
    command = node() / "node_modules" / ".bin" / "openapi-typescript"
    run([str(command), str(DOCUMENT), "--output", str(folder / "schema.ts")])
    shutil.copy(PROGRAMS / f"{name}.ts", folder / "scenario.ts")
    return compiled_and_run(folder, server)


def compiled_and_run(folder: Path, server: Running) -> str:
    (folder / "node_modules").symlink_to(node() / "node_modules")
    shutil.copy(PROGRAMS / "tsconfig.json", folder)
    run([str(node() / "node_modules" / ".bin" / "tsc"), "--project", str(folder)])
    return run(["node", "compiled/scenario.js", server.url, *server.tokens], folder).strip()


def in_kotlin(name: str, server: Running) -> str:
    """Its models, with kotlinx.serialization: what they read is what the Python client was answered.

    Its calls need OkHttp, which is only at Maven's: they are made, and not compiled.
    """
    if not list(ANSWERS.iterdir()):
        in_python("python", server)
    folder = generate(name, "--additional-properties=serializationLibrary=kotlinx_serialization")
    client = folder / "src/main/kotlin/org/openapitools/client"
    lib, jars = kotlin()
    adapters = [
        path for path in (client / "infrastructure").glob("*.kt") if path.stem.endswith(("Adapter", "Serializer"))
    ]
    sources = [str(client / "models"), *map(str, adapters), str(PROGRAMS / "decode.kt")]
    stdlib = [lib / "kotlin-stdlib.jar", lib / "kotlin-reflect.jar", *jars]
    path, out = os.pathsep.join(map(str, stdlib)), str(folder / "compiled")
    plugin = f"-Xplugin={lib / 'kotlin-serialization-compiler-plugin.jar'}"
    compiler = [java(), "-cp", f"{lib}/*", "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect"]
    run([*compiler, plugin, "-cp", path, "-d", out, *sources])
    return run([java(), "-cp", f"{out}{os.pathsep}{path}", "DecodeKt", str(ANSWERS)]).strip()


def in_swift(name: str, server: Running) -> str:
    models = list(generate(name).rglob("Models/*.swift"))
    if not models:
        raise MissingError("No models were made.")
    return f"made ({len(models)} models), not compiled: there is no compiler here"


CLIENTS: dict[str, Callable[[str, Running], str]] = {
    "openapi-typescript": in_openapi_typescript,
    "typescript-fetch": in_typescript,
    "typescript-axios": in_typescript,
    "python": in_python,
    "kotlin": in_kotlin,
    "swift6": in_swift,
}

if __name__ == "__main__":
    sys.exit(main())
