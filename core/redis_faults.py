"""Why Redis is not reached, in words that may be logged: its library wraps what happened, and quotes hosts."""

import errno
import os
import ssl


def why(error: BaseException) -> str:
    """Such as "ConnectionError: its certificate is not accepted, self-signed certificate"."""
    name = type(error).__name__
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"{name}: its certificate is not accepted, {inner.verify_message.partition(',')[0]}"
        if isinstance(inner, ssl.SSLError):
            return f"{name}: TLS fails, {inner.reason or 'for no known reason'}"
        if isinstance(inner, OSError) and inner.errno is not None and inner.errno in errno.errorcode:
            return f"{name}: {os.strerror(inner.errno)}"
        inner = inner.__cause__ or inner.__context__
    return name
