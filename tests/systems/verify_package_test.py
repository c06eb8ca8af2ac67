"""plugins verify FILE.deb: what an upgrade would break is known before it is installed, and the package is not trusted."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile

from harness import BUILD, PATIENCE, SystemTest, main
from operations import Run, until

PULL = """
name: pull
nodes:
  - use: qreviews
    with: {base_url: "http://127.0.0.1:9", account_sid: {secret: sid}, api_key: {secret: key}, page_size: 100}
  - use: sqlite
    with: {path: out.db}
"""


class VerifyPackageTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        self.root = self.folder / "etc/environments"
        (self.root / "prod/pipelines").mkdir(parents=True)
        (self.root / "prod/pipelines/pull.yaml").write_text(PULL)
        for plugin in ("qreviews", "sqlite"):
            self.assertEqual(self.patchbay("--env", "prod", "plugins", "enable", plugin).code, 0)
        self.manifest = json.loads((BUILD / "manifests/qreviews.json").read_text())
        self.architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True,
                                           check=True).stdout.strip()

    def package(self, manifest=None, library="qreviews", architecture=None, with_manifest=True):
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: patchbay-plugin-qreviews\nVersion: 0.2\nArchitecture: {architecture or self.architecture}\n"
            "Maintainer: x <x@example.org>\nDescription: x\n")
        (tree / "usr/share/patchbay/manifests").mkdir(parents=True)
        (tree / "usr/lib/x86_64-linux-gnu/patchbay/plugins").mkdir(parents=True)
        if with_manifest:
            (tree / "usr/share/patchbay/manifests/qreviews.json").write_text(json.dumps(manifest or self.manifest))
        shutil.copy(BUILD / f"plugins/{library}.so", tree / "usr/lib/x86_64-linux-gnu/patchbay/plugins/qreviews.so")
        file = self.folder / "new.deb"
        subprocess.run(["dpkg-deb", "--build", "-Znone", tree, file], check=True, stdout=subprocess.DEVNULL)
        return file

    def verify(self, file):
        return self.patchbay("plugins", "verify", file)

    def config(self):
        return self.manifest["components"][0]["config"]["properties"]

    def test_a_package_that_changes_nothing_is_ok(self):
        file = self.package()
        result = self.verify(file)
        self.assertEqual((result.code, result.out),
                         (0, f"patchbay-plugin-qreviews 0.2: ok for 1 pipelines that use it; `apt install {file}` installs it\n"))
        result = self.patchbay("plugins", "verify", file, "--output", "json")
        self.assertEqual((result.json["ok"], result.json["plugins"], result.json["pipelines"]), (True, ["qreviews"], 1))

    def test_options_that_pipelines_would_lose_are_named(self):
        del self.config()["page_size"]
        result = self.verify(self.package())
        self.assertEqual(result.code, 3, result)
        self.assertRegex(result.out, r"environment prod: \S+pull\.yaml:5:\d+: page_size: unknown option of qreviews")
        self.manifest = json.loads((BUILD / "manifests/qreviews.json").read_text())
        self.config()["page_size"]["maximum"] = 50
        self.assertIn("page_size: must be between 1 and 50, not 100", self.verify(self.package()).out)

    def test_states_that_the_new_version_does_not_know_are_named(self):
        set_state = self.patchbay("--env", "prod", "state", "set", "pull", "--stream", "responses", '{"sequence": 5}')
        self.assertEqual(set_state.code, 0, set_state)
        self.assertEqual(self.verify(self.package()).code, 0)
        self.manifest["components"][0]["state"] = {"type": "object", "required": ["cursor"]}
        result = self.verify(self.package())
        self.assertEqual(result.code, 3, result)
        self.assertIn("the state of stream responses: ", result.out)
        self.assertIn("patchbay --env prod state show pull", result.out)

    def test_a_package_that_does_not_fit_this_host_is_refused(self):
        version = {**self.manifest, "abi": {"major": 2, "minor": 0}}
        cases = [(dict(manifest=version), r"abi: needs 2\.0, this host has 1\.0"),
                 (dict(library="csv"), r"id: the manifest says qreviews, \S+ says csv"),
                 (dict(architecture="s390x"), r"is built for s390x, this machine is \S+; run `apt download"),
                 (dict(with_manifest=False), r"has no manifest qreviews\.json")]
        for arguments, message in cases:
            with self.subTest(message):
                result = self.verify(self.package(**arguments))
                self.assertEqual(result.code, 3, result)
                self.assertTrue(re.search(message, result.out + result.err), result)

    def test_what_is_no_package_is_refused(self):
        file = self.folder / "no.deb"
        self.assertIn("no.deb: is not there", self.verify(file).err)
        file.write_bytes(b"hello")
        result = self.verify(file)
        self.assertEqual(result.code, 3)
        self.assertIn("no.deb: is no Debian package that /usr/bin/dpkg-deb can read", result.err)

    def test_no_code_of_the_package_runs_and_nothing_stays(self):
        manifest = json.loads((BUILD / "tests/plugins/throwing_constructor.json").read_text())
        tree = self.folder / "tmp"
        tree.mkdir()
        self.environment["TMPDIR"] = str(tree)
        self.package()
        target = self.folder / "tree/usr/lib/x86_64-linux-gnu/patchbay/plugins/throwing_constructor.so"
        shutil.copy(BUILD / "tests/plugins/throwing_constructor.so", target)
        (self.folder / "tree/usr/share/patchbay/manifests/throwing_constructor.json").write_text(json.dumps(manifest))
        file = self.folder / "two.deb"
        subprocess.run(["dpkg-deb", "--build", "-Znone", self.folder / "tree", file], check=True, stdout=subprocess.DEVNULL)
        result = self.verify(file)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(list(tree.iterdir()), [])


MANIFESTS = "usr/share/patchbay/manifests"
PLUGINS = "usr/lib/x86_64-linux-gnu/patchbay/plugins"
CONTROL = "Package: patchbay-plugin-evil\nVersion: 1.0\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n"


def tar(*members, format=tarfile.GNU_FORMAT):
    """Members are (name, content) or tarfile.TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for member in members:
            content = b""
            if isinstance(member, tuple):
                content = member[1] if isinstance(member[1], bytes) else member[1].encode()
                member = tarfile.TarInfo(member[0])
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def special(name, type, **fields):
    member = tarfile.TarInfo(name)
    member.type = type
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def ar(*members):
    out = b"!<arch>\n"
    for name, content in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content + b"\n" * (len(content) % 2)
    return out


