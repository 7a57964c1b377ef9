"""`ringback user reset` and `totp-off`: help for somebody who cannot get in."""

import asyncio
from typing import Annotated

import typer

from ringback.cli.shared import ConfigOption
from ringback.cli.user import Login, accounts, tell
from ringback.clock import SystemClock
from ringback.config import Settings, load
from ringback.entrance import make_post
from ringback.errors import RingbackError
from ringback.flow.people import read_login
from ringback.flow.resets import new_link
from ringback.ports.post import Letter


class NoMail(RingbackError):
    """Nothing can be sent to them; the text says why."""


def reset_command(
    login: Login,
    mail: Annotated[bool, typer.Option("--mail", help="Send it to their address, and print nothing of it.")] = False,
    config: ConfigOption = None,
) -> None:
    """Make a link with which somebody sets a new password, once, within 24 hours. Earlier ones work no more."""
    settings = load(config)
    login, link = read_login(login), new_link()
    to = address_of(login, settings) if mail else ""
    tell(settings, change="reset", login=login, hashed=link.hashed)
    address = link.at(base_of(settings))
    if mail:
        send(settings, to, address)
    else:
        print(address)


def totp_off_command(login: Login, config: ConfigOption = None) -> None:
    """Take somebody's second factor off, who lost their phone. They are logged out everywhere."""
    tell(load(config), change="totp-off", login=login)


def base_of(settings: Settings) -> str:
    """Where browsers find the panel."""
    return settings.web.public_url or f"http://{settings.web.listen}"


def address_of(login: str, settings: Settings) -> str:
    """Where mail to somebody goes. Raises NoMail."""
    found = next((one for one in accounts(settings) if one.login == login), None)
    if not settings.mail.host:
        raise NoMail("there is no mail server: add [mail] to the configuration, or leave --mail out")
    if found is not None and not found.mail:
        raise NoMail(f"{login} has no mail address: leave --mail out, and give them the link yourself")
    return found.mail if found is not None else ""


def send(settings: Settings, to: str, address: str) -> None:
    """Mail the link."""
    post = make_post(settings, SystemClock())
    assert post is not None
    text = (
        f"With this link you set a new password:\n\n{address}\n\nIt works once, within 24 hours."
        " If you did not ask for it, ask your administrator.\n"
    )
    asyncio.run(post.send(Letter(to, f"Your password for Ringback at {settings.business.name}", text)))
    print(f"sent to {to}")
