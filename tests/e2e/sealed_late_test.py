#!/usr/bin/env python3
"""timeout: 300
A case that was sealed and could not be sent for days is sealed again."""
import glob
import os

from network import Network, check, equal, free_port, main, shifted_clock, test
from proxy import Proxy


@test
def what_was_sealed_days_ago_is_delivered():
    relay_port = free_port()
    proxy = Proxy(relay_port)
    with Network(listen=proxy.url, start=False) as net:
        conf = os.path.join(net.net, "relay.conf")
        with open(conf) as f:
            text = f.read()
        with open(conf, "w") as f:
            f.write(text.replace(proxy.url, f"tcp://127.0.0.1:{relay_port}"))
        net.start()
        doc, a, _ = net.three()
        doc.ok("sync")
        ids, sealed = [], []
        for frames in range(3, 12):
            proxy.cut_after(frames)
            ids.append(doc.send("a@clinic"))
            sealed = glob.glob(os.path.join(doc.home, "spool", "*", "envelope"))
            if sealed:
                break
        proxy.cut_after(None)
        check(sealed, "one of them is sealed and not sent")

        late = shifted_clock(4 * 86400)
        net.stop()
        net.start(env=late)
        check(doc.ok("sync", env=late).out.endswith("waiting 0\n"), "all are sent")
        items = a.ok("inbox", "--json", env=late).json()
        equal(sorted(ids), sorted(m["id"] for m in items), "each arrives, once")
        equal([], glob.glob(os.path.join(doc.home, "spool", "*")), "nothing is left")
    proxy.close()


main()
