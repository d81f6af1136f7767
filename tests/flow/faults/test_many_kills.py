"""SIGKILL at 200 seeded random moments of a night over three tiny leagues, and what holds after each of them."""

import os
import time

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

KILLS = int(os.environ.get("POOLTABLE_KILLS", "200"))


def test_a_night_killed_at_any_moment_loses_nothing_and_the_next_completes(make_world, capsys):
    """Two hundred times: a league or two play, a night is killed at a moment between its begin and its usual end (the
    night itself, one step of it, or everything at once, as when the power goes), and the next night completes. At every
    moment readers saw a whole edition and never an older one; no accepted fit is lost; no lock and no process stays."""
    world = make_world(seed=8)
    usual, killed, began = 5.0, 0, time.monotonic()
    while killed < KILLS:
        for name in world.rng.sample(world.leagues_names, world.rng.choice((1, 1, 2))):
            world.leagues.play(name)
        whom = world.rng.choices(("night", "step", "all"), (3, 4, 3))[0]
        moment = world.rng.uniform(0.0, 1.0)
        night = world.start("nightly")
        time.sleep(moment * usual)
        was_killed = world.kill(whom)
        said = "".join(night.communicate(timeout=900))
        world.wait_for_quiet()
        if not was_killed:  # it was over, or between two steps
            world.tally["too late"] += 1
        else:
            killed += 1
            world.tally[whom] += 1
            world.tally[world.last_step()] += 1
            assert night.returncode != 0, said
        world.check(is_fresh=False)
        started = time.monotonic()
        world.good_night()
        usual = 0.8 * usual + 0.2 * (time.monotonic() - started)
    with capsys.disabled():
        seconds = time.monotonic() - began
        print(f"\n{killed} kills in {seconds:.0f} s ({world.forks.cpu_seconds():.0f} s CPU): {dict(world.tally)};"
              f" {world.reader.looks} looks, {len(world.accepted)} accepted fits")  # fmt: skip
