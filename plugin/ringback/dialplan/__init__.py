"""What the dialplan asks: a port of its own on this machine, by CURL() or FastAGI, one line for an answer."""

from ringback.dialplan.answering import Answering
from ringback.dialplan.fastagi import serve_agi
from ringback.dialplan.limits import Limits
from ringback.dialplan.listener import serve
from ringback.dialplan.tally import Counts

__all__ = ["Answering", "Counts", "Limits", "serve", "serve_agi"]
