"""Connections through the proxy: bytes counted, and harmed as rules say."""

import asyncio
import socket
import struct

PIECE = 64 << 10


class Link:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy, number):
        self.proxy, self.number = proxy, number
        self.passed = {"up": 0, "down": 0}
        self.fault, self.open, self.writers, self.losing = None, True, [], False

    def describe(self):
        return {"number": self.number, **self.passed, "open": self.open, "fault": self.fault}

    async def run(self, reader, writer):
        self.writers = [writer]
        try:
            if await self._refused():
                return
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.proxy.upstream, limit=PIECE)
            self.writers.append(up_writer)
            await asyncio.gather(self._pump("up", reader, up_writer), self._pump("down", up_reader, writer))
        except OSError:
            self.end("reset")
        finally:
            self.end("close")

    async def _refused(self):
        rule = self.proxy.rule_for(self.number, "refuse")
        if rule:
            rule.use()
            self.end("reset", "refuse")
        return rule is not None

    async def _pump(self, direction, reader, writer):
        while data := await reader.read(self._piece(direction)):
            if self.losing and direction == "down":
                return self.end("cut", "lost")
            for rule in self.proxy.rules_for(self.number, direction):
                passed = self.passed[direction] if rule.of == "connection" else self.proxy.total[direction]
                at = rule.strikes(data, passed)
                if at is None:
                    continue
                rule.use()
                if rule.do == "bandwidth":
                    await asyncio.sleep(len(data) / rule.rate)
                elif rule.do == "delay":
                    await asyncio.sleep(rule.seconds)
                else:
                    await self._pass(direction, writer, data[:at])
                    data = data[at:]
                    if not await self._strike(rule, direction):
                        return
            await self._pass(direction, writer, data)
        if writer.can_write_eof() and self.open:
            writer.write_eof()

    def _piece(self, direction):
        rates = [rule.rate for rule in self.proxy.rules_for(self.number, direction) if rule.do == "bandwidth"]
        return max(min([PIECE, *(rate // 20 for rate in rates)]), 1)

    async def _pass(self, direction, writer, data):
        self.passed[direction] += len(data)
        self.proxy.total[direction] += len(data)
        writer.write(data)
        await writer.drain()

    async def _strike(self, rule, direction):
        """True where bytes go on flowing afterwards."""
        self.fault = rule.do
        if rule.do == "stall":
            if rule.seconds is None:
                await self.proxy.released.wait()
            else:
                await asyncio.sleep(rule.seconds)
            return True
        if rule.do == "lost":
            self.losing = True
            if direction == "down":  # these bytes are already the answer
                self.end("cut")
            return direction == "up"
        self.end(rule.do)
        return False

    def end(self, how, fault=None):
        self.fault = fault or self.fault
        self.open = False
        for writer in self.writers:
            if writer.transport.is_closing():
                continue
            if how == "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()


class Proxy:
    """A listening port in front of the server at the port `upstream`. All of it runs in one event loop."""

    def __init__(self, upstream):
        self.upstream, self.port, self.server = upstream, 0, None
        self.released = asyncio.Event()
        self.reset()

    def reset(self):
        self.rules, self.links, self.total = [], [], {"up": 0, "down": 0}
        self.released.set()
        self.released = asyncio.Event()

    def set_rules(self, rules):
        self.rules = rules

    async def listen(self):
        if self.server is None:
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=PIECE)
            self.port = self.server.sockets[0].getsockname()[1]

    async def refuse(self):
        """Nothing listens until listen() is called again; connections that exist stay."""
        if self.server is not None:
            self.server.close()
            self.server = None

    async def _serve(self, reader, writer):
        link = Link(self, len(self.links) + 1)
        self.links.append(link)
        await link.run(reader, writer)

    def rules_for(self, number, direction):
        return [rule for rule in self.rules if rule.do != "refuse" and rule.applies(number, direction)]

    def rule_for(self, number, do):
        return next((rule for rule in self.rules if rule.do == do and rule.applies(number, rule.direction)), None)

    def end(self, how):
        for link in self.links:
            if link.open:
                link.end(how)
