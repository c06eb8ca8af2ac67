"""A fresh Debian 12 that boots in a container: an overlay on a minimal root, which is made once."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

CACHE = pathlib.Path(os.environ.get("PATCHBAY_PACKAGING_CACHE", pathlib.Path.home() / ".cache/patchbay-packages"))
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb",
               "DEBIAN_FRONTEND": "noninteractive"}


def base():
    root, done = CACHE / "base", CACHE / "base.done"
    if not done.exists():
        shutil.rmtree(root, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        sources = [*pathlib.Path("/etc/apt/sources.list.d").glob("*.sources"), *pathlib.Path("/etc/apt").glob("sources.list")]
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=systemd-sysv,dbus", "bookworm", root,
                        *[source for source in sources if source.stat().st_size]], check=True)
        done.touch()
    return root


class Machine:
    """Booted; `sh` runs a script in it as root."""

    def __init__(self, repository):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-machine-"))
        self.root = self.folder / "root"
        for name in ("up", "work", "root"):
            (self.folder / name).mkdir()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={base()},upperdir={self.folder}/up,workdir={self.folder}/work", self.root], check=True)
        (self.root / "etc/apt/apt.conf.d/99yes").write_text(
            'APT::Get::Assume-Yes "true"; APT::Keep-Downloaded-Packages "true"; Dpkg::Use-Pty "false"; quiet "1";\n')
        shutil.copy("/etc/hosts", self.root / "etc/hosts")
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        (self.root / "srv/patchbay").mkdir()
        downloads = CACHE / "archives"  # of Debian's packages, for the next machine
        downloads.mkdir(exist_ok=True)
        with open(self.folder / "console", "wb") as console:
            self.container = subprocess.Popen(
                ["systemd-nspawn", "--boot", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=off",
                 "--machine", self.folder.name.replace("_", "-").rstrip("-"), "--directory", self.root, f"--bind-ro={repository}:/srv/patchbay",
                 f"--bind={downloads}:/var/cache/apt/archives"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        self.init = None
        try:
            self.init = self.wait_for(self.find_init, "the container did not start")
            self.wait_for(lambda: self.sh("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded"),
                          "the container did not boot")
        except BaseException:
            self.stop()
            raise

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

    def sh(self, script, check=True, timeout=600):
        done = subprocess.run(["nsenter", "--target", self.init, "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root",
                               "--wd", "/bin/bash", "-euo", "pipefail", "-c", "cd /root\n" + script],
                              env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"exit {done.returncode}: {script}\n{done.stdout}\n{done.stderr}")
        return done

    def stop(self):
        if self.container.poll() is None:
            os.kill(int(self.init or self.container.pid), 9)
            self.container.wait(60)
        subprocess.run(["umount", "--lazy", self.root], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)
