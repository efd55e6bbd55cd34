"""The letters of invitation, in every language that employees read. Data; ``written`` fills it.

Each is short, says what to do first, and ends with a way to ask a person. Its fields: ``name``, ``city``, ``address`` (the
link, which works once), ``until`` (its last day), ``page`` (the employees' page), ``help`` (a line of ``HELP``), ``off`` (the
address at which there are no more reminders).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from babel.dates import format_date

from mdm.adoption.model import LetterKind

Texts = Mapping[str, tuple[str, str]]

INVITATION: Final[Texts] = {
    "en": (
        "Set up your device in a few minutes",
        "Hello {name},\n\n{city} has a page for you: My devices. There you set up your phone or other device for work, step by"
        " step and in your own language.\n\nOpen this link on the device itself. It works once, until {until}:\n\n{address}\n\n"
        "Is the link too old? Ask for a new one at {page}.\n{help}\nNever pass the link on.\n",
    ),
    "nl": (
        "Stel uw toestel in, in enkele minuten",
        "Dag {name},\n\n{city} heeft een pagina voor u: Mijn toestellen. Daar stelt u uw telefoon of ander toestel voor het werk"
        " in, stap voor stap en in uw eigen taal.\n\nOpen deze link op het toestel zelf. Hij werkt één keer, tot {until}:\n\n"
        "{address}\n\nIs de link te oud? Vraag een nieuwe op {page}.\n{help}\nGeef de link nooit door.\n",
    ),
    "fr": (
        "Configurez votre appareil en quelques minutes",
        "Bonjour {name},\n\n{city} a une page pour vous : Mes appareils. Vous y configurez votre téléphone ou un autre appareil"
        " de travail, pas à pas et dans votre langue.\n\nOuvrez ce lien sur l'appareil même. Il fonctionne une fois, jusqu'au"
        " {until} :\n\n{address}\n\nLe lien est trop vieux ? Demandez-en un nouveau sur {page}.\n{help}\n"
        "Ne transmettez jamais ce lien.\n",
    ),
    "tr": (
        "Cihazınızı birkaç dakikada kurun",
        "Merhaba {name},\n\n{city} sizin için bir sayfa hazırladı: Cihazlarım. İş telefonunuzu veya başka bir cihazı orada adım"
        " adım ve kendi dilinizde kurarsınız.\n\nBu bağlantıyı cihazın kendisinde açın. Bir kez çalışır, son gün {until}:\n\n"
        "{address}\n\nBağlantı çok mu eski? {page} sayfasında yenisini isteyin.\n{help}\nBağlantıyı kimseye vermeyin.\n",
    ),
    "ar": (
        "جهّز جهازك في بضع دقائق",
        "مرحبًا {name}،\n\nلدى {city} صفحة لك: أجهزتي. فيها تجهّز هاتفك أو جهازًا آخر للعمل، خطوة بخطوة وبلغتك.\n\n"
        "افتح هذا الرابط على الجهاز نفسه. يعمل مرة واحدة حتى {until}:\n\n{address}\n\n"
        "هل الرابط قديم؟ اطلب رابطًا جديدًا في {page}.\n{help}\nلا تعطِ الرابط لأحد.\n",
    ),
    "ro": (
        "Configurați-vă dispozitivul în câteva minute",
        "Bună ziua, {name},\n\n{city} are o pagină pentru dumneavoastră: Dispozitivele mele. Acolo vă configurați telefonul sau"
        " alt dispozitiv de lucru, pas cu pas și în limba dumneavoastră.\n\nDeschideți linkul chiar pe dispozitiv."
        " Funcționează o dată, până la {until}:\n\n{address}\n\nLinkul este prea vechi? Cereți altul pe {page}.\n{help}\n"
        "Nu dați linkul nimănui.\n",
    ),
}
REMINDER: Final[Texts] = {
    "en": (
        "Your device is not set up yet",
        "Hello {name},\n\nA week ago you got a letter about My devices. Your device is not set up yet. It takes a few minutes."
        "\n\nOpen this link on the device itself. It works once, until {until}:\n\n{address}\n\n"
        "Is the link too old? Ask for a new one at {page}.\n{help}\nNever pass the link on.\n",
    ),
    "nl": (
        "Uw toestel is nog niet ingesteld",
        "Dag {name},\n\nEen week geleden kreeg u een bericht over Mijn toestellen. Uw toestel is nog niet ingesteld. Het duurt"
        " enkele minuten.\n\nOpen deze link op het toestel zelf. Hij werkt één keer, tot {until}:\n\n{address}\n\n"
        "Is de link te oud? Vraag een nieuwe op {page}.\n{help}\nGeef de link nooit door.\n",
    ),
    "fr": (
        "Votre appareil n'est pas encore configuré",
        "Bonjour {name},\n\nIl y a une semaine, vous avez reçu un message sur Mes appareils. Votre appareil n'est pas encore"
        " configuré. Cela prend quelques minutes.\n\nOuvrez ce lien sur l'appareil même. Il fonctionne une fois, jusqu'au"
        " {until} :\n\n{address}\n\nLe lien est trop vieux ? Demandez-en un nouveau sur {page}.\n{help}\n"
        "Ne transmettez jamais ce lien.\n",
    ),
    "tr": (
        "Cihazınız henüz kurulmadı",
        "Merhaba {name},\n\nBir hafta önce Cihazlarım hakkında bir mesaj aldınız. Cihazınız henüz kurulmadı. Birkaç dakika"
        " sürer.\n\nBu bağlantıyı cihazın kendisinde açın. Bir kez çalışır, son gün {until}:\n\n{address}\n\n"
        "Bağlantı çok mu eski? {page} sayfasında yenisini isteyin.\n{help}\nBağlantıyı kimseye vermeyin.\n",
    ),
    "ar": (
        "جهازك لم يُجهَّز بعد",
        "مرحبًا {name}،\n\nقبل أسبوع وصلتك رسالة عن صفحة أجهزتي. جهازك لم يُجهَّز بعد. الأمر يأخذ بضع دقائق.\n\n"
        "افتح هذا الرابط على الجهاز نفسه. يعمل مرة واحدة حتى {until}:\n\n{address}\n\n"
        "هل الرابط قديم؟ اطلب رابطًا جديدًا في {page}.\n{help}\nلا تعطِ الرابط لأحد.\n",
    ),
    "ro": (
        "Dispozitivul dumneavoastră nu este încă configurat",
        "Bună ziua, {name},\n\nAcum o săptămână ați primit un mesaj despre Dispozitivele mele. Dispozitivul dumneavoastră nu"
        " este încă configurat. Durează câteva minute.\n\nDeschideți linkul chiar pe dispozitiv. Funcționează o dată, până la"
        " {until}:\n\n{address}\n\nLinkul este prea vechi? Cereți altul pe {page}.\n{help}\nNu dați linkul nimănui.\n",
    ),
}
SMS: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "{city}: set up your device. Open this on the device, once, until {until}: {address}",
        "{city}: your device is not set up yet. Open this on the device, once, until {until}: {address}",
    ),
    "nl": (
        "{city}: stel uw toestel in. Open dit op het toestel, één keer, tot {until}: {address}",
        "{city}: uw toestel is nog niet ingesteld. Open dit op het toestel, één keer, tot {until}: {address}",
    ),
    "fr": (
        "{city} : configurez votre appareil. Ouvrez ceci sur l'appareil, une fois, jusqu'au {until} : {address}",
        "{city} : votre appareil n'est pas encore configuré. Ouvrez ceci dessus, une fois, jusqu'au {until} : {address}",
    ),
    "tr": (
        "{city}: cihazınızı kurun. Cihazda açın, bir kez, son gün {until}: {address}",
        "{city}: cihazınız henüz kurulmadı. Cihazda açın, bir kez, son gün {until}: {address}",
    ),
    "ar": (
        "{city}: جهّز جهازك. افتح هذا على الجهاز، مرة واحدة، حتى {until}: {address}",
        "{city}: جهازك لم يُجهَّز بعد. افتح هذا على الجهاز، مرة واحدة، حتى {until}: {address}",
    ),
    "ro": (
        "{city}: configurați-vă dispozitivul. Deschideți pe dispozitiv, o dată, până la {until}: {address}",
        "{city}: dispozitivul nu este încă configurat. Deschideți pe dispozitiv, o dată, până la {until}: {address}",
    ),
}
"""The invitation and the reminder as an SMS."""
HELP: Final[Mapping[str, str]] = {
    "en": "Do you need help? {point}\n",
    "nl": "Hebt u hulp nodig? {point}\n",
    "fr": "Besoin d'aide ? {point}\n",
    "tr": "Yardıma mı ihtiyacınız var? {point}\n",
    "ar": "هل تحتاج مساعدة؟ {point}\n",
    "ro": "Aveți nevoie de ajutor? {point}\n",
}
OFF: Final[Mapping[str, str]] = {
    "en": "\nNo reminders any more: {off}\n",
    "nl": "\nGeen herinneringen meer: {off}\n",
    "fr": "\nNe plus recevoir de rappels : {off}\n",
    "tr": "\nArtık hatırlatma istemiyorum: {off}\n",
    "ar": "\nلا أريد تذكيرات بعد الآن: {off}\n",
    "ro": "\nFără mementouri de acum încolo: {off}\n",
}
LEAD: Final[Texts] = {
    "en": (
        "Who in your team has not set up a device yet ({count})",
        "Hello,\n\nThese colleagues were invited two weeks ago or earlier and have not set up a device:\n\n{people}\n\n"
        "A word from you helps most. They ask for a new link at {page}, or go to their service point.\n"
        "You get at most one such letter a week.\n",
    ),
    "nl": (
        "Wie in uw team nog geen toestel heeft ingesteld ({count})",
        "Dag,\n\nDeze collega's werden twee weken geleden of eerder uitgenodigd en hebben nog geen toestel ingesteld:\n\n"
        "{people}\n\nEen woord van u helpt het meest. Zij vragen een nieuwe link op {page} of gaan naar hun servicepunt.\n"
        "U krijgt hoogstens één zulke brief per week.\n",
    ),
    "fr": (
        "Qui dans votre équipe n'a pas encore configuré d'appareil ({count})",
        "Bonjour,\n\nCes collègues ont été invités il y a deux semaines ou plus et n'ont pas encore configuré d'appareil :\n\n"
        "{people}\n\nUn mot de votre part aide le plus. Ils demandent un nouveau lien sur {page} ou vont à leur point de"
        " service.\nVous recevez au plus une telle lettre par semaine.\n",
    ),
    "tr": (
        "Ekibinizde cihazını henüz kurmayanlar ({count})",
        "Merhaba,\n\nBu meslektaşlar iki hafta önce veya daha erken davet edildi ve henüz cihaz kurmadı:\n\n{people}\n\n"
        "En çok sizin bir sözünüz yardımcı olur. {page} sayfasında yeni bağlantı isterler veya hizmet noktalarına giderler.\n"
        "Haftada en fazla bir kez böyle bir mektup alırsınız.\n",
    ),
    "ar": (
        "من في فريقك لم يجهّز جهازًا بعد ({count})",
        "مرحبًا،\n\nدُعي هؤلاء الزملاء قبل أسبوعين أو أكثر ولم يجهّزوا جهازًا بعد:\n\n{people}\n\n"
        "كلمة منك تساعد أكثر من أي شيء. يطلبون رابطًا جديدًا في {page} أو يذهبون إلى نقطة الخدمة.\n"
        "تصلك رسالة كهذه مرة واحدة في الأسبوع على الأكثر.\n",
    ),
    "ro": (
        "Cine din echipa dumneavoastră nu și-a configurat încă un dispozitiv ({count})",
        "Bună ziua,\n\nAcești colegi au fost invitați acum două săptămâni sau mai devreme și nu au configurat încă un"
        " dispozitiv:\n\n{people}\n\nUn cuvânt din partea dumneavoastră ajută cel mai mult. Ei cer un link nou pe {page} sau"
        " merg la punctul lor de servicii.\nPrimiți cel mult o astfel de scrisoare pe săptămână.\n",
    ),
}

PAPER: Final[Mapping[str, tuple[str, tuple[str, str, str], str]]] = {
    "en": (
        "{name}: set up your device",
        (
            "Open this address on the device, or scan the picture.",
            "Look for “With the code on your paper”.",
            "Type this code.",
        ),
        "The code works once, until {until}. Never give it to anybody else.",
    ),
    "nl": (
        "{name}: stel uw toestel in",
        (
            "Open dit adres op het toestel, of scan de tekening.",
            "Ga naar “Met de code op uw papier”.",
            "Typ deze code.",
        ),
        "De code werkt één keer, tot {until}. Geef hem aan niemand anders.",
    ),
    "fr": (
        "{name} : configurez votre appareil",
        (
            "Ouvrez cette adresse sur l'appareil, ou scannez le dessin.",
            "Allez à « Avec le code de votre papier ».",
            "Tapez ce code.",
        ),
        "Le code fonctionne une fois, jusqu'au {until}. Ne le donnez à personne d'autre.",
    ),
    "tr": (
        "{name}: cihazınızı kurun",
        ("Bu adresi cihazda açın veya resmi tarayın.", "“Kâğıdınızdaki kodla” bölümüne gidin.", "Bu kodu yazın."),
        "Kod bir kez çalışır, son gün {until}. Kimseye vermeyin.",
    ),
    "ar": (
        "{name}: جهّز جهازك",
        ("افتح هذا العنوان على الجهاز، أو امسح الصورة.", "اذهب إلى «بالرمز الذي على ورقتك».", "اكتب هذا الرمز."),
        "يعمل الرمز مرة واحدة حتى {until}. لا تعطه لأحد.",
    ),
    "ro": (
        "{name}: configurați-vă dispozitivul",
        (
            "Deschideți această adresă pe dispozitiv sau scanați imaginea.",
            "Mergeți la „Cu codul de pe hârtie”.",
            "Scrieți acest cod.",
        ),
        "Codul funcționează o dată, până la {until}. Nu îl dați nimănui.",
    ),
}
"""The paper with a code, for who has no address: title, steps, end."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper in its reader's language; ``direction`` is ``rtl`` for Arabic."""

    language: str
    direction: str
    title: str
    steps: tuple[str, ...]
    end: str


