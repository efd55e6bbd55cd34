"""The table of jobs: what the clock does, and how often."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from mdm.alarms import looking, targets
from mdm.audit import export, heads, watch
from mdm.audit.model import AuditEntry
from mdm.commands import delivery as commands
from mdm.compliance import management
from mdm.compliance import service as compliance
from mdm.core.errors import UnavailableError
from mdm.desk.cases import location
from mdm.desk.cases import service as cases
from mdm.desk.custody import follow as custody
from mdm.desk.loans import overdue, sweeping
from mdm.desk.repairs import service as repairs
from mdm.desk.stock import levels
from mdm.guidance import progress as quests
from mdm.inventory.model import NOT_ENROLLED, Device, Verdict
from mdm.kiosks import troubles
from mdm.operation import metrics
from mdm.orders import acts, kernel, mirror
from mdm.orders import delivery as orders
from mdm.org import queries as org
from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from mdm.panic import drills, keys, telling
from mdm.panic import location as origins
from mdm.panic import service as panic
from mdm.platforms.android.headwind import service as androids
from mdm.platforms.android.headwind import watching
from mdm.platforms.apple import papers, waking
from mdm.platforms.apple import post as phones
from mdm.privacy import leaving, tombstones
from mdm.privacy import service as privacy
from mdm.privacy.compacting import compact
from mdm.signing.client import SignerClient
from mdm.worker import captures, google, inviting, post, releases
from mdm.worker.device_lists import read_device_lists
from mdm.worker.forgetting import forget, forget_photos, forget_pictures, tidy
from mdm.worker.jobs import Job
from mdm.worker.kiosks import KioskCrew
from mdm.worker.listening import Listening
from mdm.worker.office import Office
from mdm.worker.topics import TOPICS

SWEEP = 500
"""Devices that one transaction of the compliance sweep judges."""
CATCH_UP = 31
"""Days back in which a move of a unit is looked for after a start: nobody is down for longer without a restore."""


SECOND = timedelta(seconds=1)


def jobs(stopping: Callable[[], bool]) -> tuple[Job, ...]:
    """Every job of the worker. Those that run at the start mend what was missed while nobody led."""
    moves, alarms, crew, listeners = UnitMoves(), Alarms(), KioskCrew(), Listening(stopping)
    return (
        Job("post", SECOND, lambda office: post.deliver(office, TOPICS, stopping, post.COMMON), at_start=True),
        Job("post-mail", SECOND, lambda office: post.deliver(office, TOPICS, stopping, post.BY_MAIL), at_start=True),
        Job("post-sms", SECOND, lambda office: post.deliver(office, TOPICS, stopping, post.BY_SMS), at_start=True),
        Job("post-outward", SECOND, lambda office: post.deliver(office, TOPICS, stopping, post.OUTWARD), at_start=True),
        Job("compliance-sweep", timedelta(seconds=5), sweep_compliance, at_start=True),
        Job("expiry", timedelta(seconds=20), expire, at_start=True),
        Job("unit-moves", timedelta(minutes=10), moves.look, at_start=True),
        Job("exemption-reminders", timedelta(hours=1), remind_owners, at_start=True),
        Job("diary-head", timedelta(minutes=1), seal_diary, at_start=True),
        Job(
            "post-urgent",
            timedelta(seconds=1),
            lambda office: post.deliver_urgent(office, TOPICS, stopping),
            at_start=True,
        ),
        Job("panic", timedelta(seconds=1), look_after_panic, at_start=True),
        Job("panic-forget", timedelta(minutes=10), forget_panic, at_start=True),
        Job("kernel", timedelta(seconds=3), mirror_kernel, at_start=True),
        Job("alarms", timedelta(seconds=5), alarms.look, at_start=True),
        Job("cooling", timedelta(minutes=1), watch_cooling, at_start=True),
        Job("phones", timedelta(minutes=1), look_after_phones, at_start=True),
        Job("android-phones", timedelta(minutes=1), look_after_androids, at_start=True),
        Job("apple-papers", timedelta(hours=1), watch_apple_papers, at_start=True),
        Job("loans", timedelta(minutes=1), look_after_loans, at_start=True),
        Job("quests", timedelta(minutes=5), look_at_quests, at_start=True),
        Job("figures", timedelta(seconds=15), count, at_start=True),
        Job("apple-device-list", timedelta(minutes=15), read_device_lists, at_start=True),
        Job("desk-letters", timedelta(minutes=10), tell_desks, at_start=True),
        Job(google.NAME, timedelta(seconds=3), google.turn, at_start=True),
        Job("custody", timedelta(minutes=10), look_after_custody, at_start=True),
        Job("cases", timedelta(minutes=10), look_after_cases, at_start=True),
        Job("invitations", timedelta(seconds=2), inviting.write_letters),
        Job("adoption", timedelta(minutes=10), inviting.follow, at_start=True),
        Job("release-documents", timedelta(minutes=10), releases.refresh, at_start=True),
        Job("releases", timedelta(seconds=10), releases.roll_out, at_start=True),
        Job("discovery", timedelta(seconds=2), captures.read, at_start=True),
        Job("listening", timedelta(seconds=2), listeners.look, at_start=True),
        Job("kiosks", timedelta(seconds=2), crew.look, at_start=True),
        Job("kiosk-troubles", timedelta(minutes=1), tell_of_kiosks, at_start=True),
        Job("kiosk-pictures", timedelta(minutes=10), forget_pictures, at_start=True),
        Job("tidy", timedelta(minutes=10), tidy),
        Job("erasures", timedelta(seconds=20), erase_people, at_start=True),
        Job("leavers", timedelta(hours=1), look_after_leavers, at_start=True),
        Job("retention", timedelta(hours=24), forget, at_start=True),
    )


def sweep_compliance(office: Office) -> None:
    """Judges every device whose verdict time alone may have changed, in short transactions."""
    while True:
        with office.call("compliance-sweep") as call:
            if compliance.sweep(call, SWEEP) < SWEEP:
                return


def look_after_phones(office: Office) -> None:
    """Asks phones for what is known of them for too long, ends what their time has passed for, wakes the silent ones."""
    with office.call("phones") as call:
        phones.sweep(call)
        phones.behind(call)
        waking.repeat(call)


def look_after_androids(office: Office) -> None:
    """Phones that said that they wipe themselves and are silent since count as wiped; what is due is forgotten or renewed."""
    settings = office.settings
    with office.call("android-phones") as call:
        watching.presume(call, timedelta(minutes=settings.android_wipe_minutes))
        androids.forget_passcodes(call)
    androids.renew_due(
        lambda *, write=True: office.call("android-phones", write=write),
        SignerClient(settings.signer_socket),
        settings.apple_certificate_days,
    )


def watch_apple_papers(office: Office) -> None:
    """Tells people in time that a push certificate or a token of Apple's ends."""
    with office.call("apple-papers") as call:
        papers.watch(call)


