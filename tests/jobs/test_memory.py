"""Who may begin when: what is free is never promised twice, and a league larger than the machine still runs, alone."""

import threading
import time

import pytest

from jobs.memory import Memory, cores, free_bytes

GB = 1 << 30
MEMINFO = "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n"


def test_this_machine_has_cores_and_memory():
    assert cores() >= 1
    assert free_bytes() > 50 << 20


@pytest.mark.parametrize(
    ("limit", "used", "cache", "free"),
    [("max", GB, 0, 4 * GB), (2 * GB, GB, GB // 2, 1.5 * GB), (64 * GB, GB, 0, 4 * GB), (GB, 2 * GB, 0, 0)],
)
def test_a_container_has_what_its_limit_leaves(tmp_path, limit, used, cache, free):
    (tmp_path / "meminfo").write_text(MEMINFO)
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    (tmp_path / "memory.stat").write_text(f"anon 1\ninactive_file {cache}\n")
    assert free_bytes(tmp_path / "meminfo", tmp_path) == free


def test_without_either_something_is_assumed(tmp_path):
    assert free_bytes(tmp_path / "none", tmp_path / "none") > 50 << 20


def running(memory, amounts):
    """The amounts at work after each is asked for in turn, by threads that stay until the end; and a way to end one."""
    at_work, ends, lock = [], [threading.Event() for _ in amounts], threading.Lock()

    def work(number):
        with memory.taken(amounts[number]):
            with lock:
                at_work.append(number)
            ends[number].wait(60)

    threads = [threading.Thread(target=work, args=[number], daemon=True) for number in range(len(amounts))]
    return at_work, ends, threads


def until(true):
    deadline = time.monotonic() + 30
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def test_a_step_waits_until_there_is_room_for_it():
    memory = Memory(lambda: 4 * GB)
    at_work, ends, threads = running(memory, [3 * GB, 2 * GB, GB])
    threads[0].start()
    assert until(lambda: at_work == [0])
    threads[1].start()
    threads[2].start()
    assert until(lambda: at_work == [0, 2]), "the third fits beside the first, the second does not"
    ends[0].set()
    assert until(lambda: at_work == [0, 2, 1])
    ends[1].set()
    ends[2].set()
    for thread in threads:
        thread.join(30)


def test_what_is_larger_than_the_machine_runs_alone():
    memory = Memory(lambda: GB)
    at_work, ends, threads = running(memory, [9 * GB, 1])
    threads[0].start()
    assert until(lambda: at_work == [0])
    threads[1].start()
    ends[0].set()
    assert until(lambda: at_work == [0, 1])
    ends[1].set()


def test_who_waits_for_memory_can_be_stopped():
    memory = Memory(lambda: GB)
    with memory.taken(GB), memory.taken(GB, stopping=lambda: True):
        pass
