"""The listener that carriers call: one port with nothing else on it, which believes nobody without a signature."""

from ringback.hooks.addresses import INBOUND, RECEIPT
from ringback.hooks.limits import Limits
from ringback.hooks.listener import serve
from ringback.hooks.reception import Intake, Reception, hooked
from ringback.hooks.tally import Counts

__all__ = ["INBOUND", "RECEIPT", "Counts", "Intake", "Limits", "Reception", "hooked", "serve"]
