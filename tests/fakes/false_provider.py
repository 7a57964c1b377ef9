"""A provider of OpenID Connect that lies as a test tells it to. It checks what a provider should: PKCE, once a code."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT = "ringback"


@dataclass
class FalseProvider:
    """`claims` and `header` change the ID token, `about` what it says of itself; `key` signs."""

    issuer: str = ""
    claims: dict[str, object] = field(default_factory=dict)
    header: dict[str, object] = field(default_factory=dict)
    about: dict[str, object] = field(default_factory=dict)
    userinfo: dict[str, object] = field(default_factory=dict)
    shown: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    key: object = None
    status: int = 200
    token: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    now: int = 0

    def authorize(self, query: dict[str, str]) -> str:
        """What a person's browser gets at the provider: a code for this question."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return code

    async def described(self, _: web.Request) -> web.Response:
        self.fetched.append("described")
        names = {
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/end",
        }
        return web.json_response({"issuer": self.issuer, **names, **self.about})

    async def keys(self, _: web.Request) -> web.Response:
        self.fetched.append("keys")
        return web.json_response({"keys": [self.shown.as_dict(private=False)]})

    async def exchange(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.asked.append(form | {"authorization": request.headers.get("Authorization", "")})
        if self.status != 200:
            return web.Response(status=self.status, headers={"Location": f"{self.issuer}/jwks"})
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if asked is None or challenge.decode() != asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = self.token or self.signed(asked["nonce"])
        return web.json_response({"access_token": "access", "token_type": "Bearer", "id_token": token})

    def signed(self, nonce: str) -> str:
        now = self.now or int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT, "sub": "u-1", "nonce": nonce, "iat": now, "exp": now + 300}
        said |= {"preferred_username": "ana", "name": "Ana", "email": "ana@example.com", "groups": ["staff"]}
        said = {name: value for name, value in (said | self.claims).items() if value is not None}
        header = {"alg": "RS256", "kid": "one"} | self.header
        return jwt.encode(header, said, self.key or self.shown, algorithms=["RS256", "HS256"])

    async def more(self, _: web.Request) -> web.Response:
        self.fetched.append("userinfo")
        return web.json_response(self.userinfo)


def secret_of(text: str) -> OctKey:
    return OctKey.import_key(text)


@asynccontextmanager
async def false_provider() -> AsyncIterator[FalseProvider]:
    made = FalseProvider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.described)
    app.router.add_get("/jwks", made.keys)
    app.router.add_post("/token", made.exchange)
    app.router.add_get("/userinfo", made.more)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