def look_after_cases(office: Office) -> None:
    """Opens cases for those who leave, writes letters that are due, and forgets where devices were that nobody looks for."""
    after: int | None = 0
    while after is not None:
        with office.call("cases") as call:
            after = cases.sweep(call, after) or None
    days = timedelta(days=office.settings.location_days)
    more = True
    while more:
        with office.call("cases") as call:
            more = location.forget_due(call.session, call.now - days) > 0


def look_after_loans(office: Office) -> None:
    """Reservations that were fulfilled, missed or can move up, place by place; then the ladder of what is overdue."""
    with office.call("loans", write=False) as call:
        places = sweeping.places_to_sweep(call)
    for place in places:
        with office.call("loans") as call:
            sweeping.sweep(call, place)
    last: int | None = 0
    while last is not None:
        with office.call("loans") as call:
            last = overdue.climb(call, last)


def look_after_panic(office: Office) -> None:
    """Tells more people of a call for help that nobody has answered. Most seconds there is nothing: one look, no lock."""
    with office.call("panic", write=False) as call:
        due = telling.any_due(call) or panic.duress_due(call) or drills.any_due(call)
    if not due:
        return
    settings = office.settings
    how = telling.How(
        ZoneInfo(settings.timezone), settings.panic_step_seconds, settings.console_base, settings.sms_country
    )
    with office.call("panic") as call:
        drills.end_due(call)
        panic.tell_duress(call, how)
        telling.climb_due(call, how)


def forget_panic(office: Office) -> None:
    """Forgets where closed calls for help came from, and phones of people who have left."""
    days = timedelta(days=office.settings.location_days)
    more = True
    while more:
        with office.call("panic-forget") as call:
            more = origins.forget_due(call, call.now - days) + keys.forget_left(call) > 0


def look_at_quests(office: Office) -> None:
    """Ticks assignments that devices say are done, in short transactions."""
    last: int | None = 0
    while last is not None:
        with office.call("quests") as call:
            last = quests.sweep(call, last)


def remind_owners(office: Office) -> None:
    """Tells the owners of exemptions that end within a week."""
    with office.call("exemption-reminders") as call:
        management.remind(call)


def tell_desks(office: Office) -> None:
    """Tells service points of shelves that are too empty, and of repairs that should be back."""
    with office.call("desk-letters") as call:
        levels.warn(call)
        repairs.remind(call)


def tell_of_kiosks(office: Office) -> None:
    """Tells service points of kiosks that are newly in trouble."""
    with office.call("kiosk-troubles") as call:
        troubles.tell(call)


def look_after_custody(office: Office) -> None:
    """Has custody say what the devices say, in short transactions, and forgets pictures whose time has passed."""
    while True:
        with office.call("custody") as call:
            if custody.follow_all(call) < custody.BATCH:
                break
    forget_photos(office)


