"""Vetting records for end-to-end tests: `consil-admin org template`, filled in."""
import datetime
import hashlib
import json

# With a check digit that fits (CMS, 45 CFR 162.406).
NPI = "1234567893"
EVIDENCE = b"minutes of the board\n"
DOMAINS = ("governance", "clinical_practice", "business_practice", "quality", "safety",
           "service")


def day(ahead=0):
    return (datetime.date.today() + datetime.timedelta(days=ahead)).isoformat()


def filled(template, **over):
    """A record that admits, as JSON; `over` replaces top-level keys."""
    record = json.loads(template)
    for domain in DOMAINS:
        record["domains"][domain] = {
            "finding": "in order",
            "evidence": [{"file": "minutes.txt",
                          "sha256": hashlib.sha256(EVIDENCE).hexdigest()}],
            "reviewer": "C. Reed", "date": day(-3), "result": "pass"}
    record.update(npi=NPI, approvers=["A. Moore", "B. Stone"], agreement=day(-2),
                  exclusion_check=day(-2), valid_from=day(), valid_until=day(700),
                  decision="admitted")
    record.update(over)
    return record
