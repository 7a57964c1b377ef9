"""What a caller's text orders: STOP, START or HELP in any language we know, or nothing.

A whole message that is a keyword, or a sentence that cannot mean anything else, acts at once. What only reads like an
opt-out is a suggestion for a person. Everything is looked up, nothing is searched for with patterns, so no text can
make it slow. docs/keywords.md tells it to owners; the words are in `keyword_packs`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from ringback.core.folding import base_language, fold
from ringback.core.keyword_forms import Words
from ringback.core.keyword_table import (
    ASKING,
    KEYWORDS,
    LANGUAGES,
    POLITE,
    SENTENCES,
    SMELLS,
    STOP_WORDS,
    Bond,
    Command,
    Courtesy,
    Languages,
)
from ringback.core.templates import clean

__all__ = ["LANGUAGES", "Command", "Heard", "answer", "hear", "language_of_answer"]

TEXT_LIMIT = 8000
"""Characters that are looked at. No handset sends more, and what is longer is never sure."""

WORDS_LIMIT = 18
"""A sentence of a pack with politeness round it is shorter; what is longer is never sure."""

_WORD_ROOM = 40
_SHOUTED_WORDS = 8  # whoever writes more different words than that does not shout


@dataclass(frozen=True, slots=True)
class Heard:
    """What a text orders. `word` is what was understood, as it was written, in 40 characters at most.

    `sure` acts at once; without it this is a STOP that a person should look at. `only_if_opted_out` marks a START
    that is ordinary text from everybody who did not opt out, like `yes`. `languages` are those that have the word.
    """

    command: Command
    word: str
    languages: Languages
    sure: bool
    only_if_opted_out: bool = False

    @property
    def language(self) -> str:
        """The one language that has the word, or empty where several do."""
        return self.languages[0] if len(self.languages) == 1 else ""


def hear(text: str, hint: str = "") -> Heard | None:
    """Return what the text orders, if it orders anything. Never raises.

    `hint` is the carrier's own verdict, `stop`, `start` or `help`, and wins: the carrier has acted on it already.
    """
    heard = _hear(text)
    if hint in _HINTS:
        languages = heard.languages if heard and heard.command == hint else LANGUAGES
        return Heard(Command(hint), clean(text[:TEXT_LIMIT], _WORD_ROOM), languages, sure=True)
    return heard


_HINTS = frozenset(map(str, Command))


def _hear(text: str) -> Heard | None:
    seen = text[:TEXT_LIMIT]
    words = tuple(fold(seen).split())
    if len(seen) == len(text) and (said := _whole(words)):
        word = clean(seen, _WORD_ROOM)
        return Heard(said.command, word, said.languages, said.bond is not Bond.DOUBTFUL, said.only_if_opted_out)
    return _within(seen, words) or _clause(seen, words)


@dataclass(frozen=True, slots=True)
class _Said:
    """A whole message that was understood; DOUBTFUL if only a person can tell."""

    command: Command
    bond: Bond
    languages: Languages
    only_if_opted_out: bool = False


def _whole(words: Words) -> _Said | None:
    """Read all the words as one order: as they are, without politeness round them, or said calmly."""
    if len(words) > WORDS_LIMIT:
        return None
    said = _exactly(words) or _politely(words)
    if said is None and len(set(words)) <= _SHOUTED_WORDS and (calm := _calm(words)) != words:
        said = _exactly(calm) or _politely(calm)
    return said


def _exactly(words: Words) -> _Said | None:
    known = KEYWORDS.get(" ".join(words))
    return _Said(known.command, known.bond, known.languages, known.only_if_opted_out) if known else None


def _politely(words: Words) -> _Said | None:
    """`stop please`, `can you stop texting me`. START and HELP count alone only."""
    bare, polite = _without(words, POLITE)
    if known := KEYWORDS.get(" ".join(bare)):
        bond = known.bond if known.bond is Bond.POLITE else Bond.DOUBTFUL
        stop = known.command is Command.STOP
        return _Said(Command.STOP, bond, _common(known.languages, polite)) if stop else None
    asked, asking = _after(bare, ASKING)
    asked, between = _after(asked, POLITE)
    if languages := _sentence(asked):
        return _Said(Command.STOP, Bond.POLITE, _common(languages, polite | asking | between))
    return None


def _common(languages: Languages, polite: frozenset[str]) -> Languages:
    """`stop por favor` is Spanish or Portuguese, though `stop` may be any."""
    return tuple(language for language in languages if language in polite) or languages


def _sentence(words: Words) -> Languages:
    """Say of which languages these words are a sentence, the first and the last included."""
    known = SENTENCES.get(words[0], ()) if words else ()
    return tuple(dict.fromkeys(each.language for each in known if len(words) in each.ends(words, 0)))


def _without(words: Words, courtesy: Courtesy) -> tuple[Words, frozenset[str]]:
    """Take politeness off both ends, never all of it, and say of which languages it was."""
    rest, languages = _after(words, courtesy)
    while found := courtesy.last(rest):
        languages |= frozenset(courtesy.languages[found])
        rest = rest[: -len(found)]
    return rest, languages


def _after(words: Words, courtesy: Courtesy) -> tuple[Words, frozenset[str]]:
    languages: frozenset[str] = frozenset()
    while found := courtesy.first(words):
        languages |= frozenset(courtesy.languages[found])
        words = words[len(found) :]
    return words, languages


_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")


def _calm(words: Words) -> Words:
    """`S.T.O.P` in one, `stooop` and `STOP STOP STOP` as one would say them."""
    if all(len(word) == 1 for word in words):
        return ("".join(words),)
    return tuple(word for word, _ in groupby(_DRAWN_OUT.sub(r"\1", " ".join(words)).split()))


def _within(text: str, words: Words) -> Heard | None:
    """Read a longer text for a sentence that makes it look like an opt-out."""
    for start, word in enumerate(words):
        for sentence in SMELLS.get(word, ()):
            if ends := sentence.ends(words, start):
                return Heard(Command.STOP, _as_written(text, start, max(ends)), (sentence.language,), sure=False)
    return None


def _as_written(text: str, start: int, end: int) -> str:
    """Find the words from `start` to `end` of the folded text where they stand in the text."""
    pieces = []
    count = 0
    for piece in text.split():
        before, count = count, count + len(fold(piece).split())
        if before < end and count > start:
            pieces.append(piece)
    return clean(" ".join(pieces), _WORD_ROOM)


_BREAK = re.compile(r"[.!?;,:\n\u2026]+")


def _clause(text: str, words: Words) -> Heard | None:
    """`Who is this? Stop.`: one part of a longer text that would be a STOP by itself."""
    if STOP_WORDS.isdisjoint(words):
        return None
    for clause in _BREAK.split(text):
        said = _whole(tuple(fold(clause).split()))
        if said and said.bond is Bond.POLITE:
            return Heard(Command.STOP, clean(clause, _WORD_ROOM), said.languages, sure=False)
    return None


@dataclass(frozen=True, slots=True)
class _Wording:
    """How a language answers. Its letters are of GSM 7-bit where the language allows: no `más`, no `não`, no `arrêter`.

    The words to reply are those that every carrier knows, whatever the language: a block of the carrier's own is
    lifted by START alone.
    """

    colon: str
    stop: str
    start: str
    help: str
    contact: str
    end: str


_WORDINGS: Mapping[str, _Wording] = {
    "en": _Wording(
        ":",
        "You are unsubscribed and we will not text you again. Reply START to hear from us.",
        "You will get our texts again.",
        "We text people who call us.",
        "Contact",
        "Reply STOP to end.",
    ),
    "es": _Wording(
        ":",
        "Hecho, no le enviaremos otros mensajes. Responda START para volver a recibirlos.",
        "Le enviaremos mensajes de nuevo.",
        "Enviamos mensajes a quien nos llama.",
        "Contacto",
        "Responda STOP para terminar.",
    ),
    "fr": _Wording(
        " :",
        "C'est noté, nous ne vous écrirons plus. Répondez START pour recevoir de nouveau nos messages.",
        "Vous recevrez de nouveau nos messages.",
        "Nous envoyons un message aux personnes qui nous appellent.",
        "Contact",
        "Répondez STOP pour ne plus en recevoir.",
    ),
    "pt": _Wording(
        ":",
        "Pronto, este telefone saiu da nossa lista. Responda START para voltar a receber mensagens.",
        "Voltamos a enviar mensagens.",
        "Enviamos mensagens a quem nos liga.",
        "Contato",
        "Responda STOP para parar.",
    ),
    "ru": _Wording(
        ":",
        "Больше не будем вам писать. Чтобы снова получать сообщения, ответьте START.",
        "Снова будем вам писать.",
        "Пишем тем, кто нам звонит.",
        "Контакт",
        "Чтобы прекратить, ответьте STOP.",
    ),
    "it": _Wording(
        ":",
        "Fatto, non riceverà altri messaggi. Risponda START per riceverli di nuovo.",
        "Riceverà di nuovo i nostri messaggi.",
        "Scriviamo a chi ci chiama.",
        "Contatto",
        "Risponda STOP per terminare.",
    ),
}

_NAME_ROOM = 60


def answer(command: Command, language: str, business: str, contact: str = "") -> str:
    """Return the one text that answers a command; English where the language is not spoken.

    It names the business and sells nothing: 47 CFR 64.1200(a)(12) allows one confirmation without marketing.
    """
    say = _WORDINGS.get(base_language(language), _WORDINGS["en"])
    name, contact = clean(business, _NAME_ROOM), clean(contact, _NAME_ROOM)
    told = f"{say.contact}{say.colon} {contact}." if contact else ""
    sentences = {
        Command.STOP: (say.stop,),
        Command.START: (say.start, say.end),
        Command.HELP: (say.help, told, say.end),
    }
    return " ".join(filter(None, (f"{name}{say.colon}" if name else "", *sentences[command])))


def language_of_answer(heard: Heard, fallback: str) -> str:
    """Answer people in the language of their word; in `fallback`, the thread's, if it has the word or all have it."""
    if heard.languages == LANGUAGES or base_language(fallback) in heard.languages:
        return fallback
    return heard.languages[0]
