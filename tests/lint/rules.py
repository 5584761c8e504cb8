"""The rules of the tree that a program can check (see docs/architecture.md).

A rule is a generator over a Tree: it yields a Finding for every place that
breaks it, and its message ends with what to do about it. @rule adds it to RULES;
rules_test.py shows of each that it can fail.
"""
import bisect
import functools
import itertools
import os
import re
import shutil
import subprocess
from typing import NamedTuple

RULES = {}


class Finding(NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


class Unavailable(Exception):
    """The rule cannot be checked here, for the reason given."""


def rule(check):
    RULES[check.__name__.replace("_", "-")] = check
    return check


class Tree:
    """A checkout and its build directory."""

    def __init__(self, root, build):
        self.root, self.build = root, build

    @functools.cached_property
    def files(self):
        """Everything git tracks or would track."""
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=self.root,
            check=True, capture_output=True, text=True).stdout.splitlines()
        return sorted(f for f in listed if os.path.isfile(os.path.join(self.root, f)))

    def code(self, suffixes=(".c", ".h"), tests=False):
        """C files of the product, or with tests also those of its tests."""
        folders = ("proto/", "keys/", "relay/", "client/") + (("tests/",) if tests else ())
        return [f for f in self.files if f.startswith(folders) and f.endswith(suffixes)]

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
            return f.read()

    @functools.lru_cache(maxsize=None)
    def bare(self, path):
        """The text with comments, strings and characters blanked out; every
        byte that is left is where it was."""
        return BLANKED.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), self.text(path))

    def search(self, pattern, path, text=None):
        """Matches of pattern as (line number, match)."""
        text = self.bare(path) if text is None else text
        starts = [m.end() for m in re.finditer("\n", text)]
        for m in re.finditer(pattern, text, re.MULTILINE):
            yield bisect.bisect_right(starts, m.start()) + 1, m

    def includes(self, path):
        """(line, name, is it "ours" and not <theirs>) of each #include."""
        for line, m in self.search(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]',
                                   path, self.text(path)):
            yield line, m[2], m[1] == '"'

    def symbols(self, relative, *options):
        """(type, name) of what nm lists for a file of the build directory."""
        path = os.path.join(self.build, relative)
        if not os.path.exists(path):
            raise Unavailable(f"{relative} is not built")
        listed = subprocess.run(["nm", "-P", *options, path], check=True,
                                capture_output=True, text=True).stdout
        return [(fields[1], fields[0]) for fields in map(str.split, listed.splitlines())
                if len(fields) >= 2]

    def exports(self, sources):
        """(source, name) of all that the objects of these sources export; one nm for all."""
        objects = {os.path.join(self.build, f"obj/{path[:-2]}.o"): path for path in sources}
        if missing := [o for o in objects if not os.path.exists(o)]:
            raise Unavailable(f"{missing[0]} is not built")
        listed = subprocess.run(["nm", "-PAg", "--defined-only", *objects], check=True,
                                capture_output=True, text=True).stdout if objects else ""
        for line in listed.splitlines():
            where, name = line.split()[:2]
            yield objects[where.rstrip(":")], name


