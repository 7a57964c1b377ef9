"""What may be said of logins and mail: nothing that sends a password in the clear, and nothing that lets anybody in."""

import pytest

from ringback.config import checks
from ringback.config.logins import TotpFor
from ringback.core.permissions import Role
from ringback.entrance import demand_of
from ringback.flow.factors import Demand

OIDC = '[login.oidc]\nissuer = "https://id.example.com"\nclient_id = "ringback"\n'
LDAP = '[login.ldap]\nurl = "ldaps://ldap.example.com"\nbase = "dc=example"\n'


def test_all_of_it_is_read(place, good):
    (place.secrets / "login.oidc.client_secret").write_text("canary-1")
    (place.secrets / "login.ldap.bind_password").write_text("canary-2")
    (place.secrets / "mail.password").write_text("canary-3")
    for secret in place.secrets.iterdir():
        secret.chmod(0o640)
    mail = '[mail]\nhost = "smtp.example.com"\nsender = "texts@example.com"\n'
    place.write(f'{good}\n[login]\ntotp = "everybody"\n{OIDC}roles = {{ supervisor = ["a", "b"] }}\n{LDAP}{mail}')
    settings = place.load()
    assert settings.login.totp is TotpFor.EVERYBODY
    assert (settings.oidc.roles, settings.oidc.default_role) == ({"supervisor": ("a", "b")}, Role.AGENT)
    given = (settings.oidc.client_secret, settings.ldap.bind_password, settings.mail.password)
    assert [one.get_secret_value() for one in given] == ["canary-1", "canary-2", "canary-3"]
    assert "canary" not in repr(settings)


def test_without_a_word_of_it_there_is_none(place, good):
    place.write(good)
    settings = place.load()
    assert (settings.oidc, settings.ldap, settings.mail.host, settings.login.totp) == (None, None, "", TotpFor.AUTO)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(OIDC.replace("https", "http"), "login.oidc.issuer is not https", id="a provider in the clear"),
        pytest.param(OIDC + 'client_secret = "x"', "is a secret, which this file must not hold", id="a secret"),
        pytest.param(OIDC + 'scopes = ["email"]', 'lacks "openid"', id="no scope that names somebody"),
        pytest.param(OIDC + 'default_role = "administrator"', "gives nobody by default", id="everybody administrates"),
        pytest.param(OIDC + 'roles = { boss = ["x"] }', "which is no role", id="a role there is none of"),
        pytest.param(OIDC + 'leeway = "10m"', "longer than five minutes", id="clocks that differ much"),
        pytest.param('[login.oidc]\nissuer = "https://id.example.com"', "login.oidc.client_id is missing", id="no id"),
        pytest.param(
            LDAP.replace("ldaps", "ldap"), "would send passwords for all to read", id="a directory in the clear"
        ),
        pytest.param(LDAP + "start_tls = true", "ldaps is encrypted from the first byte", id="TLS twice"),
        pytest.param(LDAP + 'filter = "(uid=ana)"', "lacks {login}", id="a filter that finds always the same"),
        pytest.param(LDAP + 'filter = "uid={login}"', "which is no filter", id="a filter without brackets"),
        pytest.param(LDAP + 'timeout = "5m"', "must be between", id="five minutes of waiting"),
        pytest.param(LDAP + 'bind_password = "x"', "is a secret, which this file must not hold", id="a password"),
        pytest.param('[mail]\nhost = "smtp.example.com"', "mail.sender is missing", id="mail of nobody"),
        pytest.param(
            '[mail]\nhost = "smtp.example.com"\nsender = "a@b.c"\ntls = "none"',
            "is another machine",
            id="mail in the clear",
        ),
        pytest.param(
            '[mail]\nhost = "x"\nsender = "a@b.c\\nBcc: eve@b.c"', "which is not a mail address", id="two senders"
        ),
        pytest.param('[login]\ntotp = "maybe"', "login.totp is 'maybe'", id="no such demand"),
        pytest.param("[login.saml]\nx = 1", "login.saml is not a setting", id="another kind of directory"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(place, good, text: str, said: str):
    place.write(f"{good}\n{text}\n")
    assert said in "\n".join(place.faults())


@pytest.mark.parametrize(("text", "extra"), [(OIDC, "oidc"), (LDAP, "ldap")])
def test_what_is_not_installed_is_said_with_how_to_get_it(place, good, monkeypatch, text: str, extra: str):
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    place.write(f"{good}\n{text}\n")
    assert f"pip install ringback[{extra}]" in "\n".join(place.faults())


def test_a_directory_on_this_machine_may_be_asked_in_the_clear(place, good):
    place.write(good + "\n" + LDAP.replace("ldaps://ldap.example.com", "ldap://127.0.0.1:1389"))
    assert place.load().ldap.url == "ldap://127.0.0.1:1389"


@pytest.mark.parametrize(
    ("text", "demand"),
    [
        pytest.param("", Demand.NOBODY, id="loopback only"),
        pytest.param('[web]\nlisten = "0.0.0.0:8080"', Demand.ADMINISTRATORS, id="every address of the machine"),
        pytest.param('[web]\npublic_url = "https://t.example.com"', Demand.ADMINISTRATORS, id="behind a proxy"),
        pytest.param('[web]\npublic_url = "http://localhost:8080"', Demand.NOBODY, id="a proxy on this machine"),
        pytest.param('[login]\ntotp = "everybody"', Demand.EVERYBODY, id="everybody"),
        pytest.param(
            '[login]\ntotp = "off"\n[web]\nlisten = "0.0.0.0:1"', Demand.NOBODY, id="nobody, since they said so"
        ),
    ],
)
def test_who_must_have_a_second_factor(place, good, text: str, demand: Demand):
    place.write(f"{good}\n{text}\n")
    assert demand_of(place.load()) is demand
