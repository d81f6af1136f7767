"""Loads two versions of a league in turn, for ever, until it is killed: python loading_child.py HOME A B."""

import itertools
import sys
from datetime import UTC, datetime
from pathlib import Path

from ingest.pull import pull
from store.home import Home
from store.stanzas import read_catalogue

home, *versions = map(Path, sys.argv[1:])
stanza = read_catalogue()["demo_stints"]
print("ready", flush=True)
for version in itertools.cycle(versions):
    sources = (str(version / "stints.csv"), str(version / "truth.csv"))
    pull(Home(home), "demo_stints", stanza.model_copy(update={"source": sources}), datetime.now(UTC), accept=True)
    print("loaded", flush=True)
