"""The sum as Prometheus reads it. https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from core.metrics.counted import Totals
from core.metrics.families import BOUNDS, FAMILIES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text(totals: Totals) -> str:
    """What a process of another release has counted, and this one does not know, is left out."""
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for (name, *values), count in sorted(totals.counts.items(), key=repr):
        if is_known(name, values):
            lines[name].append(f"{name}{labels(name, values)} {count:.17g}")
    for (name, *values), taken in sorted(totals.times.items(), key=repr):
        if is_known(name, values) and len(taken) == len(BOUNDS) + 2:
            lines[name].extend(histogram(name, values, taken))
    told = []
    for name, family in FAMILIES.items():
        if name in lines:
            told += [f"# HELP {name} {family.says}", f"# TYPE {name} {family.kind}", *lines[name]]
    return "\n".join([*told, ""])


def is_known(name: str, values: list[object]) -> bool:
    return name in FAMILIES and len(values) == len(FAMILIES[name].labels)


def histogram(name: str, values: list[object], taken: list[float]) -> Iterator[str]:
    *within, total = taken
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), accumulate(within), strict=True):
        yield f"{name}_bucket{labels(name, values, le=bound)} {count:.17g}"
    yield f"{name}_sum{labels(name, values)} {total:.17g}"
    yield f"{name}_count{labels(name, values)} {sum(within):.17g}"


def labels(name: str, values: list[object], **more: str) -> str:
    named = {**dict(zip(FAMILIES[name].labels, map(str, values), strict=True)), **more}
    written = ",".join(f'{label}="{escaped(value)}"' for label, value in named.items())
    return f"{{{written}}}" if named else ""


def escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