class HostilePackageTest(SystemTest):
    """Nothing of a package but what is looked at reaches the disk, and nothing of it with rights, links or devices."""

    def setUp(self):
        super().setUp()
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.environment["TMPDIR"] = str(self.temporary)
        self.good = [(f"./{MANIFESTS}/fields.json", (BUILD / "manifests/fields.json").read_bytes()),
                     (f"./{PLUGINS}/fields.so", (BUILD / "plugins/fields.so").read_bytes())]

    def deb(self, data, control=None):
        file = self.folder / "evil.deb"
        file.write_bytes(ar(("debian-binary", b"2.0\n"), ("control.tar", control or tar(("./control", CONTROL))), ("data.tar", data)))
        return file

    def refused(self, data, *words, control=None):
        result = self.patchbay("plugins", "verify", self.deb(data, control), timeout=30 * PATIENCE)
        self.assertEqual(result.code, 3, result)
        for word in ("evil.deb: ", *words):
            self.assertIn(word, result.err + result.out)
        self.assertEqual(list(self.temporary.iterdir()), [])
        return result

    def test_every_form_of_a_name_is_read(self):
        long = f"./usr/share/patchbay/{'d' * 90}/{'e' * 90}/x"
        for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            with self.subTest(format):
                members = [special("./", tarfile.DIRTYPE, mode=0o755), (long, b"x" * 1000), *self.good]
                result = self.patchbay("plugins", "verify", self.deb(tar(*members, format=format)), "--output", "json")
                self.assertEqual((result.code, result.json["plugins"], result.json["package"], result.json["version"]),
                                 (0, ["fields"], "patchbay-plugin-evil", "1.0"), result)

    def test_what_is_not_a_regular_file_where_a_file_is_wanted(self):
        kinds = [(tarfile.SYMTYPE, "a symbolic link", {"linkname": "/etc/passwd"}), (tarfile.LNKTYPE, "a hard link", {"linkname": "x"}),
                 (tarfile.FIFOTYPE, "a named pipe", {}), (tarfile.CHRTYPE, "a device", {"devmajor": 1, "devminor": 5}),
                 (tarfile.BLKTYPE, "a device", {}), (tarfile.DIRTYPE, "a folder", {})]
        for type, words, fields in kinds:
            for name in (f"./{MANIFESTS}/evil.json", f"./{PLUGINS}/evil.so"):
                with self.subTest(words, name=name):
                    self.refused(tar(special(name, type, **fields)), f"{name[2:]}: is {words}, where a regular file must be")

    def test_links_on_the_way_to_a_wanted_file(self):
        for name in ("./usr/share/patchbay", f"./{MANIFESTS}", "./usr/lib", f"./{PLUGINS}"):
            self.refused(tar(special(name, tarfile.SYMTYPE, linkname="/etc"), *self.good),
                         f"{name[2:]}: is a symbolic link, where a folder must be")

    def test_names_that_lead_out_of_the_package(self):
        for name in (f"/{MANIFESTS}/a.json", f"./{MANIFESTS}/../../../../../etc/cron.d/x", "../x"):
            self.refused(tar((name, "{}")), "leads out of the package")

    def test_a_name_that_stands_twice(self):
        self.refused(tar(*self.good, self.good[0]), f"{MANIFESTS}/fields.json: is there twice")
        self.refused(tar(*self.good, (f"{PLUGINS}/./fields.so", b"x")), f"{PLUGINS}/fields.so: is there twice")

    def test_sizes_and_numbers_have_limits(self):
        self.refused(tar((f"{MANIFESTS}/a.json", b" " * (17 << 20))), f"{MANIFESTS}/a.json: is larger than 16 MiB")
        self.refused(tar(*((f"{MANIFESTS}/{n}.json", "{}") for n in range(300))), "brings more than 100 manifests and libraries")
        huge = special(f"{PLUGINS}/a.so", tarfile.REGTYPE, size=1 << 40)
        self.refused(huge.tobuf(tarfile.GNU_FORMAT) + bytes(1024), f"{PLUGINS}/a.so: is larger than 512 MiB")

    def test_broken_archives(self):
        whole = tar(*self.good)
        broken = bytearray(whole)
        broken[150] ^= 1  # of the checksum
        for data in (whole[:700], bytes(broken), b"x" * 4096, whole[:len(self.good[0][1]) // 2]):
            self.refused(data)
        endless = special("././@LongLink", tarfile.GNUTYPE_LONGNAME, size=1 << 30).tobuf(tarfile.GNU_FORMAT) + b"a" * (1 << 16)
        self.refused(endless, "a name of more than 64 KiB")

    def test_the_control_archive_is_no_more_trusted(self):
        fifo = tar(special("./control", tarfile.FIFOTYPE), special("./", tarfile.DIRTYPE, mode=0o777))
        self.refused(tar(*self.good), "control: is a named pipe", control=fifo)
        self.refused(tar(*self.good), "control: is larger than 1 MiB", control=tar(("control", b"x" * (2 << 20))))
        self.refused(tar(*self.good), "is no Debian package", control=tar(("control", "Version: 1\n")))
        self.refused(tar(*self.good), "is no Debian package", control=tar(("control", "Package: a\x1b[31mb\nVersion: 1\nArchitecture: all\n")))

    def test_no_rights_reach_the_disk(self):
        setuid = special("./setuid", tarfile.REGTYPE, mode=0o4755)
        loose = [special("./", tarfile.DIRTYPE, mode=0o777), setuid]
        for name, content in self.good:
            member = special(name, tarfile.REGTYPE, mode=0o4777, uid=65534, gid=65534, size=len(content))
            loose += [member]
        data = b"".join(m.tobuf(tarfile.GNU_FORMAT) + (dict(self.good).get(m.name, b"")).ljust(-(-m.size // 512) * 512, b"\0")
                        for m in loose) + bytes(1024)
        # A pipeline that cannot be read yet holds the program up while what it unpacked is looked at.
        environment = self.folder / "etc/environments/prod"
        (environment / "pipelines").mkdir(parents=True)
        os.mkfifo(environment / "pipelines/wait.yaml")
        run = Run([str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "plugins", "verify", str(self.deb(data))],
                  self.folder, self.environment)
        self.addCleanup(run.stop)
        until(lambda: list(self.temporary.glob("*/*/fields.json")) and list(self.temporary.glob("*/*/*/fields.so")), "unpacked")
        made = list(self.temporary.rglob("*"))
        self.assertEqual(sorted(path.name for path in made if path.is_file()), ["fields.json", "fields.so"])
        for path in made:
            status = path.lstat()
            self.assertEqual((status.st_mode & 0o7777, status.st_uid), (0o700 if path.is_dir() else 0o600, os.geteuid()), path)
        run.signal(signal.SIGTERM)
        self.assertEqual(run.finish().code, 143)
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_a_folder_for_temporary_files_that_others_may_change(self):
        self.temporary.chmod(0o777)
        result = self.patchbay("plugins", "verify", self.deb(tar(*self.good)))
        self.assertEqual(result.code, 3, result)
        self.assertIn(f"{self.temporary}: others than its owner may write to it (mode 0777)", result.err)
        self.assertIn("TMPDIR", result.err)

    def test_what_is_no_regular_file_is_not_waited_for(self):
        os.mkfifo(self.folder / "pipe.deb")
        result = self.patchbay("plugins", "verify", self.folder / "pipe.deb", timeout=20 * PATIENCE)
        self.assertEqual(result.code, 3, result)
        self.assertIn("pipe.deb: is not a regular file", result.err)


if __name__ == "__main__":
    main()
