"""Notifications without an account: they are kept, and shown in the admin."""

from collections.abc import Sequence

from groups.models import Device, SandboxNotification
from groups.notifications.channels import Binding, Sent, own_binding


class SandboxNotify:
    name = "sandbox"
    keeps_bindings = True

    def serves(self, binding_type: str) -> bool:
        return True

    def register_binding(
        self, *, identity: str, address: str, binding_type: str, endpoint: str, tags: Sequence[str]
    ) -> Binding:
        return own_binding(binding_type, address, endpoint)

    def has_binding(self, *, sid: str) -> bool:
        return True

    def delete_binding(self, *, sid: str) -> None:
        """Nothing is kept of a binding but our own row."""

    def send(self, *, devices: Sequence[Device], body: str, group_id: int) -> Sent:
        identities = sorted({device.identity for device in devices})
        sent = SandboxNotification.objects.create(identities=identities, body=body, group_id=group_id)
        return Sent(f"NT{sent.pk:032x}")
