"""Carries a plan out, and remembers it so that it can be carried on after a crash and taken back later."""

import time
from typing import Any

from agent import plan as planning
from agent import programs
from agent.apply import after, checks, ground, software
from agent.apply.targets import MAX_RESOURCES, Target, UnfitError, Wanted, spec_of, take_apart
from agent.kiosk import courtesy
from agent.plan import PathRecord, ResourceRecord
from agent.roots import Root
from agent.state import State

TAMPERED_SHOWN = 3600
"""Seconds that a path stays in the report after another hand was seen there, also when it was repaired at once."""


class Engine:
    """Applies desired states on one root, and holds the section ``desired`` of the report."""

    def __init__(self, state: State, root: Root) -> None:
        self.state, self.root = state, root
        saved = state.read("applied.json")
        self.digest: str = saved.get("digest", "-")
        self.paths: dict[str, PathRecord] = saved.get("paths", {})
        self.resources: dict[str, ResourceRecord] = saved.get("resources", {})
        self.seen_tampered: dict[str, int] = saved.get("tampered", {})
        self.waiting: int = saved.get("waiting", 0)
        """Since when something waits for a citizen; 0 for nothing."""
        self.difference = software.Difference([], [], [])

    # What others ask

    def section(self) -> dict[str, Any]:
        """The section ``desired``."""
        return {
            "digest": self.digest,
            "resources": {
                name: {"state": record["state"], "detail": record["detail"]} for name, record in self.resources.items()
            },
            "packages_missing": self.difference.missing,
            "packages_extra": self.difference.extra,
            "packages_blocked": self.difference.blocked,
        }

    def tampered(self) -> list[str]:
        """Paths where another hand was seen lately."""
        return sorted(self.seen_tampered)

    def unfinished(self) -> list[str]:
        """One sentence per resource that is not as it shall be."""
        return [
            f"{name}: {record['state']}. {record['detail']}".strip()
            for name, record in sorted(self.resources.items())
            if record["state"] not in ("applied", "staged")
        ]

    # The work

    def settle(self, desired: dict[str, Any], *, insist: bool = False, courteous: bool = True) -> bool:
        """Brings the machine to a desired state; true when anything was changed. Safe to repeat at any time.

        ``courteous``: what would take a kiosk away from a citizen waits until they have finished.
        """
        now = int(time.time())
        before = self._snapshot()
        resources = [
            one for one in desired.get("resources", []) if isinstance(one, dict) and isinstance(one.get("id"), str)
        ]
        self.digest = str(desired.get("digest", "-"))
        wanted, states = self._read(resources[:MAX_RESOURCES], now)
        for resource in resources[MAX_RESOURCES:]:
            name, why_not = resource["id"], f"There are more than {MAX_RESOURCES} resources."
            states[name] = self._same(name, "", "unsupported", why_not, now)
        there = {path: ground.read(self.root, path)[0] for path in self._interesting(wanted)}
        steps = planning.make_plan(wanted, self.paths, self.resources, there, now, insist=insist)
        held: frozenset[str] = frozenset()
        if courteous:
            steps, held = self._wait(steps, states, now)
        for name, why in steps.unfit.items():
            states[name] = self._same(name, next(one.spec for one in wanted if one.id == name), "failed", why, now)
        self._note_tampered(steps.tampered, now)
        self._restore(steps.restore)
        self._write(steps.write, states, now)
        for one in steps.keep:
            states[one.id] = self.resources.get(one.id) or self._record(one.spec, "failed", "Not known.", now)
        packages = [one for one in resources if one.get("kind") == "packages"]
        if self._packages(packages, states, now, insist=insist):
            # What waited for a program that was not there.
            waiting = [one for one in wanted if states[one.id]["state"] in ("unsupported", "pending")]
            left = {*steps.unfit, *held}
            self._write([one for one in waiting if one.id not in left], states, now)
        self._wake(wanted, states, now)
        self.resources = states
        if self._snapshot() != before:
            self._save()
        return bool(steps.restore or steps.write)

    def put_all_back(self) -> list[str]:
        """Takes back everything that was ever changed. Returns the paths where that failed."""
        self.settle({"digest": "-", "resources": []}, courteous=False)
        return sorted(self.paths)

    def _snapshot(self) -> str:
        return repr((self.digest, self.paths, self.resources, self.seen_tampered, self.waiting))

    def _save(self) -> None:
        saved = {
            "digest": self.digest,
            "paths": self.paths,
            "resources": self.resources,
            "tampered": self.seen_tampered,
            "waiting": self.waiting,
        }
        self.state.save("applied.json", saved)
        ground.tidy(self.state, {record["before"] for record in self.paths.values()})

    @staticmethod
    def _record(spec: str, state: str, detail: str, now: int) -> ResourceRecord:
        return {"spec": spec, "state": state, "detail": detail[:600], "at": now}

    def _same(self, name: str, spec: str, state: str, detail: str, now: int) -> ResourceRecord:
        """The record that we have when it says the same, so that nothing is written for nothing; else a new one."""
        known = self.resources.get(name)
        if known is not None and (known["spec"], known["state"], known["detail"]) == (spec, state, detail[:600]):
            return known
        return self._record(spec, state, detail, now)

    def _read(self, resources: list[dict[str, Any]], now: int) -> tuple[list[Wanted], dict[str, ResourceRecord]]:
        wanted: dict[str, Wanted] = {}
        states: dict[str, ResourceRecord] = {}
        for resource in resources:
            if resource.get("kind") == "packages":
                continue
            try:
                wanted[resource["id"]] = take_apart(self._completed(resource))
            except UnfitError as why:
                states[resource["id"]] = self._same(resource["id"], spec_of(resource), "unsupported", str(why), now)
        return list(wanted.values()), states

    def _completed(self, resource: dict[str, Any]) -> dict[str, Any]:
        """The resource with what only this machine knows."""
        if resource.get("kind") != "usb":
            return resource
        from agent.apply import usb  # Only kiosks need it.

        return usb.with_attached(self.state, self.root, resource)

    def _interesting(self, wanted: list[Wanted]) -> set[str]:
        return {target.path for one in wanted for target in one.targets} | set(self.paths)

    def _wait(
        self, steps: planning.Plan, states: dict[str, ResourceRecord], now: int
    ) -> tuple[planning.Plan, frozenset[str]]:
        """The steps without those that wait for a citizen, and the resources that do."""
        specs = {one.id: one.spec for one in steps.write}
        steps, held, self.waiting = courtesy.wait(self.root, steps, self.paths, self.waiting, now)
        for name in held:
            states[name] = self._same(name, specs[name], "pending", courtesy.WAITING, now)
        return steps, held

    def _note_tampered(self, paths: list[str], now: int) -> None:
        for path in paths:
            self.state.log(f"{path} was changed by another hand; it is put right.")
            self.seen_tampered[path] = now
        self.seen_tampered = {path: at for path, at in self.seen_tampered.items() if at <= now < at + TAMPERED_SHOWN}

    # Putting back

    def _restore(self, paths: list[str]) -> None:
        hooks: list[str] = []
        again: list[str] = []
        for path in paths:
            record = self.paths[path]
            if self.root.real and record["start"]:
                after.stop(record["start"])
            try:
                ground.put_back(self.root, self.state, path, record["before"])
            except (OSError, UnfitError) as trouble:
                self.state.log(f"{path} could not be put back: {trouble}")
                continue
            hooks.extend(hook for hook in record["after"] if hook not in hooks)
            again.extend([record["again"]] if record.get("again") else [])
            del self.paths[path]
            self._save()
        if not self.root.real:
            return
        for trouble_told in (*map(after.run, hooks), *map(after.start, again)):
            if trouble_told:
                self.state.log(trouble_told)

    # Writing

    def _write(self, plan: list[Wanted], states: dict[str, ResourceRecord], now: int) -> None:
        written: list[tuple[Wanted, dict[str, tuple[str, bytes]], str]] = []
        for one in plan:
            verdict = checks.check(one)
            note = f"Not checked here: {verdict.said}." if verdict.missing else verdict.said
            if not verdict.good and not self._may_go_on(verdict, one):
                state = "unsupported" if verdict.missing else "failed"
                states[one.id] = self._record(one.spec, state, f"Not switched on: {note}.", now)
                continue
            previous = {target.path: ground.read(self.root, target.path) for target in one.targets}
            try:
                self._put(one, previous)
            except (OSError, UnfitError) as trouble:
                self._roll_back(one, previous)
                states[one.id] = self._record(one.spec, "failed", str(trouble), now)
                continue
            written.append((one, previous, note))
        self._tell(written, states, now)

    def _may_go_on(self, verdict: checks.Verdict, one: Wanted) -> bool:
        """Under a root a file may be staged that nobody here can judge, and a unit whose program is not there yet.

        USB rules are written before USBGuard comes: installed without any, it would block the keyboard.
        """
        if self.root.real:
            return one.kind == "usb" and verdict.missing and programs.find("usbguard-daemon") is None
        complaints = [line for line in verdict.said.splitlines() if line]
        absent_program = (
            one.validate == "systemd"
            and bool(complaints)
            and all("is not executable: No such file or directory" in line for line in complaints)
        )
        return verdict.missing or absent_program

    def _put(self, one: Wanted, previous: dict[str, tuple[str, bytes]]) -> None:
        for target in one.targets:
            mark, content = previous[target.path]
            if mark == ground.OTHER:
                raise UnfitError(f"At {target.path} is something that is not a plain file. Nothing was written.")
            known = self.paths.get(target.path)
            if known is None:
                ground.keep(self.state, mark, content)
            self.paths[target.path] = {
                "resource": one.id,
                "mark": target.mark,
                "before": known["before"] if known else mark,
                "done": False,
                "after": list(one.after),
                "start": one.start,
                "again": known.get("again", "") if known else "",
            }
        # Known before it is done: after a crash the way back is still there, and the step is done again.
        self._save()
        for target in one.targets:
            if previous[target.path][0] != target.mark:
                ground.write(self.root, target)
        # Links that an earlier version of this resource had are no longer wanted; the plan restores them next time.

    def _roll_back(self, one: Wanted, previous: dict[str, tuple[str, bytes]]) -> None:
        for path, (mark, content) in previous.items():
            record = self.paths.get(path)
            if record is None or mark == ground.OTHER:
                continue
            try:
                if mark.startswith("file:"):
                    ground.write(self.root, Target(path, content, int(mark.split(":")[1], 8)))
                else:
                    ground.put_back(self.root, self.state, path, mark)
            except (OSError, UnfitError) as trouble:
                self.state.log(f"{path} of {one.id} could not be rolled back: {trouble}")
                continue
            if mark == record["before"]:
                del self.paths[path]
            else:
                record["mark"], record["done"] = mark, True
        self._save()

    def _tell(
        self,
        written: list[tuple[Wanted, dict[str, tuple[str, bytes]], str]],
        states: dict[str, ResourceRecord],
        now: int,
    ) -> None:
        """Runs each hook once for all that ask for it; a resource whose hook fails goes back to what it was."""
        hooks = list(dict.fromkeys(hook for one, _, _ in written for hook in one.after))
        troubles = {hook: after.run(hook) if self.root.real else "" for hook in hooks}
        for one, previous, note in written:
            trouble = next((troubles[hook] for hook in one.after if troubles[hook]), "")
            if not trouble and one.start and self.root.real:
                trouble = after.start(one.start)
            if trouble:
                self._roll_back(one, previous)
                for hook in one.after:
                    after.run(hook)
                states[one.id] = self._record(one.spec, "failed", f"Rolled back: {trouble}", now)
                continue
            for target in one.targets:
                self.paths[target.path]["done"] = True
            if one.stop and self.root.real and after.active(one.stop):
                self.paths[one.targets[0].path]["again"] = one.stop
                self._save()
                after.stop(one.stop)
            states[one.id] = self._record(one.spec, self._good(one), note, now)

    def _good(self, one: Wanted) -> str:
        """The state of what went well. USB rules wait for the one who reads them."""
        if not self.root.real:
            return "staged"
        return "pending" if one.kind == "usb" and programs.find("usbguard-daemon") is None else "applied"

    def _wake(self, wanted: list[Wanted], states: dict[str, ResourceRecord], now: int) -> None:
        """Starts again what has to run and was stopped by another hand."""
        staying = {one.start: one for one in wanted if one.stay and states[one.id]["state"] == "applied"}
        if not staying or not self.root.real:
            return
        from agent.apply import waking

        for unit, trouble in waking.wake(waking.asleep(list(staying))).items():
            one = staying[unit]
            self._note_tampered([one.targets[0].path], now)
            if trouble:
                states[one.id] = self._same(one.id, one.spec, "failed", trouble, now)

    # Packages

    def _packages(
        self, resources: list[dict[str, Any]], states: dict[str, ResourceRecord], now: int, *, insist: bool
    ) -> bool:
        """True when something was installed."""
        outcome = software.bring_about(self.root, resources, self.resources, now, insist=insist)
        for name, (spec, state, detail) in outcome.states.items():
            states[name] = self._same(name, spec, state, detail, now)
        self.difference = outcome.difference
        return outcome.installed
