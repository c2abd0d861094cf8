"""The development secret: made once, kept in an ignored file, shared by workers and commands."""

import contextlib
import os
import secrets
from pathlib import Path


def development_secret(path: Path) -> str:
    """The secret in `path`; made first where it is missing, by exactly one of several starting processes."""
    with contextlib.suppress(FileExistsError):
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        try:
            os.link(fresh, path)  # atomic: a reader never sees half a secret, and the first one stays
        finally:
            fresh.unlink()
    return path.read_text()
