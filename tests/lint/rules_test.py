#!/usr/bin/env python3
"""Shows of every rule that it passes good code and fails on bad code."""
import os
import subprocess
import sys
import tempfile

import rules

TESTS = {}


def shows(rule_name):
    def add(test):
        TESTS.setdefault(rule_name, []).append(test)
        return test
    return add


def check(rule_name, files, compiled=(), link=()):
    """Findings of one rule over a tree made of files, as path:line."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
        subprocess.run(["git", "init", "-q", root], check=True)
        build = os.path.join(root, "build")
        for source, target in compiled:
            target = os.path.join(build, target)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            options = ["-c"] if target.endswith(".o") else link
            subprocess.run(["cc", *options, "-o", target, source], cwd=root, check=True)
        found = rules.RULES[rule_name](rules.Tree(root, build))
        return [f"{f.path}:{f.line}" for f in found]


def expect(got, *wanted):
    if sorted(got) != sorted(wanted):
        raise AssertionError(f"found {got}, expected {list(wanted)}")


@shows("includes-follow-the-layers")
def layers():
    rule = "includes-follow-the-layers"
    expect(check(rule, {
        "proto/a.c": '#include "proto/base/b.h"\n',
        "keys/a.c": '#include "proto/a.h"\n',
        "relay/a.c": '#include "keys/verify.h"\n#include "keys/directory.h"\n',
        "relay/daemon/a.c": '#include "relay/a.h"\n',
        "client/cli/a.c": '#include "client/cli/b.h"\n#include "keys/seal.h"\n',
        "tests/unit/a.c": '#include "relay/a.h"\n#include "client/a.h"\n'}))
    expect(check(rule, {
        "proto/a.c": '\n#include "keys/a.h"\n',
        "proto/base/a.c": '#include "proto/a.h"\n',
        "keys/a.c": '#include "keys/admin/a.h"\n',
        "keys/admin/a.c": '#include "client/a.h"\n',
        "relay/a.c": '#include "keys/open.h"\n',
        "relay/b.c": '#include "client/a.h"\n',
        "client/a.c": '#include "relay/a.h"\n',
        "client/b.h": '#include "b2.h"\n',
        "client/c.c": '#include "tests/test.h"\n'}),
        "proto/a.c:2", "proto/base/a.c:1", "keys/a.c:1", "keys/admin/a.c:1",
        "relay/a.c:1", "relay/b.c:1", "client/a.c:1", "client/b.h:1", "client/c.c:1")


@shows("includes-are-in-order")
def include_order():
    rule = "includes-are-in-order"
    good = '#include "keys/a.h"\n\n#include <b.h>\n#include <c.h>\n\n#include "proto/d.h"\n'
    expect(check(rule, {
        "keys/a.c": good,
        "keys/err.h": '#include <a.h>\nenum x {\n#include "keys/a.def"\n};\n#include <b.h>\n'}))
    expect(check(rule, {
        "keys/a.c": '#include <b.h>\n#include "keys/a.h"\n',
        "keys/b.c": '#include <c.h>\n#include <b.h>\n',
        "keys/c.c": '#include "proto/d.h"\n#include <b.h>\n'}),
        "keys/a.c:1", "keys/b.c:2", "keys/c.c:2")


@shows("outside-libraries-stay-in-their-files")
def outside_libraries():
    rule = "outside-libraries-stay-in-their-files"
    expect(check(rule, {
        "proto/wire.c": "#include <msgpack.h>\n",
        "relay/store_lmdb_rows.c": "#include <lmdb.h>\n",
        "client/conn.c": "#include <nng/nng.h>\n",
        "relay/nngerr.c": "#include <nng/nng.h>\n",
        "tests/fuzz/wire_fuzz.c": "#include <msgpack.h>\n"}))
    expect(check(rule, {
        "proto/frame.c": "#include <msgpack.h>\n",
        "relay/mailbox.c": "#include <lmdb.h>\n",
        "relay/session.h": "#include <nng/supplemental/tls/tls.h>\n",
        "client/inbox.c": "\n\n#include <jansson.h>\n"}),
        "proto/frame.c:1", "relay/mailbox.c:1", "relay/session.h:1", "client/inbox.c:3")


@shows("proto-is-pure")
def pure():
    rule = "proto-is-pure"
    expect(check(rule, {
        "proto/a.c": "#include <string.h>\nint lifetime(int x); /* time() */\n",
        "keys/a.c": "#include <time.h>\n"}))
    expect(check(rule, {
        "proto/a.c": "#include <time.h>\nint t = time(0);\n",
        "proto/b.c": "void f(void) { randombytes_buf(p, 1); }\n"}),
        "proto/a.c:1", "proto/a.c:2", "proto/b.c:1")


@shows("symbols-carry-the-name-of-their-file")
def symbol_names():
    rule = "symbols-carry-the-name-of-their-file"
    objects = [("keys/seal.c", "obj/keys/seal.o")]
    expect(check(rule, {
        "keys/seal.c": "int cs_seal(void) { return 0; }\n"
                       "const int cs_seal_limit = 1;\nstatic int x;\n"
                       "int cs_seal_x(void) { return x; }\n"}, objects))
    expect(check(rule, {
        "keys/seal.c": "static int a;\n\nint cs_sealed(void) { return a; }\nint cs_open = 1;\n"},
        objects), "keys/seal.c:3", "keys/seal.c:4")


@shows("relay-cannot-open-or-seal")
def relay_symbols():
    rule = "relay-cannot-open-or-seal"
    program = [("relay/daemon/main.c", "consil-relay")]
    main = "int main(void) { return 0; }\n"
    expect(check(rule, {"relay/daemon/main.c": main}, program))
    expect(check(rule, {"relay/daemon/main.c": "int cs_hpke_open(void) { return 0; }\n" + main},
                 program), "consil-relay:1")


@shows("programs-are-hardened")
def hardened():
    rule = "programs-are-hardened"
    source = {"relay/daemon/main.c": "int main(void) { return 0; }\n"}
    program = [("relay/daemon/main.c", "consil-relay")]
    good = ["-fPIE", "-pie", "-Wl,-z,relro,-z,now,-z,noexecstack"]
    expect(check(rule, source, program, good))
    for weak in ["-no-pie", "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack"]:
        expect(check(rule, source, program, [*good, weak]), "consil-relay:1")


@shows("declarations-are-explained")
def declaration_comments():
    rule = "declarations-are-explained"
    expect(check(rule, {"keys/a.h": """