BLANKED = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""",
                     re.DOTALL)


def matches(path, patterns):
    return any(re.fullmatch(p, path) for p in patterns)


# ------------------------------------------------------------------- includes

# What a file whose path starts with the first may include; the first row that
# fits counts, so programs (keys/admin/) come before their library (keys/).
LAYERS = [
    ("proto/base/", [r"proto/base/.*"]),
    ("proto/", [r"proto/.*"]),
    # The registrar's program speaks to the relay as a client does.
    ("keys/admin/", [r"proto/.*", r"keys/.*", r"client/(ask|confirm|conn|day|mirror|options|particulars|passphrase|present|relock|vetting|why|witnesshome|witnessing)\.h"]),
    ("keys/", [r"proto/.*", r"keys/[^/]*"]),
    ("relay/daemon/", [r"proto/.*", r"relay/.*",
                       r"keys/(verify|noise|secret|keyring|directory|file)\.h"]),
    ("relay/", [r"proto/.*", r"relay/[^/]*",
                r"keys/(verify|noise|secret|keyring|directory|file)\.h"]),
    ("client/cli/", [r"proto/.*", r"keys/[^/]*", r"client/.*"]),
    ("client/", [r"proto/.*", r"keys/[^/]*", r"client/[^/]*"]),
]


@rule
def includes_follow_the_layers(tree):
    """proto <- keys <- client | relay, and no library knows its program."""
    for path in tree.code():
        allowed = next(a for prefix, a in LAYERS if path.startswith(prefix))
        for line, name, ours in tree.includes(path):
            if not ours:
                continue
            if not re.match(r"(proto|keys|relay|client|tests)/", name):
                yield Finding(path, line, f'"{name}" is not written from the root: '
                              'write it "folder/stem.h"')
            elif not matches(name, allowed):
                yield Finding(path, line, f'"{name}" is not below this layer: take what is '
                              "needed as an argument, or move the code to the layer that "
                              "may use it (docs/architecture.md has the table)")


@rule
def includes_are_in_order(tree):
    """Own header, then <system>, then "ours", each group sorted."""
    for path in tree.code():
        own = path[:-2] + ".h"
        block, last = [], 0
        for line, name, ours in tree.includes(path):
            between = tree.bare(path).splitlines()[last:line - 1]
            if last and any(text.strip() for text in between):
                break  # code or #if in between: from here on order may matter
            block.append((line, name, ours))
            last = line
        if path.endswith(".c") and own in (name for _, name, _ in block):
            if block[0][1] != own:
                yield Finding(path, block[0][0], f'the first include must be "{own}": '
                              "so every header is shown to stand alone")
            block = [b for b in block if b[1] != own]
        keys = [(ours, name) for _, name, ours in block]
        for i in range(1, len(keys)):
            if keys[i] < keys[i - 1]:
                yield Finding(path, block[i][0], f"{keys[i][1]} is out of order: sort "
                              '<system> includes, then "ours"')
                break


# Headers of outside libraries and the files that may see them.
OUTSIDE = {
    r"msgpack(\.h|/.*)": [r"proto/wire\.c"],
    r"lmdb\.h": [r"relay/store_lmdb\w*\.[ch]", r"client/local\w*\.[ch]"],
    r"nng/.*": [r"relay/(server|monitor)\.c", r"client/conn\.c", r"\w+/nngerr\.[ch]"],
    r"jansson\.h": [r"client/cli/.*", r"keys/admin/.*", r"client/present\.[ch]",
                     r"client/(particulars|vetrules|vetting)\.[ch]",
                     r"client/(keyobject|fhirstudy)\.c"],
    r"curl/.*": [r"client/wadors\.c"],
    r"cmocka\.h": [],
}


@rule
def outside_libraries_stay_in_their_files(tree):
    """A library that few files see can be replaced, and its types do not spread."""
    for path in tree.code():
        for line, name, _ in tree.includes(path):
            for header, allowed in OUTSIDE.items():
                if re.fullmatch(header, name) and not matches(path, allowed):
                    where = ", ".join(a.replace("\\", "") for a in allowed) or "tests"
                    yield Finding(path, line, f"<{name}> belongs to {where}: "
                                  "call a function of that file")


# What makes proto more than arithmetic over bytes.
IMPURE_HEADERS = r"(sys/.*|net.*|arpa/.*|fcntl|unistd|time|pthread|threads|poll|signal|nng/.*)\.h"
IMPURE_CALLS = (r"\b(fopen|open|socket|time|clock|clock_gettime|gettimeofday|getrandom|"
                r"getenv|randombytes_\w+|pthread_\w+)\s*\(")


@rule
def proto_is_pure(tree):
    """proto takes bytes and gives values: it can be fuzzed and simulated."""
    remedy = "proto has no files, sockets, threads, clock or randomness: pass the value in"
    for path in tree.code():
        if not path.startswith("proto/"):
            continue
        for line, name, ours in tree.includes(path):
            if not ours and re.fullmatch(IMPURE_HEADERS, name):
                yield Finding(path, line, f"<{name}>: {remedy}")
        for line, m in tree.search(IMPURE_CALLS, path):
            yield Finding(path, line, f"{m[1]}(): {remedy}")


# -------------------------------------------------------------------- symbols


@rule
def symbols_carry_the_name_of_their_file(tree):
    """foo.c exports cs_foo and cs_foo_*: a name tells where to look."""
    for path, name in tree.exports(tree.code((".c",))):
        stem = os.path.basename(path)[:-2]
        if re.fullmatch(rf"cs_{stem}(_\w+)?", name) or (stem, name) == ("main", "main"):
            continue
        line = next((n for n, _ in tree.search(rf"\b{re.escape(name)}\b", path)), 1)
        yield Finding(path, line, f"exports {name}: make it static, or name it "
                      f"cs_{stem}_..., or move it to the file it is named after")


@rule
def relay_cannot_open_or_seal(tree):
    """What is not in the program cannot be made to run there."""
    if "relay/daemon/main.c" not in tree.files:
        raise Unavailable("there is no consil-relay yet")
    for _, name in tree.symbols("consil-relay"):
        if re.match(r"cs_(open|seal|hpke)", name):
            yield Finding("consil-relay", 1, f"contains {name}: find what calls it and cut "
                          "that dependency; the relay only verifies")


PROGRAMS = {"consil": "client/cli/", "consil-relay": "relay/daemon/",
            "consil-admin": "keys/admin/"}


@rule
def programs_are_hardened(tree):
    """What the flags of the Makefile asked for is in what came out."""
    built = [p for p, folder in PROGRAMS.items() if f"{folder}main.c" in tree.files]
    if not built:
        raise Unavailable("there are no programs yet")
    for program in built:
        path = os.path.join(tree.build, program)
        if not os.path.exists(path):
            raise Unavailable(f"{program} is not built")
        elf = subprocess.run(["readelf", "-hldW", path], check=True,
                             capture_output=True, text=True).stdout
        for what, pattern in {
                "loaded at a random address (-pie)": r"Type:\s+DYN",
                "relocated read-only (-z relro)": r"GNU_RELRO",
                "bound at start (-z now)": r"\bBIND_NOW\b|Flags:.*\bNOW\b",
                "without an executable stack": r"GNU_STACK\s+\S+ \S+ \S+ \S+ \S+ RW "}.items():
            if not re.search(pattern, elf):
                yield Finding(program, 1, f"is not {what}: see HARDEN in the Makefile")


# --------------------------------------------------------------- declarations


def declarations(tree, path):
    """(line, text) of each function prototype of a header."""
    # Preprocessor lines, also continued ones, are no part of declarations.
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m[0]),
                  tree.bare(path), flags=re.MULTILINE)
    # Nor are rows of tables, NAME(stem), which need no semicolon.
    text = re.sub(r"^[A-Z_]+\(\w*\);?$", lambda m: " " * len(m[0]), text, flags=re.MULTILINE)
    line, depth, start, current = 1, 0, None, []
    for c in text:
        if start is None and not c.isspace():
            start = line
        if start is not None:
            current.append(c)
        depth += {"{": 1, "}": -1}.get(c, 0)
        if c == ";" and depth == 0:
            statement = "".join(current)
            if "(" in statement and "{" not in statement and \
                    not re.match(r"typedef\b|static\b|_Static_assert\b", statement):
                yield start, statement
            start, current = None, []
        elif c == "}" and depth == 0 and "(" in "".join(current).split("{")[0]:
            start, current = None, []  # an inline function: no semicolon follows
        line += c == "\n"


@rule
def declarations_are_explained(tree):
    """The paragraph of a declaration, up to a blank line, has a comment above
    it. A type and its functions, or functions of one kind, may share one."""
    for path in tree.code((".h",)):
        lines = tree.text(path).splitlines()
        for line, statement in declarations(tree, path):
            paragraph = itertools.takewhile(str.strip, reversed(lines[:line - 1]))
            # A comment within a struct is indented and does not count.
            if any(re.match(r"/\*| \*", text) for text in paragraph):
                continue
            name = re.search(r"(\w+)\s*\(", statement)
            yield Finding(path, line, f"{name[1] if name else 'declaration'} has no comment "
                          "directly above: say what it does, who owns the arguments, what "
                          "it returns")


# ------------------------------------------------------------------ behaviour

LOUD_FILES = [r".*/main\.c", r"client/cli/.*", r"keys/admin/.*", r"relay/daemon/.*",
              r"client/present\.c", r"relay/server\.c", r"relay/writer\.c"]
LOUD = (r"(?<![\w.>])((?:v?printf|puts|putchar|perror|v?syslog|exit|_exit|_Exit|quick_exit)"
        r"(?=\s*\()|stdout\b|stderr\b)")


@rule
def libraries_do_not_print_or_exit(tree):
    """Only the programs, the server and the writer talk or end the process."""
    for path in tree.code():
        if matches(path, LOUD_FILES):
            continue
        for line, m in tree.search(LOUD, path):
            yield Finding(path, line, f"{m[1]}: return a cs_err and let the caller speak")
        for line, name, _ in tree.includes(path):
            if name in ("err.h", "syslog.h"):
                yield Finding(path, line, f"<{name}>: return a cs_err and let the caller speak")


SECRET_WORD = re.compile(r"(?<![a-z])(h?mac|tag|secret|seed|pass|passphrase|private|sk)(?![a-z])")
PUBLIC_WORD = re.compile(r"(?<![a-z])(public|ids?|root|hash|address|name)(?![a-z])|"
                         r"CS_(ID|NETWORK_ID|SIGN_PUBLIC|KEM_PUBLIC)_BYTES")


@rule
def secrets_are_compared_in_constant_time(tree):
    """memcmp tells by its time where two buffers differ. In keys/, where the
    secrets are, what it compares must be public by its name or a comment."""
    for path in tree.code():
        lines = tree.text(path).splitlines()
        for line, m in tree.search(r"\b(memcmp|bcmp|cs_bytes_eq)\s*\(([^;{]*)", path):
            beside = "\n".join(lines[max(0, line - 2):line])
            if re.search(r"/\*[^/]*\bpublic\b", beside):
                continue
            if SECRET_WORD.search(m[2]):
                yield Finding(path, line, f"{m[1]} on what is named like a secret: use "
                              "cs_secret_eq, or sodium_memcmp for a tag; if both sides are "
                              "public, say so beside it: /* public */")
            elif path.startswith("keys/") and not PUBLIC_WORD.search(m[2]):
                yield Finding(path, line, f"{m[1]} in keys/: use cs_secret_eq; if both sides "
                              "are public, name them so, or say so beside it: /* public */")


BANNED = {
    "strcpy": "use memcpy with a checked length", "strcat": "use struct cs_buf",
    "sprintf": "use snprintf or cs_buf_printf", "vsprintf": "use vsnprintf or struct cs_buf",
    "gets": "use getline", "strtok": "use strtok_r or a cursor", "strncpy": "use memcpy",
    "atoi": "use strtoull and check", "atol": "use strtoull and check",
    "system": "use posix_spawn with an argument vector",
    "popen": "use posix_spawn with an argument vector",
    "rand": "use randombytes_buf", "random": "use randombytes_buf",
    "tmpnam": "use mkstemp", "mktemp": "use mkstemp", "alloca": "use malloc",
}


@rule
def no_banned_functions(tree):
    """Functions whose safe use needs more care than their replacement."""
    pattern = rf"(?<![\w.>])({'|'.join(BANNED)})\s*\("
    for path in tree.code():
        for line, m in tree.search(pattern, path):
            yield Finding(path, line, f"{m[1]}(): {BANNED[m[1]]}")


# ------------------------------------------------------------------- the tree

# Written as patterns, so that this file does not contain what it looks for.
MACHINE_PATH = r"(?<![\w.])/(work|root)/[\w.]"
REGISTRY_HOST = (r"\b(registry\.(npmjs|yarnpkg)|(deb|ftp|security|snapshot)\.debian|pypi\.python|"
                 r"files\.pythonhosted|archive\.ubuntu)\.\w+|\bpypi\.org|\bproxy\.golang\.\w+")


@rule
def nothing_of_this_machine(tree):
    """No paths of the machine it was made on, no addresses of registries."""
    for path in tree.files:
        with open(os.path.join(tree.root, path), "rb") as f:
            if b"\0" in f.read(8192):
                continue
        for line, m in tree.search(MACHINE_PATH, path, tree.text(path)):
            yield Finding(path, line, f"{m[0]}...: a path of one machine; "
                          "use a path relative to the root, or a variable")
        for line, m in tree.search(REGISTRY_HOST, path, tree.text(path)):
            yield Finding(path, line, f"{m[0]}: the host of a registry; "
                          "let each machine's own configuration name it")


@rule
def layout_is_clang_formats(tree):
    """One layout, decided by a program; version 14, since others differ."""
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    version = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout \
        if tool else ""
    if "version 14." not in version:
        raise Unavailable("no clang-format 14")
    files = tree.code(tests=True)
    if not files:
        return
    complaints = subprocess.run([tool, "--dry-run", "--ferror-limit=1", *files],
                                cwd=tree.root, capture_output=True, text=True).stderr
    for m in re.finditer(r"^([^\s:]+):(\d+):\d+: (?:warning|error): code should be clang-formatted",
                         complaints, re.MULTILINE):
        yield Finding(m[1], int(m[2]), "differs from the common layout: run `make format`")
