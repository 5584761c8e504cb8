#!/usr/bin/env python3
"""timeout: 600
Receipt proofs made after every key they rest on has ended: epoch keys destroyed, vetting
and registrar expired, member or registrar revoked, witnesses changed. Both verifiers say
the same of each."""
import os
import time

import vetting

from clock_test import DAY, Calendar
from network import (TESTS, Device, Network, check, equal, main, run, test,
                     wait_until)
from proof_test import answered, both, by_fact, export, load, ok, put, second, store, verdicts
from root_test import Root, apply, ask, founded
from witness_test import Witness

TESTS.clear()  # those of the others

HOUR = 3600


class Years(Calendar):
    """A calendar where time goes by for a relay that runs; proofs are made and judged by
    the clock of that time."""

    def set(self, seconds):
        super().set(f"{seconds} {seconds}")

    def passes(self, seconds, device):
        """Until so long after the beginning; the relay looks at its clock now and then."""
        self.set(seconds)
        wait_until(lambda: device.run("sync", env=self.env).code == 0, "the relay sees it", 30)

    def answered(self, sender, reader, text="seen"):
        id = self.send(sender, reader.name)
        self.run(reader, "sync")
        self.run(reader, "read", id)
        reader.act("ack", id, "--text", text, env=self.env)
        self.run(sender, "sync")
        return id

    def judge(self, device, id, expected, *words):
        self.n = getattr(self, "n", 0) + 1
        path = self.net.file(f"proof.{self.n}")
        self.run(device, "receipt", "export", id, "-o", path, *words)
        items = both(self.net, path, expected, env=self.env)
        both(self.net, path, expected)  # and by the clock of today
        return items, path

    def admin(self, *args, network=None):
        return ok(run("consil-admin", "--network", network or self.net.net, *args,
                      env=self.env, cwd=self.net.path))

    def join(self, address, network=None):
        name = address.split("@")[0]
        file = self.net.file(f"{name}.invite")
        self.admin("invite", address, "--name", name.title(), "--role", "physician", "-o", file,
                   network=network)
        device = Device(self.net, address, self.net.file(f"{name}.home"))
        self.run(device, "join", file, "--unattended")
        return device


@test
def after_epoch_keys_vetting_and_registrar_expired():
    with Network() as net:
        net.org("mnoncology")
        net.org("clinic", valid_until=vetting.day(300))
        doe, a = net.join("j.doe@mnoncology"), net.join("a@clinic")
        net.join("b@clinic")
        years = Years(net)
        first = years.answered(doe, a)
        silent = years.send(doe, "b@clinic")
        before = years.epochs(a)[0]
        # half a year: the keys that sealed it and its receipts are no more
        years.passes(30 * 7 * DAY, doe)
        for device in (a, doe):
            years.run(device, "sync")
        check(years.epochs(a)[0] > before, "those keys were destroyed")
        years.judge(doe, first, second.VALID)
        years.judge(a, first, second.VALID)
        later = years.answered(doe, a, "with keys of now")
        years.judge(doe, later, second.VALID)
        # nobody fetched it: it expired, and was not acknowledged at any time
        wait_until(lambda: years.run(doe, "sync") and [
            r for r in years.run(doe, "sent", silent, "--json").json() if r.get("outcome")],
            "it expired")
        items, _ = years.judge(doe, silent, second.VALID, "--no-ack-at",
                               str(int(time.time()) + 20 * 7 * DAY))
        equal({"custody", "outcome", "silence"}, set(verdicts(items)), "what there is")
        came = years.send(doe, "a@clinic")
        years.run(a, "sync")
        # a year: the vetting of its practice has lapsed; what came then is answered now
        years.passes(400 * DAY, doe)
        years.run(a, "read", came)
        a.act("ack", came, env=years.env)
        years.run(doe, "sync")
        items, _ = years.judge(doe, came, second.VALID)
        check("acknowledged" in verdicts(items), "by who is not vetted any more")
        years.judge(doe, first, second.VALID)
        # six years: so has the registrar
        years.passes(6 * 366 * DAY, doe)
        years.run(doe, "sync")
        for id in (first, later, came):
            years.judge(doe, id, second.VALID)


