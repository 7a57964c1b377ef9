"""The words by which people say STOP, START and HELP, language by language: data that docs/keywords.md shows.

Sources: FCC 47 CFR 64.1200(a)(10); CTIA practice; the required or default lists of AWS, Telnyx and Twilio, of Twilio
Proxy for French; the words that operators of Spain and Latin America (BAJA, ALTO), Brazil (SAIR), Russia (СТОП) and
Italy publish. As of November 2026. All packs are heard whatever languages a business writes in.
"""

from ringback.core.keyword_forms import Pack, listed

EVERYWHERE = Pack(
    stop=("STOP",),
    start=("START", "UNSTOP"),
    help=("HELP", "INFO"),
    polite=("ok", "okay"),
)
"""The words that our texts and the carriers use in all languages; they tell nothing about the language of a person."""

_EN = Pack(
    stop=listed("""
        STOP ALL, STOPALL, STOPP, UNSUBSCRIBE, UNSUSCRIBE, UNSUBCRIBE, OPT OUT, OPTOUT, OPTED OUT, UNSUB
    """),
    stop_alone=listed("""
        CANCEL, END, QUIT, REVOKE, REMOVE, TD, END ALL, CANCEL ALL, reply STOP, text STOP, send STOP, STOP to end,
        STOP to stop, STOP to quit, STOP to cancel, STOP to opt out, STOP to unsubscribe
    """),
    stop_sentences=listed("""
        (stop/quit/cease) (texting/txting/messaging/contacting/spamming/harassing) [me/us/this number/my number]
            [again/anymore/any more/ever again],
        (stop/quit) (calling and texting/texting and calling) [me/us/this number/my number],
        (stop/quit) sending [me/us] [all/any/these/those/the/your/more/any more/all these/all the] (texts/text/
            messages/text messages/sms/msgs/spam),
        stop [all/the/these/those/your/all the/all these/all your] (texts/text/messages/message/text messages/sms/
            msgs/spam),
        (do not/don't/never) (text/txt/message/contact/sms) (me/us/this number/my number) [again/anymore/any more/ever
            again],
        (do not/don't) send [me/us] [any/any more/more/anymore/these/your] (texts/text messages/messages/sms/msgs)
            [again/anymore/any more/ever again],
        no more (texts/text messages/messages/sms/msgs/texting/spam),
        (unsubscribe/opt out/stop) [me/us] from [all/these/your/the/all your] (texts/messages/sms),
        (unsubscribe me/unsubscribe us/unsubscribe my number/unsubscribe this number/opt me out/opt us out),
        (i want/i would like/i'd like/i wish) to (unsubscribe/opt out/be unsubscribed),
        [i] revoke [my/all/all my] consent,
        i (do not/don't) (want/wish) [to get/to receive] [any/any more/these/your] (texts/text messages/messages/sms)
            [anymore/any more]
    """),
    doubtful=listed("""
        STPO, SOTP, STIP, STOP IT, STOP THIS, STOP CALLING, DO NOT CALL ME, DON'T CALL ME, SPAM, CANCEL TEXTS,
        END TEXTS
    """),
    smells=listed("""
        (take/remove) (me/us/my number/this number/my phone number/my name) (off/from/out of) [your/the/this/that/all
            your/every] (list/lists/texts/messages/system/database/contacts),
        take (me/us/my number/this number) off,
        (remove/delete) (me/my number/this number/my phone number),
        (lose/forget) (my/this) number,
        leave (me/us) alone,
        (stop/quit) (texting/messaging/contacting/calling/bothering/harassing/spamming) (me/us/people),
        (do not/don't/never) (text/message/contact) (me/us/this number/my number),
        (do not/don't/never) call (me/us/this number/my number) (again/anymore/any more/ever again),
        (stop/quit) sending (me/us/this/these),
        (not interested in/i never asked for/i did not ask for/i didn't ask for) (your/these/this) (texts/messages/
            text/message),
        (how do i/how can i/how to/want to/need to/like to/trying to) (unsubscribe/opt out/stop these/stop the texts),
        (i said/i told you to/told you to) stop,
        (this is/you are/you're) (spam/spamming/harassment/harassing),
        (do not/don't) want [to get/to receive] [any/any more/these/your] (texts/text messages/messages)
    """),
    start=listed("OPT IN, OPTIN, SUBSCRIBE, RESUBSCRIBE, START ALL, STARTALL, START TEXTS"),
    start_if_opted_out=listed("YES, RESUME, CONTINUE, BEGIN"),
    polite=listed("""
        please, pls, plz, kindly, thanks, thank you, thx, ty, thank u, cheers, hi, hello, hey, sorry,
        sir, madam, guys, now, right now, immediately, at once, asap, just, good morning, thanks a lot, many thanks,
        thank you very much, have a nice day
    """),
    asking=listed("""
        can you, can u, could you, would you, will you, i want you to, i need you to, i am asking you to, i ask you
        to, you need to, you must, can you please, could you please, would you please, will you please
    """),
)

