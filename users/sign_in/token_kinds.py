"""What came in a token's place, told from its shape alone, for who writes the client and reads the answer."""

NO_VALUES = ("undefined", "null", "none", "nil", "nan", "true", "false", "[object object]", "[object promise]")
"""How languages write a variable that holds no token."""
OBJECT = ("ey", "ew")
"""How base64url begins where it holds a JSON object."""

FETCH_FIRST = "Sign in first, wait for the token, and send that."
SEND_JWT = (
    "Send the id token, or an access token that the issuer makes for this server's audience: "
    "a signed JWT, three parts with dots between."
)


def misfit(token: str) -> str | None:
    """A sentence about what this is, where it cannot be a signed JWT; it quotes nothing. None where it can be one.

    https://www.rfc-editor.org/rfc/rfc7519 https://www.rfc-editor.org/rfc/rfc7516#section-9
    """
    parts = token.split(".")
    if not token:
        return f"There is no token behind the word Bearer. {FETCH_FIRST}"
    if token.lower() in NO_VALUES:
        return f"What came in the token's place is the text of a variable that holds none. {FETCH_FIRST}"
    if token[0] in "\"'<{":
        return "The token came with quotes or brackets around it. Send it bare: Authorization: Bearer eyJ…"
    if " " in token or "," in token:
        return "Behind the word Bearer there is more than one token. Send exactly one."
    if len(parts) == 5 and token.startswith(OBJECT):
        return f"This token is encrypted (a JWE, five parts), and cannot be read here. {SEND_JWT}"
    if len(parts) != 3 or not token.startswith(OBJECT):
        return f"This token is no JWT but one that only its issuer can read (opaque), or a part of one. {SEND_JWT}"
    return None
