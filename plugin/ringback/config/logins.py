"""How people get in beside a password of ours, and the mail we send: `[login]` with its tables, and `[mail]`."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from ringback.config.addresses import Issuer, LdapUrl, Mailbox, is_loopback_name
from ringback.config.sections import Label, Section
from ringback.config.values import AnyPath, Duration, Listed, SafeSecret
from ringback.core.permissions import Role

Claim = Annotated[str, Field(min_length=1, max_length=120)]
AnyClaim = Annotated[str, Field(max_length=120)]
Words = Annotated[str, Field(max_length=1000)]
Groups = dict[str, Annotated[tuple[Label, ...], Listed]]
"""What a group of the directory is here, by the name of the role or the department."""


class TotpFor(StrEnum):
    """Who must have a second factor. `auto`: administrators, once the panel can be reached from elsewhere."""

    AUTO = "auto"
    ADMINISTRATORS = "administrators"
    EVERYBODY = "everybody"
    OFF = "off"


class Login(Section):
    """What is asked of everybody who logs in with a password."""

    totp: TotpFor = TotpFor.AUTO


class _Directory(Section):
    """What both kinds of directory say about those who come from it."""

    label: Label
    create: bool = True
    default_role: Role | None = Role.AGENT
    roles: Groups = Field(default={})
    departments: Groups = Field(default={})

    @field_validator("default_role", mode="before")
    @classmethod
    def _may_be_none(cls, role: object) -> object:
        return None if role == "" else role

    @field_validator("default_role")
    @classmethod
    def _is_no_administrator(cls, role: Role | None) -> Role | None:
        if role is Role.ADMINISTRATOR:
            raise ValueError('is "administrator", which a directory gives nobody by default: name groups in roles')
        return role

    @field_validator("roles")
    @classmethod
    def _are_roles(cls, roles: Groups) -> Groups:
        if strange := sorted(set(roles) - set(Role)):
            raise ValueError(f"names {', '.join(strange)}, which is no role: known are {', '.join(Role)}")
        return roles


class Oidc(_Directory):
    """A provider of OpenID Connect."""

    label: Label = "Single sign-on"
    issuer: Issuer
    client_id: Claim
    client_secret: SafeSecret | None = None
    scopes: Annotated[tuple[Claim, ...], Listed] = ("openid", "profile", "email")
    login_claim: Claim = "preferred_username"
    name_claim: AnyClaim = "name"
    mail_claim: AnyClaim = "email"
    groups_claim: AnyClaim = "groups"
    leeway: Duration = timedelta(seconds=60)
    end_session: bool = False

    @field_validator("scopes")
    @classmethod
    def _has_openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError('lacks "openid", without which the provider names nobody: add it')
        return scopes

    @field_validator("leeway")
    @classmethod
    def _is_small(cls, leeway: timedelta) -> timedelta:
        if leeway > timedelta(minutes=5):
            raise ValueError('is longer than five minutes: set the clocks right, and write "60s"')
        return leeway


class Ldap(_Directory):
    """A directory that is asked for the password."""

    label: Label = "Directory"
    url: LdapUrl
    start_tls: bool = False
    ca_file: AnyPath = None
    bind_dn: Words = ""
    bind_password: SafeSecret | None = None
    base: Annotated[str, Field(min_length=1, max_length=1000)]
    filter: Annotated[str, Field(min_length=3, max_length=1000)] = "(uid={login})"
    login_attribute: Claim = "uid"
    name_attribute: AnyClaim = "cn"
    mail_attribute: AnyClaim = "mail"
    group_attribute: AnyClaim = "memberOf"
    group_base: Words = ""
    group_filter: Annotated[str, Field(min_length=3, max_length=1000)] = "(member={dn})"
    timeout: Duration = timedelta(seconds=5)

    @field_validator("start_tls")
    @classmethod
    def _is_needed_elsewhere(cls, start_tls: bool, info: ValidationInfo) -> bool:
        url = str(info.data.get("url", ""))
        if start_tls and url.startswith("ldaps://"):
            raise ValueError("is true, and ldaps is encrypted from the first byte: take the line out")
        return start_tls

    @field_validator("filter")
    @classmethod
    def _asks_for_the_login(cls, text: str) -> str:
        return _with_place(text, "{login}")

    @field_validator("group_filter")
    @classmethod
    def _asks_for_the_person(cls, text: str) -> str:
        return _with_place(text, "{dn}")

    @field_validator("timeout")
    @classmethod
    def _is_short(cls, timeout: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= timeout <= timedelta(seconds=30):
            raise ValueError('must be between "1s" and "30s", since somebody waits for it')
        return timeout


class MailTls(StrEnum):
    """How the line to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Mail(Section):
    """The server that takes our mail. Without a host there is none."""

    host: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9.:\[\]-]*$")] = ""
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    tls: MailTls = MailTls.STARTTLS
    ca_file: AnyPath = None
    user: Annotated[str, Field(max_length=200)] = ""
    password: SafeSecret | None = None
    sender: Annotated[Mailbox, Field(validate_default=True)] = ""

    @field_validator("tls")
    @classmethod
    def _is_encrypted(cls, tls: MailTls, info: ValidationInfo) -> MailTls:
        host = str(info.data.get("host", ""))
        if tls is MailTls.NONE and host and not is_loopback_name(host):
            raise ValueError(f'is "none", and {host} is another machine: write "starttls" or "tls"')
        return tls

    @field_validator("sender")
    @classmethod
    def _is_there(cls, sender: str, info: ValidationInfo) -> str:
        if info.data.get("host") and not sender:
            raise ValueError('is missing: add the address that mail comes from, as in sender = "texts@example.com"')
        return sender


def _with_place(text: str, place: str) -> str:
    if text.count("(") != text.count(")") or not text.startswith("("):
        raise ValueError(f"is {text!r}, which is no filter: write it in brackets, as in (uid={{login}})")
    if place not in text:
        raise ValueError(f"lacks {place}, so it would find anybody: put it where that stands")
    return text
