"""Letters to a real mail server on loopback, with TLS and without; no header begins another."""

import ssl
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from ringback.config.logins import Mail
from ringback.mail import SmtpPost
from ringback.ports.post import Letter, PostFault
from tests.fakes.hand_clock import HandClock
from tests.postgres import free_port

SECRET = "mail-password-canary"


class Inbox:
    """What the server took."""

    def __init__(self) -> None:
        self.taken: list[object] = []

    async def handle_DATA(self, server, session, envelope):
        self.taken.append((envelope, session.ssl is not None, session.authenticated))
        return "250 taken"


def check(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ringback", SECRET.encode())
    return AuthResult(success=good, handled=True) if good else AuthResult(success=False, handled=False)


@pytest.fixture
def server(tmp_path: Path):
    """A server that takes mail after STARTTLS and a login only."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    inbox = Inbox()
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=check,
        auth_required=True,
        decode_data=False,
    )
    controller.start()
    yield inbox, controller.port, tmp_path / "ca.pem"
    controller.stop()


def settings(port: int, ca: Path | None, **more: object) -> Mail:
    told = {"host": "localhost", "port": port, "sender": "texts@example.com", "user": "ringback", "password": SECRET}
    return Mail.model_validate({**told, **({"ca_file": str(ca)} if ca else {}), **more})


async def test_a_letter_goes_over_an_encrypted_line_to_whom_it_is_for(server, clock: HandClock):
    inbox, port, ca = server
    await SmtpPost(settings(port, ca), clock).send(Letter("ben@example.com", "Your password é", "Hello\n.\nBen"))
    ((envelope, encrypted, known),) = inbox.taken
    assert (encrypted, known) == (True, True)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("texts@example.com", ["ben@example.com"])
    message = message_from_bytes(envelope.content, policy=default)
    assert (message["To"], message["From"], message["Subject"]) == (
        "ben@example.com",
        "texts@example.com",
        "Your password é",
    )
    assert message.get_content().splitlines() == ["Hello", ".", "Ben"]


@pytest.mark.parametrize(
    "subject",
    ["one\r\nBcc: eve@example.com", "one\nBcc: eve@example.com", "one\r\n\r\nbody", "one\x00two", "\u2028Bcc: x"],
)
async def test_a_subject_begins_no_other_header(server, clock: HandClock, subject: str):
    inbox, port, ca = server
    await SmtpPost(settings(port, ca), clock).send(Letter("ben@example.com", subject, "Hello"))
    message = message_from_bytes(inbox.taken[0][0].content, policy=default)
    assert message["Bcc"] is None
    assert inbox.taken[0][0].rcpt_tos == ["ben@example.com"]
    assert message.get_content().strip() == "Hello"


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ben",
        "ben@example.com, eve@example.com",
        "ben@example.com\r\nBcc: eve@example.com",
        "<ben@example.com>",
        "ben@example.com>",
        "Ben <ben@example.com>",
        "ben@exa mple.com",
    ],
)
async def test_what_is_no_address_gets_no_letter(server, clock: HandClock, to: str):
    inbox, port, ca = server
    with pytest.raises(PostFault):
        await SmtpPost(settings(port, ca), clock).send(Letter(to, "Hello", "Hello"))
    assert inbox.taken == []


@pytest.mark.parametrize(
    ("more", "trusted"),
    [
        pytest.param({"password": "wrong"}, True, id="a wrong password"),
        pytest.param({}, False, id="a certificate that nobody vouches for"),
        pytest.param({"host": "127.0.0.1"}, True, id="a certificate of another name"),
        pytest.param({"port": 9}, True, id="nobody there"),
    ],
)
async def test_what_is_not_taken_is_said_without_secrets(server, clock: HandClock, more, trusted: bool):
    inbox, port, ca = server
    post = SmtpPost(settings(**{"port": port, "ca": ca if trusted else None, **more}), clock)
    with pytest.raises(PostFault) as problem:
        await post.send(Letter("ben@example.com", "Hello", "link-canary"))
    assert inbox.taken == []
    assert "canary" not in str(problem.value)
