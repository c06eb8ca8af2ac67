"""The packages on a fresh Debian 12: what docs/operate.md says is done word for word, in its order.

`./dev test packages` builds the packages and runs this.
"""

import json
import re
import sys
import unittest

from packages_case import PackagesCase, blocks
from harness import Server

UNIT = "patchbay@prod-qreviews_to_bq.service"
PIPELINE = "/etc/patchbay/environments/prod/pipelines/qreviews_to_bq.yaml"


class PackagesTest(PackagesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.qreviews = Server("qreviews/server.py", cls.folder, "--records", 300)
        cls.addClassCleanup(cls.qreviews.stop)
        cls.bigquery = Server("bigquery/server.py", cls.folder)
        cls.addClassCleanup(cls.bigquery.stop)
        account = cls.bigquery.get("/_control/credentials")
        (cls.machine.root / "root/service-account.json").write_text(json.dumps(account))

    def document(self, heading):
        """Does what the document says under the heading, with test servers in place of the real ones."""
        out = ""
        for code in self.commands.pop(heading):
            code = code.replace("https://qrev.ws", self.qreviews.url)
            code = code.replace("https://bigquery.googleapis.com", self.bigquery.url)
            out += self.machine.sh(code).stdout
        return out

    def stored(self):
        rows = self.bigquery.get("/_control/tables/my-project/qreviews/qreviews_results")
        return len(rows["rows"] if isinstance(rows, dict) else rows)

    def unit(self, key, unit=UNIT):
        return self.machine.sh(f"systemctl show --value --property {key} '{unit}'").stdout.strip()

    def test_an_operator_follows_the_document(self):
        self.commands = blocks("docs/operate.md")
        self.machine.sh("! id patchbay 2>/dev/null; ! command -v patchbay")
        with self.subTest("an unsigned or foreign repository is refused"):
            first = self.commands["Install"][0]
            refused = self.machine.sh(first.replace("install -m 644", ": install -m 644"), check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("is not signed", refused.stderr)

        self.document("Install")
        self.installed_is_not_enabled()
        self.apt_refuses_a_plugin_that_the_host_cannot_load()
        self.two_packages_cannot_bring_one_plugin()
        listed = self.document("Environments")
        self.assertRegex(listed, r"(?m)^qreviews .* enabled +prod ")
        self.document("Secrets")
        values = self.document("Check before it runs")
        self.assertIn("qreviews_to_bq.yaml: ok", values)
        self.assertRegex(values, r"variables\.project +my-project +/etc/patchbay/environments/prod/environment\.yaml:3")
        self.assertRegex(values, r"timezone +Europe/Berlin +/etc/patchbay/environments/base/environment\.yaml:4")

        shown = self.document("Run it")
        self.assertEqual(self.stored(), 300)
        self.assertRegex(shown, r"qreviews_to_bq +prod .* ok")
        self.assertIn('"sequence"', self.machine.sh(
            "runuser -u patchbay -- patchbay --env prod state show qreviews_to_bq --output json").stdout)
        self.assertIn("patchbay@prod-qreviews_to_bq.timer", self.document("Every morning, with systemd"))
        self.document("With cron")
        self.units_are_confined_and_map_exit_codes()
        self.upgrade_under_a_running_pipeline()
        self.downgrade_and_back()
        self.remove_and_purge()
        self.assertEqual(self.commands, {}, "commands that nobody has run")

    def installed_is_not_enabled(self):
        listed = json.loads(self.machine.sh("mkdir -p /etc/patchbay/environments/empty; "
                                            "patchbay --env empty plugins list --output json").stdout)
        self.assertEqual([one["id"] for one in listed], ["bq", "fields", "qreviews"])
        self.assertEqual({(one["usable"], one["enabled"]) for one in listed}, {(True, False)})
        self.machine.sh("rmdir /etc/patchbay/environments/empty")
        units = self.machine.sh("systemctl list-unit-files --no-legend 'patchbay*'; systemctl list-units --no-legend --all 'patchbay*'")
        self.assertNotIn("enabled ", units.stdout.replace("disabled enabled", ""))
        self.assertEqual(self.machine.sh("find /etc/systemd -name '*patchbay*'").stdout, "")
        for file in ("man/man1/patchbay.1.gz", "bash-completion/completions/patchbay", "zsh/vendor-completions/_patchbay",
                     "fish/vendor_completions.d/patchbay.fish", "patchbay/pipeline.schema.json"):
            self.machine.sh(f"test -s /usr/share/{file}")

    def apt_refuses_a_plugin_that_the_host_cannot_load(self):
        fields = next(self.pool.glob("patchbay-plugin-fields_*.deb"))
        newer = self.repository / "newer.deb"
        self.repack(fields, newer, ("patchbay-abi-1 (>= 1.0)", "patchbay-abi-1 (>= 1.9)"))
        refused = self.machine.sh("apt install --reinstall /srv/patchbay/newer.deb", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("patchbay-abi-1 (>= 1.9)", refused.stdout + refused.stderr)
        newer.unlink()

    def two_packages_cannot_bring_one_plugin(self):
        other = self.repository / "other.deb"
        self.repack(next(self.pool.glob("patchbay-plugin-fields_*.deb")), other,
                    ("Package: patchbay-plugin-fields", "Package: patchbay-plugin-field-names"))
        told = self.machine.sh("patchbay plugins verify /srv/patchbay/other.deb", check=False)
        self.assertEqual(told.returncode, 3, told)
        self.assertIn("plugin fields is of the package patchbay-plugin-fields, which is installed; "
                      "run `apt remove patchbay-plugin-fields` first", told.stdout)
        refused = self.machine.sh("apt install /srv/patchbay/other.deb", check=False)
        self.assertIn("trying to overwrite", refused.stdout + refused.stderr)
        self.machine.sh("dpkg --audit; patchbay plugins verify fields")
        other.unlink()

    def units_are_confined_and_map_exit_codes(self):
        exposure = self.machine.sh(f"systemd-analyze security --no-pager '{UNIT}' | tail -1").stdout
        score = float(re.search(r": ([\d.]+) ", exposure)[1])
        self.assertLessEqual(score, 1.5, exposure)
        print(f"systemd-analyze security: {score}", file=sys.stderr)
        verified = self.machine.sh(f"systemd-analyze verify --man=no '{UNIT}'", check=False)
        self.assertEqual((verified.returncode, verified.stderr), (0, ""), verified)

        self.qreviews.post("/_control/faults", [{"action": "status", "status": 503, "times": 100000}])
        self.machine.sh(f"sed -i 's/^commit:/retry: {{attempts: 1, delay: 1ms}}\\ncommit:/' {PIPELINE}")
        self.assertNotEqual(self.machine.sh(f"systemctl start '{UNIT}'", check=False).returncode, 0)
        self.assertEqual((self.unit("ExecMainStatus"), self.unit("SubState")), ("5", "auto-restart"))
        self.machine.sh(f"systemctl stop '{UNIT}'")
        self.qreviews.post("/_control/faults", [])

        self.machine.sh(f"sed -i 's/rename: camel/rename: camle/' {PIPELINE}")
        self.assertNotEqual(self.machine.sh(f"systemctl start '{UNIT}'", check=False).returncode, 0)
        self.assertEqual((self.unit("ExecMainStatus"), self.unit("SubState")), ("3", "failed"))
        journal = self.machine.sh("journalctl --no-pager -o cat PATCHBAY_INSTANCE=prod-qreviews_to_bq").stdout
        self.assertIn("did you mean camel?", journal)
        self.assertNotIn("demo-key", journal)
        self.machine.sh(f"sed -i 's/rename: camle/rename: camel/' {PIPELINE}; systemctl reset-failed")

        self.machine.sh("systemctl start patchbay@prod.service", check=False)
        self.assertEqual(self.unit("ExecMainStatus", "patchbay@prod.service"), "2")

    def upgrade_under_a_running_pipeline(self):
        self.publish("0.1.0+later")
        self.qreviews.post("/_control/records", {"append": 500})
        self.qreviews.post("/_control/faults", [{"action": "slow", "seconds": 0.1, "times": 100000}])
        self.machine.sh("apt update")
        self.machine.sh("sed -i 's/api_key: {secret: qreviews_api_key}/&\\n      page_size: 20/' "
                        + PIPELINE)
        self.machine.sh(f"systemctl start --no-block '{UNIT}'")
        self.machine.wait_for(lambda: self.unit("SubState") == "start", "the run did not start")
        verified = self.document("Upgrade")
        self.assertRegex(verified, r"patchbay-plugin-bq 0\.1\.0\+later: ok for 1 pipelines")
        versions = self.machine.sh("dpkg-query -W -f '${Version}\\n' 'patchbay*'").stdout.split()
        self.assertEqual(set(versions), {"0.1.0+later"})
        self.assertEqual(self.unit("SubState"), "start", "the run is to outlast the upgrade")
        self.qreviews.post("/_control/faults", [])
        self.machine.wait_for(lambda: self.unit("SubState") == "dead", "the run did not end")
        self.assertEqual((self.unit("ExecMainStatus"), self.stored()), ("0", 800))
        self.machine.sh(f"systemctl start '{UNIT}'")
        self.assertEqual(self.stored(), 800)

    def downgrade_and_back(self):
        """The state of the later version is there already: the earlier one goes on from it."""
        names = "patchbay patchbay-plugin-bq patchbay-plugin-fields patchbay-plugin-qreviews"
        self.machine.sh("apt install --allow-downgrades " + " ".join(f"{name}=0.1.0" for name in names.split()))
        self.assertEqual(self.machine.sh("dpkg-query -W -f '${Version}' patchbay").stdout, "0.1.0")
        self.qreviews.post("/_control/records", {"append": 10})
        self.machine.sh(f"systemctl start '{UNIT}'")
        self.assertEqual(self.stored(), 810)
        self.machine.sh("apt upgrade")
        self.assertEqual(self.machine.sh("dpkg-query -W -f '${Version}' patchbay").stdout, "0.1.0+later")
        self.machine.sh(f"systemctl start '{UNIT}'")
        self.assertEqual(self.stored(), 810)

    def remove_and_purge(self):
        before = self.machine.sh("find /etc/patchbay /var/lib/patchbay -type f -o -type l | sort").stdout
        code = self.commands.pop("Remove")[0].splitlines(keepends=True)
        removed = self.machine.sh("".join(code[:2])).stdout
        self.assertIn("plugin bq is enabled in prod, but not installed; run `apt install patchbay-plugin-bq`", removed)
        result = self.machine.sh("patchbay --env prod validate qreviews_to_bq", check=False)
        self.assertEqual((result.returncode, "`apt install patchbay-plugin-bq`" in result.stdout), (3, True), result.stdout)
        self.machine.sh("".join(code[2:]))
        left = self.machine.sh("dpkg-query -W -f '${Package} ${db:Status-Abbrev}\\n' 'patchbay*' | grep -v keyring || :").stdout
        self.assertNotIn(" ii", left)
        self.assertNotIn(" rc", left)
        self.assertEqual(self.machine.sh("find /etc/patchbay /var/lib/patchbay -type f -o -type l | sort").stdout, before)
        rest = self.machine.sh("find / -xdev \\( -path /proc -o -path /sys -o -path /srv -o -path /var/lib/patchbay "
                               "-o -path /etc/patchbay -o -path /var/log/journal -o -path /var/cache/apt -o -path /tmp \\) -prune "
                               "-o -name '*patchbay*' -print").stdout.split()
        own = {"/etc/cron.d/patchbay", "/etc/apt/sources.list.d/patchbay.sources",
               "/etc/systemd/system/patchbay@prod-qreviews_to_bq.service.d", "/usr/share/keyrings/patchbay-archive.gpg"}
        self.assertEqual([path for path in rest if path not in own and "archive-keyring" not in path
                          and "/apt/lists/" not in path and "/timers/" not in path], [])
        self.machine.sh("apt install patchbay patchbay-plugin-qreviews patchbay-plugin-fields patchbay-plugin-bq")
        self.machine.sh(f"systemctl start '{UNIT}'")
        self.assertEqual(self.stored(), 810, "what is installed again goes on where it was")


if __name__ == "__main__":
    unittest.main(verbosity=2)
