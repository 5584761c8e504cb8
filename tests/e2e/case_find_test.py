#!/usr/bin/env python3
"""Finding what was sent and received by words in it."""
import os

from network import Network, check, equal, main, test


@test
def both_ends_find_it_by_any_of_its_words():
    with Network() as net:
        doe, a, b = net.three()
        net.write("long.md", "first line\nProgress under Pembrolizumab, Müller\nlast line\n")
        scan = net.write("thorax-scan.txt", "x")
        id = doe.send("a@clinic", subject="Second opinion", question="Resect or treat first?",
                      note="long.md", extra=("--attach", scan))
        other = doe.send("a@clinic", subject="Another")
        a.ok("sync")
        for device, side in ((doe, "to"), (a, "from")):
            for words in (("pembro",), ("RESECT", "opinion"), ("muller",), ("thorax",), ("clinic",)):
                hits = device.ok("case", "find", *words, "--json").json()
                check(id in [h["id"] for h in hits], f"{words}: {hits}")
                check(side in hits[0], f"whose: {hits}")
            hits = device.ok("case", "find", "pembrolizumab", "--json").json()
            equal([id], [h["id"] for h in hits], "that one alone")
            check("Progress under Pembrolizumab" in hits[0]["snippet"], f"where: {hits}")
            check("first line" not in hits[0]["snippet"], f"one line: {hits}")
        check(other in doe.ok("case", "find", "another").out, "in words too")
        nothing = a.run("case", "find", "pembrolizumab", "nivolumab")
        equal(3, nothing.code, f"all words: {nothing}")
        equal(2, a.run("case", "find", "?!").code, "no word")
        equal(3, b.run("case", "find", "pembrolizumab").code, "b has nothing")


@test
def no_word_of_it_lies_on_the_disk():
    with Network() as net:
        doe, a, _ = net.three()
        net.write("note.md", "Zyxomarkerword\n")
        doe.send("a@clinic")
        a.ok("sync")
        a.ok("case", "find", "zyxomarkerword")
        for device in (doe, a):
            for folder, _, files in os.walk(device.home):
                for name in files:
                    with open(os.path.join(folder, name), "rb") as f:
                        check(b"zyxomarker" not in f.read().lower(), f"{folder}/{name}")


main()
