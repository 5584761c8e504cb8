#!/usr/bin/env python3
"""What an operator's tools are told by a real relay over HTTP."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request

from network import Network, Skipped, check, equal, free_port, main, run, test, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PREFIX = "consil_relay_"


class Monitored(Network):
    def __init__(self):
        self.port = free_port()

        def conf(path):
            with open(path, "a") as f:
                f.write(f"monitor = http://127.0.0.1:{self.port}\n")
        super().__init__(conf=conf)

    def get(self, path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read().decode()

    def metrics(self):
        """name -> value, histograms by their parts; checks the format on the way."""
        status, headers, text = self.get("/metrics")
        equal(200, status, "metrics")
        check("version=0.0.4" in headers["Content-Type"], str(headers))
        values, types, helped = {}, {}, set()
        for line in text.splitlines():
            if line.startswith("# HELP "):
                helped.add(line.split()[2])
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                check(name not in types, f"{name} comes twice")
                types[name] = kind
            else:
                m = re.fullmatch(r'(\w+)(\{le="[^"]+"\})? (\d+(?:\.\d+)?)', line)
                check(m, f"no line of the format: {line!r}")
                check(m[1].startswith(PREFIX), line)
                values[m[1].removeprefix(PREFIX) + (m[2] or "")] = float(m[3])
        equal(set(types), helped, "each is explained")
        for name, kind in types.items():
            short = name.removeprefix(PREFIX)
            if kind == "histogram":
                buckets = [v for k, v in values.items() if k.startswith(f"{short}_bucket")]
                equal(sorted(buckets), buckets, f"{name} is cumulative")
                equal(values[f"{short}_count"], buckets[-1], f"{name} ends with all")
            else:
                check(short in values, f"{name} has a value")
                equal(kind == "counter", name.endswith("_total"), f"what {name} is called")
        return values


@test
def what_happens_is_counted():
    with Monitored() as net:
        doe, anna, _ = net.three()
        before = net.metrics()
        id = doe.send("a@clinic")
        anna.ok("sync")
        doe.ok("sync")
        now = net.metrics()
        grew = {k: now[k] - before[k] for k in now}
        # the case and the receipt of its delivery
        equal(2, grew["envelopes_accepted_total"], "custody")
        equal(2, grew["custody_seconds_count"], "and how long it took")
        check(0 < grew["custody_seconds_sum"] < 60, "seconds")
        equal(2, grew["ack_age_seconds_count"], "acknowledged")
        check(grew["commits_total"] == grew["commit_seconds_count"] ==
              grew["commit_tasks_count"] > 0, f"commits: {grew}")
        check(now["disk_free_bytes"] > 0 and now["receipt_log_entries"] > 0, "levels")
        check(now["limit_connections"] > 0, "limits")
        text = net.get("/metrics")[2]
        for secret in (id, "a@clinic", "clinic", "Doe", doe.home):
            check(secret.lower() not in text.lower(), f"{secret} is in it")


@test
def well_ready_and_stopping():
    with Monitored() as net:
        for path in ("/healthz", "/readyz"):
            equal((200, "ok\n"), net.get(path)[::2], path)
        equal(404, net.get("/")[0], "no more than that")
        equal(405, net.get("/metrics", "POST")[0], "nothing is changed by it")
        log = open(net.log).read()
        check(f"monitor on port {net.port} of loopback" in log, log)
        # many at a time, and one that says nothing
        idle = socket.create_connection(("127.0.0.1", net.port))
        for _ in range(50):
            equal(200, net.get("/readyz")[0], "again")
        net.relay.send_signal(signal.SIGTERM)
        equal(0, net.relay.wait(20), "an idle one does not keep it from ending")
        idle.close()


@test
def an_address_in_use_is_named():
    with Network() as net:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            port = s.getsockname()[1]
            net.stop()
            conf = os.path.join(net.net, "relay.conf")
            with open(conf, "a") as f:
                f.write(f"monitor = http://127.0.0.1:{port}\n")
            refused = run("consil-relay", "--config", conf)
            equal(5, refused.code, str(refused))
            check(f"127.0.0.1:{port}" in refused.err, str(refused))


@test
def dashboard_and_alerts_name_what_there_is():
    """What is shipped for Grafana and Prometheus asks for nothing that is not told."""
    with Monitored() as net:
        told = {re.sub(r"\{.*", "", name) for name in net.metrics()}
    folder = os.path.join(ROOT, "docs", "examples")
    with open(os.path.join(folder, "grafana-dashboard.json")) as f:
        dashboard = json.load(f)
    with open(os.path.join(folder, "consil-relay.rules.yml")) as f:
        rules = f.read()
    asked = set(re.findall(rf"{PREFIX}(\w+)", json.dumps(dashboard) + rules))
    check(len(asked) > 15, f"they ask for much: {asked}")
    equal(set(), asked - told, "what is asked for and not told")
    if not shutil.which("promtool"):
        raise Skipped("no promtool: apt-get install prometheus")
    done = subprocess.run(["promtool", "check", "rules",
                           os.path.join(folder, "consil-relay.rules.yml")],
                          capture_output=True, text=True)
    equal(0, done.returncode, done.stdout + done.stderr)


main()
