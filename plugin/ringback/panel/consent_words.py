"""What the pages say of the ledger of consents."""

from collections.abc import Mapping

from ringback.core.consents import ConsentKind, Method
from ringback.core.messages import MessageClass
from ringback.panel.words import N_

CLASSES: Mapping[MessageClass, str] = {
    MessageClass.CONVERSATIONAL: N_("what they called about"),
    MessageClass.TRANSACTIONAL: N_("news about what they asked for"),
    MessageClass.PROMOTIONAL: N_("advertising"),
    MessageClass.SYSTEM: N_("answers to commands"),
}
ASKED: Mapping[MessageClass, str] = {
    MessageClass.TRANSACTIONAL: N_("News about what they asked for"),
    MessageClass.PROMOTIONAL: N_("Advertising: a yes has to be in writing"),
}
SAID: Mapping[ConsentKind, str] = {ConsentKind.GIVEN: N_("Yes"), ConsentKind.WITHDRAWN: N_("No")}
WAYS: Mapping[Method, str] = {
    Method.AGENT: N_("On the phone, or to somebody here"),
    Method.REPLY: N_("In a text"),
    Method.WRITTEN: N_("In writing: a form, a letter"),
}
NOT_WRITTEN = N_("Write what they said. A yes to advertising has to be in writing.")
