"""What the tests of the packages share: a booted machine, the repository it installs from, and the documents' commands."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "systems")]

from harness import SOURCE  # noqa: E402
from machine import Machine  # noqa: E402

REPOSITORY = pathlib.Path(os.environ.get("PATCHBAY_REPOSITORY", SOURCE / "build/packages/repository"))


def blocks(document):
    """Its shell commands by the heading they stand under, in order."""
    found, heading = {}, ""
    for line, code in re.findall(r"^#+ ([^\n]*)$|^```sh\n(.*?)^```", (SOURCE / document).read_text(), re.M | re.S):
        heading = line or heading
        if code:
            found.setdefault(heading, []).append(code)
    return found


class PackagesCase(unittest.TestCase):
    """PATCHBAY_REPOSITORY is the repository of `./dev package`; a copy of it is /srv/patchbay of the machine."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-packages-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.repository = cls.folder / "repository"
        cls.pool = cls.repository / "pool/main"
        shutil.copytree(REPOSITORY, cls.repository)
        cls.folder.chmod(0o755)
        cls.machine = Machine(cls.repository)
        cls.addClassCleanup(cls.machine.stop)

    def repack(self, deb, out, *changes):
        """The same files with other words in the control file."""
        tree = self.folder / "tree"
        subprocess.run(["dpkg-deb", "--raw-extract", deb, tree], check=True)
        control = tree / "DEBIAN/control"
        text = control.read_text()
        for old, new in changes:
            text = text.replace(old, new)
        control.write_text(text)
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", "-z1", tree, out], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(tree)

    def publish(self, version):
        """A later version of every package, beside those that are there."""
        for deb in list(self.pool.glob("*.deb")):
            old = deb.name.split("_")[1]
            self.repack(deb, self.pool / deb.name.replace(f"_{old}_", f"_{version}_"),
                        (f"Version: {old}", f"Version: {version}"), (f"(= {old})", f"(= {version})"))
        subprocess.run([SOURCE / "packaging/index.sh", self.repository],
                       env={**os.environ, "GNUPGHOME": str(REPOSITORY.parent / "key"),
                            "PATCHBAY_ARCHIVE_KEY": "patchbay-archive"}, check=True)
