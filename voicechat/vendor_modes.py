"""Which vendor is real, sandboxed or off."""

from typing import Any

from django.conf import settings


def vendor_modes() -> dict[str, str]:
    """{"Twilio": "real", "Stripe": "sandbox", "Cloudinary": "off", "E-mail": "off"}"""
    backends = {
        "Twilio": settings.TELEPHONY,
        "Stripe": settings.PAYMENTS,
        "Cloudinary": settings.STORAGE,
        "E-mail": settings.MAIL,
    }
    return {vendor: mode(backend) for vendor, backend in backends.items()}


def mode(backend: dict[str, Any]) -> str:
    if not backend:
        return "off"
    return "sandbox" if "sandbox" in str(backend["BACKEND"]) else "real"
