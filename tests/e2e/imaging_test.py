#!/usr/bin/env python3
"""Images of a case: what is checked before they go, what is only referred to and how."""
import functools
import json
import os
import shutil
import subprocess
import sys

from network import Network, Skipped, check, equal, main, run, test

SHARED = os.environ.get("CONSIL_SHARED") or os.path.join(
    os.path.dirname(__file__), "..", "..", "..", "shared")
IMAGING = os.path.abspath(os.path.join(SHARED, "samples", "imaging"))
STUDY = os.path.join(IMAGING, "ct-study")
KOS = os.path.join(IMAGING, "MADO_KOS_B.dcm")
UID = "1.2.250.1.59.40211.22756022.2.1.102"
ONE = STUDY + "/Study_B/Series_B_1/I5.dcm"


def modified(net, name, *changes):
    """A copy of one image with other attributes."""
    path = net.file(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copyfile(ONE, path)
    subprocess.run(["dcmodify", "-q", "-nb", *(w for c in changes for w in ("-i", c)), path],
                   check=True)
    return path


@functools.cache
def shared():
    """One network for all: a physician and a specialist."""
    doe, a, b = NET.three()
    return NET, doe, a


def uids(studies):
    return sorted(i["uid"] for st in studies for se in st["series"] for i in se["images"])


@test
def the_real_study_passes_with_two_warnings():
    result = run("consil", "imaging", "check", STUDY, "--json")
    equal(0, result.code, str(result))
    shown = result.json()[0]
    equal(["accession numbers", "study dates"],
          sorted(" ".join(w.split()[1:3]) for w in shown["warnings"]), "warnings")
    (study,) = shown["studies"]
    equal([20, 1], [se["instances"] for se in study["series"]], "instances")
    equal(("HEAD", "CT", "M"),
          (study["series"][0]["body_part"], study["series"][0]["modality"], study["sex"]), "facts")
    equal({"Of Interest"}, {k["title"] for k in study["key_images"]}, "title of the key object")
    equal(3, len(study["key_images"]), "key images")
    check(study["root"] and all(i["sha256"] for i in study["series"][0]["images"]), "hashes")
    words = run("consil", "imaging", "check", STUDY)
    equal(2, words.err.count("warning:"), f"in words: {words}")


@test
def a_key_object_lists_the_same_instances():
    there = run("consil", "imaging", "check", STUDY, "--json").json()[0]["studies"]
    result = run("consil", "imaging", "import", KOS, "--json")
    equal(0, result.code, str(result))
    listed = result.json()[0]["studies"]
    equal(uids(there), uids(listed), "the 21 instances")
    equal(f"https://dicomserver.com/AET/rs/studies/{UID}", listed[0]["retrieve"], "address")
    equal(None, listed[0]["root"], "no hashes, no root")
    check("proves nothing" in run("consil", "imaging", "import", KOS).out, "and that is said")


@test
def another_patient_is_refused_wherever_it_comes_from():
    net, doe, a = shared()
    base = ["--to", "a@clinic", "--subject", "S", "--question", "Q", "--note", "note.md"]
    before = len(doe.ok("sent", "--json").json())
    other = modified(net, "other/x.dcm", "(0010,0020)=4711", "(0010,0010)=Roe^Richard")
    for paths in ([STUDY, other], [other, STUDY]):
        result = run("consil", "imaging", "check", *paths)
        equal(4, result.code, f"a second patient: {result}")
        check("Roe" not in result.err and "4711" not in result.err, "no patient data")
    net.write("patient", "id: UV59569735\nname: DOE^John\nborn: 1977-05-30\n")
    equal(0, run("consil", "imaging", "check", STUDY, "--patient", net.file("patient")).code,
          "whom they are of")
    wrong = doe.run("send", *base, "--imaging", other, "--patient", net.file("patient"))
    equal(4, wrong.code, f"not whom the sender meant: {wrong}")
    check("Roe" not in wrong.err and "another patient" in wrong.err, str(wrong))
    # the case knows its patient from then on, at both ends
    id = doe.send("a@clinic", extra=["--patient", net.file("patient")])
    more = doe.run("send", "--case", id, "--note", "note.md", "--imaging", other)
    equal(4, more.code, f"added to the case: {more}")
    a.ok("sync")
    answer = a.run("reply", id, "--note", "note.md", "--imaging", other)
    equal(4, answer.code, f"in an answer: {answer}")
    equal("DOE^John", a.ok("read", id, "--json").json()[0]["patient"]["name"], "patient")
    equal(before + 1, len(doe.ok("sent", "--json").json()), "nothing else was sent")


@test
def broken_hierarchies_and_counts_are_refused():
    with Network(start=False) as net:
        for what, changes in (("UID", ["(0020,000d)=1.02.3"]),
                              ("the same instance", []),
                              ("two studies", ["(0008,0018)=1.2.3.4", "(0020,000d)=1.2.3"]),
                              ("instances in its series", ["(0008,0018)=1.2.3.6",
                                                           "(0020,1209)=7"])):
            path = modified(net, "one/x.dcm", *changes)
            result = run("consil", "imaging", "check", STUDY, path)
            check(result.code == 4 and what in result.err, f"{what}: {result}")
        with open(ONE, "rb") as f:
            body = f.read()
        at = body.rindex(b"102.201.36", 0, 2000) + 9  # of the data set, not of its header
        path = net.write("one/x.dcm", body[:at] + b"9" + body[at + 1:])
        result = run("consil", "imaging", "check", path)
        check(result.code == 4 and "another instance" in result.err, f"header: {result}")
        shutil.copytree(STUDY, net.file("cut"))
        subprocess.run(["chmod", "-R", "u+w", net.file("cut")], check=True)
        os.unlink(net.file("cut/Study_B/Series_B_1/I6.dcm"))
        result = run("consil", "imaging", "check", net.file("cut"))
        check(result.code == 4 and "is not here" in result.err, f"a key image is gone: {result}")


@test
def a_reference_says_what_is_there_and_what_it_proves():
    net, doe, a = shared()
    url = f"https://pacs.example/dicom-web/studies/{UID}"
    alone = doe.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q", "--note",
                    "note.md", "--imaging-ref", url)
    check(alone.code == 2 and "--imaging-hash" in alone.err, f"an address alone: {alone}")
    id = doe.send("a@clinic", extra=["--imaging-ref", url, "--imaging-hash", STUDY])
    shown = next(m for m in a.inbox() if m["id"] == id)
    equal([], shown["attachments"], "nothing is attached")
    (study,) = a.ok("read", id, "--json").json()[0]["imaging"]
    equal(url, study["retrieve"], "address")
    equal((21, 21), tuple(sum(se[k] for se in study["series"])
                          for k in ("referred", "hashed")), "all referred to, all hashed")
    check("21 of 21 are not in this message" in a.ok("read", id).out, "in words")
    id = doe.send("a@clinic", extra=["--imaging-ref", KOS])
    words = a.ok("read", id).out
    check("21 of 21 have no hash" in words, f"without hashes: {words}")