def paper_letter(language: str, name: str, until: datetime) -> Paper:
    """The words around a code, in this language, in English where nobody wrote it in that one."""
    known = language if language in PAPER else "en"
    title, steps, end = PAPER[known]
    day = str(format_date(until.date(), "d MMMM y", locale=known))
    return Paper(known, "rtl" if known == "ar" else "ltr", title.format(name=name), steps, end.format(until=day))


def mail_letter(language: str, kind: LetterKind, *, point: str, **told: str) -> tuple[str, str]:
    """Subject and text in this language, in English where nobody wrote it in that one; ``point`` may be empty."""
    known = language if language in INVITATION else "en"
    subject, text = (INVITATION if kind is LetterKind.INVITATION else REMINDER)[known]
    helped = HELP[known].format(point=point) if point else ""
    return subject, text.format(help=helped, **told) + OFF[known].format(**told)


def sms_letter(language: str, kind: LetterKind, **told: str) -> str:
    """The same as one short message."""
    known = language if language in SMS else "en"
    return SMS[known][0 if kind is LetterKind.INVITATION else 1].format(**told) + OFF[known].format(**told).rstrip()


def lead_letter(language: str, *, people: str, count: int, page: str) -> tuple[str, str]:
    """Subject and text for somebody who leads: their people, one per line."""
    subject, text = LEAD.get(language, LEAD["en"])
    return subject.format(count=count), text.format(people=people, page=page)
