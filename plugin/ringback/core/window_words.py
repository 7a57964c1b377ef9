"""How people say when: data for `windows`, six languages in one table.

A word means the same whatever language is around it. The few that mean two things are in the table twice, and both
meanings are tried.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from ringback.core.folding import fold
from ringback.core.schedules import WORDS


class Kind(Enum):
    """What a word does in a reply."""

    DAY = auto()  # `value` days after today
    WEEKDAY = auto()
    ORDINAL = auto()
    PART = auto()  # of the day: an index into PARTS
    NOON = auto()
    HALF = auto()  # am or pm, behind an hour: an index into PARTS
    HOUR = auto()  # makes a time of the number before it
    AT = auto()  # makes a time of the number after it
    CHOICE = auto()  # makes one of those offered of the number after it
    AFTER = auto()
    BEFORE = auto()
    FROM = auto()
    TO = auto()
    BETWEEN = auto()
    AND = auto()
    YES = auto()
    FILLER = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    kind: Kind
    value: int = 0


MORNING, AFTERNOON, EVENING, PM = range(4)
PARTS = ((0, 12), (12, 21), (17, 24), (12, 24))
"""From which hour to which. Eight is still `de la tarde`, and already `вечера`."""

_TODAY = Meaning(Kind.DAY, 0)

_TABLE: tuple[tuple[tuple[Meaning, ...], str], ...] = (
    ((Meaning(Kind.DAY, 1),), "tmrw, tmr, tomorow, tommorow, tommorrow"),
    (
        (Meaning(Kind.DAY, 2),),
        """
        day after tomorrow, pasado mañana, après-demain, depois de amanhã, послезавтра, dopodomani
        """,
    ),
    ((Meaning(Kind.WEEKDAY, 0),), "mon, lun, seg, segunda, пн"),
    ((Meaning(Kind.WEEKDAY, 1),), "tue, tues, mar, ter, terça, вт"),
    ((Meaning(Kind.WEEKDAY, 2),), "wed, mié, mer, qua, quarta, ср, среду"),
    ((Meaning(Kind.WEEKDAY, 3),), "thu, thur, thurs, jue, jeu, gio, qui, quinta, чт"),
    ((Meaning(Kind.WEEKDAY, 4),), "fri, vie, ven, sex, sexta, пт, пятницу"),
    ((Meaning(Kind.WEEKDAY, 5),), "sat, sáb, sam, сб, субботу"),
    ((Meaning(Kind.WEEKDAY, 6),), "sun, dom, dim, вс"),
    (
        (Meaning(Kind.ORDINAL, 1),),
        """
        first, 1st, primero, primera, primer, premier, première, 1er, 1ère, primeiro, primeira, primo, prima, 1o, 1a,
        первый, первая, первое, первую, 1й, 1я, 1е, 1ю
        """,
    ),
    (
        (Meaning(Kind.ORDINAL, 2),),
        """
        second, 2nd, segundo, segunda, segunda opción, segunda opção, deuxième, seconde, 2e, 2ème, secondo,
        seconda, 2o, 2a, второй, вторая, второе, вторую, 2й, 2я, 2е, 2ю
        """,
    ),
    (
        (Meaning(Kind.ORDINAL, 3),),
        """
        third, 3rd, tercero, tercera, tercer, troisième, 3e, 3ème, terceiro, terceira, terzo, terza, 3o, 3a, третий,
        третья, третье, третью, 3й, 3я, 3е, 3ю
        """,
    ),
    ((Meaning(Kind.ORDINAL, 4),), "fourth, 4th, cuarto, cuarta, quatrième, quarto, quarta, quarta opção"),
    ((Meaning(Kind.ORDINAL, 5),), "fifth, 5th, quinto, quinta"),
    (
        (Meaning(Kind.PART, MORNING),),
        """
        morning, por la mañana, de la mañana, en la mañana, matin, manhã, утром, утра, mattina, mattino
        """,
    ),
    (
        (Meaning(Kind.PART, AFTERNOON),),
        """
        afternoon, tarde, après-midi, l'après-midi, de l'après-midi, днём, дня, после обеда, pomeriggio
        """,
    ),
    ((Meaning(Kind.PART, EVENING),), "evening, noche, soir, noite, вечером, вечера, sera"),
    ((_TODAY, Meaning(Kind.PART, MORNING)), "this morning, esta mañana, ce matin, esta manhã, stamattina"),
    ((_TODAY, Meaning(Kind.PART, AFTERNOON)), "this afternoon, esta tarde, cet après-midi"),
    ((_TODAY, Meaning(Kind.PART, EVENING)), "tonight, this evening, esta noche, ce soir, esta noite, stasera"),
    ((Meaning(Kind.NOON),), "noon, midday, mediodía, medio día, midi, meio-dia, полдень, mezzogiorno"),
    ((Meaning(Kind.HALF, MORNING),), "am, a.m."),
    ((Meaning(Kind.HALF, PM),), "pm, p.m."),
    ((Meaning(Kind.HOUR),), "h, hr, hrs, hs, o'clock, hours, horas, hora, heures, heure, часа, часов, ч"),
    ((Meaning(Kind.AT),), "at, в, во, к, alle ore, ore"),
    ((Meaning(Kind.TO), Meaning(Kind.AT)), "a, as, a las, a la, alle, all"),
    ((Meaning(Kind.TO),), "to, по"),
    ((Meaning(Kind.CHOICE),), "option, number, nr, opción, número, opção, opzione, numero, вариант, номер"),
    (
        (Meaning(Kind.AFTER),),
        """
        after, después de, después de las, después de la, après, depois das, depois de, após, após as, после, dopo,
        dopo le
        """,
    ),
    (
        (Meaning(Kind.BEFORE),),
        """
        before, until, till, til, by, antes de, antes de las, antes de la, hasta, hasta las, avant, jusqu'à, antes
        das, até, até as, до, prima delle, prima, fino alle
        """,
    ),
    (
        (Meaning(Kind.FROM),),
        """
        from, desde, desde las, a partir de, a partir de las, a partir das, dès, das, dalle, dalle ore, с, со,
        starting at, de las, de la
        """,
    ),
    ((Meaning(Kind.BETWEEN),), "between, entre, entre las, entre la, entre as, между, tra le, tra, fra le, fra"),
    ((Meaning(Kind.AND),), "and, y, y las, y la, et, e, e as, e le, и"),
    (
        (Meaning(Kind.YES),),
        """
        yes, yeah, yep, yup, ok, okay, sure, perfect, great, good, fine, works, work, suits, sounds good, agreed,
        confirmed, sí, vale, perfecto, de acuerdo, claro, bien, está bien, me viene bien, me va bien, genial, oui,
        parfait, d'accord,
        me convient, ça me va, ça me convient, ça marche, c'est bon, c'est parfait, très bien, sim, pode
        ser, perfeito, combinado, ótimo, tudo bem, está bom, да, хорошо, подходит, удобно, отлично, договорились,
        согласен, согласна, давайте, ок, va bene, perfetto, certo, d'accordo, benissimo, mi va bene
        """,
    ),
    (
        (Meaning(Kind.FILLER),),
        """
        the, one, slot, window, time, is, would be, that, it, i prefer, i'd prefer, i'll take, i would like, i'd like,
        i choose, let's do, let's say, better, best, for me, please, thanks, thank you, hi, hello, call, call me, call
        me back, you can call me, can you call me, on, in, about, around, then, of, el, los, las, la, de, del, por
        favor, gracias, muchas gracias, hola, mejor, prefiero, llámeme, llámenme, llámame, me pueden llamar, me puede
        llamar, pueden llamarme, sobre, hacia, en, por, para mí, es, le, les, du, s'il vous plaît, svp, merci, merci
        beaucoup, bonjour, je préfère, plutôt, appelez-moi, rappelez-moi, vers, celui, celle, pour moi, est, o, os,
        do, da, na, no dia, obrigado, obrigada, olá, oi, prefiro, melhor, me ligue, me liguem, pode me ligar, por
        volta das, para mim, pela, пожалуйста, спасибо, здравствуйте, мне, лучше, можно, позвоните, перезвоните, на,
        около, это, il, lo, di, dello, per favore, grazie, ciao, buongiorno, meglio, preferisco, chiamatemi,
        richiamatemi, mi chiami, mi richiami, può chiamarmi, verso, per me
        """,
    ),
)


def _phrases() -> Iterator[tuple[str, tuple[Meaning, ...]]]:
    for words in WORDS.values():
        yield words.today, (_TODAY,)
        yield words.tomorrow, (Meaning(Kind.DAY, 1),)
        yield from ((day, (Meaning(Kind.WEEKDAY, number),)) for number, day in enumerate(words.days))
    yield from ((phrase, meanings) for meanings, row in _TABLE for phrase in row.split(","))


def _vocabulary() -> dict[tuple[str, ...], tuple[tuple[Meaning, ...], ...]]:
    known: dict[tuple[str, ...], tuple[tuple[Meaning, ...], ...]] = {}
    for phrase, meanings in _phrases():
        words = tuple(fold(phrase).split())
        known[words] = tuple(dict.fromkeys((*known.get(words, ()), meanings)))
    return known


VOCABULARY: Mapping[tuple[str, ...], tuple[tuple[Meaning, ...], ...]] = _vocabulary()
"""What each phrase may mean: one meaning or two, each a row of what it does."""
