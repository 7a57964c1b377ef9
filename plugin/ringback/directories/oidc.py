"""A provider of OpenID Connect: the code flow with PKCE, state and nonce.

What the provider says of itself is fetched over TLS, from the issuer alone, and kept for an hour. Whoever comes back
counts only by an ID token that the issuer signed for us and for this errand.
"""

import json
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote_plus, urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout

from ringback.config.addresses import read_https
from ringback.config.logins import Oidc
from ringback.directories import admission_of
from ringback.directories.tokens import Expected, Keys, read_token, trusted_keys
from ringback.ports import Clock
from ringback.ports.directories import Admission, DirectoryAway, DirectoryRefused, Errand, Person

WELL_KNOWN = "/.well-known/openid-configuration"
WITHIN_S = 10.0
KEPT_S = 3600.0
LOOK_AGAIN_S = 60.0
"""How soon keys are fetched anew for a token that none of them signed."""
LARGEST = 512 * 1024

Words = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider says of itself, as far as we need it."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    basic: bool
    """Whether the secret goes into a header; else into the form."""
    names_itself: bool
    """Whether it says with each answer who it is (RFC 9207)."""


class OidcDirectory:
    """Satisfies `ports.directories.SendingDirectory`."""

    def __init__(self, settings: Oidc, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._admission = admission_of("oidc", settings)
        self._session: ClientSession | None = None
        self._provider: tuple[float, Provider] | None = None
        self._keys: tuple[float, Keys] | None = None

    @property
    def admission(self) -> Admission:
        return self._admission

    @property
    def leaves(self) -> bool:
        return self._settings.end_session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, back_to: str) -> Errand:
        provider = await self._described()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back_to,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return Errand(_with_query(provider.authorization, asked), state, nonce, verifier, back_to)

    async def receive(self, errand: Errand, code: str, issuer: str) -> Person:
        provider = await self._described()
        if (issuer or provider.names_itself) and issuer != self._settings.issuer:
            raise DirectoryRefused("the answer names another issuer")
        tokens = await self._exchange(provider, errand, code)
        token, access = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(token, str):
            raise DirectoryRefused("the provider gave no ID token")
        claims = await self._claims(provider, token, errand.nonce, access if isinstance(access, str) else "")
        if isinstance(access, str) and provider.userinfo and self._lacks(claims):
            claims = {**await self._more(provider, access, claims), **claims}
        return self._person(claims)

    async def leaving(self, back_to: str) -> str:
        if not self._settings.end_session:
            return ""
        provider = await self._described()
        asked = {"client_id": self._settings.client_id, "post_logout_redirect_uri": back_to}
        return _with_query(provider.end_session, asked) if provider.end_session else ""

    async def _described(self) -> Provider:
        now = self._clock.monotonic()
        if self._provider is not None and now - self._provider[0] < KEPT_S:
            return self._provider[1]
        found = await self._fetch("GET", self._settings.issuer.rstrip("/") + WELL_KNOWN)
        if found.get("issuer") != self._settings.issuer:
            raise DirectoryAway(f"the provider calls itself {str(found.get('issuer'))[:200]!r}, not login.oidc.issuer")
        provider = _read_provider(found)
        self._provider = (now, provider)
        return provider

    async def _exchange(self, provider: Provider, errand: Errand, code: str) -> Words:
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": errand.back_to,
            "code_verifier": errand.verifier,
        }
        secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
        if secret and provider.basic:
            account = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
            headers = {"Authorization": f"Basic {b64encode(account.encode()).decode()}"}
            return await self._fetch("POST", provider.token, form, headers)
        form |= {"client_id": settings.client_id, **({"client_secret": secret} if secret else {})}
        return await self._fetch("POST", provider.token, form)

    async def _claims(self, provider: Provider, token: str, nonce: str, access: str) -> Words:
        settings = self._settings
        expected = Expected(
            settings.issuer,
            settings.client_id,
            nonce,
            access,
            int(self._clock.now().timestamp()),
            int(settings.leeway.total_seconds()),
        )
        keys = await self._trusted(provider, KEPT_S)
        if not keys.signed(token):
            # the provider may have changed its keys since
            keys = await self._trusted(provider, LOOK_AGAIN_S)
        return read_token(token, keys, expected)

    async def _trusted(self, provider: Provider, at_most_s: float) -> Keys:
        now = self._clock.monotonic()
        if self._keys is None or now - self._keys[0] >= at_most_s:
            self._keys = (now, trusted_keys(await self._fetch("GET", provider.keys)))
        return self._keys[1]

    def _lacks(self, claims: Words) -> bool:
        settings = self._settings
        wanted = (settings.login_claim, settings.name_claim, settings.mail_claim)
        groups = settings.groups_claim if settings.roles or settings.departments else ""
        return any(claim and claim not in claims for claim in (*wanted, groups))

    async def _more(self, provider: Provider, access: str, claims: Words) -> Words:
        found = await self._fetch("GET", provider.userinfo, headers={"Authorization": f"Bearer {access}"})
        if found.get("sub") != claims["sub"]:
            raise DirectoryRefused("the provider answered about somebody else")
        return found

    def _person(self, claims: Words) -> Person:
        settings = self._settings
        mail = _text(claims, settings.mail_claim)
        groups = claims.get(settings.groups_claim) if settings.groups_claim else ()
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        return Person(
            outside=f"oidc:{settings.issuer}|{claims['sub']}",
            login=_text(claims, settings.login_claim) or mail or str(claims["sub"]),
            name=_text(claims, settings.name_claim),
            # an address that nobody checked could be anybody's
            mail=mail if claims.get("email_verified", True) is True else "",
            groups=frozenset(name for name in named if isinstance(name, str)),
        )

    async def _fetch(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Words:
        """A JSON object from the provider. What went wrong is told without what was sent."""
        session = self._open()
        try:
            async with session.request(method, url, data=form, headers=headers, allow_redirects=False) as answer:
                body = await answer.content.read(LARGEST + 1)
                status = answer.status
        except (ClientError, TimeoutError, OSError) as problem:
            raise DirectoryAway(f"{_host(url)} cannot be reached ({type(problem).__name__})") from None
        if status >= 500:
            raise DirectoryAway(f"{_host(url)} answered {status}")
        if status != 200:
            raise DirectoryRefused(f"{_host(url)} answered {status}")
        return _json(body, url)

    def _open(self) -> ClientSession:
        if self._session is None or self._session.closed:
            self._session = ClientSession(timeout=ClientTimeout(total=WITHIN_S), trust_env=False)
        return self._session


def challenge_of(verifier: str) -> str:
    """What the provider keeps of the verifier (RFC 7636, S256)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def _read_provider(found: Words) -> Provider:
    methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Provider(
        authorization=_endpoint(found, "authorization_endpoint"),
        token=_endpoint(found, "token_endpoint"),
        keys=_endpoint(found, "jwks_uri"),
        userinfo=_endpoint(found, "userinfo_endpoint") if found.get("userinfo_endpoint") else "",
        end_session=_endpoint(found, "end_session_endpoint") if found.get("end_session_endpoint") else "",
        basic=isinstance(methods, list) and "client_secret_basic" in methods,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(found: Words, name: str) -> str:
    url = str(found.get(name, ""))
    try:
        return read_https(url.partition("?")[0]) + "".join(url.partition("?")[1:])
    except ValueError as problem:
        raise DirectoryAway(f"the provider has no {name} that can be trusted") from problem


def _json(body: bytes, url: str) -> Words:
    try:
        found = json.loads(body) if len(body) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DirectoryRefused(f"{_host(url)} answered with what is no JSON object")
    return found


def _text(claims: Words, claim: str) -> str:
    value = claims.get(claim, "") if claim else ""
    return value if isinstance(value, str) else ""


def _with_query(url: str, asked: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") >= 2 else "the provider"
