"""Logins by OpenID Connect: with a real provider, and with one that lies."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from aiohttp import ClientSession
from joserfc.jwk import RSAKey

from ringback.config.logins import Oidc
from ringback.directories.oidc import OidcDirectory, challenge_of
from ringback.ports.directories import DirectoryAway, DirectoryRefused, Errand, Person
from tests.fakes.false_provider import CLIENT, FalseProvider, false_provider, secret_of
from tests.fakes.hand_clock import HandClock
from tests.fakes.provider import ANA, BEN, provider

BACK = "https://texts.example.com/login/oidc/back"


@pytest.fixture
async def lying(clock: HandClock):
    async with false_provider() as found:
        found.now = int(clock.now().timestamp())
        yield found


@pytest.fixture
async def directory(lying: FalseProvider, clock: HandClock):
    made = open_directory(lying.issuer, clock)
    yield made
    await made.close()


def open_directory(issuer: str, clock, **more: object) -> OidcDirectory:
    told = {"issuer": issuer, "client_id": CLIENT, "client_secret": "client-secret-of-ringback", **more}
    return OidcDirectory(Oidc.model_validate(told), clock)


async def errand_and_code(directory: OidcDirectory, lying: FalseProvider) -> tuple[Errand, str]:
    errand = await directory.send(BACK)
    return errand, lying.authorize(dict(parse_qsl(urlsplit(errand.url).query)))


class RealClock:
    """What the real provider signs is of now."""

    def now(self):
        from ringback.clock import SystemClock

        return SystemClock().now()

    def monotonic(self) -> float:
        return 0.0


async def test_a_real_provider_says_who_came_back(tmp_path: Path):
    with provider(tmp_path / "log", ANA, BEN) as issuer:
        directory = open_directory(issuer, RealClock(), end_session=True, roles={"administrator": ["ringback-admins"]})
        errand = await directory.send("http://127.0.0.1:8080/login/oidc/back")
        async with ClientSession() as browser:
            answer = await browser.post(errand.url, data={"sub": "u-1"}, allow_redirects=False)
            back = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert back["state"] == [errand.state]
        person = await directory.receive(errand, back["code"][0], back.get("iss", [""])[0])
        groups = frozenset({"staff", "ringback-admins"})
        assert person == Person(f"oidc:{issuer}|u-1", "ana", "Ana Kovačević", "ana@example.com", groups)
        with pytest.raises(DirectoryRefused):
            await directory.receive(errand, back["code"][0], "")
        assert (await directory.leaving("http://127.0.0.1:8080/login")).startswith(f"{issuer}/")
        await directory.close()


def test_the_challenge_is_the_one_of_the_standard():
    # RFC 7636, appendix B
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_a_browser_is_sent_with_a_question_of_its_own(directory: OidcDirectory):
    one, other = await directory.send(BACK), await directory.send(BACK)
    asked = dict(parse_qsl(urlsplit(one.url).query))
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": BACK,
        "scope": "openid profile email",
        "state": one.state,
        "nonce": one.nonce,
        "code_challenge": challenge_of(one.verifier),
        "code_challenge_method": "S256",
    }
    assert not {one.state, one.nonce, one.verifier} & {other.state, other.nonce, other.verifier}


async def test_whoever_comes_back_is_known(directory: OidcDirectory, lying: FalseProvider):
    person = await directory.receive(*await errand_and_code(directory, lying), "")
    assert (person.outside, person.login) == (f"oidc:{lying.issuer}|u-1", "ana")
    assert lying.asked[0]["authorization"].startswith("Basic ")
    assert "client-secret-of-ringback" not in str(lying.asked)


async def test_a_code_is_of_no_use_without_the_verifier(directory: OidcDirectory, lying: FalseProvider):
    _, code = await errand_and_code(directory, lying)
    mine, _ = await errand_and_code(directory, lying)
    with pytest.raises(DirectoryRefused):
        await directory.receive(mine, code, "")


LIES = [
    pytest.param({"iss": "https://elsewhere.example"}, id="of another issuer"),
    pytest.param({"aud": "another"}, id="for another program"),
    pytest.param({"aud": [CLIENT, "another"]}, id="for two programs, without saying which asked"),
    pytest.param({"aud": [CLIENT, "another"], "azp": "another"}, id="asked for by another program"),
    pytest.param({"nonce": "another"}, id="for another errand"),
    pytest.param({"nonce": None}, id="for no errand"),
    pytest.param({"exp": 1}, id="that ran out"),
    pytest.param({"exp": None}, id="that never runs out"),
    pytest.param({"iat": None}, id="of no time"),
    pytest.param({"sub": None}, id="about nobody"),
    pytest.param({"sub": ""}, id="about nobody by name"),
    pytest.param({"sub": 7}, id="about a number"),
    pytest.param({"at_hash": "AAAA"}, id="with another access token"),
]


@pytest.mark.parametrize("claims", LIES)
async def test_a_token_that_is_not_for_this_is_refused(
    directory: OidcDirectory, lying: FalseProvider, claims: dict[str, object]
):
    lying.claims = claims
    with pytest.raises(DirectoryRefused):
        await directory.receive(*await errand_and_code(directory, lying), "")


async def test_a_token_signed_by_another_key_is_refused(directory: OidcDirectory, lying: FalseProvider):
    lying.key = RSAKey.generate_key(2048, {"kid": "one"})
    with pytest.raises(DirectoryRefused):
        await directory.receive(*await errand_and_code(directory, lying), "")


async def test_a_token_signed_with_what_both_know_is_refused(directory: OidcDirectory, lying: FalseProvider):
    lying.key, lying.header = secret_of("client-secret-of-ringback"), {"alg": "HS256"}
    with pytest.raises(DirectoryRefused):
        await directory.receive(*await errand_and_code(directory, lying), "")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LTEifQ.", id="that nobody signed"),
        pytest.param("x", id="that is none"),
        pytest.param("a.b.c", id="of no letters that fit"),
        pytest.param("a" * 50_000, id="that is far too long"),
    ],
)
async def test_a_token_that_is_none_is_refused(directory: OidcDirectory, lying: FalseProvider, token: str):
    lying.token = token
    with pytest.raises(DirectoryRefused):
        await directory.receive(*await errand_and_code(directory, lying), "")


@pytest.mark.parametrize("off", [-59, 59])
async def test_clocks_may_differ_a_little(directory: OidcDirectory, lying: FalseProvider, off: int):
    lying.now += off
    lying.claims = {"exp": lying.now + 1}
    assert await directory.receive(*await errand_and_code(directory, lying), "")


@pytest.mark.parametrize(
    "about",
    [
        pytest.param({"issuer": "https://elsewhere.example"}, id="calls itself otherwise"),
        pytest.param({"token_endpoint": "http://elsewhere.example/token"}, id="wants the secret in the clear"),
        pytest.param({"jwks_uri": "http://elsewhere.example/keys"}, id="has its keys in the clear"),
        pytest.param({"authorization_endpoint": "javascript:alert(1)"}, id="sends browsers into a script"),
        pytest.param({"authorization_endpoint": None}, id="sends browsers nowhere"),
    ],
)
async def test_a_provider_that_cannot_be_trusted_is_away(
    directory: OidcDirectory, lying: FalseProvider, about: dict[str, object]
):
    lying.about = about
    with pytest.raises(DirectoryAway):
        await directory.send(BACK)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(302, DirectoryRefused, id="leads elsewhere, which is not followed"),
        pytest.param(401, DirectoryRefused, id="refuses our secret"),
        pytest.param(500, DirectoryAway, id="fails"),
    ],
)
async def test_an_exchange_that_does_not_work_says_no_secret(
    directory: OidcDirectory, lying: FalseProvider, status: int, kind: type[Exception]
):
    lying.status = status
    with pytest.raises(kind) as problem:
        await directory.receive(*await errand_and_code(directory, lying), "")
    assert "client-secret-of-ringback" not in str(problem.value)


async def test_an_answer_that_names_another_issuer_is_refused(directory: OidcDirectory, lying: FalseProvider):
    errand, code = await errand_and_code(directory, lying)
    with pytest.raises(DirectoryRefused):
        await directory.receive(errand, code, "https://elsewhere.example")


async def test_what_the_token_lacks_is_asked_for_and_must_be_about_the_same(
    directory: OidcDirectory, lying: FalseProvider
):
    lying.claims = {"name": None}
    lying.userinfo = {"sub": "u-1", "name": "Ana K."}
    assert (await directory.receive(*await errand_and_code(directory, lying), "")).name == "Ana K."
    lying.userinfo = {"sub": "u-2", "name": "Somebody"}
    with pytest.raises(DirectoryRefused):
        await directory.receive(*await errand_and_code(directory, lying), "")


async def test_an_address_that_nobody_checked_is_left_out(directory: OidcDirectory, lying: FalseProvider):
    lying.claims = {"email_verified": False}
    assert (await directory.receive(*await errand_and_code(directory, lying), "")).mail == ""


async def test_new_keys_are_fetched_when_a_token_names_one(directory: OidcDirectory, lying: FalseProvider, clock):
    await directory.receive(*await errand_and_code(directory, lying), "")
    lying.shown, lying.header = RSAKey.generate_key(2048, {"kid": "two"}), {"kid": "two"}
    with pytest.raises(DirectoryRefused):
        await directory.receive(*await errand_and_code(directory, lying), "")
    clock.move(timedelta(seconds=61))
    assert await directory.receive(*await errand_and_code(directory, lying), "")
    assert lying.fetched.count("keys") == 2


async def test_nobody_there_is_away(clock: HandClock):
    directory = open_directory("http://127.0.0.1:9", clock)
    with pytest.raises(DirectoryAway):
        await directory.send(BACK)
    await directory.close()
