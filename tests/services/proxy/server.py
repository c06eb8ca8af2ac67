"""A TCP proxy that harms connections on purpose. README.md in tests/services says how it is told what to do."""

import argparse
import asyncio
import http.server
import json
import os
import threading

from link import Proxy
from rules import Rule


class Control(http.server.BaseHTTPRequestHandler):
    proxy, loop = None, None

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def in_loop(self, work):
        async def run():
            result = work()
            return await result if asyncio.iscoroutine(result) else result
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result()

    def state(self):
        return {"port": self.proxy.port, "total": self.proxy.total, "connections": [link.describe() for link in self.proxy.links]}

    def do_GET(self):
        if self.path == "/_control/connections":
            return self.answer(200, self.in_loop(self.state))
        self.answer(404, {"error": "no such path"})

    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        paths = {
            "/_control/rules": lambda: self.proxy.set_rules([Rule.parse(rule) for rule in given]),
            "/_control/reset": lambda: self.proxy.reset(),
            "/_control/refuse": lambda: self.proxy.refuse(),
            "/_control/listen": lambda: self.proxy.listen(),
            "/_control/end": lambda: self.proxy.end(given["how"]),
        }
        if self.path not in paths:
            return self.answer(404, {"error": "no such path"})
        try:
            self.in_loop(paths[self.path])
        except (TypeError, ValueError, KeyError) as error:
            return self.answer(400, {"error": str(error)})
        self.answer(200, self.in_loop(self.state))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream", type=int, required=True, help="port of the server on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the control; 0 = a free one")
    parser.add_argument("--port-file")
    options = parser.parse_args()
    Control.loop = asyncio.new_event_loop()
    threading.Thread(target=Control.loop.run_forever, daemon=True).start()

    async def start():
        proxy = Proxy(options.upstream)
        await proxy.listen()
        return proxy
    Control.proxy = asyncio.run_coroutine_threadsafe(start(), Control.loop).result()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Control)
    if options.port_file:
        with open(options.port_file + ".new", "w") as file:
            file.write(str(server.server_address[1]))
        os.replace(options.port_file + ".new", options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
