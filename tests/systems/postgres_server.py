"""A PostgreSQL cluster of its own for a test: TLS, SCRAM, on a free port."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

PASSWORD = "pg-s3cret"


def programs():
    """The folder of initdb and pg_ctl, wherever the distribution keeps its newest version."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    if not folders:
        raise RuntimeError("PostgreSQL is not installed; packaging/apt-test.txt lists it")
    return folders[-1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """`uri` connects as the superuser pb; the password is apart, in PASSWORD."""

    def __init__(self, durable=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-pg-"))
        self.folder.chmod(0o755)
        self.bin, self.port, self.data = programs(), free_port(), self.folder / "data"
        user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._make(durable)
        self.start()
        self.uri = f"postgresql://pb@127.0.0.1:{self.port}/postgres?sslmode=require"

    def _run(self, *command):
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
                       env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}, **self.user)

    def _make(self, durable):
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(self.bin / "initdb", "-D", self.data, "-U", "pb", f"--pwfile={password}", "--auth=scram-sha-256",
                  "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self._run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                  "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                  "-keyout", self.data / "server.key", "-out", self.data / "server.crt")
        (self.data / "server.key").chmod(0o600)
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(f"listen_addresses='127.0.0.1'\nport={self.port}\nunix_socket_directories='{self.folder}'\nssl=on\n")
            if not durable:
                conf.write("fsync=off\nsynchronous_commit=off\nfull_page_writes=off\n")
        (self.data / "pg_hba.conf").write_text("local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n")

    def allow_plain(self):
        """Connections without TLS are taken, too: what a proxy reads along."""
        with open(self.data / "pg_hba.conf", "a") as rules:
            rules.write("host all all 127.0.0.1/32 scram-sha-256\n")
        self._run(self.bin / "pg_ctl", "-D", self.data, "reload")

    def small_tablespace(self, name):
        """One that is full after a few hundred kilobytes."""
        folder = self.folder / name
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=0777", name, str(folder)], check=True)
        inside = folder / "data"
        inside.mkdir()
        if self.user:
            os.chown(inside, self.user["user"], self.user["group"])
        self.sql(f"CREATE TABLESPACE {name} LOCATION '{inside}'")

    def remove_small_tablespace(self, name):
        self.sql(f"DROP TABLE IF EXISTS t; DROP TABLESPACE {name}")
        subprocess.run(["umount", "-l", str(self.folder / name)], check=True)

    def start(self):
        self._run(self.bin / "pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-t", "60", "start")

    def stop(self, mode="immediate"):
        self._run(self.bin / "pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, user="pb", password=PASSWORD, database="postgres"):
        """Runs statements through psql; rows as lists of text, NULL as None."""
        done = subprocess.run(
            [str(self.bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-R", "\x1e", "-P", "null=\x1d",
             f"postgresql://{user}@127.0.0.1:{self.port}/{database}?sslmode=require", "-f", "-"],
            input=text, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "PGPASSWORD": password})
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        out = done.stdout.removesuffix("\n")
        return [[None if cell == "\x1d" else cell for cell in row.split("\x1f")] for row in out.split("\x1e")] if out else []
