"""Runs the real programs by schedules made of seeds, and holds what they say
against tests/model/states.py.

A Stage is one network: a relay, a proxy before it, devices whose clocks the
driver moves. A Play is one seed on it: a short schedule, then rest, then all is
compared. Seeds of one block share a stage, each begins when all is quiet.
"""
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
from network import (BUILD, Device, Failed, Network, Result, check, clock_file, equal,  # noqa: E402
                     free_port, killed_at, run, wait_until)
from proxy import Proxy  # noqa: E402
from states import DAY, HOUR, MINUTE, MOST_PENDING, Cast, World, in_order  # noqa: E402

BLOCK = 10          # seeds of one network
GROUP = "board@clinic"
SLACK = 60          # seconds that a process may take, for what a clock decides
MARGIN = 40 * MINUTE  # between a moved clock and what time ends: clocks differ
STEADY = HOUR + MINUTE  # a relay believes its clock again
STEP = 10 * MINUTE
MOST_WORLDS = 3000


class Stage:
    """A network with all that a seed needs. lie(words, lines) may change what a
    program says, to show that the model can fail."""

    def __init__(self, rng, lie=None):
        self.rng, self.lie = rng, lie
        self.port = free_port()
        self.proxy = Proxy(self.port)
        self.net = Network(listen=self.proxy.url, start=False, conf=self.listen_behind)
        self.wall = self.boot = 0
        self.ahead = {}
        self.devices = {}
        self.steady, self.steady_in, self.committed = True, 0, 0
        self.move(0, 0)
        self.start()
        self.net.org("clinic")
        members = {}
        for name in ("a", "b", "c", "e"):
            members[name] = f"{name}@clinic"
            self.join(name, self.net.invite(members[name]))
        second = self.net.file("b2.invite")
        self.call("b", "device", "invite", "--name", "b2", "-o", second, ok=True)
        self.join("b2", second)
        members["b2"] = "b@clinic"
        made = self.net.admin("group", "set", GROUP, "--name", "Board", "--member", "a@clinic",
                              "--member", "b@clinic", "--member", "c@clinic",
                              env=clock_file(self.clock_of(None)))
        check(made.code == 0, str(made))
        self.cast = Cast(members, {GROUP: ("a@clinic", "b@clinic", "c@clinic")})
        for d in self.devices:
            self.call(d, "sync", ok=True)
        self.known = {d: set() for d in self.devices}   # all ids ever, sent or come
        self.before = {d: {} for d in self.devices}     # id -> how it stood in the end
        self.told = set()                               # what watches said
        self.commit()

    def listen_behind(self, conf):
        with open(conf) as f:
            text = f.read()
        with open(conf, "w") as f:
            f.write(text.replace(self.proxy.url, f"tcp://127.0.0.1:{self.port}"))

    def join(self, name, file):
        self.devices[name] = Device(self.net, name, self.net.file(f"{name}.home"))
        self.ahead[name] = self.rng.choice((0, 0, -MINUTE, 3 * MINUTE, -14 * MINUTE, 14 * MINUTE))
        self.move(0, 0)
        self.call(name, "join", file, "--unattended", ok=True,
                  *(["--device", name] if name != "b2" else []))

    def close(self, keep=False):
        for process in self.net.watching:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.net.stop(signal.SIGKILL)
        self.proxy.close()
        if not keep:
            self.net.__exit__(None, None, None)

    # ------------------------------------------------------------------- clocks

    def clock_of(self, device):
        return self.net.file(f"clock.{device or 'relay'}")

    def now(self, device=None):
        return int(time.time()) + self.wall + self.ahead.get(device, 0)

    def move(self, wall, boot):
        self.wall += wall
        self.boot += boot
        for d in (None, *self.devices):
            path = self.clock_of(d)
            with open(path + ".new", "w") as f:
                f.write(f"{self.wall + self.ahead.get(d, 0)} {self.boot}\n")
            os.rename(path + ".new", path)

    # ------------------------------------------------------------------ programs

    def argv(self, device, *args):
        return [os.path.join(BUILD, "consil"), *map(str, args)]

    def env(self, device, **more):
        env = clock_file(self.clock_of(device))
        if more.get("LD_PRELOAD"):
            more["LD_PRELOAD"] = env["LD_PRELOAD"] + ":" + more["LD_PRELOAD"]
        return {**os.environ, **env, "CONSIL_HOME": self.devices[device].home, **more}

    def call(self, device, *args, ok=False, kill=None):
        argv = self.argv(device, *args)
        more = killed_at(kill) if kill else {}
        done = subprocess.run(argv, env=self.env(device, **more), text=True, capture_output=True,
                              timeout=120, stdin=subprocess.DEVNULL, cwd=self.net.path)
        result = Result(argv, done)
        if self.lie:
            result.out = "".join(self.lie(args, result.out.splitlines(True)))
        if ok:
            check(result.code == 0, f"{device}: {result}")
        return result

    def start(self):
        self.net.start(env=clock_file(self.clock_of(None)))
        gap = self.now() - self.committed
        self.steady = True if not self.committed or gap < STEP - MINUTE else None
        self.steady_in = STEADY

    def stop(self, how):
        self.net.stop(how)

    def is_up(self):
        return self.net.relay is not None and self.net.relay.poll() is None

    def commit(self):
        """The relay has just written something down."""
        self.committed = self.now()

    def counter(self, name):
        """What the relay has counted since its start."""
        before = len(self.net.log_text())
        self.net.relay.send_signal(signal.SIGUSR1)
        wait_until(lambda: "limit_share_bytes" in self.net.log_text()[before:], "counters")
        for line in self.net.log_text()[before:].splitlines():
            if f"counter {name} " in line:
                return int(line.split()[-1])
        raise Failed(f"the relay counts no {name}")


