"""How much memory is there: a container's limit is not the machine's. https://docs.kernel.org/admin-guide/cgroup-v2.html"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/")
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = ("memory.max", "memory.current", "inactive_file")


def free_memory(root: Path = ROOT) -> int | None:
    """Bytes that may still be taken, by the tightest of the groups around this process and by the machine.

    None where nothing tells. What the kernel only caches counts as free.
    """
    told = [*groups(root), machine(root)]
    return min((free for free in told if free is not None), default=None)


def groups(root: Path) -> Iterator[int | None]:
    lines = text(root / "proc/self/cgroup").splitlines()
    for controllers, path in (line.split(":", 2)[1:] for line in lines if line.count(":") >= 2):
        if controllers == "":
            yield from chain(root / "sys/fs/cgroup", path, V2)
        elif "memory" in controllers.split(","):
            yield from chain(root / "sys/fs/cgroup/memory", path, V1)


def chain(mount: Path, path: str, names: tuple[str, str, str]) -> Iterator[int | None]:
    """The group and all above it. In a container its own path may not be there, but the mount is then its group."""
    inner = PurePosixPath(path.lstrip("/"))
    for folder in (inner, *inner.parents):
        yield left_in(mount / folder, *names)


def left_in(folder: Path, limit: str, usage: str, cached: str) -> int | None:
    most, used = text(folder / limit).strip(), text(folder / usage).strip()
    if not (most.isdigit() and used.isdigit()):
        return None
    return int(most) - int(used) + named(text(folder / "memory.stat"), cached, default=0)


def machine(root: Path) -> int | None:
    kibibytes = named(text(root / "proc/meminfo"), "MemAvailable:", default=-1)
    return None if kibibytes < 0 else 1024 * kibibytes


def named(table: str, name: str, *, default: int) -> int:
    """The number behind a name, in one of the kernel's tables."""
    rows = (line.split() for line in table.splitlines())
    return next((int(row[1]) for row in rows if len(row) > 1 and row[0] == name), default)


def text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