_ES = Pack(
    stop=listed("""
        PARAR, PARE, PAREN, DETENER, DETENGAN, DESUSCRIBIR, DESUSCRIBIRME, DESUSCRIBIRSE, DAR DE BAJA,
        DARME DE BAJA, DARSE DE BAJA, CANCELAR SUSCRIPCIÓN
    """),
    stop_alone=listed("ALTO, BAJA, CANCELAR, SALIR, NO MÁS, STOP para terminar, STOP para cancelar"),
    stop_sentences=listed("""
        no más (mensajes/mensaje/mensajes de texto/textos/sms/spam),
        (no/ya no/nunca más) (me/nos) (envíe/envíes/envíen/mande/mandes/manden/enviéis/mandéis) [más/ningún/ningún
            otro/otro/estos] (mensajes/mensaje/mensajes de texto/textos/sms/nada) [más/nunca más],
        no (envíe/envíes/envíen/mande/mandes/manden/enviar/mandar) más (mensajes/mensaje/mensajes de texto/textos/
            sms),
        (no/ya no) (me/nos) (escriba/escribas/escriban/escribáis/contacte/contactes/contacten) [más/nunca más],
        (no/ya no) quiero (recibir más/recibir/más) [sus/tus/estos] (mensajes/mensajes de texto/textos/sms),
        (deje/deja/dejen/dejad/pare/para/paren) de (escribirme/contactarme/enviarme mensajes/mandarme mensajes/enviar
            mensajes/mandar mensajes/enviarme sms/mandarme sms/enviarme textos/mandarme textos),
        (basta de/alto a los/alto de) (mensajes/sms/textos),
        (dame/deme/denme/dadme/quiero darme/quisiera darme/quiero la) [de] baja,
        (cancelar/cancele/cancelen/detener/detenga/detengan/parar/pare/paren) [los/sus/estos] (mensajes/sms/textos)
    """),
    doubtful=listed("BASTA, FIN, TERMINAR, ANULAR, ELIMINAR, BORRAR, CANCELA, CANCELE"),
    smells=listed("""
        (bórreme/bórrame/bórrenme/quíteme/quítame/quítenme/elimíneme/elimíname/sáqueme/sáquenme) de (su/tu/la/esta/
            sus) (lista/listas),
        (borre/borra/borren/elimine/elimina/eliminen/quite/quiten) mi (número/teléfono/nombre),
        (no me moleste/no me molestes/no me molesten/no molestar/no molesten/déjeme en paz/déjame en paz/déjenme en
            paz/dejen de molestar/deje de molestar/dejen de molestarme/deje de molestarme),
        (no quiero/no deseo) (mensajes/recibir mensajes/más mensajes/recibir más mensajes/recibir sus mensajes),
        (cómo me doy/quiero darme/dar/darme/deme/dame/denme) de baja,
        (no me llame/no me llamen/no me llames) más,
        no me (escriba/escriban/escribas/contacte/contacten)
    """),
    start=listed("INICIAR, REANUDAR, SUSCRIBIR, SUSCRIBIRME"),
    start_if_opted_out=listed("SÍ, ALTA, EMPEZAR, COMENZAR"),
    help=listed("AYUDA"),
    polite=listed("""
        por favor, porfavor, porfa, gracias, muchas gracias, hola, buenos días, buenas tardes, buenas noches, buenas,
        señor, señora, ya, ahora, ahora mismo, inmediatamente, disculpe
    """),
    asking=listed("puede, puedes, pueden, podría, podrían, le pido que, les pido que, quiero que"),
)

