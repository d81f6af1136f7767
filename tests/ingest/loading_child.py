"""Loads two versions of a league in turn, for ever, until it is killed: python loading_child.py HOME A B [HOLD].

With HOLD, it stops for good inside load number HOLD, counted from 0: everything is written, nothing committed.
"""

import itertools
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import ingest.pull
from store.home import Home
from store.stanzas import read_catalogue

home, *versions = map(Path, sys.argv[1:4])
hold = int(sys.argv[4]) if len(sys.argv) > 4 else None
stanza = read_catalogue()["demo_stints"]
load = ingest.pull.load


def load_and_hold(*arguments, **more):
    load(*arguments, **more)
    print("written", flush=True)
    time.sleep(3600)


print("ready", flush=True)
for number, version in enumerate(itertools.cycle(versions)):
    if number == hold:
        ingest.pull.load = load_and_hold
    sources = (str(version / "stints.csv"), str(version / "truth.csv"))
    league = stanza.model_copy(update={"source": sources})
    ingest.pull.pull(Home(home), "demo_stints", league, datetime.now(UTC), accept=True)
    print("loaded", flush=True)
