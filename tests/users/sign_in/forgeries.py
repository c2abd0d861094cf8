"""Tokens that must not be believed, by what is wrong with each: functions of the issuer that they pretend to be from.

https://www.rfc-editor.org/rfc/rfc8725
"""

from dataclasses import replace

from cryptography.hazmat.primitives.hashes import SHA384, SHA512

from tests.doubles.issuer import HOUR, RsaKey, Secret, base64url, ec_key, rsa_key, write


def sealed(header=None, key=None, **claims):
    """Signed by the issuer's own key, unless by another."""
    return lambda issuer: issuer.token(key=key, header=header, **claims)


def stolen(**header):
    """Signed by a thief, who names in the token where to find the key."""
    thief = rsa_key("thief")
    return lambda issuer: issuer.token(key=replace(thief, kid="rs-1"), header=header)


def none(alg):
    return lambda issuer: write({"alg": alg, "typ": "JWT", "kid": "rs-1"}, issuer.claims(), None)


def by_secret(secret, **header):
    return lambda issuer: issuer.token(key=Secret("rs-1", secret(issuer)), header=header)


def digest(name, digest):
    key = rsa_key("rs-1")

    class Another(RsaKey):
        algorithm = name

        def sign(self, text):
            return super().sign(text, digest)

    return sealed(key=Another(key.kid, key.private))


def mended(change):
    """A true token, changed by who cannot sign."""
    return lambda issuer: ".".join(change(*issuer.token().split(".")))


def deep(opening, depth=1500):
    return opening * depth


def flip(text):
    """Another letter in the middle, where each of its bits counts."""
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]


def sealed_signature(header):
    return write({"alg": "RS256"}, {"sub": header}, rsa_key("rs-1")).rpartition(".")[2]


