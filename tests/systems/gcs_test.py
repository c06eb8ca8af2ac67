"""Cloud Storage by `copy`; large objects, many objects, cancelling."""

import signal
import subprocess
import time

from gcs_case import FAST, MEDIA, PIECE, UNIT, GcsTest
from harness import BUILD, main


class Copies(GcsTest):
    def copy(self, *arguments):
        result = self.patchbay("copy", *arguments)
        self.assertEqual(result.code, 0, result)

    def uri(self, path):
        return f"gs://box/{path}?endpoint={self.gcs.url}&credentials=gcs"

    def test_copy_works_both_ways(self):
        self.put("in/orders.csv", "id,name\n1,a\n2,\n")
        self.copy(self.uri("in/orders.csv"), "shop.db")
        self.assertEqual(self.rows("SELECT * FROM orders", "shop.db"), [(1, "a"), (2, None)])
        self.copy("sqlite:shop.db?table=orders", self.uri("out/orders.jsonl"))
        self.assertEqual(self.content("out/orders.jsonl"), b'{"id":1,"name":"a"}\n{"id":2,"name":null}\n')
        self.copy(self.uri("in/*.csv"), self.uri("copy/"))
        self.assertEqual(self.content("copy/in/orders.csv"), self.content("in/orders.csv"))


class Sizes(GcsTest):
    def test_many_objects_share_few_connections(self):
        for number in range(40):
            self.put(f"in/{number}", str(number))
        self.run_json(self.download("in/*", top="concurrency: 4\n" + FAST))
        self.run_json(self.upload("out/in/*", target="{key}", top="concurrency: 4\n" + FAST))
        self.assertEqual(len(self.objects()), 80)
        for method, part in (("GET", MEDIA), ("POST", "rewriteTo")):
            found = self.requests(method, part)
            self.assertEqual(len(found), 40)
            self.assertLessEqual(len({request["port"] for request in found}), 8)

    def test_a_transfer_ends_within_a_second_when_cancelled(self):
        self.put("big", 4 * UNIT, seed=5)
        self.file("big", b"x" * 4 * UNIT)
        for pipeline, match in ((self.download("big"), MEDIA), (self.upload("big"), PIECE)):
            self.faults({"action": "hang", "match": match, "skip": 1})
            run = subprocess.Popen([str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", pipeline],
                                   cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            deadline = time.monotonic() + 30
            while self.gcs.get("/_control/faults_left") and time.monotonic() < deadline:
                pass
            begun = time.monotonic()
            run.send_signal(signal.SIGTERM)
            _, errors = run.communicate(timeout=30)
            self.assertEqual(run.returncode, 143, errors)
            self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(list(self.objects()), ["big"])


if __name__ == "__main__":
    main()
