"""Notifications without an account: they are kept, and shown in the admin."""

from collections.abc import Sequence

from groups.models import Device, SandboxNotification
from groups.notifications.channels import OwnBindings, Sent


class SandboxNotify(OwnBindings):
    name = "sandbox"
    keeps_bindings = True

    def serves(self, binding_type: str) -> bool:
        return True

    def send(self, *, devices: Sequence[Device], body: str, group_id: int | None) -> Sent:
        identities = sorted({device.identity for device in devices})
        sent = SandboxNotification.objects.create(identities=identities, body=body, group_id=group_id)
        return Sent(f"NT{sent.pk:032x}")