@test
def references_leave_as_fhir_and_key_object_and_come_back():
    net, doe, a = shared()
    url = f"https://pacs.example/dicom-web/studies/{UID}"
    id = doe.send("a@clinic", extra=["--imaging-ref", url, "--imaging-hash", STUDY])
    a.ok("sync")
    there = uids(run("consil", "imaging", "check", STUDY, "--json").json()[0]["studies"])
    for device, option in ((a, "--fhir"), (doe, "--kos"), (a, "--kos")):
        out = net.file(f"{device.name}{option}")
        device.ok("imaging", "export", id, option, out)
        equal(0o600, os.stat(out).st_mode & 0o777, "mode")
        (study,) = run("consil", "imaging", "import", out, "--json").json()[0]["studies"]
        equal(there, uids([study]), f"the same instances by {option}")
        equal((url, "DOE^John", "UV59569735", "19770530", "M", "20220822"),
              tuple(study[k] for k in ("retrieve", "patient_name", "patient_id", "birth_date",
                                       "sex", "date")), option)
        again = device.run("imaging", "export", id, option, out)
        equal(2, again.code, f"never over a file: {again}")
    bundle = json.load(open(net.file("a@clinic--fhir")))
    by_type = {e["resource"]["resourceType"]: e["resource"] for e in bundle["entry"]}
    equal({"system": "urn:dicom:uid", "value": f"urn:oid:{UID}"},
          by_type["ImagingStudy"]["identifier"][0], "identifier")
    equal("dicom-wado-rs", by_type["Endpoint"]["connectionType"]["code"], "connection")
    equal((2, 21), tuple(by_type["ImagingStudy"][k] for k in
                         ("numberOfSeries", "numberOfInstances")), "counts")
    shape = subprocess.run(["dsr2xml", "-q", net.file("a@clinic--kos")], capture_output=True)
    equal(0, shape.returncode, f"dcmtk reads it as a document: {shape.stderr}")