_FR = Pack(
    stop=listed("""
        ARRÊT, ARRÊTE, ARRETT, ARRÊTER, ARRÊTEZ, DÉSABONNER, DÉSABONNEMENT, ME DÉSABONNER, SE DÉSABONNER, DÉSABONNEZ
        MOI, DÉSINSCRIRE, ME DÉSINSCRIRE, DÉSINSCRIPTION, DÉSINSCRIVEZ MOI, STOP PUB
    """),
    stop_alone=listed("STOP pour arrêter, STOP pour ne plus en recevoir"),
    stop_sentences=listed("""
        (arrêtez/arrête/arrêter/cessez/cesse/cesser/d'arrêter/de cesser/stop) (de m'écrire/de me contacter/de me
            texter/de me spammer/de m'envoyer des messages/de m'envoyer des sms/de m'envoyer des textos/de m'envoyer
            vos messages/de m'envoyer ces messages/de nous écrire/de nous contacter/d'envoyer des messages/d'envoyer
            des sms),
        (arrêtez/arrête/arrêter/d'arrêter/cessez/stop) [les/vos/ces/tous les/tous vos/aux] (messages/message/sms/
            textos/texto/pubs/spams),
        (plus de/plus aucun/pas de/assez de) (messages/message/sms/texto/textos),
        [de] [ne] (m'envoyez/m'envoie/envoyez/envoie/plus m'envoyer/plus envoyer) [plus/pas/plus jamais] (de/d'autres/
            aucun/ces/vos) (messages/message/sms/textos/texto),
        [de] ne (m'écrivez/m'écris/me contactez/me contacte/me textez/me texte) (plus/plus jamais/pas),
        [de] ne plus (m'écrire/me contacter/me texter/m'envoyer de messages/m'envoyer de sms/m'envoyer de textos),
        je (ne veux plus/veux plus/ne souhaite plus/souhaite ne plus) [recevoir] [de/des/vos/ces] (messages/sms/
            textos),
        je (veux/voudrais/souhaite/désire) (me désabonner/me désinscrire/arrêter les messages/arrêter les sms),
        (désabonner/désabonnez moi/désinscrire/désinscrivez moi) (de/des/de la/de votre/de cette) (messages/sms/
            liste)
    """),
    doubtful=listed("FIN, ANNULER, RÉSILIER, ASSEZ, SUPPRIMER, QUITTER"),
    smells=listed("""
        (retirez/enlevez/supprimez/effacez/rayez/retirer/enlever) (moi/mon numéro/mon nom/mes coordonnées),
        (laissez/laisse/fichez/foutez) moi (tranquille/en paix/la paix),
        (arrêtez/arrête/cessez/cesse) de (me/m'écrire/m'envoyer/m'appeler/nous),
        ne (m'écrivez/me contactez/m'envoyez/me textez) (plus/pas),
        ne m'appelez plus,
        (comment me/pour me/veux me/voudrais me) (désabonner/désinscrire),
        (veux plus/voulons plus) (recevoir/de vos/vos) [de/vos/ces/messages],
        (c'est du/du) (spam/harcèlement)
    """),
    start=listed("DÉBUT, DÉBUTER, M'ABONNER, S'ABONNER, RÉABONNER"),
    start_if_opted_out=listed("OUI, COMMENCER, REPRENDRE"),
    help=listed("AIDE"),
    polite=listed("""
        s'il vous plaît, s'il te plaît, s'il vous plait merci, svp, stp, merci, merci beaucoup, bonjour, bonsoir,
        salut, veuillez, maintenant, immédiatement, tout de suite, désolé, madame, monsieur, merci d'avance,
        cordialement
    """),
    asking=listed("pouvez vous, pourriez vous, peux tu, vous pouvez, je vous demande, je vous prie"),
)

