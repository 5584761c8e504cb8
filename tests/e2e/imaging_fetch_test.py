#!/usr/bin/env python3
"""`consil imaging fetch`: from a real Orthanc, and from archives that misbehave."""
import base64
import functools
import http.server
import json
import os
import shutil
import socketserver
import ssl
import subprocess
import sys
import threading
import urllib.request

from network import BUILD, Network, Skipped, check, equal, free_port, main, test, wait_until

SHARED = os.environ.get("CONSIL_SHARED") or os.path.join(
    os.path.dirname(__file__), "..", "..", "..", "shared")
STUDY = os.path.abspath(os.path.join(SHARED, "samples", "imaging", "ct-study"))
KOS = os.path.join(os.path.dirname(STUDY), "MADO_KOS_B.dcm")
UID = "1.2.250.1.59.40211.22756022.2.1.102"
FIFTH = "1.2.250.1.59.40211.22756022.2.3.102.201.36"
PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"


def files(folder):
    return sorted(os.path.join(d, f) for d, _, names in os.walk(folder) for f in names)


@functools.cache
def instances():
    """Bytes by UID, of the real study."""
    paths = files(STUDY)
    out = subprocess.run(["dcmdump", "-q", "-Un", "+P", "0008,0018", *paths], check=True,
                         capture_output=True, text=True).stdout
    lines = [line for line in out.splitlines() if line.startswith("(")]
    return {line.split("[")[1].split("]")[0]: open(path, "rb").read()
            for path, line in zip(paths, lines, strict=True)}


