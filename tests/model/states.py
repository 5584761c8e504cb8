"""The states of messages, written from docs/protocol.md, DESIGN 6 and the manual,
not from the programs: a second opinion on who has what, and who knows it.

A World is one possible history. What was broken off in the middle (a process
killed, an answer lost) may have ended in several: cuts_of_* name each, and what
is seen later says which it was. Where a world that fits what is seen cannot be
found, program and model contradict each other.

Times are seconds since 1970. A device is a name; a member is whose it is.
"""
import itertools
import pickle

MINUTE, HOUR, DAY = 60, 3600, 86400
DEADLINE = {"page": 5 * MINUTE, "urgent": HOUR, "routine": DAY}
KEPT_BACK = {"page": 20, "urgent": 5 * MINUTE, "routine": 30 * MINUTE}  # receipts of an act
TOO_OLD = 48 * HOUR  # the relay takes nothing that was sealed before that
ENDS = ("refused", "revoked", "expired", "withdrawn")  # of which one is for ever
FAR = ("failed",) + ENDS + ("undecryptable", "queued", "custody", "delivered", "opened",
                            "acknowledged")  # the further, the later
MOST_PENDING = 5  # of a device that is broken off: each order is a world


def subsets(things):
    return itertools.chain.from_iterable(
        itertools.combinations(things, n) for n in range(len(things) + 1))


class Cast:
    """Who there is: devices of members, members of groups."""

    def __init__(self, devices, groups):
        self.member = dict(devices)  # device -> address
        self.groups = dict(groups)   # address -> addresses
        self.gone = set()            # members who were revoked

    def devices(self, addresses, sender):
        """Whom it is sealed to: not to its sender, once to whom it reaches twice."""
        members = []
        for address in addresses:
            for m in self.groups.get(address, [address]):
                if m not in members and m != self.member[sender] and m not in self.gone:
                    members.append(m)
        return tuple(d for m in members for d in sorted(self.member) if self.member[d] == m)


