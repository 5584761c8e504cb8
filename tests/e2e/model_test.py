#!/usr/bin/env python3
"""The custody chain against a model of it, by random schedules (tests/model/run):
nothing lost, nothing doubled, no two facts that contradict each other. MODEL_SEEDS
of them (40: CI has 15 minutes; `make soak` runs 2,000), beginning with MODEL_FIRST (0); and that the model can fail.

timeout: 1200
"""
import os
import random
import subprocess
import sys
import time

from network import Failed, Skipped, check, main, preload, test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODEL = os.path.join(ROOT, "tests", "model")
sys.path.insert(0, MODEL)
from driver import Play, Stage  # noqa: E402

# What a program says, changed on its way to the model.
LIES = {
    "doubles an arrival": lambda w, out: out + (out[-1:] if w[0] == "inbox" else []),
    "loses what was sent": lambda w, out: out[1:] if w[0] == "sent" else out,
    "keeps a receipt back": lambda w, out: [
        s.replace('"standing":"delivered"', '"standing":"custody"') for s in out],
    "states what nobody did": lambda w, out: [
        s.replace('"state":"new"', '"state":"opened"') for s in out],
    "forgets who answered": lambda w, out: [
        s.replace('"answered":true', '"answered":false') for s in out],
}


def needs_shims():
    preload("clock", "CONSIL_CLOCK_SHIFT", 0)  # skips under a sanitizer


@test
def the_model_notices_a_program_that_lies():
    needs_shims()
    stage = Stage(random.Random("liar"))
    try:
        a_case(stage, "honest")
        for what, stage.lie in LIES.items():
            try:
                a_case(stage, what)
            except Failed:
                stage.lie = None
                forget(stage)
                continue
            raise Failed(f"a program that {what} passed")
    finally:
        stage.close()


def a_case(stage, name):
    """Sent, fetched, answered, and looked at from both sides."""
    play = Play(stage, name)
    play.breakage = lambda _: None
    now = stage.now("a")
    id = play.author("a", "send", "--to", "b@clinic", "--subject", name, "--question", "Q",
                     "--note", "note.md",
                     write=lambda w, i: w.write(i, "request", "a", ["b@clinic"], now))
    play.sync_well("b", ("sync",))
    now = stage.now("b")
    play.author("b", "reply", id, "--note", "note.md", write=lambda w, i: w.write(
        i, "reply", "b", ["a@clinic"], now, thread=id, reply_to=id))
    play.settle()


def forget(stage):
    """What a liar left is of no seed to come."""
    for d in ("b", "b2", "a") * 2:
        stage.call(d, "sync", ok=True)
    for d in stage.devices:
        for what in ("sent", "inbox"):
            rows = stage.call(d, what, "--json", "--offline", ok=True).json()
            stage.before[d][what] = {r["id"]: r.get("standing", r["state"]) for r in rows}
            stage.known[d] |= {r["id"] for r in rows}


@test
def no_schedule_loses_doubles_or_contradicts():
    needs_shims()
    start = time.monotonic()
    done = subprocess.run([os.path.join(MODEL, "run")], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL,
                          env={"MODEL_SEEDS": "40", **os.environ})
    check(done.returncode == 0, f"\n{done.stdout}{done.stderr}")
    print(f"# {done.stdout.splitlines()[-1]}; {time.monotonic() - start:.0f} s")


main()
