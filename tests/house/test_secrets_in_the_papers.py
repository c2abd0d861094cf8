"""Whoever must rotate a secret finds how in `docs/security.md`."""

import re

import pytest

from tests.house.starting import ROOT

NO_SECRETS = {"SECRET_KEY_FALLBACKS", "AUTH_TOKEN_SECONDARY", "API_KEY", "CLOUDINARY_API_KEY", "APNS_KEY_ID"}
"""Names of keys, and those of before."""
VARIABLES = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
SECRETS = [
    name
    for name in VARIABLES
    if re.search("KEY|SECRET|TOKEN|PASSWORD|CREDENTIALS|DSN|SK_TEST|DATABASE_URL|REDIS_URL", name)
    and not name.startswith("THROTTLE_")
    and name not in NO_SECRETS
]


@pytest.mark.parametrize("name", SECRETS)
def test_how_each_is_rotated_is_written(name):
    (row,) = re.findall(
        rf"^\| `{name}`[^|]*\|[^|]*\|[^|]*\|([^|]*)\|$", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE
    )
    assert len(row.split()) > 2
