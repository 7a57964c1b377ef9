"""What orders and what does not: opt-outs as people write them, and sentences that only look like one."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core import keyword_table
from ringback.core.folding import base_language, fold
from ringback.core.keyword_table import KEYWORDS, SMELLS
from ringback.core.keywords import LANGUAGES, TEXT_LIMIT, WORDS_LIMIT, Command, Heard, hear

STOPS = {
    "": """
        STOP | stop | Stop. | stop!! | “Stop” | "STOP" | 'stop' | «stop» | (stop) | *STOP* | STOP 🛑 | 🛑🛑STOP🛑
        S.T.O.P | S T O P | s-t-o-p | ＳＴＯＰ
        ｓｔｏｐ！ | 𝐒𝐓𝐎𝐏 | st\u200bop | \u202eSTOP\u202c | \ufeffSTOP | ST\u00adOP
        S\u0000T\u0000O\u0000P | stòp | STOOOP | stopppp | STOP STOP STOP | Stop! Stop! | \u3164STOP | STOP\u2800
        ok stop | ﬆop | #stop | @stop | STOP… | 'STOP.' | STOP SMS | stop messages | REMOVER! | CANCELAR
        Parar | PARE | pare.
    """,
    "en": """
        STOPALL | Stop all | UNSUBSCRIBE | unsubscribe. | Cancel | END | end. | QUIT | REVOKE | OPT OUT | opt-out
        OPTOUT | Opt  out | REMOVE | TD | stop please | Please stop | please stop. thanks | PLEASE STOP!!! | stop now
        Stop right now | just stop | Sorry, stop | Hi, stop please | stop texting me | Stop texting
        please stop texting me | Stop messaging me anymore | stop contacting me | can you please stop texting me?
        Can you stop texting me | quit texting me | stop sending me texts | stop sending messages
        Please stop sending me these messages. Thank you | do not text me | Do not text me again | don't text me again
        dont text me | don’t text me anymore | DON´T TEXT ME | Never text me again | Please do not contact me again
        do not contact this number | don't send me any more texts | no more texts | No more messages please
        no more texts, thanks | stop the texts | stop these messages | stop all messages | STOP TEXTS | unsubscribe me
        Please unsubscribe me. | opt me out | I want to opt out | i would like to unsubscribe please
        I'd like to opt out | I revoke my consent | revoke consent | unsubscribe from your texts | STOP to end
        reply STOP | Stop spamming me | stop calling and texting me | pleaseee stop | STOPP
        I do not want any more texts | I don't want to receive messages anymore | stop stop texting me
        opt-out please | Would you please stop texting this number | UNSUBSCRIBE thank you
    """,
    "es": """
        ALTO | baja | BAJA. | DETENER | No más | NO MAS | ¡No más! | salir | DESUSCRIBIR | desuscribirme por favor
        darme de baja | DAR DE BAJA | stop gracias | alto a los mensajes | por favor no más mensajes | No más mensajes
        no mas mensajes por favor | NO MÁS SMS | no me escriba más | no me escriban | Por favor, no me escriban más
        no me envíe más mensajes | No me envien mas mensajes de texto por favor | no me manden más mensajes
        no me mande nada más | no quiero más mensajes | Ya no quiero recibir mensajes | no quiero recibir sus mensajes
        deje de escribirme | dejen de mandarme mensajes | dejen de enviar mensajes, gracias | deme de baja por favor
        quiero darme de baja | basta de mensajes | cancelar suscripción | ya no me contacten | paren de escribirme
        no envíen más mensajes | STOP para terminar
    """,
    "fr": """
        ARRET | arrêt | ARRÊT! | arrete | ARRETT | arrêtez | Arrêtez svp | arrêter | STOP svp | stop merci
        Stop, s'il vous plaît | DÉSABONNER | desabonnement | me désabonner | désinscrire | Désinscription svp
        arrêtez de m'écrire | Arrêtez de m’envoyer des messages | merci d'arrêter de m'envoyer des sms
        arrête de m'écrire stp | cessez de me contacter | stop aux messages | arrêtez les messages | plus de messages
        plus de sms svp | ne m'écrivez plus | Ne m'envoyez plus de messages | ne me contactez plus svp
        merci de ne plus m'écrire | ne m'envoyez plus de sms | merci de ne plus m'envoyer de messages
        je ne veux plus recevoir de messages | je ne veux plus recevoir vos sms | Je souhaite me désabonner
        je veux me désinscrire | STOP PUB | veuillez arrêter de m'écrire | Pouvez-vous arrêter de m'écrire
        STOP pour arrêter | Bonjour, arrêtez
    """,
    "pt": """
        SAIR | sair. | parem | PARAR obrigado | DESCADASTRAR | descadastrar por favor, obrigado | DESINSCREVER
        cancelar inscrição | stop obrigado | pare de me mandar mensagens | parem de me enviar mensagens
        Pare de mandar mensagem | parem de mandar SMS | não me mande mais mensagens
        Não me mandem mais mensagem por favor | nao me envie mais nada | não mande mais sms | não me escreva mais
        não quero mais mensagens | não quero receber mais mensagens | Não quero mais receber mensagens, obrigada
        não quero receber suas mensagens | chega de mensagens | sem mais mensagens | quero me descadastrar
        pare de me escrever | parem as mensagens | STOP para parar | Você pode parar de me mandar mensagens
    """,
    "ru": """
        СТОП | стоп. | Стоп! | «Стоп» | СТОП, пожалуйста | стоооп | отписаться | ОТПИСАТЬСЯ! | отписка | отпишите меня
        Отпишите меня от рассылки | пожалуйста, отпишите меня | не пишите мне | Не пишите мне больше
        больше не пишите | Больше не пишите мне, пожалуйста | не пишите больше | больше не присылайте смс
        не присылайте мне больше сообщений | прекратите писать | Прекратите присылать сообщения
        перестаньте мне писать | хватит писать мне | хватит слать смс | хватит смс | не хочу получать сообщения
        я не хочу больше получать ваши смс | прекратите | прекратить | не надо мне больше писать | хочу отписаться
        прошу отписать меня от рассылки | отключите рассылку | stop пожалуйста | С.Т.О.П. | СТОП СТОП
    """,
    "it": """
        FERMA | ferma. | fermate | Fermatevi per favore | DISISCRIVI | disiscrivimi | Disiscrivetemi, grazie
        DISISCRIVERMI | stop per favore | basta messaggi | Basta sms! | basta con i messaggi per favore
        niente più messaggi | stop messaggi | smettete di scrivermi | smettila di scrivermi
        Smettetela di mandarmi messaggi | non scrivetemi più | Non mi scrivete più per favore | non mi scriva più
        non mandatemi più messaggi | Non inviatemi più sms, grazie | non voglio ricevere messaggi
        non voglio più ricevere messaggi | non voglio più messaggi | voglio disiscrivermi | cancella iscrizione
        potete smettere di scrivermi | non contattatemi più | STOP per terminare
    """,
}


def split_rows(rows):
    return [text.strip(" ") for line in rows.strip("\n ").split("\n") for text in line.strip(" ").split(" | ")]


SURE_STOPS = [(text, language) for language, rows in STOPS.items() for text in split_rows(rows)]


@pytest.mark.parametrize(("text", "language"), SURE_STOPS, ids=[ascii(text) for text, _ in SURE_STOPS])
def test_an_opt_out_acts_at_once(text, language):
    heard = hear(text)
    assert heard is not None
    assert (heard.command, heard.sure, heard.only_if_opted_out) == (Command.STOP, True, False)
    assert language in ("", heard.language)


def test_there_are_enough_rows():
    assert len(SURE_STOPS) >= 250
    assert len(ORDINARY) >= 200
    assert len({text for text, _ in SURE_STOPS} | set(ORDINARY)) == len(SURE_STOPS) + len(ORDINARY)


ORDINARY = split_rows("""
Can you stop by at 5? | I can't stop the water | start at 9? | help me move the sofa on Friday
please cancel my appointment | Cancel my appointment please | I need to cancel tomorrow | can you cancel it
when does it end? | the end of the street | weekend | end of May is fine | quit smoking class | Fine | fine thanks
Yes please | yes, 13:00 works | no thanks | No | no. | nope | ok | OK thanks | thank you | call me
please call me back | stop by anytime | the bus stop is closed | stop sign is down | I'm at the stop | Non-stop?
nonstop service | stopwatch repair | pit stop | stopped by your shop | Stopping by at 4 | the water does not stop
my car won't start | cannot start the engine | please start without me | let's start on Monday | start now?
restart the router | help | I need help with my order please | can you help me? | more info please
info about prices? | any information? | please help | HELP ME | help!!! now
can I unsubscribe my newsletter and keep the account? | revoke the old key please | remove the tree in my garden
remove old carpet? | can you remove the stain | cancel culture | opt for the blue one | out of office | all good
I'm driving, text you later | don't worry | do not forget the keys | don't text, I'm driving | never mind
who is this? | Wrong number, sorry | Sorry wrong number | I called about the job | do you text quotes?
text me the address | message me when ready | send me the message again | please send more messages with photos
no more bread | no more questions | Stop the leak please | stop the machine first | TV is broken | TDX | end to end
ending soon? | quite good | endive | cancelled | subscription price? | Liked “Sorry we missed you. STOP to end”
Loved “Acme: Sorry we missed you. Reply here. STOP to end” | Reacted 👍 to “Sorry we missed your call, STOP to end” | 1
2 | 13:00 | 👍 | ❤️ | ? | ... | 😀😀 | Mr. Stop called | my name is Stopford | is this the stop and shop? | full stop
where do I stop | I will stop at nothing | doesn't stop raining | please do stop in | por favor llámeme
¿a qué hora cierran? | cancelar mi cita por favor | quiero cancelar la cita de mañana | la baja médica | planta baja
baja la música por favor | está más alto | el alto de la calle | gracias | muchas gracias | sí, mañana | sí por favor
no gracias | hola | no más de 20 euros | no, más tarde | no más gracias | nada más | ya no necesito la pieza
pare el coche en la puerta | voy a salir | salir a las 5 | no me llega el paquete | ayuda con mi pedido
información de precios | dame la dirección | parada de autobús | para mañana | alta mañana | para de llover a las 5
¿me puede escribir? | escríbame por aquí | mándeme más fotos | rappelez-moi svp | à quelle heure fermez-vous ?
annuler mon rendez-vous svp | je veux annuler | l'arrêt de bus | arrêt de travail | je suis à l'arrêt du tram
arrête-toi au coin | arrêtez-vous devant la porte | oui merci | non merci | merci | bonjour | fin de semaine
c'est fini | aide à domicile | aidez-moi svp | plus de détails svp | je ne veux plus de la pizza | infos sur les prix
je commence lundi | envoyez-moi un message | ne m'appelez pas avant midi demain ? | me ligue por favor
cancelar minha consulta | quero cancelar o horário de amanhã | vou sair às 5 | pode parar na porta? | pare na esquina
sim, obrigado | sim às 10 | não obrigado | não | bom dia | ajuda com meu pedido
não me ligue antes das 9 amanhã, por gentileza ok? | mais informações | parar de pagar | parada de ônibus
remover o sofá velho | quero mais fotos | mande mais fotos | começar amanhã | não recebi a mensagem | fim de semana
sem mais | chegamos às 5 | перезвоните мне | перезвоните пожалуйста | отмените запись | хочу отменить запись на завтра
отмена записи | да, завтра | да пожалуйста | нет | нет спасибо | спасибо | здравствуйте | сколько стоит?
остановка автобуса | на стоп сигнале | стоп-сигнал не горит | стоп линия | помощь с заказом | нужна помощь
не пишется ручка | пишите сюда | напишите адрес | начать ремонт завтра | перестал работать кран | прекратился дождь
информация о ценах | не получил сообщение | mi richiami per favore | a che ora chiudete?
annullare il mio appuntamento | vorrei annullare la prenotazione | fermata dell'autobus | la macchina è ferma
fermatevi davanti alla porta alle 5 | sono alla fermata | va bene | fine settimana | alla fine | sì grazie | si domani
no grazie | no | buongiorno | aiuto con l'ordine | mi aiuti per favore | basta così | basta una foto?
mi basta la foto | informazioni sui prezzi | iniziare domani? | non ho ricevuto il messaggio | cancella la riga 3
""")


@pytest.mark.parametrize("text", ORDINARY, ids=ascii)
def test_ordinary_text_is_never_sure_to_be_a_stop(text):
    heard = hear(text)
    assert heard is None or heard.command is not Command.STOP or not heard.sure


DOUBTED = ("no más gracias",)
HELP_ALONE = ("help",)


@pytest.mark.parametrize("text", [text for text in ORDINARY if text not in DOUBTED + HELP_ALONE], ids=ascii)
def test_ordinary_text_is_not_even_suspected(text):
    assert hear(text) is None


SUGGESTIONS = """
take me off your list | Please take me off your list! | Who is this, leave me alone | remove me please
Remove my number | Please remove my number from your database | lose my number | who is this? stop texting me
I don't know you. Stop. | Hi this is Ann, please stop texting me, my husband handles this
Please don't text me, call me instead | do not contact me about this again or I call the police
how do I unsubscribe? | STOP. Who are you? | I said stop | I said STOP!!! | don't text me before nine
please cancel | cancel please | ok end | quit now | remove please | Stop it | stop calling me | don't call me
stpo | SPAM | you're spamming people | I never asked for your texts | stop, I moved | basta | Basta!
basta grazie | fin | FIM | chega | хватит | отмена | annuler | assez | cancella | annulla | no más gracias
alto por favor | cancelar por favor | bórreme de su lista | déjenme en paz por favor | no me moleste más
no quiero recibir más mensajes de ustedes | no me escriba aquí, llámeme | quite mi número de su lista
laissez-moi tranquille | retirez mon numéro de votre liste | arrêtez de m'appeler | ne m'appelez plus
comment me désabonner ? | me tire da lista por favor | me deixe em paz | não me perturbem | apaguem meu número
удалите мой номер | оставьте меня в покое | уберите меня из списка | не беспокойте меня | кто это? стоп.
не пишите, звоните | lasciatemi in pace | cancellatemi dalla lista | smettetela di disturbare
come faccio a disiscrivermi? | non chiamatemi più
"""


@pytest.mark.parametrize("text", split_rows(SUGGESTIONS), ids=ascii)
def test_what_reads_like_an_opt_out_is_for_a_person(text):
    heard = hear(text)
    assert heard is not None
    assert (heard.command, heard.sure) == (Command.STOP, False)
    assert 0 < len(heard.word) <= 40


@pytest.mark.parametrize(
    ("text", "word", "language"),
    [
        pytest.param("  STOP. ", "STOP.", "", id="a whole message, trimmed"),
        pytest.param("\tSTOP\r\n", "STOP", "", id="line ends are no part of it"),
        pytest.param("stop\nplease", "stop please", "en", id="on one line"),
        pytest.param("Hola, quíteme de su lista, ¡ya!", "quíteme de su lista,", "es", id="what stands in a longer one"),
        pytest.param("who is this? STOP! I moved", "STOP", "", id="the part that says it"),
        pytest.param("a,b please take-me off:your list x", "take-me off:your list", "en", id="words joined by signs"),
        pytest.param("\u202estop\u202c", "stop", "", id="nothing that steers direction"),
        pytest.param(
            "please do not send me any more text messages", "please do not send me any more text mess", "en", id="cut"
        ),
        pytest.param("stop por favor", "stop por favor", "", id="politeness of two languages"),
        pytest.param("stop merci", "stop merci", "fr", id="politeness tells the language"),
        pytest.param("arrêt", "arrêt", "fr", id="French"),
        pytest.param("CANCELAR", "CANCELAR", "", id="Spanish or Portuguese"),
        pytest.param("Can you please stop texting me", "Can you please stop texting me", "en", id="asked politely"),
    ],
)
def test_the_word_stands_as_it_was_written(text, word, language):
    heard = hear(text)
    assert heard is not None
    assert (heard.word, heard.language) == (word, language)


STARTS = (
    "START | start. | Unstop | OPT IN | opt-in | subscribe | INICIAR | DÉBUT | старт | СТАРТ! | inizia | подписаться"
)
STARTS_IF_OPTED_OUT = "YES | yes! | Sí | si | SIM | Oui | да | Да. | sì | ALTA | начать | commencer"
HELPS = "HELP | help! | info | INFO | ayuda | ¡Ayuda! | AIDE | ajuda | помощь | справка | ИНФО | aiuto | H.E.L.P"


@pytest.mark.parametrize(
    ("text", "command", "only_if_opted_out"),
    [
        *((text, Command.START, False) for text in split_rows(STARTS)),
        *((text, Command.START, True) for text in split_rows(STARTS_IF_OPTED_OUT)),
        *((text, Command.HELP, False) for text in split_rows(HELPS)),
    ],
    ids=ascii,
)  # fmt: skip
def test_start_and_help_count_alone(text, command, only_if_opted_out):
    heard = hear(text)
    assert heard is not None
    assert (heard.command, heard.sure, heard.only_if_opted_out) == (command, True, only_if_opted_out)


@pytest.mark.parametrize(
    "text",
    split_rows(
        "start please | please start | yes please | please help | info please | start start now | sí gracias | ok yes"
    ),
)
def test_start_and_help_mean_nothing_with_politeness(text):
    assert hear(text) is None


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("text", ["STOP", "arrêt", "yes", "take me off your list", "hello there", "", "x" * 9000])
def test_the_verdict_of_the_carrier_wins(text, command):
    heard = hear(text, command.value)
    assert heard is not None
    assert (heard.command, heard.sure, heard.only_if_opted_out) == (command, True, False)
    assert heard.word == text.strip()[:40]


def test_a_verdict_keeps_the_language_of_its_word():
    assert [heard.language for heard in (hear("arrêt", "stop"), hear("arrêt", "help")) if heard] == ["fr", ""]


@pytest.mark.parametrize("hint", ["", "STOP", "none", "block"])
def test_no_other_verdict_counts(hint):
    assert hear("hello", hint) is None


def test_a_text_longer_than_any_handset_sends_is_never_sure():
    assert hear("STOP".ljust(TEXT_LIMIT)) == hear("STOP")
    assert hear("STOP".ljust(TEXT_LIMIT + 1)) == Heard(Command.STOP, "STOP", LANGUAGES, sure=False)
    assert hear("hello ".ljust(TEXT_LIMIT) + "stop texting me") is None
    assert hear("please " * WORDS_LIMIT + "cancel") is None


SURE = sorted(word for word, known in KEYWORDS.items() if known.bond is not keyword_table.Bond.DOUBTFUL)
DRESSED = st.sampled_from(["", " ", ".", "!!", "…", "\n", "\u200b", "\u202e", " 🙂", "\ufe0f", "”", '"', "\t"])


@given(st.sampled_from(SURE), DRESSED, DRESSED, st.sampled_from([str.upper, str.title, str.swapcase, str]))
def test_case_and_what_surrounds_a_word_change_nothing(word, before, after, change):
    heard, plain = hear(before + change(word) + after), hear(word)
    assert heard is not None
    assert plain is not None
    assert (heard.command, heard.sure, heard.languages) == (plain.command, plain.sure, plain.languages)


@given(
    st.sampled_from(SURE),
    st.sampled_from(["\u0301", "\u0300", "\u0327", "\u200d", "\u00ad", "\x00"]),
    st.integers(0, 20),
)
def test_accents_and_invisible_characters_change_nothing(word, mark, place):
    heard, plain = hear(word[:place] + mark + word[place:]), hear(word)
    assert heard is not None
    assert plain is not None
    assert (heard.command, heard.sure) == (plain.command, plain.sure)


@given(st.text(), st.sampled_from(["", "stop", "x"]))
def test_no_text_breaks_it(text, hint):
    heard = hear(text, hint)
    assert heard is None or (len(heard.word) <= 40 and heard.languages and set(heard.languages) <= set(LANGUAGES))


PACK_WORDS = {word for text in (*KEYWORDS, *SMELLS) for word in text.split()}
PLAIN_WORDS = split_rows("""
kitchen | invoice | Tuesday | garden | seven | quote | plumber | window | cold | water | delivery | parcel
mañana | cocina | factura | martes | jardín | siete | presupuesto | fontanero | ventana | fría | agua | cuisine
facture | mardi | jardin | sept | devis | plombier | fenêtre | froide | eau | cozinha | fatura | terça | janela
fria | água | кухня | счёт | вторник | сад | семь | смета | водопроводчик | окно | холодная | вода | cucina
fattura | martedì | giardino | sette | preventivo | idraulico | finestra | please | thanks | hola | merci
obrigado | спасибо | grazie | 13:00 | 555-0101 | €20 | 👍
""")


def test_the_plain_words_are_in_no_pack():
    assert not PACK_WORDS & {fold(word) for word in PLAIN_WORDS}


@given(st.lists(st.sampled_from(PLAIN_WORDS), max_size=30))
def test_sentences_of_other_words_order_nothing(words):
    assert hear(" ".join(words)) is None


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("code", ["es", "ES", "es-MX", "es_ES"])
def test_a_country_does_not_change_the_language(code):
    assert base_language(code) == "es"


HOSTILE = {
    "stop words": "stop," * 1600,
    "beginnings of sentences": "do not send me any " * 420,
    "a word that begins many": "i " * 4000,
    "politeness": "can you " * 1000,
    "letters apart": "s t o p " * 1000,
    "one long word": "o" * 8000,
    "letters that grow": "\ufdfa" * 8000,
    "nothing to be seen": "\u200b" * 8000,
    "longer than any": "stop " * 400_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_takes_long(text):
    began = perf_counter()
    hear(text)
    assert perf_counter() - began < 0.5, "it takes some 0.02 s at worst"
