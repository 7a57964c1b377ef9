"""ID tokens: what a provider signed for us, and for one errand."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import new as new_hash
from typing import TYPE_CHECKING

from ringback.ports.directories import DirectoryRefused

if TYPE_CHECKING:
    from joserfc.jwk import KeySet
    from joserfc.jwt import JWTClaimsRegistry

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the holder of a private key makes; never `none`, and no secret that both sides have."""
HASHES = {"256": "sha256", "384": "sha384", "512": "sha512"}
LONGEST = 32 * 1024


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say. `access` is the access token that came with it; times are seconds since 1970."""

    issuer: str
    client_id: str
    nonce: str
    access: str
    now: int
    leeway: int


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys of a provider."""

    found: "KeySet"

    def signed(self, token: str) -> bool:
        """Whether there is a key of the name that the token gives; one that names none may be of any."""
        wanted = header_of(token).get("kid")
        return wanted is None or any(key.kid == wanted for key in self.found.keys)


def trusted_keys(document: Mapping[str, object]) -> Keys:
    """Read a JWKS. Keys for anything but signing are left out."""
    from joserfc.errors import JoseError  # noqa: PLC0415 - the extra may not be installed
    from joserfc.jwk import KeySet  # noqa: PLC0415 - the extra may not be installed

    listed = document.get("keys")
    usable = [key for key in listed if _signs(key)] if isinstance(listed, list) else []
    try:
        return Keys(KeySet.import_key_set({"keys": usable}))
    except (JoseError, ValueError, TypeError, KeyError) as problem:
        raise DirectoryRefused("the provider has no keys that can be read") from problem


def _signs(key: object) -> bool:
    return isinstance(key, dict) and key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP")


def header_of(token: str) -> Mapping[str, object]:
    """The header of a token, not yet trusted."""
    from joserfc.errors import JoseError  # noqa: PLC0415 - the extra may not be installed
    from joserfc.jws import extract_compact  # noqa: PLC0415 - the extra may not be installed

    if len(token) > LONGEST:
        raise DirectoryRefused("the ID token is too long")
    try:
        return extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError) as problem:
        raise DirectoryRefused("the ID token cannot be read") from problem


def read_token(token: str, keys: Keys, expected: Expected) -> Mapping[str, object]:
    """The claims of an ID token. Raises DirectoryRefused for one that is not from there, not for us, or not for now."""
    from joserfc import jwt  # noqa: PLC0415 - the extra may not be installed
    from joserfc.errors import JoseError  # noqa: PLC0415 - the extra may not be installed

    header_of(token)
    try:
        decoded = jwt.decode(token, keys.found, algorithms=list(ALGORITHMS))
        _registry(expected).validate(decoded.claims)
    except (JoseError, ValueError, TypeError, KeyError) as problem:
        raise DirectoryRefused(f"the ID token does not hold ({type(problem).__name__})") from None
    claims = decoded.claims
    _check_audience(claims, expected)
    _check_access(claims, str(decoded.header.get("alg", "")), expected)
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise DirectoryRefused("the ID token names nobody")
    return claims


def _registry(expected: Expected) -> "JWTClaimsRegistry":
    from joserfc.jwt import JWTClaimsRegistry  # noqa: PLC0415 - the extra may not be installed

    return JWTClaimsRegistry(
        now=expected.now,
        leeway=expected.leeway,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": expected.nonce},
    )


def _check_audience(claims: Mapping[str, object], expected: Expected) -> None:
    audience, party = claims["aud"], claims.get("azp")
    several = isinstance(audience, list) and len(audience) > 1
    if (several or party is not None) and party != expected.client_id:
        raise DirectoryRefused("the ID token was made for another program")


def _check_access(claims: Mapping[str, object], algorithm: str, expected: Expected) -> None:
    """The access token must be the one that the ID token came with, where it says so."""
    said = claims.get("at_hash")
    if said is None or not expected.access:
        return
    name = HASHES.get(algorithm[-3:], "sha512")
    digest = new_hash(name, expected.access.encode()).digest()
    half = urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
    if not hmac.compare_digest(str(said).encode(), half.encode()):
        raise DirectoryRefused("the access token is not the one of the ID token")
