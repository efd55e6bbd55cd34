"""What whoever calls for help from a computer reads, in the languages of the employees' page. Data."""

import os
from collections.abc import Mapping
from typing import Final, NamedTuple


class Words(NamedTuple):
    """One language's sentences. ``arrived`` is followed by a number."""

    held: str
    stop: str
    now: str
    stopped: str
    kept: str
    exercise: str
    arrived: str
    left: str
    no_line: str
    again: str
    nobody_practises: str
    refused: str


WORDS: Final[Mapping[str, Words]] = {
    "en": Words(
        "Your call for help goes out in three seconds. Press again, or hold the key, to send it now.",
        "Stop, I am safe",
        "Send it now",
        "Nothing was sent.",
        "Your call for help is kept on this computer and being sent.",
        "EXERCISE.",
        "Your call for help has arrived:",
        "Your call for help has left this computer.",
        "There is no line. It is sent as soon as there is one. Call the emergency number if you can.",
        "The call for help is kept and sent again.",
        "Nobody practises here now, so nothing was sent. For true help, choose the entry without the word exercise.",
        "The call for help was refused. Call the emergency number.",
    ),
    "nl": Words(
        "Uw hulpoproep vertrekt over drie seconden. Druk nog eens, of houd de toets in, om hem nu te sturen.",
        "Stop, ik ben veilig",
        "Nu sturen",
        "Er is niets gestuurd.",
        "Uw hulpoproep is op deze computer bewaard en wordt gestuurd.",
        "OEFENING.",
        "Uw hulpoproep is aangekomen:",
        "Uw hulpoproep is van deze computer vertrokken.",
        "Er is geen verbinding. Hij vertrekt zodra er een is. Bel het noodnummer als u kunt.",
        "De hulpoproep is bewaard en wordt opnieuw gestuurd.",
        "Niemand oefent hier nu. Er is niets gestuurd. Voor echte hulp: kies de regel zonder het woord oefening.",
        "De hulpoproep is geweigerd. Bel het noodnummer.",
    ),
    "fr": Words(
        "Votre appel à l'aide part dans trois secondes. Appuyez encore, ou maintenez la touche, pour l'envoyer tout de suite.",
        "Arrêter, je suis en sécurité",
        "Envoyer tout de suite",
        "Rien n'a été envoyé.",
        "Votre appel à l'aide est gardé sur cet ordinateur et envoyé maintenant.",
        "EXERCICE.",
        "Votre appel à l'aide est arrivé :",
        "Votre appel à l'aide a quitté cet ordinateur.",
        "Il n'y a pas de connexion. Il part dès qu'il y en a une. Appelez le numéro d'urgence si vous pouvez.",
        "L'appel à l'aide est gardé et sera renvoyé.",
        "Il n'y a pas d'exercice ici. Rien n'a été envoyé. Pour une aide réelle, choisissez l'entrée sans le mot exercice.",
        "L'appel à l'aide a été refusé. Appelez le numéro d'urgence.",
    ),
    "tr": Words(
        "Yardım çağrınız üç saniye içinde gidiyor. Hemen göndermek için bir daha basın veya tuşu basılı tutun.",
        "Dur, güvendeyim",
        "Hemen gönder",
        "Hiçbir şey gönderilmedi.",
        "Yardım çağrınız bu bilgisayarda saklandı ve gönderiliyor.",
        "TATBİKAT.",
        "Yardım çağrınız ulaştı:",
        "Yardım çağrınız bu bilgisayardan çıktı.",
        "Bağlantı yok. Bağlantı gelince gönderilir. Mümkünse acil numarayı arayın.",
        "Yardım çağrısı saklandı ve yeniden gönderilecek.",
        "Şu anda burada tatbikat yok. Hiçbir şey gönderilmedi. Gerçek yardım için tatbikat yazmayan satırı seçin.",
        "Yardım çağrısı reddedildi. Acil numarayı arayın.",
    ),
    "ar": Words(
        "سيُرسل نداء النجدة بعد ثلاث ثوانٍ. اضغط مرة أخرى أو أبقِ المفتاح مضغوطًا لإرساله الآن.",
        "توقف، أنا بأمان",
        "أرسله الآن",
        "لم يُرسل شيء.",
        "حُفظ نداء النجدة على هذا الحاسوب ويُرسل الآن.",
        "تمرين.",
        "وصل نداء النجدة:",
        "غادر نداء النجدة هذا الحاسوب.",
        "لا يوجد اتصال. يُرسل النداء عند عودة الاتصال. اتصل برقم الطوارئ إن استطعت.",
        "نداء النجدة محفوظ ويُرسل من جديد.",
        "لا يوجد تمرين هنا الآن، فلم يُرسل شيء. للنجدة الحقيقية اختر السطر الذي لا يحمل كلمة تمرين.",
        "رُفض نداء النجدة. اتصل برقم الطوارئ.",
    ),
    "ro": Words(
        "Apelul de ajutor pleacă în trei secunde. Apăsați din nou sau țineți tasta apăsată ca să plece acum.",
        "Stop, sunt în siguranță",
        "Trimite acum",
        "Nu s-a trimis nimic.",
        "Apelul de ajutor este păstrat pe acest calculator și se trimite.",
        "EXERCIȚIU.",
        "Apelul de ajutor a ajuns:",
        "Apelul de ajutor a plecat de pe acest calculator.",
        "Nu există legătură. Pleacă imediat ce există una. Sunați la numărul de urgență dacă puteți.",
        "Apelul de ajutor este păstrat și se trimite din nou.",
        "Acum nu se exersează aici. Nu s-a trimis nimic. Pentru ajutor real alegeți rândul fără cuvântul exercițiu.",
        "Apelul de ajutor a fost refuzat. Sunați la numărul de urgență.",
    ),
}


def spoken(environment: Mapping[str, str] = os.environ) -> Words:
    """The sentences in the language of the desktop; English where it has none of ours."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for one in environment.get(name, "").split(":"):
            if one[:2] in WORDS and not one[2:3].isalpha():
                return WORDS[one[:2]]
    return WORDS["en"]
