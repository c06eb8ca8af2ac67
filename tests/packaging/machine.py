"""A fresh Debian 12 that boots in a container: a minimal root, which is made once, below an overlay; or a copy of it."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

CACHE = pathlib.Path(os.environ.get("PATCHBAY_PACKAGING_CACHE", pathlib.Path.home() / ".cache/patchbay-packages"))
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb",
               "DEBIAN_FRONTEND": "noninteractive"}
SETTINGS = """\
APT::Get::Assume-Yes "true";
APT::Keep-Downloaded-Packages "true";
DPkg::Use-Pty "false";
DPkg::Options { "--force-unsafe-io"; };
quiet "1";
"""


def missing():
    """What a machine cannot be booted without, and this one here does not give."""
    if os.geteuid() != 0:
        yield "root"
    if subprocess.run(["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"],
                      capture_output=True).returncode != 0:
        yield "namespaces and mounts (CAP_SYS_ADMIN)"
    if not os.access("/sys/fs/cgroup", os.W_OK):
        yield "a /sys/fs/cgroup that may be written to"


def debian_sources():
    """What this machine's apt has of Debian 12 itself, so that mirrors count; nothing: mmdebstrap's own."""
    files = [*pathlib.Path("/etc/apt/sources.list.d").glob("*"), *pathlib.Path("/etc/apt").glob("sources.list")]
    return [file for file in files if re.search(r"^(?!\s*#).*\sbookworm\s", file.read_text() + "\n", re.M)]


def fetching():
    """This machine's apt settings of proxies and the like."""
    listed = subprocess.run(["apt-config", "dump", "--no-empty", "--format", '%f "%v";%n', "Acquire"], check=True, capture_output=True, text=True)
    return "".join(line + "\n" for line in listed.stdout.splitlines()
                   if re.match(r"Acquire::(https?::|Retries|Check-)", line) and "Auto" not in line)


def base():
    root, done = CACHE / "base", CACHE / "base.done"
    if not done.exists():
        shutil.rmtree(root, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=systemd-sysv,dbus", "bookworm", root, *debian_sources()], check=True)
        done.touch()
    return root


class Machine:
    """Booted; `sh` runs a script in it as root."""

    def __init__(self, repository):
        if lacking := ", ".join(missing()):
            raise RuntimeError(f"the packages are tested on a Debian that boots in a container, which needs {lacking}: "
                               "run `./dev test packages` as root on a machine, or in a privileged container")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-machine-"))
        self.root = self.folder / "root"
        self.init = self.container = None
        try:
            self.make_root()
            self.boot(repository)
        except BaseException:
            self.stop()
            raise

    def make_root(self):
        for name in ("up", "work", "root"):
            (self.folder / name).mkdir()
        layers = f"lowerdir={base()},upperdir={self.folder}/up,workdir={self.folder}/work"
        # Refused where the folder is on an overlay itself.
        if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.root], capture_output=True).returncode != 0:
            subprocess.run(["cp", "-a", "--reflink=auto", f"{base()}/.", self.root], check=True)
        (self.root / "etc/apt/apt.conf.d/99test").write_text(SETTINGS + fetching())
        shutil.copy("/etc/hosts", self.root / "etc/hosts")
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        (self.root / "srv/patchbay").mkdir()

    def boot(self, repository):
        downloads = CACHE / "archives"  # of Debian's packages, for the next machine
        downloads.mkdir(exist_ok=True)
        with open(self.folder / "console", "wb") as console:
            self.container = subprocess.Popen(
                ["systemd-nspawn", "--boot", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=off",
                 "--machine", self.folder.name.replace("_", "-").rstrip("-"), "--directory", self.root, f"--bind-ro={repository}:/srv/patchbay",
                 f"--bind={downloads}:/var/cache/apt/archives"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        self.init = self.wait_for(self.find_init, "the container did not start")
        self.wait_for(lambda: self.sh("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded"),
                      "the container did not boot")

    def wait_for(self, what, message, seconds=120):
        pause, deadline = threading.Event(), time.monotonic() + seconds
        while not (found := what()):
            if time.monotonic() > deadline or self.container.poll() is not None:
                raise RuntimeError(f"{message}: {(self.folder / 'console').read_text(errors='replace')[-2000:]}")
            pause.wait(0.05)
        return found

    def find_init(self):
        children = pathlib.Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children").read_text().split()
        for child in children:
            try:
                if os.readlink(f"/proc/{child}/exe").endswith("/systemd/systemd"):
                    return child
            except FileNotFoundError:
                continue  # it has ended meanwhile
        return None

    def sh(self, script, check=True, timeout=600, user="root"):
        shell = ["/bin/bash", "-euo", "pipefail", "-c", "cd\n" + script]
        if user != "root":
            shell = ["/sbin/runuser", "--user", user, "--", "/usr/bin/env", f"HOME=/home/{user}", *shell]
        done = subprocess.run(["nsenter", "--target", self.init, "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd", *shell],
                              env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"exit {done.returncode}: {script}\n{done.stdout}\n{done.stderr}")
        return done

    def stop(self):
        if self.container and self.container.poll() is None:
            os.kill(int(self.init or self.container.pid), 9)
            self.container.wait(60)
        if os.path.ismount(self.root):
            subprocess.run(["umount", "--lazy", self.root], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)
