"""The system below the desktop: passwords, kernel modules, time, logs, remote access, certificates, language."""

import re
from collections.abc import Mapping

from mdm.platforms.linux.escape import one_line, slug, systemd_argument, systemd_text
from mdm.platforms.linux.parts import MARK, Part, Resources, Settings, file, given, oneshot

PASSWORDS = ("passcode.min_length", "passcode.complexity")
_CLASSES = {
    "any": "",
    "letters_digits": "minclass = 2\ndcredit = -1\n",
    "mixed": "minclass = 3\ndcredit = -1\nucredit = -1\nlcredit = -1\n",
}


def _passwords(settings: Settings) -> Resources:
    """pwquality.conf(5): it holds when a password is changed, with libpam-pwquality."""
    keys = given(settings, PASSWORDS)
    if not keys:
        return []
    content = MARK
    if "passcode.min_length" in settings:
        # The shortest length that the library accepts is 6.
        content += f"minlen = {max(6, int(settings['passcode.min_length']))}\n"
    content += _CLASSES[settings.get("passcode.complexity", "any")] + "enforce_for_root\n"
    return [file("passcode.quality", keys, "/etc/security/pwquality.conf.d/havenmeester.conf", content)]


MODULES: Mapping[str, tuple[str, ...]] = {
    "restrictions.usb_storage": ("usb-storage", "uas"),
    "restrictions.bluetooth": ("btusb", "bluetooth"),
    "restrictions.camera": ("uvcvideo",),
}


def _modules(settings: Settings) -> Resources:
    """modprobe.d(5): what is blacklisted is not loaded by itself, what is installed as false not on request either."""
    resources = []
    for key, modules in MODULES.items():
        if settings.get(key) is False:
            name = key.partition(".")[2].replace("_", "-")
            lines = "".join(f"blacklist {module}\ninstall {module} /bin/false\n" for module in modules)
            path = f"/etc/modprobe.d/havenmeester-{name}.conf"
            resources.append(file(f"modules.{name}", [key], path, MARK + lines))
    return resources


def _sources(settings: Settings) -> Resources:
    """polkit(8): people who are not root install nothing with Flatpak or Snap."""
    if settings.get("restrictions.unknown_sources") is not False:
        return []
    rule = (
        "// Managed by Havenmeester.\n"
        "polkit.addRule(function(action, subject) {\n"
        '    if (action.id.indexOf("org.freedesktop.Flatpak.app-") === 0 ||\n'
        '        action.id.indexOf("org.freedesktop.Flatpak.runtime-") === 0 ||\n'
        '        action.id.indexOf("io.snapcraft.snapd.manage") === 0) {\n'
        "        return polkit.Result.NO;\n    }\n});\n"
    )
    path = "/etc/polkit-1/rules.d/40-havenmeester-sources.rules"
    return [file("sources.polkit", ["restrictions.unknown_sources"], path, rule)]


def _time(settings: Settings) -> Resources:
    resources = []
    if "time.ntp_servers" in settings:
        servers = " ".join(systemd_text(host) for host in settings["time.ntp_servers"])
        path = "/etc/systemd/timesyncd.conf.d/90-havenmeester.conf"
        resources.append(file("time.servers", ["time.ntp_servers"], path, f"{MARK}[Time]\nNTP={servers}\n"))
    if "time.zone" in settings:
        command = f"/usr/bin/timedatectl set-timezone {systemd_argument(settings['time.zone'])}"
        description = "Havenmeester: time zone"
        resources.append(oneshot("time.zone", ["time.zone"], "havenmeester-time-zone.service", description, command))
    return resources


def _texts(settings: Settings) -> Resources:
    resources = []
    if "system.message_of_the_day" in settings:
        text = "\n".join(one_line(line) for line in settings["system.message_of_the_day"].split("\n"))
        resources.append(file("system.motd", ["system.message_of_the_day"], "/etc/motd", text + "\n"))
    if "system.language" in settings:
        language = re.sub(r"[^A-Za-z_]", "", settings["system.language"])
        content = f"{MARK}LANG={language}.UTF-8\n"
        resources.append(file("system.locale", ["system.language"], "/etc/default/locale", content))
    if "logs.keep_days" in settings:
        content = f"{MARK}[Journal]\nMaxRetentionSec={int(settings['logs.keep_days'])}day\n"
        path = "/etc/systemd/journald.conf.d/90-havenmeester.conf"
        resources.append(file("system.logs", ["logs.keep_days"], path, content))
    return resources


SSH = ("ssh.enabled", "ssh.password_login", "ssh.allow_users")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}\Z")


def _ssh(settings: Settings) -> Resources:
    """sshd_config(5). An empty list of people lets nobody in, rather than everybody."""
    resources = []
    lines = []
    if "ssh.password_login" in settings:
        answer = "yes" if settings["ssh.password_login"] else "no"
        lines += [f"PasswordAuthentication {answer}", f"KbdInteractiveAuthentication {answer}"]
    if "ssh.allow_users" in settings:
        users = [name for name in settings["ssh.allow_users"] if _USER.match(name)]
        lines.append(f"AllowUsers {' '.join(users)}" if users else "DenyUsers *")
    if lines:
        keys = given(settings, ("ssh.password_login", "ssh.allow_users"))
        path = "/etc/ssh/sshd_config.d/90-havenmeester.conf"
        content = MARK + "\n".join(lines) + "\n"
        resources.append(file("ssh.settings", keys, path, content, mode="0600", validate="sshd"))
    if "ssh.enabled" in settings:
        verb = "enable" if settings["ssh.enabled"] else "disable"
        command = f"-/usr/bin/systemctl {verb} --now ssh.service"
        description = f"Havenmeester: {verb} remote access by SSH"
        resources.append(oneshot("ssh.unit", ["ssh.enabled"], "havenmeester-ssh.service", description, command))
    return resources


def _certificates(settings: Settings) -> Resources:
    return [
        file(
            f"certificate.{slug(record['name'])}",
            ["certificates.authorities"],
            f"/usr/local/share/ca-certificates/havenmeester-{slug(record['name'])}.crt",
            record["certificate"],
            after=("update-ca-certificates",),
        )
        for record in settings.get("certificates.authorities", [])
    ]


PARTS = (
    Part(PASSWORDS, _passwords),
    Part(tuple(MODULES), _modules),
    Part(("restrictions.unknown_sources",), _sources),
    Part(("time.ntp_servers", "time.zone"), _time),
    Part(("system.message_of_the_day", "system.language", "logs.keep_days"), _texts),
    Part(SSH, _ssh),
    Part(("certificates.authorities",), _certificates),
)
