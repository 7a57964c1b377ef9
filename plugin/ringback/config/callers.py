"""What callers choose and are told: where the dialplan asks for them, and the first answer to who texts us."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field, ValidationInfo, field_validator

from ringback.config.addresses import Address, AnyOwnListen, OwnListen
from ringback.config.sections import Section, check_languages
from ringback.config.values import DialplanToken, Duration, Introduction, Language


class Dialplan(Section):
    """Where the dialplan of an Asterisk on this machine asks, by CURL() and by FastAGI, and the secret it asks with."""

    listen: OwnListen = Address("127.0.0.1", 8082)
    fastagi: AnyOwnListen = None
    token: DialplanToken | None = None


class Consent(Section):
    """What somebody is told who texts us for the first time, and after how long again."""

    introduction: dict[Language, Introduction] = Field(default={})
    again: Duration = timedelta(days=180)

    @field_validator("introduction")
    @classmethod
    def _is_spoken(cls, texts: Mapping[str, Introduction], info: ValidationInfo) -> Mapping[str, Introduction]:
        check_languages(list(texts), info)
        return texts

    @field_validator("again")
    @classmethod
    def _long_enough(cls, again: timedelta) -> timedelta:
        if again < timedelta(days=1):
            raise ValueError('is too short: who writes each day would be told each day, so write "1d" or more')
        return again
