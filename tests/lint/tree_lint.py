#!/usr/bin/env python3
"""Check this tree against every rule of rules.py; TAP on stdout.

timeout: 600
"""
import os
import sys

import rules

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    tree = rules.Tree(ROOT, os.environ.get("BUILD", os.path.join(ROOT, "build")))
    failed = False
    for name, check in rules.RULES.items():
        try:
            findings = list(check(tree))
        except rules.Unavailable as why:
            print(f"skip {name} - {why}")
            continue
        for finding in findings:
            print(finding)
        failed |= bool(findings)
        print(f"not ok {name} - {len(findings)} places" if findings else f"ok {name}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