FORGERIES = {
    **{f"alg {alg!r}": none(alg) for alg in ("none", "None", "NONE", "nOnE", "", None, 0, ["none"])},
    "no alg": sealed({"alg": None}),
    "the public key as a secret": by_secret(lambda issuer: issuer.keys[0].pem()),
    "the public key, stripped": by_secret(lambda issuer: issuer.keys[0].pem().strip()),
    "an empty secret": by_secret(lambda _: b""),
    "a secret, called RS256": by_secret(lambda issuer: issuer.keys[0].pem(), alg="RS256"),
    "another's key of the same name": stolen(),
    "another's key of another name": sealed(key=rsa_key("thief")),
    "another's elliptic key": sealed(key=replace(ec_key("thief"), kid="es-1")),
    "the other kind of key": sealed({"kid": "es-1"}),
    "an elliptic signature under RSA's name": sealed({"kid": "rs-1"}, key=ec_key("es-1")),
    "an elliptic signature called RS256": sealed({"alg": "RS256"}, key=ec_key("es-1")),
    "RS384": digest("RS384", SHA384()),
    "RS512": digest("RS512", SHA512()),
    "PS256 by name": sealed({"alg": "PS256"}),
    "an elliptic signature of zeros": lambda issuer: (
        issuer.token(key=ec_key("es-1")).rpartition(".")[0] + "." + base64url(bytes(64))
    ),
    "another issuer": sealed(iss="https://thief.example/"),
    "an issuer that begins alike": lambda issuer: issuer.token(iss=f"{issuer.url}.thief.example/"),
    "an issuer below": lambda issuer: issuer.token(iss=f"{issuer.url}/other/"),
    "an issuer in a list": lambda issuer: issuer.token(iss=[issuer.name]),
    "another audience": sealed(aud="somebody-else"),
    "another audience in a list": sealed(aud=["somebody-else"]),
    "an empty list of audiences": sealed(aud=[]),
    "part of the audience": sealed(aud="voice"),
    "an audience that is no text": sealed(aud=[["voicechat"], 1, None]),
    "an audience that is an object": sealed(aud={"voicechat": True}),
    **{f"no {name}": sealed(**{name: None}) for name in ("aud", "iss", "exp", "iat", "sub")},
    "issued in the future": sealed(iat=lambda now: now + HOUR),
    "not yet valid": sealed(nbf=lambda now: now + HOUR),
    "an end without end": sealed(exp=b"1e999"),
    "an end at NaN": sealed(exp=b"NaN"),
    "an end in words": sealed(exp="tomorrow"),
    "an end in digits": sealed(exp=lambda now: str(now + HOUR)),
    "an end in a list": sealed(exp=lambda now: [now + HOUR]),
    "an issue time in words": sealed(iat="now"),
    "an issue time in digits": sealed(iat=lambda now: str(now - HOUR)),
    "an issue time without end": sealed(iat=b"-1e999"),
    "a beginning in words": sealed(nbf="now"),
    "a beginning in digits": sealed(nbf=lambda now: str(now - HOUR)),
    "a beginning at NaN": sealed(nbf=b"NaN"),
    "a sub that is a number": sealed(sub=1),
    "an empty sub": sealed(sub=""),
    "a sub with NUL": sealed(sub="auth0|\x00"),
    "a sub that is half a character": sealed(sub=b'"auth0|\\ud800"'),
    "a sub of 300 characters": sealed(sub="s" * 300),
    "a sub in a list": sealed(sub=["auth0|alice@example.com"]),
    "an email in a list": sealed(email=["alice@example.com"]),
    "an email that is an object": sealed(email={"alice@example.com": True}),
    "an email that is a number": sealed(email=7),
    "a critical header": sealed({"crit": ["exp"], "exp": 1}),
    "an unknown critical header": sealed({"crit": ["https://thief.example/x"], "https://thief.example/x": 1}),
    "an unencoded payload": sealed({"b64": False, "crit": ["b64"]}),
    "an unencoded payload, not marked": sealed({"b64": False}),
    "a signature of another token": mended(lambda header, payload, _: (header, payload, sealed_signature(header))),
    "one changed byte": mended(lambda header, payload, end: (header, payload, flip(end))),
    "a changed payload": mended(lambda header, payload, end: (header, flip(payload), end)),
    "a payload of one's own": mended(lambda header, _, end: (header, base64url(b'{"sub":"x"}'), end)),
    "cut short": mended(lambda header, payload, end: (header, payload, end[:-20])),
    "without a signature": mended(lambda header, payload, _: (header, payload, "")),
    "of two parts": mended(lambda header, payload, _: (header, payload)),
    "of four parts": mended(lambda *parts: (*parts, "x")),
    "of five parts": mended(lambda *parts: (*parts, "x", "y")),
    "of dots": lambda _: "....",
    "a header that is no JSON": lambda issuer: write(b"alg: none", issuer.claims(), None),
    "a header that is a list": lambda issuer: write(["RS256"], issuer.claims(), None),
    "a header that is no UTF-8": lambda issuer: write(b'{"alg":"\xff"}', issuer.claims(), None),
    "a header that is no base64": lambda _: "!!!.e30.e30",
    "a deep header": lambda issuer: write(b'{"alg":"RS256","kid":' + deep(b"["), issuer.claims(), None),
    "a deep closed header": lambda issuer: write(
        b'{"alg":"RS256","kid":' + deep(b"[") + deep(b"]") + b"}", issuer.claims(), None
    ),
    "a header of a long number": lambda issuer: write(b'{"alg":' + b"9" * 5000 + b"}", issuer.claims(), None),
    "a payload that is a list": lambda issuer: write({"alg": "RS256", "kid": "rs-1"}, ["x"], issuer.keys[0]),
    "a payload that is no JSON": lambda issuer: write({"alg": "RS256", "kid": "rs-1"}, b"sub", issuer.keys[0]),
    "a kid that is a path": sealed({"kid": "../../../../dev/null"}),
    "a kid that is SQL": sealed({"kid": "' OR 1=1 --"}),
    "a kid that is a number": sealed({"kid": 1}),
    "a kid that is a list": sealed({"kid": ["rs-1"]}),
    "a kid that is an object": sealed({"kid": {"rs-1": 1}}),
    "a kid with NUL": sealed({"kid": "rs-1\x00"}),
    "letters beyond ASCII": lambda _: "é.ü.ß",
    "empty": lambda _: "",
    "one word": lambda _: "hello",
    "8,000 characters": lambda _: "a" * 8000,
    "8,000 characters with dots": lambda _: ".".join(["a" * 2700] * 3),
    "two tokens": lambda issuer: f"{issuer.token()} {issuer.token()}",
    "two tokens and a comma": lambda issuer: f"{issuer.token()}, Bearer {issuer.token()}",
}