class Archive:
    """Answers as .answer says: (status, headers, body) of the instance asked for."""

    def __init__(self, tls=None):
        archive = self
        self.seen = []
        self.answer = self.multipart

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                archive.seen.append((self.path, dict(self.headers)))
                status, headers, body = archive.answer(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *args: None  # who asked is gone
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://localhost:{self.server.server_address[1]}/rs"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def multipart(path, change=lambda body: body):
        body = change(instances()[path.rsplit("/", 1)[1]])
        kind = 'multipart/related; type="application/dicom"; boundary="a b"'
        return 200, {"Content-Type": kind}, (
            b"--a b\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n--a b--\r\n")


@functools.cache
def shared():
    """One network for all: a physician and a specialist."""
    doe, a, b = NET.three()
    return NET, doe, a


def send_reference(doe, url="https://pacs.example/rs"):
    return doe.send("a@clinic", extra=["--imaging-ref", f"{url}/studies/{UID}",
                                       "--imaging-hash", STUDY])


def same_study(folder):
    equal(sorted(instances().values()), sorted(open(f, "rb").read() for f in files(folder)),
          "every instance, byte by byte")


class Orthanc:
    def __init__(self, net):
        if not os.path.exists(PLUGIN) or not shutil.which("Orthanc"):
            raise Skipped("no Orthanc with DICOMweb: apt-get install orthanc orthanc-dicomweb")
        port = free_port()
        self.net, self.root = net, f"http://127.0.0.1:{port}"
        self.url = self.root + "/dicom-web"
        conf = {"StorageDirectory": net.file("orthanc"), "IndexDirectory": net.file("orthanc"),
                "HttpPort": port, "DicomServerEnabled": False, "RemoteAccessAllowed": False,
                "AuthenticationEnabled": True, "RegisteredUsers": {"doc": "secret"},
                "Plugins": [PLUGIN], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"}}
        os.mkdir(net.file("orthanc"))
        with open(net.file("orthanc.log"), "w") as log:
            self.process = subprocess.Popen(
                ["Orthanc", net.write("orthanc.json", json.dumps(conf))], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL)

    def __enter__(self):
        wait_until(self.is_up, "Orthanc answers", 60)
        return self

    def __exit__(self, *args):
        self.process.terminate()
        self.process.wait(timeout=30)

    def ask(self, path, data=None, method=None):
        request = urllib.request.Request(self.root + path, data=data, method=method)
        word = base64.b64encode(b"doc:secret").decode()
        request.add_header("Authorization", f"Basic {word}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def is_up(self):
        try:
            return self.ask("/system")
        except OSError:
            check(self.process.poll() is None, open(self.net.file("orthanc.log")).read()[-2000:])
            return False

    def store(self, body):
        return json.loads(self.ask("/instances", body, "POST"))["ID"]


@test
def a_study_in_orthanc_is_fetched_and_an_altered_pixel_named():
    net, doe, a = shared()
    with Orthanc(net) as orthanc:
        stored = {uid: orthanc.store(body) for uid, body in instances().items()}
        id = send_reference(doe)
        a.ok("sync")
        host = orthanc.url.split("/")[2].split(":")[0]
        net.write("netrc", f"machine {host} login doc password secret\n")
        fetch = ["imaging", "fetch", id, "--from", orthanc.url, "--netrc-file", net.file("netrc")]
        denied = a.run("imaging", "fetch", id, "--from", orthanc.url, "-o", net.file("denied"))
        equal(4, denied.code, f"without the password: {denied}")
        told = a.ok(*fetch, "-o", net.file("told"), "--json").json()[0]
        equal((sorted(instances()), {True}), (sorted(f["uid"] for f in told["files"]),
                                              {f["proven"] for f in told["files"]}), "as JSON")
        got = a.ok(*fetch, "-o", net.file("got"))
        check("each as it was signed" in got.out, got.out)
        same_study(net.file("got"))
        equal({0o600}, {os.stat(f).st_mode & 0o777 for f in files(net.file("got"))}, "modes")
        again = a.ok("imaging", "check", net.file("got"), "--json").json()[0]
        equal(2, len(again["warnings"]), "dcmtk reads what was written")
        for path in files(net.file("got"))[:2]:
            orthanc.store(open(path, "rb").read())  # and Orthanc takes it back
        # one altered pixel in the archive
        body = bytearray(instances()[FIFTH])
        body[-100] ^= 1
        orthanc.ask(f"/instances/{stored[FIFTH]}", method="DELETE")
        orthanc.store(bytes(body))
        result = a.run(*fetch, "-o", net.file("altered"))
        equal(4, result.code, f"altered: {result}")
        check(FIFTH in result.err and "not what was signed" in result.err, f"named: {result.err}")
        equal([], [f for f in os.listdir(net.path) if f.startswith((".consil", "altered"))],
              "nothing is left")


@test
def archives_that_misbehave_are_refused():
    net, doe, a = shared()
    with Archive() as archive, Archive() as other:
        id = send_reference(doe)
        a.ok("sync")
        out = net.file("bad-out")

        def fetch(*args):
            return a.run("imaging", "fetch", id, "-o", out, "--from", archive.url, *args)

        plain = Archive.multipart
        bad = {
            "redirects": (4, lambda p: (302, {"Location": other.url + p[3:]}, b"")),
            "HTTP 404": (3, lambda p: (404, {}, b"\x1b[31mred")),
            "not one DICOM instance": (4, lambda p: (200, {"Content-Type": "text/html"}, b"x")),
            "is not what was signed": (4, lambda p: plain(p, lambda b: b + b"\0")),
            "is not what was signed ": (4, lambda p: plain(p, lambda b: b[:-1])),
            "is not what was signed  ": (4, lambda p: plain(p, lambda b: b[:-1] + b"\1")),
            "not one DICOM instance ": (4, lambda p: (200, plain(p)[1], plain(p)[2][:-20])),
            "HTTP 503": (5, lambda p: (503, {}, b"")),
        }
        for words, (code, answer) in bad.items():
            archive.answer = answer
            result = fetch()
            equal(code, result.code, f"{words}: {result}")
            check(words.strip() in result.err and "\x1b" not in result.err, f"{words}: {result}")
            check(not os.path.exists(out), "nothing in place")
        equal([], other.seen, "no redirect was followed")
        archive.answer = plain
        fetch_ok = fetch()
        equal(0, fetch_ok.code, str(fetch_ok))
        same_study(out)
        asked = archive.seen[-1][0]
        check(asked.startswith(f"/rs/studies/{UID}/series/1.2.250") and "/instances/" in asked,
              f"as the standard has it: {asked}")
        equal('multipart/related; type="application/dicom"; transfer-syntax=*',
              archive.seen[-1][1]["Accept"], "what is asked for")
        result = fetch()
        check(result.code == 2 and "there already" in result.err, f"never over a folder: {result}")
        equal([], [f for f in os.listdir(net.path) if f.startswith(".consil")], "nothing is left")


@test
def what_is_broken_off_leaves_nothing():
    net, doe, a = shared()
    with Archive() as archive:
        id = send_reference(doe)
        a.ok("sync")
        go_on = threading.Event()

        def stall(path):
            if len(archive.seen) > 3:
                go_on.wait(60)
            return Archive.multipart(path)

        archive.answer = stall
        instances()
        fetch = subprocess.Popen(
            [os.path.join(BUILD, "consil"), "imaging", "fetch", id, "-o", net.file("broken"),
             "--from", archive.url], env={**os.environ, "CONSIL_HOME": a.home}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            wait_until(lambda: len(archive.seen) > 3, "some have come")
            check(any(f.startswith(".consil") for f in os.listdir(net.path)), "in a hidden folder")
            fetch.terminate()
            out, err = fetch.communicate(timeout=30)
        finally:
            fetch.kill()
            go_on.set()
        equal((5, ""), (fetch.returncode, out), f"it says so: {err}")
        check("stopped" in err, err)
        equal([], [f for f in os.listdir(net.path) if f.startswith((".consil", "broken"))],
              "nothing is left")


@test
def what_a_sender_names_gets_no_credentials_and_no_private_address():
    net, doe, a = shared()
    with Archive() as archive:
        id = send_reference(doe, archive.url)
        a.ok("sync")
        out = ["-o", net.file("named")]
        result = a.run("imaging", "fetch", id, *out)
        equal(2, result.code, f"http of the sender's: {result}")
        secure = send_reference(doe, archive.url.replace("http:", "https:"))
        a.ok("sync")
        result = a.run("imaging", "fetch", secure, *out)
        check(result.code == 4 and "private network" in result.err, f"loopback: {result}")
        net.write("netrc", "default login doc password secret\n")
        net.write("header", "Authorization: Bearer SECRET-31\n")
        os.chmod(net.file("header"), 0o600)
        for option in ("netrc", "header"):
            result = a.run("imaging", "fetch", id, *out, f"--{option}-file", net.file(option))
            check(result.code == 2 and "--from" in result.err, f"credentials: {result}")
        equal([], archive.seen, "nothing was asked")
        named = ["--from", archive.url, "--header-file", net.file("header")]
        os.chmod(net.file("header"), 0o644)
        equal(4, a.run("imaging", "fetch", id, *out, *named).code, "open to others")
        os.chmod(net.file("header"), 0o600)
        a.ok("imaging", "fetch", id, *out, *named)
        equal({"Bearer SECRET-31"}, {h["Authorization"] for _, h in archive.seen}, "header")
        result = a.run("imaging", "fetch", id, "-o", net.file("x"), "--from",
                       "http://192.0.2.1/rs")
        check(result.code == 2 and "only https" in result.err, f"http elsewhere: {result}")


@test
def a_certificate_is_verified():
    net, doe, a = shared()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", net.file("key"), "-out", net.file("cert")], check=True,
                   capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(net.file("cert"), net.file("key"))
    with Archive(tls) as archive:
        id = send_reference(doe)
        a.ok("sync")
        fetch = ["imaging", "fetch", id, "-o", net.file("tls"), "--from"]
        result = a.run(*fetch, archive.url)
        check(result.code == 4 and "certificate" in result.err, f"unknown: {result}")
        wrong = a.run(*fetch, archive.url.replace("localhost", "127.0.0.1"), "--ca-file",
                      net.file("cert"))
        check(wrong.code == 4, f"of another host: {wrong}")
        equal([], archive.seen, "nothing was asked")
        a.ok(*fetch, archive.url, "--ca-file", net.file("cert"))
        same_study(net.file("tls"))


@test
def without_hashes_only_when_asked_for_and_never_another_image():
    net, doe, a = shared()
    with Archive() as archive:
        id = doe.send("a@clinic", extra=["--imaging-ref", KOS])
        a.ok("sync")
        fetch = ["imaging", "fetch", id, "-o", net.file("plain"), "--from", archive.url]
        result = a.run(*fetch)
        check(result.code == 3 and "no hash" in result.err, f"not by itself: {result}")
        first = next(iter(instances()))
        archive.answer = lambda p: Archive.multipart(p.rsplit("/", 1)[0] + "/" + first)
        result = a.run(*fetch, "--without-hashes")
        check(result.code == 4 and "another instance" in result.err, f"another: {result}")
        archive.answer = Archive.multipart
        result = a.ok(*fetch, "--without-hashes")
        check("nothing is proved" in result.out, result.out)
        same_study(net.file("plain"))


with Network() as NET:
    try:
        main()
    except SystemExit as done:
        code = done.code
sys.exit(code)
