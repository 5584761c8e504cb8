#!/usr/bin/env python3
"""A case as one page: whole, self-contained, and whatever others wrote is text in it."""
import base64
import html.parser
import os
import shutil
import struct
import subprocess
import zlib

from network import BUILD, Network, Skipped, check, equal, main, test

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
VOID = {"meta", "img"}
TAGS = {"html", "head", "meta", "title", "style", "body", "header", "main", "article", "h1", "h2",
        "h3", "p", "pre", "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "img",
        "span", "code", "a"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "id", "class", "role", "scope",
              "colspan", "src", "alt", "href"}
NAME = "\"onload=alert(1) <img src=x onerror=alert(2)> \u202egpj.png"
NOTE = ("# Findings\n\n<script>alert(1)</script>\n\"onload=\"alert(2)\" ]]> --> </pre></style>\n"
        "\x1b[2J\x1b]0;title\x07 \u202eright to left\u202c &lt;b&gt; &amp;\n"
        "http://example.org/x.png url(http://example.org) javascript:alert(3)\n")


def png(width=3):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"\0" * (width + 1))) + chunk(b"IEND", b""))


class Page(html.parser.HTMLParser):
    """Parses a page and checks what holds of every one."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.images, self.alts, self.texts, self.heads = [], [], [], [], []
        self.blocks, self.meta, self.lang, self.ids, self.links = [], {}, None, [], []
        check(text.startswith("<!DOCTYPE html>\n"), "it is HTML")
        check(not any(ord(c) < 32 and c not in "\n\t" or ord(c) in range(0x202a, 0x202f)
                      for c in text), "nothing hides in it")
        self.feed(text)
        self.close()
        equal([], self.open, "every element ends")
        equal(POLICY, self.meta.get("Content-Security-Policy"), "it forbids all that it has not")
        equal("en", self.lang, "a language")
        for link in self.links:
            check(link[1:] in self.ids, f"{link} leads somewhere")
        self.text = "".join(self.texts)

    def handle_starttag(self, tag, attrs):
        check(tag in TAGS, f"<{tag}>")
        for name, value in attrs:
            check(name in ATTRIBUTES, f"{name} of <{tag}>")
            if name == "src":
                check(value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,")), value[:60])
                self.images.append(base64.b64decode(value.split(",", 1)[1], validate=True))
            if name == "href":
                check(value.startswith("#m-"), value)
                self.links.append(value)
            if name == "id":
                check(value not in self.ids, "ids are there once")
                self.ids.append(value)
        given = dict(attrs)
        if tag == "img":
            check(given.get("alt"), "a picture says what it is")
            self.alts.append(given["alt"])
        if tag == "th":
            check(given.get("scope") in ("row", "col"), "a head says of what")
        if tag == "meta" and "http-equiv" in given:
            self.meta[given["http-equiv"]] = given["content"]
        if tag == "html":
            self.lang = given.get("lang")
        if tag in ("pre", "h1", "h2"):
            (self.blocks if tag == "pre" else self.heads).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        equal(self.open[-1:], [tag], "elements nest")
        self.open.pop()

    def handle_data(self, data):
        if "style" in self.open:
            check("url(" not in data and "@import" not in data, "no style from elsewhere")
            return
        self.texts.append(data)
        if "pre" in self.open:
            self.blocks[-1] += data
        if self.open and self.open[-1] in ("h1", "h2"):
            self.heads[-1] += data

    def handle_comment(self, data):
        check(False, f"no comment: {data}")

    def unknown_decl(self, data):
        check(False, f"no section: {data}")

    def handle_pi(self, data):
        check(False, f"no instruction: {data}")


def export(device, id, *args):
    """The page a device makes of a case."""
    path = device.net.file(f"page-{len(os.listdir(device.net.path))}.html")
    result = device.ok("case", "export", id, "--html", path, *args)
    check("in the clear" in result.err, f"it is said: {result}")
    equal(0o600, os.stat(path).st_mode & 0o777, "for its owner alone")
    with open(path, encoding="utf-8", newline="") as f:
        return Page(f.read())


@test
def what_others_wrote_is_text_and_what_is_a_picture_is_shown():
    with Network() as net:
        doe, a, _ = net.three()
        net.write("note.md", NOTE)
        files = {NAME: png(), "scan.jpeg": b"\xff\xd8\xff\xe0" + os.urandom(40000),
                 "evil.png": b"<html><script>alert(1)</script></html>",
                 "evil.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
                 "n" * 240 + ".txt": b"text"}
        extra = [w for name, content in files.items() for w in ("--attach", net.write(name, content))]
        id = doe.send("a@clinic", subject="<b>S</b> \"'&\u202e\x1b", question="<i onclick=x>Q</i>",
                      extra=extra)
        a.ok("sync")
        a.act("read", id)
        net.write("reply.md", "Agreed </pre><script>\n")
        a.ok("reply", id, "--note", "reply.md")
        a.act("ack", id, "--text", "I <u>take</u> it")
        doe.ok("sync")
        page = export(a, id)
        check("\\x1b[2J" in page.text and "\\u202eright" in page.text, "what hides is shown")
        shown = NOTE.replace("\x1b", "\\x1b").replace("\x07", "\\x07")
        shown = shown.replace("\u202e", "\\u202e").replace("\u202c", "\\u202c")
        check("\n" + shown in page.blocks, f"the note, word for word: {page.blocks}")
        check(any(h.startswith("1. Request: <b>S</b> \"'&\\u202e") for h in page.heads), page.heads)
        check(any(h.startswith("2. Reply") for h in page.heads), f"in order: {page.heads}")
        equal({files[NAME], files["scan.jpeg"]}, set(page.images), "pictures, byte by byte")
        check(any("onerror=alert(2)" in alt and "\\u202e" in alt for alt in page.alts), page.alts)
        for name in ("evil.png", "evil.svg", "n" * 240):
            check(name in page.text, f"{name} is listed")
        for word in ("j.doe@mnoncology", "Minnesota practice", "The Clinic", "Opened here",
                     "consil receipt export", "verified when it came", "Ed25519"):
            check(word in page.text, f"{word}: {page.text}")
        mine = export(doe, id)
        equal({files[NAME], files["scan.jpeg"]}, set(mine.images),
              "what was sent is kept, and shown")
        check("takes it on" in mine.text and "I <u>take</u> it" in mine.text, f"receipts: {mine.text}")
        check("Custody (relay)" in mine.text, "custody")

        path = net.file("kept.html")
        a.ok("case", "export", id, "--html", path, "--offline")
        before = open(path, "rb").read()
        again = a.run("case", "export", id, "--html", path, "--offline")
        check(again.code != 0 and "--force" in again.err, f"not over it: {again}")
        equal(before, open(path, "rb").read(), "it is as it was")
        forced = a.ok("case", "export", id, "--html", path, "--offline", "--force", "--json").json()
        equal((2, 2), (forced[0]["messages"], forced[0]["images"]), f"told: {forced}")
        equal([], [n for n in os.listdir(net.path) if n.startswith("kept.html.")], "nothing is left")
        Page(a.ok("case", "export", id, "--html", "-", "--offline").out)
        equal(2, a.run("case", "export", id, "--html", "-", "--json", "--offline").code, "not both")
        equal(2, a.run("case", "export", id, "--offline").code, "where to")
        equal(3, a.run("case", "export", "00000000", "--html", net.file("x"), "--offline").code, "no case")
        check(not os.path.exists(net.file("x")), "no page of nothing")
        with open("/dev/full", "w") as full:
            done = subprocess.run([os.path.join(BUILD, "consil"), "case", "export", id, "--html", "-",
                                   "--offline"], stdout=full, stderr=subprocess.PIPE,
                                  env={**os.environ, "CONSIL_HOME": a.home})
        equal(1, done.returncode, "a full disk is no success")

        doe.ok("withdraw", id, "--reason", "wrong-patient")
        a.ok("sync")
        for device in (doe, a):
            with_it = export(device, id)
            at, first = with_it.text.find("WITHDRAWN by its sender"), with_it.text.find("# Findings")
            check(0 < at < first, f"{device.name}: above the message: {with_it.text}")
            check("ANOTHER PATIENT" in with_it.text, "why")


@test
def key_images_of_a_study_are_rendered():
    if not shutil.which("dcmj2pnm") or not shutil.which("dcmdump"):
        raise Skipped("dcmtk is not installed")
    shared = os.environ.get("CONSIL_SHARED", "../shared")
    images = sorted(os.path.join(folder, name)
                    for folder, _, names in os.walk(os.path.join(shared, "samples", "imaging"))
                    for name in names if name.endswith(".dcm"))
    if not images:
        raise Skipped("no ../shared")
    with Network() as net:
        doe, a, _ = net.three()
        id = doe.send("a@clinic", extra=["--imaging", os.path.dirname(os.path.abspath(images[0]))])
        a.ok("sync")
        page = export(a, id)
        check(len(page.images) > 0, page.text)
        check(all(i.startswith(b"\x89PNG\r\n\x1a\n") for i in page.images), "PNG")
        check("Imaging" in page.text and "not for diagnosis" in page.text, page.text)
        gone = a.ok("case", "export", id, "--html", "-", "--offline", env={"PATH": "/nowhere"})
        check("install the package dcmtk" in Page(gone.out).text, "said plainly")


main()