_PT = Pack(
    stop=listed("""
        PARAR, PARE, PAREM, DESCADASTRAR, DESCADASTRE, DESINSCREVER, CANCELAR INSCRIÇÃO, CANCELAR ASSINATURA, ME
        DESCADASTRE
    """),
    stop_alone=listed("SAIR, REMOVER, CANCELAR, STOP para parar, STOP para sair, STOP para cancelar"),
    stop_sentences=listed("""
        (pare/parem/para/parar) de [me] (mandar/enviar) [me] [essas/estas/suas/mais] (mensagens/mensagem/mensagens de
            texto/sms/torpedos),
        (pare/parem/parar) de me (escrever/contatar/contactar/perturbar),
        não me (mande/mandem/manda/envie/enviem) [mais] (mensagens/mensagem/sms/nada/torpedos) [mais],
        não (mande/mandem/envie/enviem) mais (mensagens/mensagem/sms/nada/torpedos),
        não me (escreva/escrevam/contate/contatem/contacte/contactem) [mais/nunca mais],
        não quero (receber/mais/mais receber/receber mais) [suas/essas/estas] (mensagens/mensagem/sms/torpedos)
            [mais],
        (chega de/sem mais/nada de) (mensagens/mensagem/sms/torpedos),
        (quero/gostaria de/desejo) (me descadastrar/cancelar a inscrição/sair da lista),
        (parar/pare/parem/cancelar/cancele) [as/os/essas/suas] (mensagens/sms/torpedos)
    """),
    doubtful=listed("BASTA, CHEGA, FIM, ENCERRAR, CANCELE, CANCELA, EXCLUIR, REMOVA"),
    smells=listed("""
        (me tire/me tira/me tirem/tire me/tirem me/me remova/me removam/remova me/me exclua/me excluam) (da/de/desta/
            dessa) [sua] (lista/listas),
        (apague/apaguem/exclua/excluam/remova/removam/tire/tirem) (o meu/meu) (número/telefone/contato/nome),
        (me deixe/me deixem/me deixa/deixe me/deixem me) em paz,
        (não me perturbe/não me perturbem/não perturbe/parem de me perturbar/pare de me incomodar/parem de me
            incomodar/não me incomode/não me incomodem),
        (como faço para/como eu/quero/quero me) (descadastrar/sair da lista/cancelar as mensagens),
        não quero (mais receber/receber mais/receber mensagens/mais mensagens),
        não me (mande/mandem/envie/enviem) mais
    """),
    start=listed("INICIAR, RETOMAR, INSCREVER, RECADASTRAR"),
    start_if_opted_out=listed("SIM, COMEÇAR"),
    help=listed("AJUDA"),
    polite=listed("""
        por favor, porfavor, pf, pfv, obrigado, obrigada, muito obrigado, muito obrigada, olá, oi, bom dia, boa tarde,
        boa noite, agora, imediatamente, já, desculpe, senhor, senhora, favor
    """),
    asking=listed("pode, podem, poderia, poderiam, você pode, vocês podem, peço que, quero que"),
)

_RU = Pack(
    stop=listed("""
        СТОП, ОТПИСАТЬСЯ, ОТПИСКА, ОТПИСАТЬ, ОТПИШИТЕ, ОТПИШИ, ОТПИСЫВАЮСЬ, ПРЕКРАТИТЕ, ПРЕКРАТИТЬ, ПЕРЕСТАНЬТЕ, СТОП
        СМС
    """),
    stop_alone=listed("STOP чтобы прекратить, СТОП чтобы прекратить"),
    stop_sentences=listed("""
        не (пишите/пиши/пишите мне/пиши мне/мне пишите) [больше/никогда],
        больше (не пишите/не пиши/мне не пишите/не пишите мне/не надо писать),
        [больше] [мне] не (присылайте/присылай/отправляйте/отправляй/шлите/шли) [мне] [больше] [сообщений/сообщения/
            смс/sms/ничего/эсэмэски],
        (прекратите/перестаньте/хватит/прекращайте/перестань/прекрати) [мне] (писать/слать/присылать/отправлять/
            рассылать/спамить) [мне] [сообщения/смс/sms/спам/эсэмэски],
        (хватит/не надо/не нужно/без) (сообщений/смс/sms/спама/рассылок/рассылки),
        [я] не (хочу/желаю) [больше] получать [от вас] [ваши/эти] (сообщения/смс/sms/рассылку/рассылки),
        не (надо/нужно) [мне] [больше] (писать/присылать/слать) [мне] [смс/sms/сообщения/сообщений],
        (отпишите/отписать/отпиши) меня [от рассылки/от смс/от сообщений],
        (отписаться/отписка) от (рассылки/смс/сообщений/всего),
        (хочу/прошу/как) (отписаться/отписать меня) [от рассылки/от смс/от сообщений],
        (отключите/отключить/остановите/остановить/прекратите/прекратить) (рассылку/смс/sms/сообщения)
    """),
    doubtful=listed("ХВАТИТ, ОТМЕНА, ОТМЕНИТЬ, ОТКАЗ, ОТКЛЮЧИТЬ, ОСТАНОВИТЬ, УДАЛИТЬ, СПАМ, ОТКАЗАТЬСЯ"),
    smells=listed("""
        (удалите/уберите/исключите/вычеркните) (меня/мой номер/мой телефон/этот номер),
        (оставьте/оставь) меня в покое,
        не (беспокойте/беспокоить/тревожьте),
        (хватит/перестаньте/прекратите) (писать/слать/звонить/спамить/присылать/беспокоить),
        (не пишите/не присылайте/не шлите) (больше/мне),
        (не звоните больше/больше не звоните),
        (как/хочу) отписаться,
        забудьте (мой/этот) номер,
        отзываю согласие
    """),
    start=listed("СТАРТ, ПОДПИСАТЬСЯ, ПОДПИСКА, ВОЗОБНОВИТЬ"),
    start_if_opted_out=listed("ДА, НАЧАТЬ"),
    help=listed("ПОМОЩЬ, СПРАВКА, ИНФО"),
    polite=listed("""
        пожалуйста, плиз, спасибо, большое спасибо, спасибо большое, здравствуйте, добрый день,
        добрый вечер, доброе утро, привет, сейчас, немедленно, всё, извините, простите, пж, прошу, прошу вас, срочно
    """),
    asking=listed("можете, можно, вы можете, не могли бы вы, я прошу"),
)

