"""PostgreSQL, cut off at every 10th of a transfer: nothing is lost or doubled."""

from harness import main
from postgres_behind_proxy import BehindProxy


class CutTest(BehindProxy):
    def cut_everywhere(self, pipeline, table, direction, do="cut"):
        self.run_json(pipeline)
        self.target_is_whole(table)
        total = self.proxy.total()[direction]
        for tenth in range(10):
            with self.subTest(direction=direction, tenth=tenth):
                self.sql(f"DROP TABLE IF EXISTS {table}, _patchbay_epochs, other._patchbay_epochs")
                self.patchbay("state", "reset", pipeline)
                self.proxy.reset()
                self.proxy.rules({"do": do, "direction": direction, "of": "all", "after": total * tenth // 10})
                result = self.patchbay("run", pipeline)
                self.assertTrue(any(c["fault"] for c in self.proxy.connections()))
                self.assertEqual(result.code, 0, result)
                self.target_is_whole(table)

    def test_a_cut_at_every_tenth_of_what_a_sink_sends(self):
        self.cut_everywhere(self.down(uri=self.through()), "t", "up")

    def test_a_reset_at_every_tenth_of_what_a_sink_hears_over_tls(self):
        self.cut_everywhere(self.down(uri=self.through(tls=True)), "t", "down", "reset")

    def test_a_cut_at_every_tenth_of_what_a_source_reads(self):
        self.cut_everywhere(self.copy(", tables: {a: a}", ", schema: other", source_uri=self.through()), "other.a", "down")

    def test_a_reset_at_every_tenth_of_what_a_source_asks(self):
        self.cut_everywhere(self.copy(", tables: {a: a}", ", schema: other, write: replace", source_uri=self.through(tls=True)), "other.a", "up", "reset")


if __name__ == "__main__":
    main()
