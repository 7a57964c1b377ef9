"""Random bytes for ids: nobody gets what somebody else has."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ringback.entropy import BLOCK, entropy


def take(count):
    return [entropy(count) for _ in range(2 * BLOCK // count)]


@pytest.mark.parametrize("count", [8, 10, 4096])
def test_each_is_as_long_as_asked_and_none_comes_twice(count):
    taken = take(count)
    assert {len(one) for one in taken} == {count}
    assert len(set(taken)) == len(taken)


def test_threads_never_get_the_same():
    with ThreadPoolExecutor(4) as threads:
        taken = [one for some in threads.map(take, [8] * 8) for one in some]
    assert len(set(taken)) == len(taken)


FORKED = """
import os
from ringback.entropy import entropy
entropy(8)
child = os.fork()
print(entropy(8).hex(), flush=True)
if child:
    os.waitpid(child, 0)
"""


def test_a_process_that_forks_shares_none_with_its_child():
    ended = subprocess.run(
        [sys.executable, "-c", FORKED], env={"PYTHONPATH": "plugin"}, stdout=subprocess.PIPE, text=True, check=True
    )
    parent, child = ended.stdout.split()
    assert parent != child