class World:
    def __init__(self, cast):
        self.cast = cast
        self.msgs = {}      # id -> what its author wrote
        self.stage = {}     # id -> queued, sealed, submitted, accepted, failed, withdrawn
        self.out = {}       # device -> what waits to go out, in order of writing
        self.box = {}       # device -> its mailbox: [what, state]
        self.held = {}      # device -> receipts of acts, and by when each leaves
        self.read = {}      # device -> how much of it was collected
        self.has = {}       # device -> id -> set of opened, acknowledged
        self.owed = {}      # device -> numbers of items it may let the relay delete
        self.asks = {}      # device -> what it asks the relay to take back
        self.facts = {}     # (id, device) -> what the sender knows: fact -> value
        self.ended = {}     # (id, device) -> outcome, as the sender knows it
        self.polled = set() # of which all outcomes are known to the sender
        self.answered = set()
        self.due = {}       # id -> until when the relay keeps it
        self.promised = {}  # id -> what of that the sender has a receipt for
        for d in cast.member:
            self.out[d], self.box[d], self.read[d] = [], [], 0
            self.has[d], self.owed[d], self.asks[d], self.held[d] = {}, [], [], []

    def copy(self):
        cast, self.cast = self.cast, None
        other = pickle.loads(pickle.dumps(self, -1))
        self.cast = other.cast = cast
        return other

    def key(self):
        return repr([sorted(v.items(), key=str) if isinstance(v, dict) else
                     sorted(v, key=str) if isinstance(v, set) else v
                     for k, v in sorted(vars(self).items()) if k != "cast"])

    # ----------------------------------------------------------------- writing

    def thread_of(self, device, thread):
        """Ids of a case that this device knows; what it took back before it left
        nobody ever had."""
        return [i for i, m in self.msgs.items() if m["thread"] == thread and
                (i in self.has[device] or
                 (m["sender"] == device and self.stage[i] != "withdrawn"))]

    def counting(self, device, thread):
        """Of the case only what somebody in it wrote; a stranger may know its id."""
        known = self.thread_of(device, thread)
        counts = [i for i in known if i == thread or self.msgs[i]["sender"] == device]
        counts = counts or [i for i in self.has[device] if i in known][:1]
        grown = True
        while grown:
            inside = {m for i in counts for m in self.circle(i)}
            more = [i for i in known if i not in counts and
                    (self.cast.member[self.msgs[i]["sender"]] in inside or
                     set(self.msgs[i]["parents"]) & set(counts))]
            counts += more
            grown = bool(more)
        return counts

    def circle(self, id):
        """Who wrote it and who was written to."""
        m = self.msgs[id]
        return {self.cast.member[m["sender"]], *(self.cast.member[d] for d in m["devices"]),
                *m["to"]}

    def parents(self, device, thread):
        """What is the newest of the case, and always what is one's own newest."""
        known = self.thread_of(device, thread)
        named = {p for i in known for p in self.msgs[i]["parents"]}
        own = [i for i in known if self.msgs[i]["sender"] == device]
        return tuple(i for i in known if i not in named or i in own[-1:])

    def people(self, device, thread):
        """Everybody in it."""
        found = []
        for i in self.counting(device, thread):
            m = self.msgs[i]
            for a in (self.cast.member[m["sender"]], *m["to"]):
                if a != self.cast.member[device] and a not in found:
                    found.append(a)
        return tuple(found)

    def ancestors(self, id, known):
        found, left = set(), [id]
        while left:
            for p in self.msgs[left.pop()]["parents"]:
                if p in known and p not in found:
                    found.add(p)
                    left.append(p)
        return found

    def is_closed(self, device, thread):
        """Who closed it knew all that was added, and each word that opened it."""
        counts = self.counting(device, thread)
        open_by = {i for i in counts if self.msgs[i]["kind"] in ("addendum", "reopen")}
        known = self.thread_of(device, thread)
        return any(open_by <= self.ancestors(i, known) for i in counts
                   if self.msgs[i]["kind"] == "close")

    def write(self, id, kind, sender, to, created, thread=None, **more):
        self.msgs[id] = {"kind": kind, "sender": sender, "to": tuple(to), "created": created,
                         "thread": thread or id, "class": "routine", "life": 30 * DAY,
                         "answer_by": 0, "relation": "", "related": None, "reply_to": None,
                         "expires": None, "sealed": None, "devices": (),
                         "origin": id,
                         "parents": self.parents(sender, thread) if thread else (), **more}
        self.stage[id] = "queued"
        self.out[sender].append(("message", id))

    def open(self, device, id, fact, value, now):
        """A human opens or acknowledges it: once. The relay shall not learn when."""
        done = self.has[device][id]
        if fact in done:
            return
        done.add(fact)
        if self.msgs[id]["kind"] != "withdrawal" or fact != "acknowledged":
            self.held[device].append((("receipt", id, device, fact, value),
                                      now + KEPT_BACK[self.msgs[id]["class"]]))

    def let_go(self, device, now, everything=False):
        """The worlds that a contact may find: what is kept back leaves at a random
        moment, at the latest when its span is over."""
        due = [h for h in self.held[device] if everything or h[1] <= now]
        early = [h for h in self.held[device] if h not in due]
        for more in subsets(early):
            w = self.copy()
            w.held[device] = [h for h in early if h not in more]
            w.out[device] += [job for job, _ in due + list(more)]
            yield w

    def take_back(self, device, id, notice, now, reachable, reason):
        """notice: id of the message that tells of it, None where nothing left."""
        if self.stage[id] in ("queued", "sealed"):
            self.stage[id] = "withdrawn"
            self.out[device].remove(("message", id))
            return
        m = self.msgs[id]
        if notice:
            self.write(notice, "withdrawal", device, reachable, now, thread=m["thread"],
                       relation="withdraws", related=id, reason=reason, life=90 * DAY, **{"class": m["class"]})
        self.asks[device].append(id)
        self.polled.discard(id)

    # ---------------------------------------------------------------- the relay

    def holders(self, id):
        """The items of a message that have no outcome yet."""
        return [item for box in self.box.values() for item in box
                if item[0] == ("message", id) and item[1] == ""]

    def end(self, id, outcome, devices=None):
        for d, box in self.box.items():
            for item in box:
                if item[0] == ("message", id) and item[1] == "" and \
                        (devices is None or d in devices):
                    item[1] = outcome

    def overdue(self, now):
        return [i for i, due in self.due.items() if due <= now and self.holders(i)]

    def expire(self, now):
        for i in self.overdue(now):
            self.end(i, "expired")

    def revoke(self, devices):
        for i in self.msgs:
            self.end(i, "revoked", devices)

    def is_with_relay(self, job):
        return any(item[0] == job for box in self.box.values() for item in box)

    # ------------------------------------------------------------------ sending

    def seal(self, id, now):
        m = self.msgs[id]
        m["devices"] = self.cast.devices(m["to"], m["sender"])
        m["expires"] = m["expires"] or now + m["life"]
        m["sealed"] = now - now % HOUR
        m["parents"] = self.left_of(m["parents"], m["sender"])
        self.stage[id] = "sealed"

    def left_of(self, parents, sender):
        """In the place of what never left, what that named."""
        found = []
        for p in parents:
            here = self.msgs[p]["sender"] != sender or self.stage[p] in ("submitted", "accepted")
            found += [p] if here else self.left_of(self.msgs[p]["parents"], sender)
        return tuple(dict.fromkeys(found))

    def put(self, job):
        """The relay takes it, once."""
        if self.is_with_relay(job):
            return
        if job[0] == "message":
            devices = self.msgs[job[1]]["devices"]
            self.due[job[1]] = self.msgs[job[1]]["expires"]
        else:
            about = self.msgs[job[1]]
            whose = self.cast.member[about["sender"]]
            devices = [d for d in self.cast.member if self.cast.member[d] == whose]
        for d in devices:  # who left meanwhile has an outcome at once
            self.box[d].append([job, "revoked" if self.cast.member[d] in self.cast.gone else ""])

    def prepare(self, id, now):
        """Whether it goes to the relay now. A case for somebody who has left fails,
        a notice goes to the others."""
        m = self.msgs[id]
        if self.stage[id] == "submitted":
            if self.is_with_relay(("message", id)):
                return True
            if m["expires"] <= now or m["sealed"] + TOO_OLD + 2 * HOUR < now:
                self.fail(id)
            return self.stage[id] != "failed" and now - m["sealed"] <= TOO_OLD
        end = m["expires"] or m["created"] + m["life"]
        left = [a for a in m["to"] if a not in self.cast.gone]
        if end <= now or not left or (len(left) < len(m["to"]) and m["kind"] != "withdrawal"):
            self.fail(id)
            return False
        self.seal(id, now)
        return True

    def fail(self, id):
        self.stage[id] = "failed"
        self.out[self.msgs[id]["sender"]].remove(("message", id))

    def deliver_one(self, device, job, now):
        if job[0] == "message":
            if not self.prepare(job[1], now):
                return
            self.stage[job[1]] = "accepted"
            self.put(job)
            self.promised[job[1]] = self.due[job[1]]
        else:
            self.put(job)
        self.out[device].remove(job)

    def deliver(self, device, now):
        for job in list(self.out[device]):
            self.deliver_one(device, job, now)
        for id in self.asks[device]:
            self.end(id, "withdrawn")
        self.asks[device] = []

    # --------------------------------------------------------------- collecting

    def take(self, device, job):
        if job[0] == "receipt":
            _, about, of, fact, value = job
            if self.msgs[about]["sender"] == device:
                self.facts.setdefault((about, of), {})[fact] = value
            return
        id = job[1]
        m = self.msgs[id]
        self.has[device][id] = set()
        self.out[device].append(("receipt", id, device, "delivered", "ok"))
        if m["reply_to"] and self.msgs[m["reply_to"]]["sender"] == device:
            self.answered.add(m["reply_to"])

    def collect(self, device, most=None):
        """Returns the ids of the messages that came."""
        came = []
        box = self.box[device]
        end = len(box) if most is None else min(len(box), self.read[device] + most)
        for n in range(self.read[device], end):
            job, state = box[n]
            if state == "":
                self.take(device, job)
                self.owed[device].append(n)
                came += [job[1]] if job[0] == "message" else []
        self.read[device] = end
        return came

    def acknowledge(self, device, most=None):
        for n in self.owed[device][:most]:
            if self.box[device][n][1] == "":
                self.box[device][n][1] = "fetched"
        self.owed[device] = [] if most is None else self.owed[device][most:]

    def poll(self, device):
        for id, m in self.msgs.items():
            if m["sender"] != device or self.stage[id] != "accepted" or id in self.polled:
                continue
            for d in m["devices"]:
                for job, state in self.box[d]:
                    if job == ("message", id) and state:
                        self.ended.setdefault((id, d), state)
            if not self.holders(id):
                self.polled.add(id)

    def sync(self, device, now):
        self.deliver(device, now)
        came = self.collect(device)
        self.deliver(device, now)
        self.acknowledge(device)
        self.poll(device)
        return came

    def is_quiet(self, device):
        """Another sync changes nothing."""
        return (not self.held[device] and not self.out[device] and not self.asks[device] and not self.owed[device] and
                self.read[device] == len(self.box[device]) and
                not any(m["sender"] == device and i not in self.polled and
                        self.stage[i] == "accepted" and
                        any(item[1] and (i, d) not in self.ended for d in m["devices"]
                            for item in self.box[d] if item[0] == ("message", i))
                        for i, m in self.msgs.items()))

    # --------------------------------------------------------------- broken off

    def cuts_of_deliver(self, device, now):
        """Jobs go one after the other, in an order that nobody promised."""
        for done in subsets(self.out[device][:MOST_PENDING]):
            w = self.copy()
            for job in done:
                w.deliver_one(device, job, now)
            yield w
            for job in list(w.out[device]):
                yield from w.cuts_of_one(job, now)
        w = self.copy()
        for job in list(w.out[device]):
            w.deliver_one(device, job, now)
        yield w
        for n in range(1, len(w.asks[device]) + 1):  # the answer was lost
            v = w.copy()
            for id in v.asks[device][:n]:
                v.end(id, "withdrawn")
            yield v
        w = w.copy()
        w.deliver(device, now)
        yield w

    def cuts_of_one(self, job, now):
        """One is under way: sealed, noted as submitted, or there without a receipt."""
        if job[0] == "receipt":
            w = self.copy()
            w.put(job)
            yield w
            return
        w = self.copy()
        if not w.prepare(job[1], now):
            return
        yield w.copy()
        w.stage[job[1]] = "submitted"
        yield w.copy()
        w.put(job)
        yield w

    def cuts_of_sync(self, device, now):
        yield from self.cuts_of_deliver(device, now)
        w = self.copy()
        w.deliver(device, now)
        for n in range(len(w.box[device]) - w.read[device] + 1):
            v = w.copy()
            v.collect(device, n)
            yield v
        w.collect(device)
        yield from w.cuts_of_deliver(device, now)
        w.deliver(device, now)
        for n in range(1, len(w.owed[device]) + 1):
            v = w.copy()
            v.acknowledge(device, n)
            yield v
        w.acknowledge(device)
        yield w.copy()
        w.poll(device)
        yield w

    # --------------------------------------------------------- what must be seen

    def standing_at(self, id, device):
        if self.stage[id] == "withdrawn":
            return "withdrawn"
        end = self.ended.get((id, device))
        if end in ENDS:
            return end
        facts = self.facts.get((id, device), {})
        for fact in ("acknowledged", "opened", "delivered"):
            if fact in facts:
                return fact
        if self.stage[id] == "accepted":
            return "custody"
        return "failed" if self.stage[id] == "failed" else "queued"

    def members_of(self, id):
        """member -> how far: the furthest of their devices."""
        found = {}
        for d in self.msgs[id]["devices"]:
            far = self.standing_at(id, d)
            old = found.get(self.cast.member[d])
            found[self.cast.member[d]] = far if old is None else max(old, far, key=FAR.index)
        return found

    def standing(self, id):
        """Of the member who is the least far."""
        far = list(self.members_of(id).values())
        if not far:
            stage = self.stage[id]
            return stage if stage in ("failed", "withdrawn") else "queued"
        return min(far, key=FAR.index)

    def reason(self, id, now):
        """What calls for the sender."""
        m = self.msgs[id]
        far = list(self.members_of(id).values())
        if self.stage[id] == "failed":
            return "failed"
        if self.stage[id] == "withdrawn":
            return None
        if any(f in ("expired", "refused", "revoked") for f in far):
            return "lost"
        waits = not far or any(f in ("queued", "custody", "failed") for f in far)
        if waits and now > m["created"] + DEADLINE[m["class"]]:
            return "overdue"
        taken_back = far and all(f == "withdrawn" for f in far)
        if m["answer_by"] and id not in self.answered and not taken_back and now > m["answer_by"]:
            return "unanswered"
        end = self.promised.get(id)
        if waits and end and now + min(3 * DAY, (end - m["created"]) // 10) >= end:
            return "expires-soon"
        return None

    def see_sent(self, device):
        """What `sent --json` says; reasons are judged apart, by the clock."""
        shown = {"queued": "queued", "sealed": "sealed", "submitted": "sealed",
                 "accepted": "accepted", "failed": "failed", "withdrawn": "withdrawn"}
        rows = {}
        for id, m in self.msgs.items():
            if m["sender"] == device:
                rows[id] = {"state": shown[self.stage[id]], "standing": self.standing(id),
                            "devices": len(m["devices"]), "answered": id in self.answered,
                            "delivered": sum("delivered" in self.facts.get((id, d), {})
                                             for d in m["devices"])}
        return rows

    def see_recipients(self, id):
        """What `sent ID --json` says of each device."""
        rows = {}
        for d in self.msgs[id]["devices"]:
            facts = self.facts.get((id, d), {})
            end = self.ended.get((id, d))
            here = self.standing_at(id, d)
            rows[d] = {"custody": self.stage[id] == "accepted", "outcome": end, "standing": here,
                       "delivered": "delivered" in facts, "opened": "opened" in facts,
                       "acknowledged": "acknowledged" in facts,
                       "responsibility": bool(facts.get("acknowledged", False)),
                       "superseded": here in ENDS and bool(facts)}
        return rows

    def state_at(self, device, id):
        done = self.has[device][id]
        return "acknowledged" if "acknowledged" in done else \
            "opened" if "opened" in done else "new"

    def see_inbox(self, device):
        """What `inbox --json` says."""
        rows = {}
        for id in self.has[device]:
            m = self.msgs[id]
            about = self.said_of(device, id) | self.said_of(device, m["origin"])
            rows[id] = {"state": self.state_at(device, id), "withdrawn": "withdraws" in about,
                        "superseded": "supersedes" in about,
                        "is_withdrawal": m["kind"] == "withdrawal",
                        "urgency": m["class"], "from": self.cast.member[m["sender"]]}
        return rows

    def said_of(self, device, id):
        """What its author said of it since, as far as this device has it."""
        member = self.cast.member
        return {self.msgs[i]["relation"] for i in self.has[device]
                if self.msgs[i]["related"] == id and
                member[self.msgs[i]["sender"]] == member[self.msgs[id]["sender"]]}

    def see_case(self, device, thread):
        """What `case show --json` says, but for the order."""
        rows = {}
        known = self.thread_of(device, thread)
        for id in known:
            m = self.msgs[id]
            ours = m["sender"] == device
            rows[id] = {"kind": m["kind"], "ours": ours, "from": self.cast.member[m["sender"]],
                        "state": self.standing(id) if ours else self.state_at(device, id)}
            if not ours or self.stage[id] == "accepted":
                rows[id]["parents"] = sorted(m["parents"])
                rows[id]["missing"] = len(set(m["parents"]) - set(known))
        return rows


def in_order(rows):
    """Every parent before its children, else by claimed time and id."""
    left = sorted(rows, key=lambda r: (r["at"], r["id"]))
    here = {r["id"] for r in rows}
    order = []
    while left:
        following = next((r for r in left if not (set(r["parents"]) & here) - set(order)), left[0])
        left.remove(following)
        order.append(following["id"])
    return order
