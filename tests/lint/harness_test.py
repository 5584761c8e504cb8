#!/usr/bin/env python3
"""Shows that tests/run counts what passes and misses nothing that fails."""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# name: (script of a test program, what the last line says, a line that must be there)
CASES = {
    "counts passes": ("echo ok a; echo ok b", "2 passed, 0 failed", ""),
    "counts failures": ("echo ok a; echo 'not ok b - why'; exit 1",
                        "1 passed, 1 failed", "not ok b - why"),
    "counts skips": ("echo ok a; echo 'skip b - no ../shared'",
                     "1 passed, 0 failed, 1 skipped", "skipped: no ../shared"),
    "reads cmocka": ("echo 1..3; echo 'ok 1 - a'; echo 'skipped: no x';"
                     "echo 'not ok 2 # SKIP b'; echo 'ok 3 - c'; echo '# ok - prog'",
                     "2 passed, 0 failed, 1 skipped", "skipped: no x"),
    "sees an exit code": ("echo ok a; exit 3", "1 passed, 1 failed", "ended with 3"),
    "sees a crash": ("echo 1..2; echo 'ok 1 - a'; kill -SEGV $$",
                     "1 passed, 1 failed", "broke off after 1 of 2 tests"),
    "sees an empty run": ("true", "0 passed, 1 failed", "reported no test"),
    "ends what hangs": ("# timeout: 1\necho ok a; sleep 60",
                        "1 passed, 1 failed", "not done after 1 s"),
    "ends what is left behind": ("echo ok a; sleep 60 &",
                                 "1 passed, 1 failed", "left processes behind"),
    "sees a daemon's sanitizer report": (
        'echo ok a; log=${ASAN_OPTIONS#*log_path=}; echo "heap bug" >"${log%%:*}.1"',
        "1 passed, 1 failed", "heap bug"),
    "gives an empty TMPDIR": ('[ -z "$(ls -A "$TMPDIR")" ] && echo ok a && touch "$TMPDIR/x"',
                              "1 passed, 0 failed", ""),
}


def run_case(script):
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "tests", "e2e"))
        shutil.copy(os.path.join(ROOT, "tests", "run"), os.path.join(root, "tests", "run"))
        program = os.path.join(root, "tests", "e2e", "case_test.sh")
        with open(program, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\n{script}\n")
        os.chmod(program, 0o755)
        done = subprocess.run([os.path.join(root, "tests", "run"), "e2e"],
                              capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()


def main():
    failed = False
    for name, (script, last, wanted) in CASES.items():
        code, lines = run_case(script)
        good = (lines and lines[-1] == last and any(wanted in line for line in lines)
                and (code == 0) == (", 0 failed" in last))
        failed |= not good
        if not good:
            print("\n".join(f"# {line}" for line in lines))
        print(f"{'ok' if good else 'not ok'} tests/run {name}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