@test
def after_a_member_was_revoked():
    with Network() as net:
        doe, a, b = net.three()
        years = Years(net)
        kept, late = years.answered(doe, a), years.answered(doe, b)
        years.passes(HOUR // 2, doe)
        years.admin("revoke", "member", "a@clinic", "--reason", "left", "--yes")
        years.run(doe, "sync")
        _, path = years.judge(doe, kept, second.VALID)
        # what is in no log from before the end is of unproven time
        p = load(path)
        put(by_fact(p, "opened"), how=second.SIGNED)
        store(net, p, "variant")
        both(net, net.file("variant"), second.UNPROVEN)
        # a leaf that ends a member cannot be left out unseen by who has the directory
        p = load(path)
        p.certs = [row for row in p.certs if second.Entry(row[0]).type != second.REVOKE]
        store(net, p, "variant")
        both(net, net.file("variant"), second.VALID)
        shown = doe.run("verify", net.file("variant"), env=years.env)
        check("directory of this home" in shown.out, str(shown))
        # one whose device was in other hands since before: by its member
        years.admin("revoke", "member", "b@clinic", "--reason", "compromised",
                    "--compromised-since", "2001-01-01", "--yes")
        years.run(doe, "sync")
        items, _ = years.judge(doe, late, second.INVALID)
        equal(second.VALID, verdicts(items)["custody"], "the relay's word stays")


@test
def after_a_registrar_was_compromised():
    with Root() as root, founded(root) as net:
        net.org("mnoncology")
        doe = net.join("j.doe@mnoncology")
        years = Years(net)
        other = net.file("other")
        ok(run("consil-admin", "registrar", "new", other, "--name", "Second"))
        request = ask(net, "rotate", "registrar", "--add", os.path.join(other, "registrar.card"))
        signed = root.sign(request, "b", "c")
        ok(apply(net, *signed))
        ok(apply(net, *signed, into=other))
        years.admin("org", "vet", net.record("theirs", "T"), network=other)
        x = years.join("x@theirs", network=other)
        before = years.answered(doe, x)
        years.passes(4 * HOUR, doe)
        y = years.join("y@theirs", network=other)
        after = years.answered(doe, y)
        x_later = years.answered(doe, x)
        for id in (before, after, x_later):
            years.judge(doe, id, second.VALID)
        since = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() + 2 * HOUR))
        stolen = next(r for r in years.admin("root", "show", "--json").json()
                      if r["type"] == "registrar" and r["name"] == "Second")["id"]
        years.passes(5 * HOUR, doe)
        request = net.file("end")
        years.admin("revoke", "registrar", stolen[:8], "--reason", "compromised",
                    "--compromised-since", since, "-o", request)
        ok(run("consil-admin", "root", "apply", net.net, *root.sign(request, "a", "c"),
               env=years.env))
        years.run(doe, "sync")
        # whom it certified before then is who they were, then and later
        years.judge(doe, before, second.VALID)
        years.judge(doe, x_later, second.VALID)
        items, _ = years.judge(doe, after, second.INVALID)
        equal(second.VALID, verdicts(items)["custody"], "the relay's word stays")
        equal(second.INVALID, verdicts(items)["acknowledged"], "nobody knows who that was")


@test
def after_witnesses_came_and_went():
    with Network() as net:
        doe, a, _ = net.three()
        before = export(net, doe, answered(net, doe, a))
        first, other = Witness(net, "north"), Witness(net, "south")
        for witness in (first, other):
            file = witness.add()
            equal(0, witness.once("--network-file", file).code, "cosigned")
        id = answered(net, doe, a)
        both(net, export(net, doe, id), second.VALID)
        ok(net.admin("witness", "remove", "north"))
        ok(net.admin("rotate", "relay"))
        doe.ok("sync")
        equal(0, other.once().code, "cosigned anew")
        for path in (before, export(net, doe, id), export(net, doe, answered(net, doe, a))):
            both(net, path, second.VALID)


if __name__ == "__main__":
    main()
