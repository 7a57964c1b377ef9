"""How people get in at this installation: what stands behind logins, made from the settings."""

import os
from urllib.parse import urlsplit

from ringback.config import Settings
from ringback.config.logins import TotpFor
from ringback.core.plurals import count_of
from ringback.flow.factors import Demand
from ringback.mail import SmtpPost
from ringback.panel.proving import Proving
from ringback.panel.site import LOOPBACK_NAMES, is_loopback
from ringback.ports import Clock
from ringback.ports.directories import PasswordDirectory, SendingDirectory
from ringback.ports.post import Post
from ringback.sealing import Sealer
from ringback.store.database import Database
from ringback.store.proofs import ProofReads

DEMANDS = {
    TotpFor.ADMINISTRATORS: Demand.ADMINISTRATORS,
    TotpFor.EVERYBODY: Demand.EVERYBODY,
    TotpFor.OFF: Demand.NOBODY,
}


def make_proving(settings: Settings, database: Database, clock: Clock, seal: Sealer) -> Proving:
    """What the pages of logins need beside accounts."""
    return Proving(
        seal=seal,
        reads=ProofReads(database),
        demand=demand_of(settings),
        asked=_asked(settings),
        sending=_sending(settings, clock),
        post=make_post(settings, clock),
    )


def make_sealer(settings: Settings) -> Sealer:
    """What seals secrets of this installation."""
    return Sealer(settings.paths.state, os.environ)


def told(count: int, sealer: Sealer) -> str:
    """What a rotation came to."""
    rest = "" if sealer.ours else "; the other lines of the credential may go"
    return f"{count_of(count, 'secret')} sealed with the key {sealer.current}{rest}"


def make_post(settings: Settings, clock: Clock) -> Post | None:
    """The mail server, where there is one."""
    return SmtpPost(settings.mail, clock) if settings.mail.host else None


def demand_of(settings: Settings) -> Demand:
    """Who must have a second factor: by default administrators, where the panel can be reached from elsewhere."""
    if settings.login.totp is not TotpFor.AUTO:
        return DEMANDS[settings.login.totp]
    return Demand.NOBODY if only_here(settings) else Demand.ADMINISTRATORS


def only_here(settings: Settings) -> bool:
    """Whether the panel can be reached from this machine alone."""
    host, public = settings.web.listen.host, urlsplit(settings.web.public_url).hostname or ""
    return all(name in LOOPBACK_NAMES or is_loopback(name) for name in (host, public) if name)


def _asked(settings: Settings) -> PasswordDirectory | None:
    if settings.ldap is None:
        return None
    # each needs an extra of ours, which the configuration has checked to be there
    from ringback.directories.ldap import LdapDirectory  # noqa: PLC0415

    return LdapDirectory(settings.ldap)


def _sending(settings: Settings, clock: Clock) -> SendingDirectory | None:
    if settings.oidc is None:
        return None
    from ringback.directories.oidc import OidcDirectory  # noqa: PLC0415

    return OidcDirectory(settings.oidc, clock)
