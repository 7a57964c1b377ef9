"""Hands letters to the mail server of `[mail]`."""

import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

import structlog

from ringback.config.addresses import read_mailbox
from ringback.config.logins import Mail, MailTls
from ringback.ports import Clock
from ringback.ports.post import Letter, PostFault

log = structlog.get_logger("mail")

WITHIN_S = 20.0
LONGEST_SUBJECT = 200


class SmtpPost:
    """Satisfies `ports.post.Post`: one connection a letter, since there are few."""

    def __init__(self, settings: Mail, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def send(self, letter: Letter) -> None:
        """Hand it over; nobody tries again, since whoever asked for it waits for the answer."""
        # 60 ms that a daemon without mail need not pay
        from aiosmtplib import SMTPException, send  # noqa: PLC0415

        settings, message = self._settings, self._message(letter)
        try:
            await send(
                message,
                hostname=settings.host,
                port=settings.port,
                username=settings.user or None,
                password=settings.password.get_secret_value() if settings.password else None,
                use_tls=settings.tls is MailTls.TLS,
                start_tls=settings.tls is MailTls.STARTTLS,
                tls_context=None if settings.tls is MailTls.NONE else ssl.create_default_context(cafile=self._ca()),
                timeout=WITHIN_S,
            )
        except (SMTPException, OSError, ValueError) as problem:
            # what a server says may quote the letter, and so its link
            log.warning("a letter was not taken", host=settings.host, problem=type(problem).__name__)
            raise PostFault(f"the mail server {settings.host} did not take it ({type(problem).__name__})") from None
        log.info("letter handed over", host=settings.host)

    def _ca(self) -> str | None:
        return str(self._settings.ca_file) if self._settings.ca_file else None

    def _message(self, letter: Letter) -> EmailMessage:
        """A header cannot begin another: addresses are read strictly, and a subject is one line."""
        try:
            to = read_mailbox(letter.to)
        except ValueError as problem:
            raise PostFault("this is no mail address") from problem
        if not to:
            raise PostFault("they have no mail address")
        subject = "".join(letter if letter.isprintable() else " " for letter in letter.subject)[:LONGEST_SUBJECT]
        message = EmailMessage(policy=SMTP)
        message["From"] = self._settings.sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = make_msgid(domain=self._settings.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message
