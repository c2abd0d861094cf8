"""docs/errors.md's table of codes, made of `REFUSALS`."""

from itertools import groupby

from voicechat.api_docs.refusal import Refusal, Where
from voicechat.api_docs.refusals import REFUSALS

HEAD = "| code | where | what it says, as an example | what a client does then |\n|---|---|---|---|"


def as_markdown() -> str:
    """A table for each status."""
    by_status = groupby(sorted(REFUSALS, key=lambda each: each.status), key=lambda each: each.status)
    return "\n\n".join("\n".join([f"## {status}\n", HEAD, *map(row, refusals)]) for status, refusals in by_status)


def row(refusal: Refusal) -> str:
    where = ", ".join(each.value if isinstance(each, Where) else f"`{each}`" for each in refusal.at)
    return f"| `{refusal.code}` | {where} | {refusal.says} | {refusal.do} |"