class Play:
    """One seed."""

    def __init__(self, stage, seed):
        self.stage, self.seed = stage, seed
        self.rng = random.Random(f"model {seed}")
        self.cast = stage.cast
        self.worlds = [World(self.cast)]
        self.log = []
        self.most = 1           # worlds at a time
        self.count = {}         # of each action
        self.seen = {}          # (id, device) -> facts, to see that none goes away
        self.n = 0
        self.moved_at = -60.0   # a clock, by another
        self.listed = {}        # (device, verb) -> rows that nothing has changed since

    # -------------------------------------------------------------------- worlds

    def keep(self, worlds):
        found = {w.key(): w for w in worlds}
        self.worlds = list(found.values())
        self.most = max(self.most, len(self.worlds))
        check(0 < len(self.worlds) <= MOST_WORLDS, f"{len(self.worlds)} possible worlds")

    def contact(self, device, everything=False):
        """Before each talk with the relay."""
        now = self.now(device)
        self.keep([v for w in self.worlds for v in w.let_go(device, now, everything)])

    def each(self, change):
        for w in self.worlds:
            change(w)
        self.keep(self.worlds)

    def judge(self, what, seen, expect):
        """Keeps the worlds in which that is seen."""
        fit = [w for w in self.worlds if expect(w) == seen]
        if fit:
            self.keep(fit)
            return
        best = max(self.worlds, key=lambda w: sum(seen.get(k) == v for k, v in expect(w).items()))
        want = expect(best)
        lines = [f"  {k}: model {want.get(k)}\n  {' ' * len(str(k))}  program {seen.get(k)}"
                 for k in sorted(set(want) | set(seen), key=str) if want.get(k) != seen.get(k)]
        raise Failed(f"{what}, in none of {len(self.worlds)} worlds:\n" + "\n".join(lines))

    def sure(self, of):
        """What is so in every world."""
        sets = [of(w) for w in self.worlds]
        return [x for x in sets[0] if all(x in s for s in sets[1:])]

    def now(self, device=None):
        return self.stage.now(device)

    # --------------------------------------------------------------- one command

    def is_behind(self, result):
        """The relay looks at its clock ten times a second: it has not seen that
        the driver moved it."""
        return "clocks of this machine and the relay differ" in result.err and \
            time.monotonic() - self.moved_at < 10

    def call(self, device, *args, kill=None):
        if "--offline" not in args:
            self.listed = {k: v for k, v in self.listed.items() if k[0] != device}
        result = self.stage.call(device, *args, kill=kill)
        self.log.append(f"{device}: consil {' '.join(map(str, args))}"
                        f"{f' (killed at {kill})' if kill else ''} -> {result.code}"
                        f"{' ' + result.err.strip() if result.err.strip() else ''}")
        return result

    def breakage(self, device):
        """Now and then something is in the way of a command."""
        pending = max(len(w.out[device]) + len(w.held[device]) + len(w.box[device]) - w.read[device]
                      for w in self.worlds)
        if pending >= MOST_PENDING or len(self.worlds) > 40 or self.rng.random() > 0.2:
            return None
        kinds = ["kill"] + (["cut", "relay"] if self.stage.is_up() else [])
        return self.rng.choice(kinds), self.rng.randint(1, 12)

    def act(self, device, *args, change=lambda w: None, before=lambda w: w, author=False):
        """A verb that writes something down (change) and then delivers. Returns
        the result, and the new id where it authors something."""
        broken = self.breakage(device)
        up = self.stage.is_up()
        kind, n = broken or (None, None)
        if kind == "cut":
            self.stage.proxy.cut_after(n + 1)
        if kind == "relay":
            relay = self.stage.net.relay
            self.stage.proxy.strike_after(n + 1, lambda: relay.send_signal(signal.SIGKILL))
        result = self.call(device, *args, kill=n * self.rng.randint(1, 8) if kind == "kill" else None)
        if kind == "cut":
            self.log[-1] += f" (cut after frame {n + 1})"
            self.stage.proxy.cut_after(None)
        if kind == "relay":
            self.log[-1] += f" (relay killed after frame {n + 1})"
            self.stage.proxy.strike = None
            self.stage.stop(signal.SIGKILL)
        return result, kind, up and not self.is_behind(result)

    def has_failed(self, device):
        return any(s == "failed" for w in self.worlds for s in w.stage.values())

    def after(self, device, kind, up, worlds):
        """What delivering did in each of these."""
        now = self.now(device)
        if up:
            worlds = [v for w in worlds for v in w.let_go(device, now)] + \
                (worlds if kind else [])
        if kind:
            self.keep([v for w in worlds for v in [w.copy(), *(w.cuts_of_deliver(device, now)
                                                                if up else [])]])
            self.look(device)
            if kind == "relay":
                self.start()
        else:
            for w in worlds:
                if up:
                    w.deliver(device, now)
            self.keep(worlds)
            if up:
                self.stage.commit()

    def author(self, device, *args, write, find=True, **kwargs):
        """A verb that writes a message. write(world, id) puts it there."""
        result, kind, up = self.act(device, *args)
        if not kind:
            check(result.code == 0 or self.has_failed(device), f"{device}: {result}")
        id = result.last_line if len(result.last_line) == 32 else self.new_id(device)
        worlds = [w.copy() for w in self.worlds]
        if id:
            self.stage.known[device].add(id)
            for w in worlds:
                write(w, id)
        else:
            check(kind == "kill", f"it is not accepted: {result}")
        self.after(device, kind, up, worlds)
        return id

    def new_id(self, device):
        rows = self.stage.call(device, "sent", "--offline", "--json", ok=True).json()
        new = [r["id"] for r in rows if r["id"] not in self.stage.known[device]]
        check(len(new) < 2, f"{device} has sent what nobody wrote: {new}")
        return new[0] if new else None

    # ------------------------------------------------------------------- looking

    def rows(self, device, *args, online):
        result = self.call(device, *args, "--json", *([] if online else ["--offline"]))
        while self.is_behind(result):
            result = self.call(device, *args, "--json")
        check(result.code == 0, f"{device}: {result}")
        if online and self.stage.is_up():
            now = self.now(device)
            self.contact(device)
            self.each(lambda w: w.sync(device, now))
            self.stage.commit()
        return result.json()

    def mine(self, device, rows, what):
        """Those of this seed; each once, and none that nobody sent."""
        ids = [r["id"] for r in rows]
        twice = {i for i in ids if ids.count(i) > 1}
        check(not twice, f"{device}: {what} has {twice} twice")
        lost = set(self.stage.before[device].get(what, {})) - set(ids)
        check(not lost, f"{device}: {what} has lost {lost}, of an earlier seed")
        old = self.stage.before[device].get(what, {})
        for r in rows:
            if r["id"] in old:
                equal(old[r["id"]], r.get("standing", r["state"]), f"{device}: {r['id']}, settled")
        return {r["id"]: r for r in rows if r["id"] not in old}

    def look_sent(self, device, online=False):
        rows = self.rows(device, "sent", online=online)
        calls = [r["needs_attention"] for r in rows]
        equal(sorted(calls, reverse=True), calls, f"{device}: what calls comes first")
        mine = self.mine(device, rows, "sent")
        names = ("state", "standing", "devices", "answered", "delivered")
        self.judge(f"{device}: sent", {i: {k: r[k] for k in names} for i, r in mine.items()},
                   lambda w: w.see_sent(device))
        now = self.now(device)
        fits = lambda w, i, r: r["reason"] in {w.reason(i, now + s) for s in (-SLACK, 0, SLACK)}
        self.judge(f"{device}: what calls", {i: r["reason"] for i, r in mine.items()},
                   lambda w: {i: r["reason"] if fits(w, i, r) else w.reason(i, now)
                              for i, r in mine.items()})
        for i, r in mine.items():
            equal(r["reason"] is not None, r["needs_attention"], f"{i}: calls or not")
            created = self.worlds[0].msgs[i]["created"]
            check(abs(seconds(r["created_at"]) - created) < SLACK, f"{i}: written at {r}")
        self.listed[device, "sent"] = mine
        return mine

    def look_inbox(self, device, online=False):
        # what never came is listed too, and how many are held back
        rows = [r for r in self.rows(device, "inbox", online=online)
                if "id" in r and not r.get("gone")]
        mine = self.mine(device, rows, "inbox")
        names = ("state", "withdrawn", "superseded", "is_withdrawal", "urgency", "from")
        self.judge(f"{device}: inbox", {i: {k: r[k] for k in names} for i, r in mine.items()},
                   lambda w: w.see_inbox(device))
        self.listed[device, "inbox"] = mine
        return mine

    def look_recipients(self, id):
        device = self.worlds[0].msgs[id]["sender"]
        rows = {}
        for r in self.rows(device, "sent", id, online=False):
            if r["device"] is None or r["left_out"]:
                continue
            name = r["device_name"]
            check(name not in rows, f"{id}: {name} is listed twice")
            rows[name] = {"custody": r["custody_at"] is not None, "outcome": r["outcome"],
                          "standing": r["standing"], "delivered": r["delivered_at"] is not None,
                          "opened": r["opened_at"] is not None,
                          "acknowledged": r["acknowledged_at"] is not None,
                          "responsibility": r["responsibility"], "superseded": r["superseded"]}
            self.only_forward(id, name, rows[name])
            check(not r["clock_wrong"], f"{id}: no clock is wrong: {r}")
        self.judge(f"{id} at its recipients", rows, lambda w: w.see_recipients(id))
        return rows

    def only_forward(self, id, device, row):
        old = self.seen.setdefault((id, device), {})
        for fact, value in row.items():
            if fact in ("standing", "superseded"):
                continue
            check(not old.get(fact) or old[fact] == value,
                  f"{id} at {device}: {fact} was {old.get(fact)}, now {value}")
        old.update(row)

    def look_case(self, device, thread, online=False):
        id = self.rng.choice(self.worlds[0].thread_of(device, thread))
        rows = [r for r in self.rows(device, "case", "show", id, online=online)
                if r["event"] == "message"]
        equal(in_order(rows), [r["id"] for r in rows], f"{device}: order of {thread}")
        names = ("kind", "ours", "from", "state", "parents", "missing")
        final = {r["id"] for r in rows if not r["ours"] or
                 all(w.stage[r["id"]] == "accepted" for w in self.worlds)}
        seen = {r["id"]: {k: sorted(r[k]) if k == "parents" else r[k] for k in names
                          if r["id"] in final or k not in ("parents", "missing")} for r in rows}
        self.judge(f"{device}: case {thread}", seen, lambda w: {
            i: {k: v for k, v in r.items() if i in final or k not in ("parents", "missing")}
            for i, r in w.see_case(device, thread).items()})
        for r in rows:
            equal(0, r["contradicted"], f"{device}: {r}")
        return rows

    def look(self, device):
        """Which of the worlds it is, after something was broken off."""
        looks = [self.look_sent, self.look_inbox]
        self.rng.shuffle(looks)
        looks[0](device)
        if len(self.worlds) > 6:
            looks[1](device)

    # ------------------------------------------------------------------- actions

    def actions(self):
        """What may be done now, and how often."""
        few = len(self.worlds[0].msgs) < 4
        can = [(9 if few else 4, self.send), (9, self.sync), (1, self.glance),
               (3, self.pass_time), (1, self.step_clock), (1, self.restart)]
        has = lambda d: self.sure(lambda w: list(w.has[d]))
        if any(has(d) for d in self.people()):
            can += [(6, self.read), (6, self.ack), (6, self.reply), (4, self.forward),
                    (5, self.add), (4, self.close_or_reopen)]
        if self.sent_sure():
            can += [(4, self.withdraw), (2, self.extend)]
        if self.stage.is_up():
            can += [(1, self.relay_off), (1, self.watch)]
            if "e@clinic" not in self.cast.gone and "e@clinic" in {
                    a for m in self.worlds[0].msgs.values() for a in m["to"]}:
                can += [(0.5, self.revoke)]
        else:
            can += [(6, self.restart)]
        return can

    def people(self):
        return [d for d, m in self.cast.member.items() if m not in self.cast.gone]

    def pick(self, things):
        return self.rng.choice(sorted(things, key=str)) if things else None

    def came(self, kinds=None):
        """(device, id) that is in an inbox, surely."""
        found = []
        for d in self.people():
            for i in self.sure(lambda w, d=d: list(w.has[d])):
                if kinds is None or self.worlds[0].msgs[i]["kind"] in kinds:
                    found.append((d, i))
        return self.rng.choice(found) if found else (None, None)

    def sent_sure(self):
        return self.sure(lambda w: [i for i, m in w.msgs.items() if m["kind"] != "withdrawal" and
                                    w.stage[i] not in ("failed", "withdrawn")])

    def addresses(self, device, most=3):
        own = self.cast.member[device]
        there = sorted({m for m in self.cast.member.values()
                        if m != own and m not in self.cast.gone})
        if self.rng.random() < 0.2 and device != "e":
            return [GROUP]
        return self.rng.sample(there, self.rng.randint(1, min(most, len(there))))

    def to(self, addresses):
        """Named: what goes without names leaves out whom one left out before."""
        return [w for a in addresses for w in ("--to", a)]

    def terms(self):
        """How long it is kept."""
        days = self.rng.choice((1, 1, 2, 3, None, None))
        return (["--expires", str(days)], {"life": days * DAY}) if days else ([], {})

    def send(self):
        d = self.rng.choice([p for p in self.people() if p != "e"])
        to = self.addresses(d)
        args = [w for a in to for w in ("--to", a)]
        self.n += 1
        args += ["--subject", f"s{self.seed}-{self.n}", "--question", "Q", "--note", "note.md"]
        extra, more = self.terms()
        urgency = self.rng.choice(("routine", "routine", "urgent", "page"))
        if urgency != "routine":
            extra += ["--urgency", urgency]
        now = self.now(d)
        answer = self.rng.choice((None, None, "3h", "2d"))
        if answer:
            extra += ["--answer-by", answer]
            more["answer_by"] = now + (3 * HOUR if answer == "3h" else 2 * DAY)
        old = self.pick(self.sure(lambda w: [i for i, m in w.msgs.items() if m["sender"] == d and
                                             w.stage[i] == "accepted"]))
        thread = None
        if old and self.rng.random() < 0.25:
            extra += ["--supersedes", old]
            more.update(relation="supersedes", related=old)
            thread = self.worlds[0].msgs[old]["thread"]
        more["class"] = urgency
        self.author(d, "send", *args, *extra,
                    write=lambda w, i: w.write(i, "request", d, to, now, thread=thread, **more))

    def reply(self):
        d, id = self.came(("request", "reply", "addendum", "close", "reopen"))
        if not id:
            return
        m = self.worlds[0].msgs[id]
        extra, more = self.terms()
        now = self.now(d)
        more["class"] = m["class"]
        self.author(d, "reply", id, "--note", "note.md", *extra,
                    write=lambda w, i: w.write(i, "reply", d, [self.cast.member[m["sender"]]], now,
                                               thread=m["thread"], reply_to=id, **more))

    def forward(self):
        d, id = self.came(("request", "reply", "addendum", "forward"))
        if not id or d == "e" or any(w.see_inbox(d)[id]["withdrawn"] for w in self.worlds):
            return
        m = self.worlds[0].msgs[id]
        to = self.addresses(d, 1)
        extra, more = self.terms()
        now = self.now(d)
        more["class"] = m["class"]
        self.author(d, "forward", id, *[w for a in to for w in ("--to", a)], *extra,
                    write=lambda w, i: w.write(i, "forward", d, to, now, thread=m["thread"],
                                               origin=m["origin"], **more))

    def a_case(self):
        """(device, thread) of a case whose people are all there."""
        found = []
        for d in self.people():
            if d == "e":
                continue
            for t in self.sure(lambda w, d=d: sorted({w.msgs[i]["thread"] for i in w.msgs
                                                      if w.thread_of(d, w.msgs[i]["thread"])})):
                people = [w.people(d, t) for w in self.worlds]
                if all(p == people[0] for p in people) and people[0] and \
                        not set(people[0]) & self.cast.gone:
                    found.append((d, t))
        return self.rng.choice(found) if found else (None, None)

    def add(self):
        d, thread = self.a_case()
        if not thread:
            return
        to = self.worlds[0].people(d, thread)
        extra, more = self.terms()
        now = self.now(d)
        id = self.rng.choice(self.sure(lambda w: w.thread_of(d, thread)) or [thread])
        self.author(d, "send", "--case", id, "--note", "note.md", *extra, *self.to(to),
                    write=lambda w, i: w.write(i, "addendum", d, to, now, thread=thread, **more))

    def close_or_reopen(self):
        d, thread = self.a_case()
        ids = thread and self.sure(lambda w: w.thread_of(d, thread))
        if not ids:
            return
        self.look_case(d, thread)
        closed = self.worlds[0].is_closed(d, thread)
        verb = self.rng.choice(("close", "reopen"))
        if (verb == "close") == closed:
            result = self.call(d, "case", verb, ids[0])
            check(result.code not in (0, 5), f"it is {verb}d already: {result}")
            return
        to = self.worlds[0].people(d, thread)
        now = self.now(d)
        self.author(d, "case", verb, ids[0], *self.to(to),
                    write=lambda w, i: w.write(i, verb, d, to, now, thread=thread))

    def open(self, verb, fact, value, *extra, kinds=None):
        d, id = self.came(kinds)
        if not id:
            return
        kill = self.rng.randint(1, 40) if self.rng.random() < 0.1 else None
        now = self.now(d)
        result = self.call(d, verb, id, *extra, kill=kill)
        check(kill or result.code == 0, f"{d}: {result}")
        worlds = [w.copy() for w in self.worlds]
        for w in worlds:
            w.open(d, id, fact, value, now)
        self.keep(worlds + (self.worlds if result.code != 0 else []))
        if result.code != 0:
            self.look_inbox(d)

    def read(self):
        self.open("read", "opened", True)

    def ack(self):
        value = self.rng.random() < 0.6
        self.open("ack", "acknowledged", value, *([] if value else ["--no-responsibility"]),
                  kinds=("request", "reply", "addendum", "forward", "close", "reopen"))

    def withdraw(self):
        id = self.rng.choice(self.sent_sure())
        d = self.worlds[0].msgs[id]["sender"]
        said = {m.get("reason") for w in self.worlds for m in w.msgs.values()
                if m["related"] == id}
        reason = self.pick({"wrong-patient", "wrong-recipient", "sent-in-error", "other"} - said)
        if not reason:  # nobody is told twice for one
            return
        now = self.now(d)
        result, kind, up = self.act(d, "withdraw", id, "--reason", reason, "--json")
        check(kind or result.code == 0, f"{d}: {result}")
        notice = self.new_id(d)
        if notice:
            self.stage.known[d].add(notice)
        done = result.json()[0]["done"] if result.code == 0 and result.out.strip() else None
        reachable = [a for a in self.worlds[0].msgs[id]["to"] if a not in self.cast.gone]
        here = lambda w: w.stage[id] in ("queued", "sealed")
        worlds = []
        for w in self.worlds:
            if done and (done == "here") != here(w) or notice and here(w):
                continue
            v = w.copy()
            v.take_back(d, id, notice, now, reachable, reason)
            if not notice and not here(w) and reachable:  # killed before it was accepted
                check(kind, f"{d}: nobody is told: {result}")
                v = w.copy()
            worlds.append(v)
            if kind == "kill" and not notice:
                worlds.append(w.copy())
        check(worlds, f"{d}: {result} fits no world")
        if done == "here":  # nothing is to be sent
            self.keep(worlds)
            if kind == "relay":
                self.start()
            return
        self.after(d, kind, up, worlds)

    def extend(self):
        id = self.rng.choice(self.sent_sure())
        d = self.worlds[0].msgs[id]["sender"]
        days = self.rng.choice((2, 5, 20))
        until = self.now(d) + days * DAY
        up = self.stage.is_up()
        result = self.call(d, "sent", "extend", id, "--days", days, "--json")
        up = up and not self.is_behind(result)
        worlds = []
        for w in self.worlds:
            can = up and w.stage[id] == "accepted" and w.holders(id)
            if bool(can) != (result.code == 0):
                continue
            if can:
                w.due[id] = max(w.due[id], until)
                w.promised[id] = w.due[id]
            worlds.append(w)
        check(worlds, f"{d}: in no world {result}")
        self.keep(worlds)
        if result.code == 0:
            got = seconds(result.json()[0]["stored_until"])
            check(any(abs(got - w.due[id]) < SLACK for w in worlds), f"{d}: kept until: {result}")

    # --------------------------------------------------- collecting and looking

    def sync(self):
        waits = [p for p in self.people() if any(not w.is_quiet(p) for w in self.worlds)]
        d = self.rng.choice(waits or self.people())
        broken = self.breakage(d)
        if broken or not self.stage.is_up():
            return self.sync_broken(d, broken)
        self.sync_well(d)

    def sync_well(self, d, verbs=("sync", "sync", "inbox", "sent")):
        verb = self.rng.choice(verbs)
        if verb == "sent":
            self.look_sent(d, online=True)
        elif verb == "inbox":
            self.look_inbox(d, online=True)
        else:
            at_once = ["--now"] if "now" in verbs or self.rng.random() < 0.3 else []
            result = self.call(d, "sync", "--json", *at_once)
            while self.is_behind(result):
                result = self.call(d, "sync", "--json", *at_once)
            counts = result.json()[0]
            check((result.code != 0) == (counts["failed"] > 0), f"{d}: {result}")
            now = self.now(d)
            self.contact(d, bool(at_once))
            fit = []
            for w in self.worlds:
                failed = list(w.stage.values()).count("failed")
                came = w.sync(d, now)
                failed = list(w.stage.values()).count("failed") - failed
                if (len(came), failed) == (counts["received"], counts["failed"]):
                    fit.append(w)
            check(fit, f"{d}: as many came, or failed, in no world: {result}")
            for name in ("unreadable", "unopened", "refused", "disputed", "withheld",
                         "contradicted"):
                equal(0, counts[name], f"{d}: {name}: {result}")
            self.keep(fit)
            self.stage.commit()

    def sync_broken(self, d, broken):
        result, kind, up = self.break_off(d, broken, "sync")
        now = self.now(d)
        if up:
            self.keep([v for w in self.worlds for x in [w, *w.let_go(d, now)]
                       for v in [x.copy(), *x.cuts_of_sync(d, now)]])
        self.look(d)
        if kind == "relay":
            self.start()

    def break_off(self, d, broken, *args):
        keep, self.breakage = self.breakage, lambda _: broken
        try:
            return self.act(d, *args)
        finally:
            self.breakage = keep

    def glance(self):
        d = self.rng.choice(self.people())
        what = self.rng.choice(("sent", "inbox", "one", "case"))
        if what == "sent":
            self.look_sent(d)
        elif what == "inbox":
            self.look_inbox(d)
        elif what == "one" and self.sure(lambda w: list(w.msgs)):
            self.look_recipients(self.rng.choice(self.sure(lambda w: list(w.msgs))))
        elif what == "case":
            d, thread = self.a_case()
            if thread and self.sure(lambda w: w.thread_of(d, thread)):
                self.look_case(d, thread)

    def watch(self):
        """Somebody watches while another sends to them."""
        d = self.rng.choice([p for p in self.people() if p != "e"])
        if len(self.worlds) > 1 or self.worlds[0].held[d] or not self.stage.is_up():
            return
        time.sleep(0.2)  # the relay has seen its clock
        w = self.worlds[0]
        expect = [job[1] for job, state in w.box[d][w.read[d]:]
                  if job[0] == "message" and state == ""]
        if not expect or len(w.box[d]) - w.read[d] > MOST_PENDING:
            return
        env = self.stage.env(d)
        process = subprocess.Popen(self.stage.argv(d, "watch", "--json"), env=env, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=self.stage.net.path)
        self.stage.net.watching.append(process)
        lines = []
        while len([e for e in lines if e["event"] == "arrived"]) < len(expect):
            line = process.stdout.readline()
            check(line, f"{d}: watch ended")
            lines.append(json.loads(line))
        process.terminate()
        rest, err = process.communicate(timeout=60)
        lines += [json.loads(line) for line in rest.splitlines()]
        self.log.append(f"{d}: consil watch --json -> {process.returncode} {lines} {err.strip()}")
        equal(expect, [e["id"] for e in lines if e["event"] == "arrived"], f"{d}: watch says")
        now = self.now(d)
        for e in lines:
            key = (d, e["event"], e.get("id"), e.get("reason"))
            check(e["event"] == "synced" or key not in self.stage.told, f"{d}: told twice: {e}")
            self.stage.told.add(key)
            if e["event"] == "alarm" and e["id"] in w.msgs:
                check(e["reason"] in {v.reason(e["id"], now + s) for v in w.cuts_of_sync(d, now)
                                      for s in (-SLACK, 0)}, f"{d}: nothing calls so: {e}")
        self.keep([v for v in [w, *w.cuts_of_sync(d, now)] if set(expect) <= set(v.has[d])])
        self.look(d)

    # ------------------------------------------------------ the relay and clocks

    def restart(self):
        if self.stage.is_up():
            self.stage.stop(self.rng.choice((signal.SIGTERM, signal.SIGKILL)))
        self.start()

    def start(self):
        if self.stage.is_up():
            return
        self.stage.start()
        self.log.append(f"relay starts, clock trusted: {self.stage.steady}")
        self.sweep(0)

    def relay_off(self):
        self.stage.stop(self.rng.choice((signal.SIGTERM, signal.SIGKILL)))
        self.log.append("relay is off")

    def moved(self, seconds_on):
        """So far, and a bit more where something would end just then."""
        ends = {t for w in self.worlds for i, m in w.msgs.items()
                for t in (w.due.get(i), m["expires"], m["created"] + m["life"],
                          m["sealed"] and m["sealed"] + 48 * HOUR,
                          m["sealed"] and m["sealed"] + 50 * HOUR) if t}
        while any(abs(t - (self.now() + seconds_on)) < MARGIN for t in ends):
            seconds_on += 17 * MINUTE
        return seconds_on

    def far(self):
        return self.moved(self.rng.choice((7 * MINUTE, 26 * MINUTE, 95 * MINUTE, 6 * HOUR,
                                           25 * HOUR, 31 * HOUR, 50 * HOUR)))

    def moved_far(self, seconds_on):
        """It looks at its clock, and signs the directory's checkpoint anew."""
        if self.stage.is_up():
            time.sleep(0.12 if seconds_on < 23 * HOUR else 0.5)

    def pass_time(self):
        seconds_on = self.far()
        before = self.stage.counter("outcomes_expired") if self.will_end(seconds_on) else 0
        self.stage.move(seconds_on, seconds_on)
        self.moved_far(seconds_on)
        self.moved_at = time.monotonic()
        self.log.append(f"{seconds_on / HOUR:.1f} hours pass")
        if self.stage.is_up():
            self.stage.steady_in -= seconds_on
            if self.stage.steady_in <= 0:
                self.stage.steady = True
            self.sweep(before)

    def will_end(self, seconds_on):
        return self.stage.is_up() and any(w.overdue(self.now() + seconds_on) for w in self.worlds)

    def step_clock(self):
        seconds_on = self.far()
        self.stage.move(seconds_on, 0)
        self.moved_far(seconds_on)
        self.moved_at = time.monotonic()
        self.log.append(f"all clocks are set {seconds_on / HOUR:.1f} hours ahead")
        if self.stage.is_up() and seconds_on > STEP:
            self.stage.steady, self.stage.steady_in = False, STEADY

    def sweep(self, before):
        """A relay ends what is due once its clock can be believed."""
        now = self.now()
        n = [sum(len(w.holders(i)) for i in w.overdue(now)) for w in self.worlds]
        if not any(n) or self.stage.steady is False:
            return
        end = time.monotonic() + (20 if self.stage.steady and min(n) else 2.5)
        while (got := self.stage.counter("outcomes_expired") - before) < max(min(n), 1) and \
                time.monotonic() < end:
            time.sleep(0.05)
        if got and max(n) != min(n):  # all go at once, but not in one commit
            time.sleep(0.2)
            got = self.stage.counter("outcomes_expired") - before
        self.log.append(f"the relay ends {got} of {sorted(set(n))}")
        if self.stage.steady is None:
            self.stage.steady = got > 0 or (False if min(n) else None)
        fit = [w for w, k in zip(self.worlds, n) if got == (k if self.stage.steady else 0)]
        check(fit, f"the relay ended {got} items of {n}")
        if self.stage.steady:
            for w in fit:
                w.expire(now)
        self.keep(fit)

    def revoke(self):
        before = self.stage.counter("outcomes_revoked")
        n = [sum(item[1] == "" and item[0][0] == "message" for item in w.box["e"])
             for w in self.worlds]
        done = self.stage.net.admin("revoke", "member", "e@clinic", "--reason", "left", "--yes",
                                    env=clock_file(self.stage.clock_of(None)))
        check(done.code == 0, str(done))
        self.log.append("e@clinic is revoked")
        wait_until(lambda: self.stage.counter("outcomes_revoked") - before >= min(n), "revoked")
        self.cast.gone.add("e@clinic")
        self.each(lambda w: (w.revoke(["e"]), w.out["e"].clear(), w.owed["e"].clear(),
                             w.read.update(e=len(w.box["e"]))))

    # ---------------------------------------------------------------------- whole

    def play(self):
        for _ in range(self.rng.randint(5, 10)):
            weights, choices = zip(*self.actions())
            action = self.rng.choices(choices, weights)[0]
            self.count[action.__name__] = self.count.get(action.__name__, 0) + 1
            action()
        self.settle()

    def settle(self):
        """All goes to where it belongs, and everybody agrees."""
        self.start()
        for _ in range(12):
            busy = [d for d in self.people() if any(not w.is_quiet(d) for w in self.worlds)]
            if not busy:
                break
            self.rng.shuffle(busy)
            for d in busy:
                if any(w.held[d] for w in self.worlds):
                    self.sync_well(d, ("now",))
                else:
                    self.sync_well(d, ("inbox", "sent" if self.writes(d) else "inbox"))
        check(not busy, f"it never comes to rest: {busy}")
        sent = {d: self.listed.get((d, "sent")) or self.look_sent(d)
                for d in self.people() if self.writes(d)}
        came = {d: self.listed.get((d, "inbox")) or self.look_inbox(d)
                for d in self.people() if self.worlds[0].has[d]}
        for d in self.people():  # whoever got nothing has nothing
            came.setdefault(d, {})
        for rows in sent.values():
            for id, row in rows.items():
                self.agree(id, row, came)
        d, thread = self.a_case()
        if thread and self.worlds[0].thread_of(d, thread) and self.rng.random() < 0.6:
            self.look_case(d, thread)
        for what, all_rows in (("sent", sent), ("inbox", came)):
            for d, rows in all_rows.items():
                old = self.stage.before[d].setdefault(what, {})
                for id, row in rows.items():
                    old[id] = row.get("standing", row["state"])

    def writes(self, device):
        return any(m["sender"] == device for m in self.worlds[0].msgs.values())

    def agree(self, id, row, came):
        """Not by the model, but both sides against each other: who was sent it
        has it, once, and says so; or has it not, for one reason."""
        if row["state"] in ("failed", "withdrawn"):
            check(not any(id in rows for rows in came.values()), f"{id}: it never left")
            return
        equal("accepted", row["state"], f"{id}: in the end")
        there = [d for d, rows in came.items() if id in rows]
        if not self.cast.gone:
            equal(row["delivered"], len(there), f"{id}: who says to have it, and {there}")
        if self.rng.random() < 0.5:
            return
        for device, facts in self.look_recipients(id).items():
            if self.cast.member[device] in self.cast.gone:
                continue
            there = came.get(device, {}).get(id)
            equal(there is not None, facts["delivered"], f"{id}: {device} has it, and says so")
            end = facts["outcome"]
            check(end is not None, f"{id}: {device} has it or there is a reason: {facts}")
            check(there or end != "fetched", f"{id}: {device} fetched it: {facts}")
            if there:
                equal(there["state"] == "acknowledged", facts["acknowledged"], f"{id}: {device}")


def seconds(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
