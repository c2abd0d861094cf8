"""Does what a Dockerfile of ours says, step by step, in folders: each stage is a copy of a base, and a root of its own.

It knows the instructions that ours has, in the forms that ours has, and ends at any other.
https://docs.docker.com/reference/dockerfile/
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bench.database import ROOT

PLAIN = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Stage:
    root: Path
    base: str
    environment: dict[str, str] = field(default_factory=lambda: dict([PLAIN.split("=", 1)]))
    folder: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def place(self, path: str) -> Path:
        """A path inside, as one of this machine."""
        return self.root / str(PurePosixPath(self.folder) / path).lstrip("/")


def instructions(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def build(text: str, base: Path, folder: Path, fetching: dict[str, str]) -> Stage:
    """The last stage. `fetching` is what the RUN steps have in their environment beside the image's own."""
    stages: dict[str, Stage] = {}
    stage = Stage(folder, "")
    for word, rest in instructions(text):
        print(f"{word} {rest}", flush=True)
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            stage = stages[name] = Stage(folder / (name or "image"), image)
            subprocess.run(["cp", "-a", str(base), str(stage.root)], check=True)
        else:
            STEPS[word](stage, rest, stages, fetching)
    return stage


def work_in(stage: Stage, rest: str, *_: object) -> None:
    stage.folder = rest
    stage.place(rest).mkdir(parents=True, exist_ok=True)


def run(stage: Stage, rest: str, stages: object, fetching: dict[str, str]) -> None:
    inside = [
        "env",
        "-i",
        *pairs({**fetching, **stage.environment}),
        "sh",
        "-c",
        f"cd {shlex.quote(stage.folder)} && {rest}",
    ]
    subprocess.run(["chroot", f"--userspec={stage.user}", str(stage.root), *inside], check=True)


def copy(stage: Stage, rest: str, stages: dict[str, Stage], *_: object) -> None:
    options, *words = shlex.split(rest) if rest.startswith("--") else ["", *shlex.split(rest)]
    source, target = words
    if options:
        origin = stages[options.removeprefix("--from=")].place(source)
        subprocess.run(["cp", "-a", str(origin), str(stage.place(target))], check=True)
    elif source == ".":
        for name in sent():
            there = stage.place(target) / name
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, there)
    else:
        shutil.copy2(ROOT / source, stage.place(target))


def sent() -> list[str]:
    """The files of this tree that `.dockerignore` lets into the image."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    let_in = [line[1:] for line in patterns if line[0] == "!"]
    left_out = [line.removeprefix("**/") for line in patterns if line.startswith("**/")]
    found = []
    for name in let_in:
        place = ROOT / name
        inside = [place] if place.is_file() else [each for each in place.rglob("*") if each.is_file()]
        found += [str(each.relative_to(ROOT)) for each in inside if not matches(each.relative_to(ROOT), left_out)]
    return found


def matches(path: Path, patterns: list[str]) -> bool:
    return any(PurePosixPath(part).match(pattern) for part in path.parts for pattern in patterns)


def set_environment(stage: Stage, rest: str, *_: object) -> None:
    for pair in shlex.split(rest):
        name, _, value = pair.partition("=")
        stage.environment[name] = value.replace("$PATH", stage.environment["PATH"])


def set_user(stage: Stage, rest: str, *_: object) -> None:
    stage.user = rest


def set_command(stage: Stage, rest: str, *_: object) -> None:
    stage.command = json.loads(rest)


def set_health(stage: Stage, rest: str, *_: object) -> None:
    stage.health = json.loads(rest[rest.index("CMD ") + 4 :])


def pairs(environment: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


STEPS = {
    "WORKDIR": work_in,
    "RUN": run,
    "COPY": copy,
    "ENV": set_environment,
    "USER": set_user,
    "EXPOSE": lambda *_: None,
    "HEALTHCHECK": set_health,
    "CMD": set_command,
}


def fetching() -> dict[str, str]:
    """How this machine's pip reaches what it installs: that is the machine's, and no part of the image."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
