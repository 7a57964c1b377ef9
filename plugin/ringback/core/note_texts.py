"""The texts that a queue sends by itself: which names each may use, and what we suggest in six languages.

The suggestions keep to letters that cost one part where the language allows it.
"""

import re
from collections.abc import Mapping, Sequence

from ringback.core.templates import Template, TextKind, parse
from ringback.core.text_queues import Note, Texts

KIND_OF: Mapping[Note, TextKind] = dict.fromkeys(Note, TextKind.QUEUE_TEXT) | {
    Note.TRANSFERRED: TextKind.TRANSFER_TEXT,
    Note.WARNING: TextKind.WARNING_TEXT,
    Note.OUT_OF_HOURS: TextKind.HOURS_TEXT,
}
"""By what each is read: `agent`, `minutes` and `windows` stand in one of them alone."""

_ENGLISH = {
    Note.OPENING: "{{ business }}: we go on by text now. Tell us here what you need. STOP to end",
    Note.WAIT_TEXT: "{{ business }}: stay on the line. Whoever answers reads what you write here. STOP to end",
    Note.TEXT_BACK: "{{ business }}: write here what you need, and we answer as soon as we can. STOP to end",
    Note.WAIT: "Nobody is free just now. We have your text and answer as soon as somebody is.",
    Note.TRANSFERRED: "{% if agent %}{{ agent }}{% else %}A colleague{% endif %} goes on with this conversation.",
    Note.WARNING: "Do you still need us? Without an answer we close this conversation in {{ minutes }} minutes.",
    Note.DISMISSED: "We had set this conversation aside. It is open again, and we answer soon.",
    Note.CLOSED: "This conversation is closed. Write again whenever you need us.",
    Note.OUT_OF_HOURS: (
        "{{ business }} is closed now.{% if windows %} We can call you {{ windows }}.{% endif %}"
        " We answer your text when we are open."
    ),
}
_SPANISH = {
    Note.OPENING: "{{ business }}: seguimos por mensajes. Escriba lo que necesita. STOP para terminar",
    Note.WAIT_TEXT: "{{ business }}: siga en la linea. Quien le atienda lee lo que escriba. STOP para terminar",
    Note.TEXT_BACK: "{{ business }}: escriba lo que necesita y le respondemos en cuanto podamos. STOP para terminar",
    Note.WAIT: "Ahora no hay nadie libre. Tenemos su mensaje y respondemos en cuanto alguien pueda.",
    Note.TRANSFERRED: "{% if agent %}{{ agent }}{% else %}Otra persona{% endif %} le atiende desde ahora.",
    Note.WARNING: "¿Nos necesita todavia? Si no responde, cerramos en {{ minutes }} minutos.",
    Note.DISMISSED: "Esto ya estaba cerrado. Lo abrimos de nuevo y le respondemos pronto.",
    Note.CLOSED: "Hemos terminado por ahora. Escriba de nuevo cuando nos necesite.",
    Note.OUT_OF_HOURS: (
        "{{ business }} ha cerrado por hoy.{% if windows %} Podemos llamarle {{ windows }}.{% endif %}"
        " Le respondemos cuando abramos."
    ),
}
_FRENCH = {
    Note.OPENING: "{{ business }} : nous continuons par SMS. Dites-nous ce qu'il vous faut. STOP pour finir",
    Note.WAIT_TEXT: "{{ business }} : restez en ligne. Qui vous répond lira ce que vous écrivez ici. STOP pour finir",
    Note.TEXT_BACK: "{{ business }} : écrivez-nous ici, nous répondons au plus vite. STOP pour finir",
    Note.WAIT: "Personne n'est libre en ce moment. Nous avons votre message et répondons dès que possible.",
    Note.TRANSFERRED: "{% if agent %}{{ agent }}{% else %}Une autre personne{% endif %} vous répond maintenant.",
    Note.WARNING: "Avez-vous encore besoin de nous ? Sans réponse, nous fermons dans {{ minutes }} minutes.",
    Note.DISMISSED: "Cette conversation était close. Elle est ouverte à nouveau, nous répondons vite.",
    Note.CLOSED: "Cette conversation est close. Écrivez-nous à nouveau si besoin.",
    Note.OUT_OF_HOURS: (
        "{{ business }} est fermé.{% if windows %} Nous pouvons vous appeler {{ windows }}.{% endif %}"
        " Nous répondons à l'ouverture."
    ),
}
_ITALIAN = {
    Note.OPENING: "{{ business }}: continuiamo per messaggio. Scriva qui di cosa ha bisogno. STOP per finire",
    Note.WAIT_TEXT: "{{ business }}: resti in linea. Chi risponde legge quello che scrive qui. STOP per finire",
    Note.TEXT_BACK: "{{ business }}: scriva qui di cosa ha bisogno, rispondiamo appena possibile. STOP per finire",
    Note.WAIT: "In questo momento siamo tutti occupati. Abbiamo il suo messaggio e rispondiamo appena possibile.",
    Note.TRANSFERRED: "{% if agent %}{{ agent }}{% else %}Un'altra persona{% endif %} continua questa conversazione.",
    Note.WARNING: "Ha ancora bisogno di noi? Senza risposta chiudiamo tra {{ minutes }} minuti.",
    Note.DISMISSED: "Questa conversazione era chiusa. Ora è di nuovo aperta, rispondiamo presto.",
    Note.CLOSED: "Questa conversazione è chiusa. Ci scriva di nuovo quando vuole.",
    Note.OUT_OF_HOURS: (
        "{{ business }} ora è chiuso.{% if windows %} Possiamo chiamarla {{ windows }}.{% endif %}"
        " Rispondiamo quando apriamo."
    ),
}
_PORTUGUESE = {
    Note.OPENING: "{{ business }}: continuamos por mensagem. Escreva aqui o que precisa. STOP para terminar",
    Note.WAIT_TEXT: "{{ business }}: fique na linha. Quem atender vai ler o que escrever aqui. STOP para terminar",
    Note.TEXT_BACK: "{{ business }}: escreva aqui o que precisa e respondemos logo que possamos. STOP para terminar",
    Note.WAIT: "De momento estamos todos ocupados. Temos a sua mensagem e respondemos logo que possamos.",
    Note.TRANSFERRED: "{% if agent %}{{ agent }}{% else %}Outra pessoa{% endif %} continua esta conversa.",
    Note.WARNING: "Ainda precisa de ajuda? Sem resposta, fechamos esta conversa em {{ minutes }} minutos.",
    Note.DISMISSED: "Esta conversa estava fechada. Foi aberta de novo e respondemos em breve.",
    Note.CLOSED: "Esta conversa foi fechada. Escreva de novo quando precisar.",
    Note.OUT_OF_HOURS: (
        "{{ business }} encerrou por hoje.{% if windows %} Podemos ligar {{ windows }}.{% endif %}"
        " Respondemos quando abrirmos."
    ),
}
_RUSSIAN = {
    Note.OPENING: "{{ business }}: продолжаем здесь. Что вам нужно? STOP - закончить",
    Note.WAIT_TEXT: "{{ business }}: оставайтесь на линии, пишите сюда. STOP - закончить",
    Note.TEXT_BACK: "{{ business }}: напишите нам, скоро ответим. STOP - закончить",
    Note.WAIT: "Сейчас все заняты. Мы получили ваше сообщение и скоро ответим.",
    Note.TRANSFERRED: "Дальше вам отвечает {% if agent %}{{ agent }}{% else %}наш коллега{% endif %}.",
    Note.WARNING: "Мы вам ещё нужны? Без ответа закроем через {{ minutes }} мин.",
    Note.DISMISSED: "Этот разговор был отложен. Он снова открыт, скоро ответим.",
    Note.CLOSED: "Разговор закрыт. Напишите снова, когда будет нужно.",
    Note.OUT_OF_HOURS: (
        "{{ business }}: сейчас закрыто.{% if windows %} Можем позвонить {{ windows }}.{% endif %}"
        " Ответим, как откроемся."
    ),
}
SUGGESTED: Mapping[str, Mapping[Note, str]] = {
    "en": _ENGLISH,
    "es": _SPANISH,
    "fr": _FRENCH,
    "it": _ITALIAN,
    "pt": _PORTUGUESE,
    "ru": _RUSSIAN,
}


def suggested(languages: Sequence[str]) -> dict[Note, Texts]:
    """What a new queue says, in those of these languages that we speak; in English where we speak none of them."""
    spoken = {language: SUGGESTED[short] for language in languages if (short := _short(language)) in SUGGESTED}
    spoken = spoken or {"en": _ENGLISH}
    return {note: {language: texts[note] for language, texts in spoken.items()} for note in Note}


def read_note(note: Note, source: str) -> Template:
    """Check one text of a queue. Raises TemplateFault."""
    return parse(source, KIND_OF[note])


def _short(language: str) -> str:
    return re.split("[-_]", language.lower())[0]
