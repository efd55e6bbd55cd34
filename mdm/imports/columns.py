"""What columns may be called, and which words mean a value: in Dutch, French and English. Names are compared folded."""

from mdm.core.text import fold

PEOPLE = {
    "number": ("personnel number", "employee number", "personeelsnummer", "stamnummer", "matricule", "numéro"),
    "badge": ("badge number", "badgenummer", "badge nummer", "pasnummer", "numéro de badge"),
    "name": ("full name", "naam", "volledige naam", "nom", "nom complet"),
    "first_name": ("given name", "voornaam", "prénom"),
    "last_name": ("surname", "family name", "achternaam", "familienaam", "nom de famille"),
    "email": ("e-mail", "mail", "e-mail address", "e-mailadres", "mailadres", "courriel", "adresse e-mail"),
    "phone": ("telephone", "phone number", "telefoon", "telefoonnummer", "gsm", "téléphone", "portable"),
    "language": ("taal", "langue"),
    "persona": ("profile", "profiel", "profil"),
    "unit": ("unit code", "department", "afdeling", "eenheid", "dienst", "unité", "service", "département"),
    "service_point": (
        "service point",
        "service point code",
        "servicepunt",
        "dienstpunt",
        "point de service",
        "locatie",
    ),
    "left_on": ("left", "left on", "end date", "uit dienst", "einddatum", "date de sortie"),
}
UNITS = {
    "code": ("unit code", "afkorting", "eenheidscode"),
    "name": ("naam", "nom", "omschrijving"),
    "parent": (
        "parent code",
        "bovenliggend",
        "bovenliggende eenheid",
        "hoofdeenheid",
        "parent unit",
        "unité supérieure",
    ),
    "from": ("from date", "valid from", "vanaf", "ingangsdatum", "à partir de", "date de début", "dès"),
}
SERVICE_POINTS = {
    "code": ("service point code", "afkorting"),
    "name": ("naam", "nom"),
    "address": ("adres", "adresse", "postal address"),
    "opening_hours": ("opening hours", "hours", "openingsuren", "uren", "heures d'ouverture", "horaire"),
    "phone": ("telephone", "telefoon", "telefoonnummer", "téléphone"),
    "email": ("e-mail", "mail", "e-mailadres", "courriel"),
}
DEVICES = {
    "tag": ("asset tag", "asset", "label", "inventarisnummer", "etiket", "étiquette", "numéro d'inventaire"),
    "serial": ("serial number", "serienummer", "numéro de série"),
    "imei": ("imei number", "imei-nummer"),
    "name": ("device name", "naam", "toestelnaam", "nom", "nom de l'appareil"),
    "platform": ("operating system", "os", "platforme", "besturingssysteem", "plateforme", "système"),
    "kind": ("type", "device type", "soort", "toesteltype", "genre"),
    "manufacturer": ("maker", "make", "brand", "fabrikant", "merk", "fabricant", "marque"),
    "model": ("modèle", "toestelmodel"),
    "phone_number": ("phone number", "telephone", "telefoonnummer", "gsm-nummer", "numéro de téléphone"),
    "ownership": ("owner", "eigendom", "eigenaar", "propriété", "propriétaire"),
    "ring": ("rollout ring", "golf", "anneau"),
    "service_point": (
        "service point",
        "service point code",
        "servicepunt",
        "dienstpunt",
        "point de service",
        "locatie",
    ),
    "unit": ("unit code", "department", "afdeling", "eenheid", "dienst", "unité"),
    "state": ("status", "life cycle", "toestand", "état", "statut"),
    "holder": ("person", "user", "employee", "houder", "gebruiker", "medewerker", "détenteur", "utilisateur"),
    "purchased_on": ("purchased", "purchase date", "aankoopdatum", "date d'achat"),
    "warranty_until": ("warranty", "warranty until", "garantie", "garantie tot", "garantie jusqu'au"),
    "cost": ("price", "purchase cost", "bought for", "prijs", "aankoopprijs", "kostprijs", "prix", "prix d'achat"),
    "currency": ("munt", "valuta", "devise", "monnaie"),
    "supplier": ("vendor", "leverancier", "fournisseur"),
    "order_number": (
        "order number",
        "purchase order",
        "bestelnummer",
        "bestelbon",
        "numéro de commande",
        "bon de commande",
    ),
    "contract": ("contract number", "contractnummer", "raamcontract", "contrat"),
    "contract_until": ("contract until", "contract end", "contract tot", "einde contract", "fin du contrat"),
    "measure": ("employment measure", "maatregel", "tewerkstellingsmaatregel", "mesure", "mesure d'emploi"),
    "note": ("notes", "remark", "opmerking", "nota", "remarque"),
}

_WORDS = {
    "language": {
        "nl": ("nederlands", "dutch", "neerlandais", "ned"),
        "fr": ("frans", "french", "francais", "fra"),
        "en": ("engels", "english", "anglais", "eng"),
        "tr": ("turks", "turkish", "turc"),
        "ar": ("arabisch", "arabic", "arabe"),
        "ro": ("roemeens", "romanian", "roumain"),
    },
    "persona": {
        "city": ("stad", "medewerker", "ville", "employee"),
        "unit": ("bedrijf", "eenheid", "unite", "business unit"),
        "citizen": ("burger", "citoyen"),
    },
    "platform": {
        "android": (),
        "ios": ("ipados", "iphone", "ipad", "apple"),
        "linux": ("debian", "ubuntu"),
    },
    "kind": {
        "phone": ("telefoon", "gsm", "smartphone", "telephone", "mobile"),
        "tablet": ("tablette",),
        "laptop": ("notebook", "portable", "ordinateur portable", "draagbare computer"),
        "kiosk": ("zuil", "borne", "zelfbedieningszuil", "kiosque"),
    },
    "ownership": {
        "city": ("stad", "ville", "company", "organisatie"),
        "private": ("prive", "privaat", "byod", "personal", "persoonlijk"),
        "loan_pool": ("loan pool", "pool", "uitleen", "uitleenpool", "pret"),
    },
    "measure": {
        "article_60": ("article 60", "artikel 60", "art 60", "art. 60", "art60"),
        "bis": (),
        "ibo": (),
        "lde": (),
        "oao": (),
        "sine": (),
        "wes": (),
        "wijkwerken": ("wijk werken", "wijk-werken"),
    },
    "state": {
        "in_stock": ("in stock", "stock", "voorraad", "in voorraad", "en stock"),
        "handed_out": ("handed out", "in use", "uitgereikt", "in gebruik", "remis", "en usage"),
        "on_loan": ("on loan", "uitgeleend", "prete"),
        "in_repair": ("in repair", "in herstelling", "herstelling", "en reparation"),
        "lost": ("verloren", "gestolen", "stolen", "perdu", "vole"),
        "returned": ("ingeleverd", "teruggebracht", "rendu"),
        "wiped": ("gewist", "efface"),
        "retired": ("afgevoerd", "afgeschreven", "declasse", "hors service"),
    },
}
WORDS = {
    field: {alias: value for value, aliases in values.items() for alias in (value, *aliases)}
    for field, values in _WORDS.items()
}
"""From each field with a closed list of values to what each folded word means."""


def word(field: str, cell: str) -> str:
    """The value that a cell means; the cell itself where nobody knows it, for the field's own check to refuse."""
    return WORDS[field].get(fold(cell), cell)
