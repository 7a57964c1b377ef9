"""Logins that a real LDAP directory (Debian's slapd) is asked about."""

import socket

import pytest

from ringback.config.logins import Ldap
from ringback.directories.ldap import LdapDirectory
from ringback.ports.directories import DirectoryAway, Person
from tests.fakes.slapd import ADMIN, BASE, PASSWORD, SECRET, Slapd, add, dn_of, slapd


@pytest.fixture(scope="module")
def directory_server():
    with slapd() as found:
        yield found


def settings(server: Slapd, **more: object) -> Ldap:
    told = {"url": server.url, "bind_dn": ADMIN, "bind_password": SECRET, "base": f"ou=people,{BASE}"}
    return Ldap.model_validate({**told, **more})


@pytest.fixture
async def ask(directory_server: Slapd):
    opened: list[LdapDirectory] = []

    def make(**more: object) -> LdapDirectory:
        opened.append(LdapDirectory(settings(directory_server, **more)))
        return opened[-1]

    yield make
    for one in opened:
        await one.close()


@pytest.mark.parametrize(
    "over",
    [
        pytest.param({}, id="in the clear on this machine"),
        pytest.param({"start_tls": True}, id="with StartTLS"),
        pytest.param({"url": "tls"}, id="over ldaps"),
    ],
)
async def test_the_right_password_says_who_it_is(ask, directory_server: Slapd, over: dict[str, object]):
    more = {**over, "ca_file": str(directory_server.ca)}
    if over.get("url"):
        more["url"] = directory_server.tls_url
    person = await ask(**more).check("ana", PASSWORD)
    groups = {"ringback-admins", "sales"}
    whole = {f"cn={name},ou=groups,{BASE}" for name in groups}
    assert person == Person(
        f"ldap:{dn_of('ana')}", "ana", "Ana Kovačević", "ana@example.com", frozenset(groups | whole)
    )


@pytest.mark.parametrize("scheme", ["ldaps", "starttls"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(ask, directory_server: Slapd, scheme: str):
    more = {"url": directory_server.tls_url} if scheme == "ldaps" else {"start_tls": True}
    with pytest.raises(DirectoryAway):
        await ask(**more).check("ana", PASSWORD)


async def test_a_certificate_of_another_name_is_refused(ask, directory_server: Slapd):
    url = directory_server.tls_url.replace("localhost", "127.0.0.1")
    with pytest.raises(DirectoryAway):
        await ask(url=url, ca_file=str(directory_server.ca)).check("ana", PASSWORD)


async def test_groups_that_name_their_members_are_found_too(ask):
    person = await ask(group_attribute="", group_base=f"ou=groups,{BASE}").check("ben", PASSWORD)
    assert "sales" in person.groups
    assert "ringback-admins" not in person.groups


@pytest.mark.parametrize(
    ("login", "password"),
    [
        pytest.param("ana", "wrong horse battery", id="a wrong password"),
        pytest.param("ana", "", id="an empty password, which a directory takes for nobody's and allows"),
        pytest.param("ana", "\x00", id="a password that begins with nothing"),
        pytest.param("nobody", PASSWORD, id="nobody"),
        pytest.param("*", PASSWORD, id="a star, which would find anybody"),
        pytest.param("ana)(|(uid=*", PASSWORD, id="a filter of one's own"),
        pytest.param("a*", PASSWORD, id="the beginning of a login"),
        pytest.param("\\61na", PASSWORD, id="an escape"),
        pytest.param("", PASSWORD, id="no login"),
    ],
)
async def test_whatever_is_wrong_is_nobody(ask, login: str, password: str):
    assert await ask().check(login, password) is None


async def test_a_login_with_the_letters_of_filters_finds_only_itself(ask):
    person = await ask().check("zoe*)(uid=*", PASSWORD)
    assert person.login == "zoe*)(uid=*"


async def test_two_people_of_one_login_are_nobody(ask, directory_server: Slapd):
    with_two = {"cn": "Ana B", "sn": "B", "uid": "twin", "userPassword": PASSWORD}
    admin = directory_server.as_admin()
    for place in ("one", "two"):
        add(admin, f"ou={place},ou=people,{BASE}", ["organizationalUnit"], {})
        add(admin, f"uid=twin,ou={place},ou=people,{BASE}", ["inetOrgPerson"], with_two)
    admin.unbind()
    assert await ask().check("twin", PASSWORD) is None


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"bind_password": "wrong"}, id="our own password there is wrong"),
        pytest.param({"url": "ldap://127.0.0.1:9"}, id="nobody listens"),
    ],
)
async def test_what_cannot_be_asked_is_away_and_quotes_no_password(ask, more: dict[str, object]):
    with pytest.raises(DirectoryAway) as problem:
        await ask(**more).check("ana", "canary-password-17")
    assert "canary" not in str(problem.value)
    assert SECRET not in str(problem.value)


async def test_a_directory_that_hangs_is_away_in_time(ask):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(DirectoryAway):
            await ask(url=url, timeout="1s").check("ana", PASSWORD)
