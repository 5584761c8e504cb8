"""What end-to-end tests do differently where the programs of $BUILD were built
with a sanitizer: everything is slower, and TSan leaves little room for maps."""
import os
import re

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))

# Each of the store's two files; TSan itself takes most of the addresses, so
# that not even one of the default's 1 TiB is left.
TSAN_ROOM = {"map_size": "16G", "quota_total": "8G", "quota_sender": "4G",
             "quota_mailbox": "4G", "quota_share": "2G"}


def sanitizer():
    """`address`, `thread` or nothing, from the options of the build."""
    try:
        with open(os.path.join(BUILD, "flags")) as f:
            flags = f.read()
    except FileNotFoundError:
        return ""
    return next((name for name in ("address", "thread")
                 if f"-fsanitize={name}" in flags), "")


SANITIZER = sanitizer()
# How much longer what is measured by the clock may take.
SLOWDOWN = {"": 1, "address": 3, "thread": 8}[SANITIZER]


def make_room(conf):
    """Lets a relay with the configuration conf, as `init` wrote it, start."""
    if SANITIZER != "thread":
        return
    with open(conf) as f:
        text = f.read()
    for key, value in TSAN_ROOM.items():
        text, n = re.subn(rf"^# {key} = .*$", f"{key} = {value}", text, flags=re.M)
        assert n == 1, f"{conf} does not show {key}"
    with open(conf, "w") as f:
        f.write(text)
