"""Images at Cloudinary. https://cloudinary.com/documentation/image_upload_api_reference"""

import logging
import re
from io import BytesIO

import cloudinary.uploader
from cloudinary.exceptions import Error, NotFound
from urllib3.util import Retry

from core.deadline import time_left
from core.picture_addresses import is_picture_address
from uploads.storage import StorageUnavailable

logger = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds; the SDK's own default is none

# The SDK has no setting for it: by itself it would try four times, and send the picture wherever a redirect leads.
cloudinary.uploader._http.connection_pool_kw["retries"] = Retry(1, redirect=0)


class CloudinaryStorage:
    name = "Cloudinary"

    def __init__(
        self, *, cloudinary_api_key: str, cloudinary_api_name: str, cloudinary_api_secret: str, api_base: str = ""
    ) -> None:
        self.options = {
            "cloud_name": cloudinary_api_name,
            "api_key": cloudinary_api_key,
            "api_secret": cloudinary_api_secret,
            **({"upload_prefix": api_base} if api_base else {}),
        }

    def save(self, content: bytes, *, extension: str) -> str:
        """The bytes go as a stream: the SDK would take a text for a path, or for an address to fetch."""
        try:
            answer = cloudinary.uploader.upload(
                BytesIO(content), filename=f"avatar.{extension}", timeout=time_left(TIMEOUT), **self.options
            )
            if not is_picture_address(address := str(answer["secure_url"])):
                raise ValueError("Cloudinary's answer names no address for an image.")
            return address
        except (Error, KeyError, TimeoutError, ValueError) as error:
            logger.warning("Cloudinary failed: %s", type(error).__name__)
            raise StorageUnavailable from error

    def name_of(self, address: str) -> str | None:
        """https://cloudinary.com/documentation/image_transformations#transformation_url_structure"""
        found = re.fullmatch(r"https://.+?/image/upload/(?:v[0-9]+/)?(.+)\.[a-z]+", address)
        return found and found[1]

    def delete(self, name: str) -> None:
        """From the copies that are nearer to people as well.

        https://cloudinary.com/documentation/image_upload_api_reference#destroy
        """
        try:
            answer = cloudinary.uploader.destroy(name, invalidate=True, timeout=time_left(TIMEOUT), **self.options)
        except NotFound:
            return
        except (Error, TimeoutError) as error:
            logger.warning("Cloudinary failed: %s", type(error).__name__)
            raise StorageUnavailable from error
        if answer.get("result") not in ("ok", "not found"):
            raise StorageUnavailable