_IT = Pack(
    stop=listed("""
        FERMARE, FERMATE, FERMATEVI, DISISCRIVI, DISISCRIVIMI, DISISCRIVERE, DISISCRIVERMI, DISISCRIVETEMI,
        DISISCRIZIONE, CANCELLA ISCRIZIONE, CANCELLARE ISCRIZIONE
    """),
    stop_alone=listed("FERMA, STOP per terminare, STOP per annullare"),
    stop_sentences=listed("""
        (basta/stop/niente/niente più/non più) [con] [i/gli/questi/i vostri] (messaggi/messaggio/sms),
        (smettete/smetti/smetta/smettetela/smettila/basta/smettere) [di] (scrivermi/contattarmi/mandarmi messaggi/
            inviarmi messaggi/mandarmi sms/inviarmi sms/mandare messaggi/inviare messaggi/mandarmi questi messaggi/
            messaggiarmi),
        non (scrivetemi/scrivermi/contattatemi/contattarmi/scrivere/scrivete) [più/mai più],
        non mi (scriva/scrivete/scrivere/scrivi/contattate/contatti/contattare) [più/mai più],
        non (mandatemi/mandarmi/inviatemi/inviarmi/mandate/inviate/mi mandate/mi inviate/mi mandare/mi mandi/mi invii)
            [più/altri] (messaggi/sms/nulla/niente/altri messaggi/messaggi di testo),
        non voglio (ricevere/più ricevere/ricevere più/più/altri) [i vostri/questi/altri/vostri] (messaggi/sms),
        (voglio/vorrei/desidero) (disiscrivermi/cancellarmi/cancellare la mia iscrizione),
        (fermate/ferma/fermare) [i/gli/questi] (messaggi/sms),
        (cancella/cancellate/annulla/annullare) [la/la mia/mia] iscrizione
    """),
    doubtful=listed("BASTA, CANCELLA, CANCELLAMI, ANNULLA, RIMUOVI, ESCI, REVOCA, TERMINA, SMETTILA"),
    smells=listed("""
        (cancellatemi/cancellami/toglietemi/toglimi/rimuovetemi/rimuovimi/eliminatemi) (dalla/dalle/da) (vostra/lista/
            vostre/questa),
        (cancellate/cancella/eliminate/togliete/rimuovete) (il mio/questo) (numero/contatto/nome),
        (lasciatemi/lasciami/mi lasci) (in pace/stare),
        (smettete/smetti/smetta/smettila/smettetela) di,
        (non disturbate/non disturbatemi/non disturbare/non mi disturbate),
        non (scrivetemi/contattatemi/chiamatemi/mandatemi) più,
        (come faccio a/come posso/voglio) (disiscrivermi/cancellarmi)
    """),
    start=listed("INIZIA, AVVIA, ISCRIVI, ISCRIVIMI, RIPRENDI"),
    start_if_opted_out=listed("SÌ, INIZIARE, COMINCIARE"),
    help=listed("AIUTO"),
    polite=listed("""
        per favore, per piacere, perfavore, per cortesia, cortesemente, grazie, grazie mille, prego, ciao, salve,
        buongiorno, buonasera, buon giorno, buona sera, adesso, ora, subito, scusi, scusate, signore, signora
    """),
    asking=listed("può, puoi, potete, potreste, potrebbe, vi prego di, la prego di, vi chiedo di, vi prego"),
)

PACKS: dict[str, Pack] = {"en": _EN, "es": _ES, "fr": _FR, "pt": _PT, "ru": _RU, "it": _IT}
"""In the order in which a word of several languages is given to one."""
