"""Ways to misbehave. A fault is an object with `action`, and `times` (1), `skip` (0: so many
requests pass first) and `match` (text that the request's path and query must have).

    status     `status`, `headers`, `body`, `type`; a 500 has tastypie's body, a 429 its Retry-After
    redirect   `location`
    html       a page of HTML with status 200
    close      the connection, without an answer
    hang       no answer for `seconds` (3600)
    stall      half of the answer, then nothing for `seconds`
    slow       the answer in `pieces` (20), one each `seconds` (0.05)
    endless    a body that does not end
    cut        the connection, in the middle of the body
    half_close the sending side only, in the middle of the body, still listening for `seconds` (30)
    cut_json   a complete answer whose JSON is cut
"""

import json
import socket

CANNED = {"error_message": "Sorry, this request could not be processed. Please try again later."}
DEFAULTS = {429: {"headers": {"Retry-After": "1"}},
            500: {"body": json.dumps(CANNED), "type": "application/json"}}
HTML = "<!DOCTYPE html><html><body><h1>We'll be back soon, PHI-Anna</h1></body></html>"


def instead_of_page(handler, fault):
    """Deals with the request; False for faults that spoil the page which is yet to be made."""
    action = fault["action"]
    if action == "status":
        answer_status(handler, {**DEFAULTS.get(fault["status"], {}), **fault})
    elif action == "redirect":
        handler.answer(302, headers={"Location": fault["location"]})
    elif action == "html":
        handler.answer(200, HTML.encode(), "text/html; charset=utf-8")
    elif action == "close":
        close(handler)
    elif action == "hang":
        wait(handler, fault, 3600)
        close(handler)
    elif action == "endless":
        send_endlessly(handler)
    else:
        return False
    return True


def answer_status(handler, fault):
    handler.answer(fault["status"], fault.get("body", "").encode(), fault.get("type", "text/html; charset=utf-8"),
                   fault.get("headers", {}))


def spoil_page(handler, fault, body):
    """Sends the page in the fault's way."""
    action, half = fault["action"], len(body) // 2
    if action == "cut_json":
        return handler.answer(200, body[:half])
    handler.start(200, len(body))
    if action == "slow":
        return send_slowly(handler, fault, body)
    handler.wfile.write(body[:half])
    if action == "stall":
        wait(handler, fault, 3600)
    elif action == "half_close":
        handler.connection.shutdown(socket.SHUT_WR)
        wait(handler, fault, 30)
    return close(handler)


def send_slowly(handler, fault, body):
    size = len(body) // fault.get("pieces", 20) + 1
    for start in range(0, len(body), size):
        handler.wfile.write(body[start:start + size])
        wait(handler, fault, 0.05)


def send_endlessly(handler):
    handler.close_connection = True
    handler.start(200, None)
    while True:  # until the client has enough: the write fails
        handler.wfile.write(b" " * 65536)


def wait(handler, fault, seconds):
    """Until the time is over or the client has gone."""
    handler.connection.settimeout(fault.get("seconds", seconds))
    try:
        handler.connection.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        pass
    handler.connection.settimeout(None)


def close(handler):
    handler.close_connection = True
    try:
        handler.connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the client was faster
        pass
