"""Configuration: environment variables ``HAVENMEESTER_*`` over one file (``havenmeester.toml`` in the home folder)."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from mdm.core.errors import ConfigurationError
from mdm.core.quiet import Quiet

PREFIX = "HAVENMEESTER_"
FILE = "havenmeester.toml"
DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
SECRETS = frozenset(PREFIX + name for name in ("SIGNER_PASSPHRASE", "SIGNER_PASSPHRASE_NEW", "KEY_PASSPHRASE"))
"""Variables that are no settings: passphrases, which stand in no file and are shown nowhere."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Settings(BaseSettings):
    """Every key of the configuration. The environment wins over the file, the file over the default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    home: Path = Field(Path("var"), description="Folder of database, keys and logs.")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in the home folder.")
    console_database_url: str = Field(
        "", description="PostgreSQL: the console's own user (havenmeester_console); empty: database_url."
    )
    gateway_database_url: str = Field(
        "", description="PostgreSQL: the gateway's own user (havenmeester_gateway); empty: database_url."
    )
    worker_database_url: str = Field(
        "", description="PostgreSQL: the worker's own user (havenmeester_worker); empty: database_url."
    )
    organisation: str = Field("Antwerpen", min_length=1, max_length=80, description="Name shown to people and devices.")
    language: str = Field("nl", pattern="^(nl|fr|en)$", description="Language where a person's own is unknown.")
    timezone: str = Field("Europe/Brussels", description="Time zone of the city.")
    console_host: str = Field("localhost", description="Address that the console listens on.")
    console_port: int = Field(8080, ge=0, le=65535, description="Port of the console and the API.")
    console_url: str = Field("", description="Address of the console as people see it; empty: made from host and port.")
    portal_url: str = Field(
        "",
        description="Address of the employees' page, on a host name of its own; empty: http://mijn.localhost, same port.",
    )
    portal_private: bool = Field(
        False, description="Whether employees may enrol a device of their own, which stays private, on their page."
    )
    portal_devices: int = Field(
        2, ge=1, le=20, description="Private devices that one employee may have enrolled at the same time."
    )
    film_hosts: str = Field(
        "", description="Hosts whose films guides for employees may link to, with commas between; empty: none."
    )
    gateway_host: str = Field("localhost", description="Address that the gateway listens on.")
    gateway_port: int = Field(8444, ge=0, le=65535, description="Port of the gateway.")
    gateway_url: str = Field(
        "", description="Address of the gateway as devices see it; empty: made from host and port."
    )
    gateway_workers: int = Field(1, ge=1, le=64, description="Processes of the gateway.")
    trusted_proxies: str = Field(
        "",
        description="Addresses of proxies whose Client-Cert header (RFC 9440) the gateway believes; separated by commas.",
    )
    apns_url: str = Field(
        "https://api.push.apple.com", description="Address of Apple's push service, by which phones are woken."
    )
    apns_authority: str = Field(
        "", description="File with the authority of the push service; empty: those that this machine trusts."
    )
    apple_old_signatures: bool = Field(
        True, description="Whether SHA-1 is taken too in signatures of phones, as old ones and simulators make them."
    )
    checkin_seconds: int = Field(300, ge=5, le=86400, description="Seconds between two check-ins of one device.")
    invitation_hours: int = Field(168, ge=1, le=2160, description="Hours that an invitation can be used.")
    certificate_days: int = Field(90, ge=1, le=825, description="Lifetime of a device's certificate in days.")
    apple_certificate_days: int = Field(365, ge=1, le=825, description="Lifetime of a phone's certificate in days.")
    android_url: str = Field(
        "",
        description="Address at which Android phones reach the gateway, with a certificate that every phone trusts; empty:"
        " the gateway's own.",
    )
    android_secret: str = Field(
        "changeme-C3z9vi54",
        min_length=1,
        max_length=128,
        description="What Headwind's agent signs with: public, built into the vendor's agent; another one for another build.",
    )
    android_wipe_minutes: int = Field(
        10,
        ge=2,
        le=1440,
        description="Minutes of silence after which an Android phone that wipes itself counts as wiped.",
    )
    apple_approve_by_hand: bool = Field(
        False, description="Whether a phone's first certificate waits until somebody approves it by hand."
    )
    apple_device_anchors: str = Field(
        "",
        description="File (PEM) with Apple's authorities over phones; empty: no phone enrols by itself while it is set up.",
    )
    apple_device_list: str = Field(
        "https://mdmenrollment.apple.com", description="Address of Apple's list of the city's devices."
    )
    apple_vendor: str = Field(
        "",
        description="File (PEM) with a vendor's certificate, those above it and its key: signs requests for push certificates.",
    )
    order_hours: int = Field(72, ge=1, le=72, description="Hours that an order stays valid after its approval.")
    order_cooling_minutes: int = Field(
        15,
        ge=0,
        le=10080,
        description="Minutes that an approved order rests before it is signed; the signer's own process reads it.",
    )
    session_idle_minutes: int = Field(
        60, ge=5, le=720, description="Minutes without a click after which a session ends."
    )
    session_hours: int = Field(12, ge=1, le=24, description="Hours after which every session ends.")
    oidc_issuer: str = Field("", description="Issuer URL of the city's identity provider; empty: no OpenID Connect.")
    oidc_client_id: str = Field("", description="Client id at the identity provider.")
    oidc_client_secret: str = Field("", description="Client secret at the identity provider.")
    oidc_number_claim: str = Field(
        "",
        description="Claim in which the identity provider says an employee's personnel number; empty: known by e-mail alone.",
    )
    smtp_url: str = Field("", description="smtp://user:password@host:port; empty: mail is kept in the outbox.")
    mail_from: str = Field("havenmeester@localhost", description="Sender of mail.")
    sms_url: str = Field("", description="Address of the SMS gateway (https); empty: no SMS is sent.")
    sms_token: str = Field("", description="Bearer token at the SMS gateway.")
    sms_sender: str = Field("", max_length=32, description="Sender of SMS; empty: the organisation.")
    sms_country: str = Field(
        "BE", pattern="^[A-Z]{2}$", description="Country (ISO 3166) of telephone numbers without + or 00."
    )
    quiet_hours: str = Field(
        "19:00-08:00",
        description="Hours in the city's time zone in which no invitation and no reminder leaves; empty: none.",
    )
    quiet_days: str = Field(
        "sat,sun",
        description="Days on which none leaves: weekdays (sat) and dates (2026-12-25, 12-25); separated by commas.",
    )
    signer_path: str = Field(
        "",
        description="Path of the signer's socket, where it runs on a home of its own; empty: run/signer.sock in the home.",
    )
    signer_peers: str = Field(
        "",
        pattern=r"^(\d{1,10}(,\d{1,10})*)?$",
        description="User ids, beside the signer's own, that may speak to the signer; separated by commas.",
    )
    witness_file: str = Field(
        "",
        description="File that the diary's signed heads are written to, best on another machine's disk; empty: none.",
    )
    witness_syslog: str = Field(
        "",
        pattern=r"^((udp|tcp)://[^\s/]+|unix:///\S+)?$",
        description="System log that the heads are sent to: udp://host:514, tcp://host:601 or unix:///dev/log.",
    )
    webhook_hosts: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.*:\[\]_, -]*$",
        description="Hosts that webhooks may go to: host, host:port, *.domain; separated by commas. Empty: none.",
    )
    kiosk_networks: str = Field(
        "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7",
        pattern=r"^[0-9A-Fa-f.:/, ]*$",
        description="Networks in which kiosks may be set up over SSH; separated by commas. Empty: none.",
    )
    discovery_networks: str = Field(
        "",
        pattern=r"^[0-9./, ]*$",
        description="IPv4 networks whose addresses discovery may ask who they are; separated by commas. Empty: it only listens.",
    )
    discovery_interfaces: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_.:@=, -]*$",
        description=(
            "Network interfaces of this server and the service point that each hears: CODE=interface; separated by commas."
        ),
    )
    discovery_socket: str = Field(
        "",
        description="Socket of the service that listens to networks (docs/discovery.md). Empty: the command listens by itself.",
    )
    accessibility_contact: str = Field(
        "",
        pattern=r"^([^\s@<>]+@[^\s@<>]+)?$",
        max_length=254,
        description="E-mail address at which people say that they cannot use a page; empty: they tell their service point.",
    )
    accessibility_authority: str = Field(
        "Vlaamse Ombudsdienst",
        max_length=120,
        description="Who hears complaints about accessibility that the organisation did not mend (Directive (EU) 2016/2102).",
    )
    accessibility_authority_url: str = Field(
        "https://www.vlaamseombudsdienst.be",
        pattern=r"^(https://\S+)?$",
        description="Address of its page; empty: none.",
    )
    location_days: int = Field(
        30,
        ge=0,
        le=365,
        description="Days that a closed case, or a closed call for help, still keeps where the device was; then it is forgotten.",
    )
    privacy_contact: str = Field(
        "",
        max_length=200,
        description="How people reach the data-protection officer: stands in the register and on the employees' page.",
    )
    person_days: int = Field(
        400,
        ge=0,
        le=3650,
        description="Days after somebody's last day at work after which their record is erased by itself; 0: never by itself.",
    )
    wal_archive_days: int = Field(
        0,
        ge=0,
        le=3650,
        description="Days for which the archive and the base backups of PostgreSQL keep what was deleted (its recovery window),"
        " as whoever runs it has set it there; 0: nobody has said. The doctor warns over 30.",
    )
    panic_step_seconds: int = Field(
        30,
        ge=5,
        le=600,
        description="Seconds without an answer after which more people are told of a call for help.",
    )
    log_days: int = Field(
        14,
        ge=2,
        le=400,
        description="Days that a line in the files of the log folder is kept; the journal is told apart.",
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged.")

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator(
        "database_url", "console_database_url", "gateway_database_url", "worker_database_url", mode="after"
    )
    @classmethod
    def _known_database(cls, value: str) -> str:
        # The sentence never repeats the address: it may hold a password.
        if value and not value.startswith(DATABASES):
            raise PydanticCustomError("database_url", "it must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("quiet_hours", mode="after")
    @classmethod
    def _readable_hours(cls, value: str) -> str:
        Quiet.of("UTC", value, "")
        return value

    @field_validator("quiet_days", mode="after")
    @classmethod
    def _readable_days(cls, value: str) -> str:
        Quiet.of("UTC", "", value)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the library names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the library names it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was passed in code, then the environment, then the file in the home folder."""
        home = Path(os.environ.get(PREFIX + "HOME", "var"))
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home / FILE))

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'havenmeester.db'}"

    def database_of(self, process: Literal["console", "gateway", "worker"]) -> str:
        """The SQLAlchemy URL that this process uses: its own where it has one."""
        return str(getattr(self, f"{process}_database_url")) or self.database

    @property
    def console_base(self) -> str:
        """The console's address without a slash at the end."""
        if self.console_url:
            return self.console_url.rstrip("/")
        scheme = "http" if self.console_host in LOOPBACK else "https"
        return f"{scheme}://{self.console_host}:{self.console_port}"

    @property
    def portal_base(self) -> str:
        """The address of the employees' page without a slash at the end."""
        return (self.portal_url or f"http://mijn.localhost:{self.console_port}").rstrip("/")

    @property
    def gateway_base(self) -> str:
        """The gateway's address without a slash at the end."""
        return (self.gateway_url or f"https://{self.gateway_host}:{self.gateway_port}").rstrip("/")

    @property
    def quiet(self) -> Quiet:
        """When nobody is written to who need not be."""
        return Quiet.of(self.timezone, self.quiet_hours, self.quiet_days)

    @property
    def android_base(self) -> str:
        """The gateway's address as Android phones see it, without a slash at the end."""
        return (self.android_url or self.gateway_base).rstrip("/")

    @property
    def proxies(self) -> frozenset[str]:
        """Addresses of proxies that end TLS before the gateway."""
        return frozenset(address.strip() for address in self.trusted_proxies.split(",") if address.strip())

    @property
    def signer_socket(self) -> Path:
        """The local socket of the signer."""
        return Path(self.signer_path) if self.signer_path else self.home / "run" / "signer.sock"

    @property
    def signer_uids(self) -> frozenset[int]:
        """User ids, beside the signer's own, that may speak to the signer."""
        return frozenset(int(uid) for uid in self.signer_peers.split(",") if uid)


def load(**overrides: Any) -> Settings:
    """The configuration in force. Raises ConfigurationError that names each wrong key and the mend."""
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX)
        and name not in SECRETS
        and name.removeprefix(PREFIX).lower() not in Settings.model_fields
    )
    if unknown:
        raise ConfigurationError(
            "The environment variable %(name)s is not a setting.",
            name=unknown[0],
            mend="Remove it, or see docs/configuration.md for the names.",
        )
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "?"
        raise ConfigurationError(
            "The setting %(key)s is wrong: %(why)s.",
            key=key,
            why=first["msg"],
            mend=f"Set {PREFIX}{key.upper()} or the key {key} in {FILE}; docs/configuration.md lists every key.",
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            "The file %(file)s cannot be read: %(why)s.", file=FILE, why=error, mend="Correct it as TOML."
        ) from error
