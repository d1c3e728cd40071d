"""Runs the checks of a scenario one after the other and prints what came of each."""
import asyncio
import inspect
import sys
import time
import traceback
import uuid

# Standard output is the driver's; what the client logs goes to standard error, as it takes its stream when it is imported.
DRIVER = sys.stdout
sys.stdout = sys.stderr

SOON = 30  # seconds; longer than any poll of the client at the intervals set here


class Checks:
    def __init__(self):
        self.failed = False

    async def check(self, name, body):
        try:
            await body()
            tell(f"ok {name}")
        except Exception as problem:
            self.failed = True
            tell(f"FAIL {name}: {type(problem).__name__} {problem}".replace("\n", " "))
            traceback.print_exc()

    def not_applicable(self, name, why):
        tell(f"n/a {name}: {why}")


def tell(line):
    print(line, file=DRIVER, flush=True)


def equal(expected, actual):
    if expected != actual:
        raise AssertionError(f"expected {cut(expected)}, got {cut(actual)}")


async def eventually(expected, value, within=SOON):
    """Waits until a value is as expected; the last one seen is in the failure."""
    deadline = time.monotonic() + within
    while True:
        try:
            seen = value()
            seen = await seen if inspect.isawaitable(seen) else seen
        except Exception as problem:
            seen = problem
        if type(seen) is type(expected) and seen == expected:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"expected {cut(expected)} within {within} s, got {cut(seen)}")
        await asyncio.sleep(0.05)


def cut(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}... ({len(text)} characters)"


def unique(name):
    """A name that no other run on the same server uses."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


async def ready_and_wait():
    """Tells the driver that this scenario waits for it, and waits."""
    tell("ready")
    if not await asyncio.to_thread(sys.stdin.readline):
        raise RuntimeError("the driver is gone")
