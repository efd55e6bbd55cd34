"""The panic button of a computer: an entry of the menu, a keyboard shortcut, and the service that sends what was pressed.

Whoever sits at the machine may put a call into the spool and read nothing there (mode 1733); the service runs as root, because
only root may use the device's key. It begins as soon as something lies in the spool, also after the machine was switched off.
"""

from typing import Final

from mdm.platforms.linux.parts import MARK, Part, Resources, Settings, file, unit

KEYS: Final = ("panic_button.enabled",)
COMMAND: Final = "/usr/bin/havenmeester-agent panic"
HELD: Final = f"{COMMAND} --hold"
"""What menu and shortcut start: pressed by mistake it can be stopped for a moment; pressed again or held it leaves at once."""
SPOOL: Final = "/var/spool/havenmeester-panic"
SHORTCUTS: Final = "org/gnome/settings-daemon/plugins/media-keys"
SHORTCUT: Final = f"{SHORTCUTS}/custom-keybindings/havenmeester-panic"

_ENTRY: Final = f"""[Desktop Entry]
Type=Application
Name=Call for help
Name[nl]=Hulp roepen
Name[fr]=Appeler à l'aide
Name[tr]=Yardım çağır
Name[ar]=اطلب النجدة
Name[ro]=Cere ajutor
Comment=Whoever is on duty hears it at once
Comment[nl]=Wie van wacht is, hoort het meteen
Comment[fr]=Les personnes de garde l'entendent tout de suite
Comment[tr]=Nöbetçiler hemen duyar
Comment[ar]=يسمعه المناوبون فورًا
Comment[ro]=Cine este de gardă aude imediat
Exec={HELD}
Icon=dialog-warning
StartupNotify=false
Terminal=false
Categories=Utility;
Keywords=panic;help;alarm;hulp;nood;aide;imdat;yardım;نجدة;ajutor;
Actions=exercise;

[Desktop Action exercise]
Name=Exercise
Name[nl]=Oefening
Name[fr]=Exercice
Name[tr]=Tatbikat
Name[ar]=تمرين
Name[ro]=Exercițiu
Exec={HELD} --exercise
"""
_PATH: Final = f"""[Unit]
Description=Havenmeester: a call for help waits to be sent

[Path]
DirectoryNotEmpty={SPOOL}
MakeDirectory=yes
DirectoryMode=1733

[Install]
WantedBy=multi-user.target
"""
_SERVICE: Final = f"""[Unit]
Description=Havenmeester: sends calls for help
Wants=network.target
After=network.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart={COMMAND} --deliver
Restart=on-failure
RestartSec=5
NoNewPrivileges=yes
ProtectHome=yes
ProtectSystem=full
"""


def _panic(settings: Settings) -> Resources:
    """Nothing where the button is not switched on."""
    if settings.get("panic_button.enabled") is not True:
        return []
    return [
        file("panic.entry", KEYS, "/usr/local/share/applications/havenmeester-panic.desktop", MARK + _ENTRY),
        unit("panic.service", KEYS, "havenmeester-panic.service", MARK + _SERVICE, enable=False),
        unit("panic.path", KEYS, "havenmeester-panic.path", MARK + _PATH),
    ]


PARTS = (Part(KEYS, _panic),)
