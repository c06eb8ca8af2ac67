"""What a proxy does to which bytes of which connection."""

import dataclasses

FAULTS = ("cut", "reset", "stall", "lost", "refuse", "delay", "bandwidth")
LASTING = ("delay", "bandwidth")


@dataclasses.dataclass
class Rule:
    """One fault and where it strikes; README.md says what each means."""

    do: str
    connection: int | None = None  # from 1; None = any
    direction: str = "down"
    after: int = 0
    of: str = "connection"  # or "all": `after` counts what passed on all connections
    match: bytes | None = None
    times: int | None = 1
    seconds: float | None = None
    rate: int | None = None  # bytes per second
    tail: bytes = b""  # the end of what passed, where a match may have begun

    @staticmethod
    def parse(given):
        rule = Rule(**given)
        if rule.do not in FAULTS:
            raise ValueError(f"do: one of {', '.join(FAULTS)}")
        if rule.direction not in ("up", "down") or rule.of not in ("connection", "all"):
            raise ValueError("direction is up or down, of is connection or all")
        if (rule.do == "delay" and rule.seconds is None) or (rule.do == "bandwidth" and not rule.rate):
            raise ValueError("delay needs seconds, bandwidth needs rate")
        if isinstance(rule.match, str):
            rule.match = rule.match.encode()
        if rule.do in LASTING and "times" not in given:
            rule.times = None
        return rule

    def applies(self, connection, direction):
        return self.times != 0 and direction == self.direction and self.connection in (None, connection)

    def strikes(self, data, passed):
        """How many of these bytes pass before the fault, of which `passed` came before; None = all, and no fault."""
        if self.match is None:
            return max(self.after - passed, 0) if self.after <= passed + len(data) else None
        seen = self.tail + data
        at = seen.find(self.match)
        if at < 0 or passed + len(data) < self.after:
            self.tail = seen[-len(self.match) + 1:] if len(self.match) > 1 else b""
            return None
        # The request passes whole where the fault is about its answer.
        return len(data) if self.do == "lost" else max(at - len(self.tail), 0)

    def use(self):
        self.tail = b""
        if self.times is not None:
            self.times -= 1
