"""Why a change to people, departments or numbers is refused, in words that say what to do."""

from collections.abc import Mapping
from enum import StrEnum

from ringback.core.department_tree import DEEPEST
from ringback.core.permissions import Role
from ringback.errors import RingbackError


class Because(StrEnum):
    """Why a change is refused."""

    BAD_LOGIN = "bad_login"
    TAKEN = "taken"
    FIRST = "first"
    LAST = "last"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    ELSEWHERE = "elsewhere"
    BAD_NAME = "bad_name"
    NO_ROLE = "no_role"
    STRANGE = "strange"
    BAD_EXTENSION = "bad_extension"
    EXTENSION_TAKEN = "extension_taken"
    BAD_ENDPOINT = "bad_endpoint"
    BAD_MAIL = "bad_mail"
    BAD_MOBILE = "bad_mobile"
    BAD_LANGUAGE = "bad_language"
    LAST_OF_NUMBER = "last_of_number"
    NO_DEPARTMENT = "no_department"
    BAD_DEPARTMENT = "bad_department"
    DEPARTMENT_TAKEN = "department_taken"
    CIRCLE = "circle"
    TOO_DEEP = "too_deep"
    NO_MEMBER = "no_member"
    NO_NUMBER = "no_number"
    BAD_LABEL = "bad_label"
    NO_GROUP = "no_group"
    BAD_GROUP = "bad_group"
    GROUP_TAKEN = "group_taken"
    NO_OWNER = "no_owner"
    NOBODY_THERE = "nobody_there"
    SAME_FALLBACK = "same_fallback"
    FORMER = "former"
    NO_QUEUE = "no_queue"
    BAD_QUEUE = "bad_queue"
    QUEUE_TAKEN = "queue_taken"
    MAIN_STAYS = "main_stays"
    MAIN_HAS_REST = "main_has_rest"
    NO_TAKER = "no_taker"
    NO_AGENT = "no_agent"
    NO_MEMBER_THERE = "no_member_there"
    BAD_VOICE = "bad_voice"
    NO_PBX = "no_pbx"
    UNHEARD = "unheard"
    BAD_CAPACITY = "bad_capacity"
    BAD_WEIGHT = "bad_weight"
    NOTHING_TO_MAP = "nothing_to_map"
    MAPPED_MEANWHILE = "mapped_meanwhile"


SENTENCES: Mapping[Because, str] = {
    Because.BAD_LOGIN: "A login is made of letters, digits and . _ - + @, without spaces, sixty-four at most.",
    Because.TAKEN: "Somebody has this login already.",
    Because.FIRST: "The first user must be an administrator, since nobody else could add more.",
    Because.LAST: "This is the last administrator. Make somebody else one first.",
    Because.UNKNOWN: "There is no such user.",
    Because.DISABLED: "They are disabled. Let them log in again first.",
    Because.ELSEWHERE: "They log in by your directory, and have no password here.",
    Because.BAD_NAME: "A name has eighty characters at most, and no line break.",
    Because.NO_ROLE: f"Say what they work as: {', '.join(Role)}, or several of these.",
    Because.STRANGE: "This is no change that this Ringback knows. Is the daemon older than the command?",
    Because.BAD_EXTENSION: "An extension is made of letters, digits and * # . _ - +, thirty-two at most.",
    Because.EXTENSION_TAKEN: "%(who)s has this extension already. Take it from them first.",
    Because.BAD_ENDPOINT: "An endpoint is written as in PJSIP/101: letters, digits and . _ - + @, eighty at most.",
    Because.BAD_MAIL: "This is no mail address. Write it as in ana@example.com.",
    Because.BAD_MOBILE: "This is no phone number that can be texted. Write it with + and its country: +12025550147.",
    Because.BAD_LANGUAGE: "Choose one of the languages.",
    Because.LAST_OF_NUMBER: (
        "Nobody would be left who sees what comes in at %(numbers)s. Give it another owner, or set a fallback, first."
    ),
    Because.NO_DEPARTMENT: "There is no such department.",
    Because.BAD_DEPARTMENT: "A department has a name of one to sixty characters, without / and line breaks.",
    Because.DEPARTMENT_TAKEN: "There is a department of this name at %(path)s. A name stands once in the tree.",
    Because.CIRCLE: "It would be part of itself: %(path)s.",
    Because.TOO_DEEP: f"No more than {DEEPEST} departments may stand one in another.",
    Because.NO_MEMBER: "They are not in this department.",
    Because.NO_NUMBER: "There is no such number here.",
    Because.BAD_LABEL: "A label has sixty characters at most, and no line break.",
    Because.NO_GROUP: "There is no such group of numbers.",
    Because.BAD_GROUP: "A group has a name of one to sixty characters, without line breaks.",
    Because.GROUP_TAKEN: "There is a group of this name already.",
    Because.NO_OWNER: "There is no such user or department.",
    Because.NOBODY_THERE: "Nobody who can log in belongs to %(owner)s. Choose somebody who would see what comes in.",
    Because.SAME_FALLBACK: "The fallback must be somebody else than the owner.",
    Because.FORMER: "This number is not configured any more, so nothing can go out from it.",
    Because.NO_QUEUE: "There is no such text queue.",
    Because.BAD_QUEUE: "A text queue has a name of one to sixty characters, without line breaks.",
    Because.QUEUE_TAKEN: "There is a text queue of this name already.",
    Because.MAIN_STAYS: "The main queue takes what no other queue is for, so it cannot be removed.",
    Because.MAIN_HAS_REST: "The main queue has every number that no other queue has. Give numbers to the others.",
    Because.NO_TAKER: "%(who)s cannot take sessions: they are disabled, or their role does not include it.",
    Because.NO_MEMBER_THERE: "Nobody here has the login or extension %(given)s.",
    Because.NO_AGENT: "%(who)s is no agent: make them a member of a queue first.",
    Because.BAD_VOICE: "%(given)s is no queue of Asterisk's. Write it as PBX/queue, as in main/sales.",
    Because.NO_PBX: "There is no PBX %(given)s. Write one of %(choices)s.",
    Because.UNHEARD: "PBX %(name)s is not heard now, so its queues are not known. Try again when it is back.",
    Because.BAD_CAPACITY: "An agent carries 1 to 50 sessions at once.",
    Because.BAD_WEIGHT: "A call counts as 0 to 50 sessions.",
    Because.NOTHING_TO_MAP: "Choose a queue of Asterisk's first.",
    Because.MAPPED_MEANWHILE: "The queues or their members are others now. Look at what would be made once more.",
}


class Refused(RingbackError):
    """The change cannot be made. `values` are those of the places in its sentence."""

    def __init__(self, why: Because, **values: str) -> None:
        super().__init__(SENTENCES[why] % values)
        self.why = why
        self.values = values