#define CS_ROW(stem) \\
	int cs_a_##stem(void);
CS_ROW(x)
/* What the two do. */
CS_MUST_USE int cs_a_one(int a,
    int b);
struct cs_a cs_a_two(void);

/* A type and its function. */
struct cs_a {
	int (*call)(void);
};
int cs_a_call(struct cs_a *a);
typedef int cs_a_fn(int);

static inline int
cs_a_inline(void)
{
	return 0;
}
"""}))
    expect(check(rule, {"keys/a.h": """
/* One. */
int cs_a_one(void);

int cs_a_two(void);
struct cs_b {
	int x; /* of b */
};
int cs_a_three(int x,
    int y);
"""}), "keys/a.h:5", "keys/a.h:9")


@shows("libraries-do-not-print-or-exit")
def quiet():
    rule = "libraries-do-not-print-or-exit"
    loud = "void f(void) { fprintf(stderr, \"x\"); exit(1); }\n"
    expect(check(rule, {
        "client/cli/send.c": loud, "keys/admin/main.c": loud, "relay/writer.c": loud,
        "proto/a.c": "/* exit(1) */ void f(void) { cs_buf_printf(b, \"printf(\"); x.exit(1); }\n"}))
    expect(check(rule, {"keys/a.c": "\n" + loud, "relay/b.c": "#include <syslog.h>\n"}),
           "keys/a.c:2", "keys/a.c:2", "relay/b.c:1")


@shows("secrets-are-compared-in-constant-time")
def constant_time():
    rule = "secrets-are-compared-in-constant-time"
    expect(check(rule, {
        "keys/a.c": "int f(void) { return memcmp(a, b, 16); } /* public: ids */\n"
                    "/* public: sorted by time */\nint g(void) { return memcmp(a, b, 16); }\n"
                    "int h(void) { return memcmp(relay_id, b, CS_ID_BYTES); }\n",
        "relay/a.c": "int f(void) { return memcmp(id, stage, 16); }\n"}))
    expect(check(rule, {
        "keys/a.c": "int f(void) { return memcmp(a, b, 16); }\n",
        "relay/a.c": "int f(void) { return memcmp(tag, want, 16); }\n",
        "keys/b.c": "int f(void) {\n\treturn memcmp(id_secret, b, CS_ID_BYTES);\n}\n",
        "client/a.c": "int f(void) { return cs_bytes_eq(header_mac, m); }\n"}),
        "keys/a.c:1", "keys/b.c:2", "relay/a.c:1", "client/a.c:1")


@shows("no-banned-functions")
def banned():
    rule = "no-banned-functions"
    expect(check(rule, {"client/a.c": "void f(void) { snprintf(a, b, c); e->system(1); }\n"}))
    expect(check(rule, {"client/a.c": "\nvoid f(void) { strcpy(a, b); system(c); }\n"}),
           "client/a.c:2", "client/a.c:2")


@shows("nothing-of-this-machine")
def machine():
    rule = "nothing-of-this-machine"
    expect(check(rule, {"docs/a.md": "see tests/work/x, https://example.org/work/y\n"}))
    # Put together here, since this file is checked as well.
    expect(check(rule, {
        "docs/a.md": "in /" + "work/main\n",
        "tests/package-lock.json": "\nhttps://registry." + "npmjs.org/x\n"}),
        "docs/a.md:1", "tests/package-lock.json:2")


@shows("layout-is-clang-formats")
def layout():
    rule = "layout-is-clang-formats"
    style = {".clang-format": "BasedOnStyle: LLVM\n"}
    expect(check(rule, {**style, "keys/a.c": "int x;\n"}))
    expect(check(rule, {**style, "keys/a.c": "int x;\nint  y ;\n"}), "keys/a.c:2")


def main():
    failed = False
    for name in rules.RULES:
        try:
            for test in TESTS[name]:
                test()
            print(f"ok {name} can fail")
        except rules.Unavailable as why:
            print(f"skip {name} can fail - {why}")
        except KeyError:
            failed = True
            print(f"not ok {name} can fail - add a test with @shows(\"{name}\")")
        except AssertionError as why:
            failed = True
            print(f"not ok {name} can fail - {why}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
