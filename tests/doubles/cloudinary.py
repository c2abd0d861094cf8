"""Cloudinary's image upload on the loopback. https://cloudinary.com/documentation/authentication_signatures"""

import hashlib
import re
import time
from typing import Any

from tests.doubles.server import Answer, Double, Refusal, Request

CLOUD = "loopback"
API_KEY = "111111111111111"
API_SECRET = "made up secret"
UNSIGNED = ("api_key", "cloud_name", "file", "resource_type", "signature")
HOUR = 3600


class CloudinaryDouble(Double):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[bytes] = []
        self.names: list[str] = []
        self.destroyed: list[str] = []
        """The public ids of those that were deleted."""
        self.fetched: list[str] = []
        """Addresses that it was asked to fetch, which it never should be."""

    def not_found(self, request: Request) -> Answer:
        return error(404, f"Unknown path {request.path}")

    def server_error(self, request: Request) -> Answer:
        return error(500, "General Error")

    def upload(self, request: Request) -> dict[str, Any]:
        fields, name, content = read_multipart(request)
        check_signature(fields)
        if name is None:
            self.fetched.append(content.decode())
            raise Refusal(error(400, "Resource not found"))
        self.images.append(content)
        self.names.append(name)
        public_id = f"image{len(self.images)}"
        where = f"res.cloudinary.com/{CLOUD}/image/upload/v1/{public_id}.{name.rpartition('.')[2]}"
        return {
            "public_id": public_id,
            "resource_type": "image",
            "type": "upload",
            "bytes": len(content),
            "url": f"http://{where}",
            "secure_url": f"https://{where}",
        }

    def destroy(self, request: Request) -> dict[str, Any]:
        """https://cloudinary.com/documentation/image_upload_api_reference#destroy"""
        fields, _, _ = read_multipart(request)
        check_signature(fields)
        public_id = fields["public_id"]
        there = {f"image{number}" for number in range(1, len(self.images) + 1)} - set(self.destroyed)
        if public_id not in there:
            return {"result": "not found"}
        self.destroyed.append(public_id)
        return {"result": "ok"}

    routes = (
        ("POST", f"/v1_1/{CLOUD}/image/upload", upload),
        ("POST", f"/v1_1/{CLOUD}/image/destroy", destroy),
    )


def read_multipart(request: Request) -> tuple[dict[str, str], str | None, bytes]:
    """The plain fields, and the file's name (None where it came as a plain field) and content."""
    boundary = request.headers.get_boundary("").encode()
    fields: dict[str, str] = {}
    name, content = None, b""
    for part in request.body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").removesuffix(b"\r\n").partition(b"\r\n\r\n")
        field = re.search(r'[; ]name="([^"]*)"', head.decode())[1]
        if field == "file":
            filename = re.search(r'filename="([^"]*)"', head.decode())
            name, content = filename and filename[1], value
        else:
            fields[field] = value.decode()
    return fields, name, content


def check_signature(fields: dict[str, str]) -> None:
    to_sign = "&".join(f"{name}={value}" for name, value in sorted(fields.items()) if name not in UNSIGNED)
    if fields.get("api_key") != API_KEY:
        raise Refusal(error(401, f"Invalid api_key {fields.get('api_key')}"))
    if fields.get("signature") != hashlib.sha1(f"{to_sign}{API_SECRET}".encode()).hexdigest():  # noqa: S324  # theirs
        raise Refusal(error(401, f"Invalid Signature {fields.get('signature')}. String to sign - '{to_sign}'."))
    if abs(time.time() - int(fields["timestamp"])) > HOUR:
        raise Refusal(error(400, "Stale request - reported time is more than 1 hour ago"))


def error(status: int, message: str) -> Answer:
    return Answer(status, {"error": {"message": message}})