def seal_diary(office: Office) -> None:
    """Compares the diary with what was witnessed, has its last line signed, and carries the head to every witness.

    Nobody can cut lines off later, or bring an old diary back, without being found. Raises UnavailableError (``diary_back``)
    for a diary that lacks what was witnessed, after an alarm: the doctor shows it until somebody has looked.
    """
    client = SignerClient(office.settings.signer_socket)
    if watch.look(office.engine, office.settings, client, office.clock()) is not None:
        with office.call("diary-head") as call:
            looking.look_at_closure(call)
        with office.call("diary-head", write=False) as call:
            watch.require_whole(call.session)
    before, head = heads.last_kept(office.engine), heads.seal(office.engine, client)
    if head is not None and head.number != before:
        with office.call("diary-head") as call:
            targets.tell(call, targets.DIARY_HEAD, {"key": client.ca().head_key, **asdict(head)}, f"head-{head.number}")
    export.carry_out(office.settings, client, office.clock())


def mirror_kernel(office: Office) -> None:
    """Looks at what the signer says of itself: rosters, freeze, epoch. While it is down the mirror grows old and says so."""
    signer = SignerClient(office.settings.signer_socket)
    try:
        health = signer.health()
        with office.call("kernel", write=False) as call:
            news, known = mirror.is_news(call, health), mirror.version(call)
        sealed = signer.rosters(known) if health.roster > known else []
    except UnavailableError:
        return
    if not (news or sealed):
        return
    with office.call("kernel") as call:
        mirror.take_rosters(call, sealed)
        mirror.take_health(call, health)


def expire(office: Office) -> None:
    """Ends orders, requests and commands whose time has passed."""
    with office.call("expire-orders") as call:
        orders.expire_due(call)
    with office.call("expire-acts") as call:
        acts.expire_due(call)
    while True:
        with office.call("expire-commands") as call:
            if not commands.expire_due(call):
                return


def count(office: Office) -> None:
    """Sets the figures that somebody must count."""
    with office.call("figures", write=False) as call:
        open_message = (OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None))
        waiting = select(func.count()).select_from(OutboxMessage).where(*open_message, OutboxMessage.due_at <= call.now)
        dead = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.dead_at.is_not(None))
        metrics.POST_WAITING.set(call.session.scalar(waiting) or 0)
        metrics.POST_DEAD.set(call.session.scalar(dead) or 0)
        counted: dict[str, int] = dict(
            call.session.execute(select(Device.standing, func.count()).group_by(Device.standing)).all()
        )
        # Also those that are none: a figure that is not set again would show what was.
        for name in (*Verdict, NOT_ENROLLED):
            metrics.DEVICES.labels(str(name)).set(counted.get(str(name), 0))


def look_after_leavers(office: Office) -> None:
    """Notes whose record goes soon, and begins the erasure of those whose time is over."""
    days = office.settings.person_days
    more = True
    while more:
        with office.call("leavers") as call:
            more = leaving.note(call, days) > 0
    with office.call("leavers") as call:
        leaving.erase_due(call, days)


def erase_people(office: Office) -> None:
    """Goes on with every erasure, batch by batch, also with those that an old database knows nothing of; then cleans files."""
    stones = tombstones.read(office.settings.home / tombstones.FILE)
    if stones:
        with office.call("erasures", write=False) as call:
            behind = privacy.missed(call.session, stones)
        if behind:
            with office.call("erasures") as call:
                privacy.again(call, behind, privacy.RESTORED)
    with office.call("erasures", write=False) as call:
        going = privacy.unfinished(call.session)
    for number in going:
        more = True
        while more:
            with office.call("erasures") as call:
                more = privacy.step(call, number, office.settings.home)
    with office.call("erasures", write=False) as call:
        if not privacy.to_clean(call.session, call.now):
            return
    if compact(office.engine):
        with office.call("erasures") as call:
            for erasure in privacy.to_clean(call.session, call.now):
                erasure.clean_at = call.now


class Alarms:
    """Raises alarms for what the diary says and for many orders at once. It remembers the line it last looked at."""

    def __init__(self) -> None:
        self.seen = 0

    def look(self, office: Office) -> None:
        """Looks at every line since the last look. Where there is none, nothing is written and nobody held up."""
        with office.call("alarms", write=False) as call:
            if call.session.scalar(select(func.max(AuditEntry.id))) == self.seen:
                return
        with office.call("alarms") as call:
            looking.look_for_spikes(call)
            last = looking.look_at_diary(call, self.seen)
        self.seen = last


def watch_cooling(office: Office) -> None:
    """Raises an alarm while orders rest for less than they should: by what the signer said of itself, not by its setting here."""
    with office.call("cooling", write=False) as call:
        minutes = kernel.state(call.session).cooling_minutes
    if minutes < looking.USUAL:
        with office.call("cooling") as call:
            looking.look_at_cooling(call, minutes)


class UnitMoves:
    """Has cohorts placed anew on the day from which a unit hangs elsewhere. It remembers the day it last looked at."""

    def __init__(self) -> None:
        self.seen: date | None = None

    def look(self, office: Office) -> None:
        """Looks at every day since the last look; after a start, at the last month."""
        with office.call("unit-moves") as call:
            today = call.now.date()
            first = self.seen + timedelta(days=1) if self.seen else today - timedelta(days=CATCH_UP)
            days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
            if any(org.moves_on(call.session, day) for day in days):
                outbox.post(call, "cohorts.place", {})
        self.seen = today
