"""The server's time, which tests move on instead of waiting. Tokens go by the real one, as their clients do."""

import time

_ahead = 0.0


def now():
    return time.time() + _ahead


def now_ms():
    return str(int(now() * 1000))


def move(seconds):
    global _ahead
    _ahead += seconds


def reset():
    global _ahead
    _ahead = 0.0
