"""Passwords: which are refused and why, how they are kept, and how long a wrong one makes wait."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.flow.backoff import Backoff
from ringback.panel.browsers import in_words
from ringback.panel.passwords import (
    AT_ONCE,
    LEAST,
    MEMORY_KIB,
    MOST,
    MOST_WAITING,
    ROUNDS,
    TOO_BARE,
    TOO_CLOSE,
    TOO_LONG,
    TOO_OBVIOUS,
    TOO_REGULAR,
    TOO_SHORT,
    Hasher,
    TooBusy,
    Verified,
    weakness,
)

HOUR_S = 3600


@pytest.mark.parametrize(
    ("password", "why"),
    [
        pytest.param("", TOO_SHORT, id="none"),
        pytest.param("zX9#kL2$m", TOO_SHORT, id="nine characters, however wild"),
        pytest.param("x" + "correct horse battery " * 10, TOO_LONG, id="longer than anybody types"),
        pytest.param("Passw0rd123", TOO_OBVIOUS, id="the word itself"),
        pytest.param("P@ssw0rd!2026", TOO_OBVIOUS, id="with signs for letters"),
        pytest.param("qwerty123456", TOO_OBVIOUS, id="a row of keys"),
        pytest.param("q1w2e3r4t5y6", TOO_OBVIOUS, id="two rows of keys"),
        pytest.param("Winter2026!", TOO_OBVIOUS, id="a season and a year"),
        pytest.param("iloveyou2!!", TOO_OBVIOUS, id="what everybody says"),
        pytest.param("monkeymonkey12", TOO_OBVIOUS, id="twice the same word"),
        pytest.param("ringback2026", TOO_OBVIOUS, id="our own name"),
        pytest.param("contraseña12", TOO_OBVIOUS, id="in Spanish"),
        pytest.param("ＰＡＳＳＷＯＲＤ１２３", TOO_OBVIOUS, id="in wide letters"),
        pytest.param("Northlight1!", TOO_CLOSE, id="the business"),
        pytest.param("dentalnorthlight", TOO_CLOSE, id="the business turned round"),
        pytest.param("ana.kovacevic1", TOO_CLOSE, id="the login"),
        pytest.param("0123456789", TOO_REGULAR, id="counting up"),
        pytest.param("zyxwvutsrq", TOO_REGULAR, id="counting down"),
        pytest.param("aaaaaaaaaaaa", TOO_REGULAR, id="one letter"),
        pytest.param("xkcdvxkcdvxkcdv", TOO_REGULAR, id="one piece over and over"),
        pytest.param("83746592837465", TOO_BARE, id="digits only"),
        pytest.param("correct horse battery", "", id="three words"),
        pytest.param("coffee banana tiger thunder", "", id="four words, though each is well known"),
        pytest.param("zX9#kL2$mQ", "", id="ten wild characters"),
        pytest.param("пароль-длинный-тут", "", id="in another script"),
        pytest.param("🦊 and the 🍇 again", "", id="with pictures"),
    ],
)
def test_a_password_is_taken_or_refused_for_one_reason(password: str, why: str):
    assert weakness(password, "ana.kovacevic", "Northlight Dental") == why


@given(st.text(max_size=MOST + 10), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_typed_there_is_an_answer(password: str, login: str, business: str):
    why = weakness(password, login, business)
    assert why or len(password.encode("utf-8", "surrogatepass")) >= LEAST


def test_parameters_are_not_less_than_owasp_asks_for():
    # 19 MiB and two rounds; above 32 MiB, so that the C library gives the memory back
    assert (MEMORY_KIB > 32 * 1024, ROUNDS >= 2, AT_ONCE) == (True, True, 2)


async def test_a_hash_says_what_made_it_and_fits_its_password_only():
    hasher = Hasher()
    stored = await hasher.hash("correct horse battery")
    assert stored.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={ROUNDS},p=1$")
    assert await hasher.verify(stored, "correct horse battery") == Verified(True)
    assert await hasher.verify(stored, "correct horse batterz") == Verified(False)


@pytest.mark.parametrize("stored", ["", "$argon2id$nonsense", "plain text", "$2b$12$abcdefghijklmnopqrstuv"])
async def test_what_is_no_hash_fits_nothing(stored: str):
    hasher = Hasher()
    assert await hasher.verify(stored, "correct horse battery") == Verified(False)
    assert hasher.verified == 1


async def test_letters_composed_in_two_ways_are_the_same():
    hasher = Hasher()
    stored = await hasher.hash("contrase\u00f1a larga y sola")
    assert (await hasher.verify(stored, "contrasen\u0303a larga y sola")).good


async def test_only_two_are_hashed_at_once_and_a_crowd_is_turned_away(monkeypatch: pytest.MonkeyPatch):
    hasher = Hasher()
    inside = most = 0
    go_on = asyncio.Event()

    async def slowly(_work: object, *_arguments: object) -> Verified:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await go_on.wait()
        inside -= 1
        return Verified(False)

    monkeypatch.setattr("ringback.panel.passwords.asyncio.to_thread", slowly)
    async with asyncio.TaskGroup() as group:
        for _ in range(MOST_WAITING):
            group.create_task(hasher.verify("", "x"))
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await hasher.verify("", "x")
        go_on.set()
    assert most == AT_ONCE


class Tick:
    def __init__(self) -> None:
        self.now = 1e6

    def __call__(self) -> float:
        return self.now


def test_the_wait_doubles_up_to_its_bound():
    tick = Tick()
    backoff = Backoff(3, 60, tick)
    waits = []
    for _ in range(10):
        backoff.count("ana")
        waits.append(backoff.wait("ana"))
        tick.now += waits[-1]
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff.wait("ben") == 0


def test_nobody_tries_a_hundred_times_in_any_hour():
    tick = Tick()
    backoff = Backoff(5, 60, tick)
    tried: list[float] = []
    while tick.now < 1e6 + 6 * HOUR_S:
        if not backoff.wait("ana"):
            backoff.count("ana")
            tried.append(tick.now)
        tick.now += max(backoff.wait("ana"), 0.01)
    assert max(sum(start <= at < start + HOUR_S for at in tried) for start in tried) <= 100


def test_an_hour_without_tries_forgets_them():
    tick = Tick()
    backoff = Backoff(1, 60, tick)
    for _ in range(8):
        backoff.count("ana")
    tick.now += HOUR_S + 1
    backoff.count("ana")
    assert backoff.wait("ana") == 1


def test_a_right_password_takes_its_own_try_back_and_not_those_of_others():
    tick = Tick()
    backoff = Backoff(3, 60, tick)
    backoff.count("ana")
    backoff.count("ana")
    backoff.count("ana")
    backoff.take_back("ana")
    assert backoff.wait("ana") == 0
    backoff.count("ana")
    assert backoff.wait("ana") == 1
    backoff.forget("ana")
    backoff.count("ana")
    assert backoff.wait("ana") == 0


def test_the_memory_has_a_bound():
    backoff = Backoff(1, 60, Tick(), most=3)
    for name in "abcd":
        backoff.count(name)
    assert [backoff.wait(name) for name in "abcd"] == [0, 1, 1, 1]


LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        pytest.param(f"{LINUX[:-1]}; rv:145.0) Gecko/20100101 Firefox/145.0", ("Firefox", "Linux"), id="Firefox"),
        pytest.param(f"{LINUX} {CHROME}", ("Chrome", "Linux"), id="Chrome"),
        pytest.param(f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/140.0", ("Edge", "Windows"), id="Edge"),
        pytest.param(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1",
            ("Safari", "iOS"),
            id="an iPhone, which calls itself a Mac too",
        ),
        pytest.param(
            "Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile Safari/537.36", ("Chrome", "Android"), id="Android"
        ),
        pytest.param("curl/8.0", ("", ""), id="no browser"),
        pytest.param("", ("", ""), id="nothing"),
    ],
)
def test_a_browser_is_called_by_its_name(agent: str, words: tuple[str, str]):
    assert in_words(agent) == words
