"""A key of this server's own, by which browsers' push services know it. https://www.rfc-editor.org/rfc/rfc8292"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.core.management.base import BaseCommand

from core.base64url import encoded
from core.p256 import number_of, point


class Command(BaseCommand):
    help = "Prints a new VAPID_PRIVATE_KEY for Web Push, and the public key that the page subscribes with."

    def handle(self, *args: Any, **options: Any) -> None:
        key = generate_private_key(SECP256R1())
        self.stdout.write(f"VAPID_PRIVATE_KEY={number_of(key)}")
        self.stdout.write("# The page gives this one to pushManager.subscribe, as its applicationServerKey:")
        self.stdout.write(f"# {encoded(point(key.public_key()))}")
        self.stderr.write("Whoever has subscribed with another key must subscribe anew: keep this one.")
