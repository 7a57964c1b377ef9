"""The pages of permissions, put together."""

from ringback.panel.app import PageSet
from ringback.panel.permissions import PermissionPages
from ringback.panel.permissions_bulk import BulkPages
from ringback.panel.permissions_card import CardPages
from ringback.panel.permissions_files import FilePages
from ringback.panel.permissions_history import HistoryPages
from ringback.panel.permissions_mine import MinePages
from ringback.panel.permissions_number import NumberPages
from ringback.panel.permissions_parts import GrantOffice
from ringback.panel.permissions_preview import PreviewPages
from ringback.panel.permissions_why import AskGates, WhyPages


def permission_pages(office: GrantOffice, ask_gates: AskGates | None = None) -> list[PageSet]:
    """Everything below /permissions."""
    return [
        PermissionPages(office),
        PreviewPages(office),
        HistoryPages(office),
        CardPages(office),
        NumberPages(office),
        WhyPages(office, ask_gates),
        BulkPages(office),
        FilePages(office),
        MinePages(office),
    ]