@test
def the_sample_fhir_manifest_lists_the_same_instances():
    there = uids(run("consil", "imaging", "check", STUDY, "--json").json()[0]["studies"])
    manifest = os.path.join(IMAGING, "mado-imaging-study-bundle.json")
    result = run("consil", "imaging", "import", manifest, "--json")
    equal(0, result.code, str(result))
    (study,) = result.json()[0]["studies"]
    equal(there, uids([study]), "the 21 instances")
    equal(("DOE^John", "8529258169397744", ""),
          tuple(study[k] for k in ("patient_name", "accession", "retrieve")), "facts")
    check("no https address" in result.json()[0]["warnings"][0], "http is left out, and said")
    with Network(start=False) as net:
        bundle = json.load(open(manifest))
        study = next(e["resource"] for e in bundle["entry"]
                     if e["resource"]["resourceType"] == "ImagingStudy")
        study["series"][0]["instance"].pop()
        result = run("consil", "imaging", "import", net.write("cut.json", json.dumps(bundle)))
        check(result.code == 4 and "numberOfInstances" in result.err, f"counts: {result}")
        for content in ("{}", "[", "{" * 5000, '{"resourceType": "ImagingStudy"}', "\0"):
            result = run("consil", "imaging", "import", net.write("bad.json", content))
            check(result.code in (3, 4), f"{content[:40]}: {result}")


@test
def key_images_are_drawn_where_asked_for():
    if not shutil.which("chafa"):
        raise Skipped("no chafa: apt-get install chafa")
    net, doe, a = shared()
    id = doe.send("a@clinic", extra=["--imaging", STUDY])
    a.ok("sync")
    plain = a.ok("read", id, "--pictures")
    check("\x1b" not in plain.out, "a pipe gets no picture by itself")
    drawn = a.ok("read", id, "--pictures-as", "symbols")
    check(drawn.out.count("\nOf Interest: Significant DICOM Instances\n") == 3
          and "\x1b[" in drawn.out, f"three of them: {drawn.out[-300:]!r}")
    check("\x1bP" in a.ok("read", id, "--pictures-as", "sixels").out, "as sixels")
    equal(2, a.run("read", id, "--pictures-as", "gif").code, "no such form")


@test
def what_a_sender_names_cannot_paint_the_screen():
    net, doe, a = shared()
    path = modified(net, "x/x.dcm", "(0008,103e)=a\x1b[31mred", "(0010,0010)=Doe\u202eeoD")
    id = doe.send("a@clinic", extra=["--imaging", path])
    a.ok("sync")
    for shown in (a.ok("read", id).out, run("consil", "imaging", "check", path).out):
        check("\x1b" not in shown and "\u202e" not in shown, f"made visible: {shown!r}")
        check("\\x1b" in shown or "\\u202e" in shown, f"but shown: {shown!r}")


with Network() as NET:
    try:
        main()
    except SystemExit as done:
        code = done.code
sys.exit(code)
