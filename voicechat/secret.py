"""The secret that signs sessions and forms: what production takes for one, and development's own, made once, kept in an
ignored file, shared by workers and commands.
"""

import contextlib
import os
import secrets
import zlib
from pathlib import Path

SHORTEST, FEWEST_LETTERS = 32, 10
HOW_TO_MAKE_A_SECRET = (
    f"write {SHORTEST} random characters or more, such as "
    "`python -c 'import secrets; print(secrets.token_urlsafe(48))'` prints."
)
PLACEHOLDERS = ("django-insecure", "changeme", "change-me", "change_me", "your-secret", "your_secret")


def is_unguessable(secret: str) -> bool:
    """As far as its looks tell: long, of many letters, and not one thing again and again."""
    packed = len(zlib.compress(secret.encode()))
    is_varied = len(set(secret)) >= FEWEST_LETTERS and packed >= SHORTEST
    return len(secret) >= SHORTEST and is_varied and not any(word in secret.lower() for word in PLACEHOLDERS)


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
