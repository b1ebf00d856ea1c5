"""How calls run: detached, blocking or awaited, interruptible, and not across a fork."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from infraflow import InfraflowError, SealingKey, SharedKeySealer, Store, StoreError


def script(text: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=60, **options
    )


def test_a_method_and_its_awaitable_twin_say_the_same(tmp_path):
    store = Store.folder(tmp_path / "store")
    assert store.create("a/b", b"one") is None
    assert store.create("a/b", b"two") == b"one"

    async def twin():
        assert await store.create_async("a/b", b"three") == b"one"
        await store.put_async("a/c", b"four")
        return await asyncio.gather(store.get_async("a/b"), store.get_async("none"), store.list_async("a"))

    assert asyncio.run(twin()) == [b"one", None, ("a/b", "a/c")]
    assert store.list("a") == ("a/b", "a/c")


def test_an_awaited_call_raises_like_its_twin():
    store = Store.memory()
    with pytest.raises(StoreError) as blocking:
        store.get("../up")

    async def twin():
        await store.get_async("../up")

    with pytest.raises(StoreError) as awaited:
        asyncio.run(twin())
    assert (str(awaited.value), awaited.value.kind) == (str(blocking.value), blocking.value.kind)


def test_the_callers_loop_goes_on_while_a_call_is_awaited(tmp_path):
    store = Store.folder(tmp_path / "store")
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async def work():
        ticking = asyncio.create_task(tick())
        for number in range(20):
            await store.put_async(f"n/{number}", b"x" * 100_000)
        ticking.cancel()

    asyncio.run(work())
    assert ticks > 20


def test_other_threads_run_while_a_call_blocks():
    sealer = SharedKeySealer(SealingKey.generate())
    plain, stop, turns = bytes(8 << 20), threading.Event(), 0

    def count():
        nonlocal turns
        while not stop.is_set():
            turns += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    sealer.seal(plain)
    stop.set()
    thread.join()
    assert turns > 3


def test_ctrl_c_is_noticed_within_50_ms():
    # At twenty moments, each another one of the time between two looks at the signals. A call that looked every 100 ms
    # would notice sixteen of them in time once in a hundred and seventy runs. A machine that has other work delays
    # more than the call does, and not in every run.
    runs = []
    for _ in range(3):
        done = script(
            """
            import os, signal, threading, time, infraflow
            sealer = infraflow.SharedKeySealer(infraflow.SealingKey.generate())
            plain, took = bytes(8 << 20), []
            def strike(after):
                global at
                time.sleep(after)
                at = time.monotonic()
                os.kill(os.getpid(), signal.SIGINT)
            for turn in range(20):
                threading.Thread(target=strike, args=(0.03 + turn * 0.0618 % 0.1,)).start()
                try:
                    while True:
                        sealer.seal(plain)
                except KeyboardInterrupt:
                    took.append((time.monotonic() - at) * 1000)
            print(*sorted(took))
            """
        )
        assert done.returncode == 0, done.stderr
        runs.append([float(number) for number in done.stdout.split()])
        assert len(runs[-1]) == 20
        if runs[-1][15] < 50:
            return
    raise AssertionError(runs)


def test_a_call_after_fork_is_an_error():
    done = script(
        """
        import os, infraflow
        store = infraflow.Store.memory()
        store.put("a", b"b")
        child = os.fork()
        if child == 0:
            try:
                store.get("a")
            except infraflow.InfraflowError as error:
                assert error.kind == "forked" and "spawn" in error.help
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert store.get("a") == b"b"
        """
    )
    assert done.returncode == 0, done.stderr


def test_a_child_may_make_the_first_call():
    done = script(
        """
        import os, infraflow
        child = os.fork()
        if child == 0:
            infraflow.Store.memory().put("a", b"b")
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        """
    )
    assert done.returncode == 0, done.stderr


def test_a_coroutine_that_is_never_awaited_does_nothing():
    store = Store.memory()
    store.put_async("a", b"b").close()
    assert store.get("a") is None


def test_an_interpreter_exits_with_a_call_under_way():
    done = script(
        """
        import asyncio, infraflow
        store = infraflow.Store.memory()
        async def main():
            task = asyncio.ensure_future(store.put_async("a", b"b"))
            await asyncio.sleep(0)
        asyncio.run(main())
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
