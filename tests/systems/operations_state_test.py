"""The state directory: another run in it, damaged, not writable."""

import os
import signal
import sqlite3
import subprocess

from harness import BUILD, Result, main
from operations import OperationsTest, until

NOBODY = 65534


class LockTest(OperationsTest):
    def setUp(self):
        super().setUp()
        self.serve()
        self.fault({"action": "hang", "seconds": 3600})
        self.busy = self.start("run", self.reviews())
        until(lambda: self.requests() >= 1, "first request")

    def test_a_pipeline_that_runs_is_not_run_again(self):
        pipeline = self.reviews()
        for arguments in (["run", pipeline], ["run", pipeline, "--output", "json"], ["run", pipeline, "--full-refresh"],
                          ["state", "reset", "reviews"],
                          ["state", "set", "reviews", "--stream", "responses", '{"sequence": 1}']):
            with self.subTest(arguments):
                result = self.patchbay(*arguments)
                self.assert_fails(result, 75, f"reviews: already runs as process {self.busy.pid}")
        self.assertEqual(self.patchbay("runs", "list", "--output", "json").json[0]["outcome"], "running")

    def test_looking_and_other_pipelines_go_on(self):
        self.fault()
        pipeline = self.reviews()
        for verb in ("plan", "preview", "check", "validate"):
            self.assertEqual(self.patchbay(verb, pipeline).code, 0, verb)
        self.assertEqual(self.patchbay("state", "show", "reviews").code, 0)
        other = self.pipeline((self.folder / "reviews.yaml").read_text().replace("name: reviews", "name: other"), "other")
        self.assertEqual(self.patchbay("run", other).code, 0)

    def test_a_killed_run_is_told_from_one_that_goes_on(self):
        self.busy.signal(signal.SIGKILL)
        self.busy.finish()
        for verb in (["runs", "list"], ["runs", "show"]):
            result = self.patchbay(*verb, "--output", "json").json
            self.assertEqual((result[0] if verb[1] == "list" else result)["outcome"], "crashed")
        self.fault()
        self.complete(self.reviews())


class StateFileTest(OperationsTest):
    def setUp(self):
        super().setUp()
        self.serve()
        self.complete(self.reviews())
        self.file = self.folder / "state/pipelines/reviews.db"
        self.good = self.file.read_bytes()

    def assert_refused(self, *words):
        """By every command that needs the state; the file stays as it is, and so does the table."""
        before = self.file.read_bytes()
        for arguments in (["run", self.reviews()], ["run", self.reviews(), "--output", "json"], ["state", "show", "reviews"],
                          ["runs", "list"], ["rejects", "list", "reviews"]):
            self.assert_fails(self.patchbay(*arguments), 3, *words)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(self.stored(), self.expected)

    def restore(self):
        for file in self.folder.glob("state/pipelines/reviews.db*"):
            file.unlink()
        self.file.write_bytes(self.good)
        self.complete(self.reviews())

    def test_damage_is_named_with_what_to_do(self):
        for note, content in (("garbage", b"not a database\n" * 999), ("cut", self.good[:3000]),
                              ("cut between pages", self.good[:8192]),
                              ("overwritten", self.good[:4096] + os.urandom(len(self.good) - 4096))):
            with self.subTest(note):
                self.file.write_bytes(content)
                self.assert_refused("reviews.db: is damaged", "Restore it from a backup", "patchbay state set")
                self.restore()

    def test_a_state_file_of_a_newer_version_is_left_alone(self):
        with sqlite3.connect(self.file) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        self.assert_refused("reviews.db: was written by a newer patchbay (layout 99, this one knows", "upgrade patchbay")
        self.restore()

    def test_a_moved_away_state_starts_where_it_is_told(self):
        self.file.rename(self.folder / "old.db")
        self.assertEqual(self.patchbay("state", "show", "reviews", "--output", "json").code, 2)
        start = '{"sequence": %d}' % self.expected[-1]
        self.assertEqual(self.patchbay("state", "set", self.reviews(), "--stream", "responses", start).code, 0)
        self.complete(self.reviews())


class SomebodyElsesTest(OperationsTest):
    """State decides what is read and written next, and holds refused rows: it is kept where nobody else can change it."""

    def setUp(self):
        super().setUp()
        (self.folder / "t.csv").write_text("id\n1\n")
        self.copy = ["copy", "t.csv", "sqlite:o.db?write=replace"]
        self.place = self.folder / "place"
        self.place.mkdir()
        self.state_dir = self.place / "state"

    def run_copy(self, **environment):
        """Without --state-dir, if the variables say where."""
        words = [str(BUILD / "patchbay"), *self.copy] if environment else self.command(*self.copy)
        variables = {**{k: v for k, v in self.environment.items() if k != "HOME"}, **environment} if environment else self.environment
        done = subprocess.run(words, capture_output=True, text=True, cwd=self.folder, timeout=60,
                              env={name: value for name, value in variables.items() if value is not None})
        return Result(done)

    def refused(self, *words):
        self.assert_fails(self.run_copy(), 3, "so no state is kept there", "--state-dir", *words)
        self.assertFalse((self.folder / "o.db").exists())

    def test_a_folder_of_somebody_else(self):
        self.state_dir.mkdir()
        os.chown(self.state_dir, NOBODY, NOBODY)
        self.refused(f"{self.state_dir}: belongs to nobody, not to root or you", "run it as nobody")
        self.assertEqual(list(self.state_dir.iterdir()), [])

    def test_a_folder_that_others_may_write(self):
        self.state_dir.mkdir()
        for mode in (0o777, 0o1777, 0o770):
            self.state_dir.chmod(mode)
            self.refused(f"{self.state_dir}: others than its owner may write to it", f"run `chmod go-w {self.state_dir}`")

    def test_a_way_on_which_others_could_put_another(self):
        self.place.chmod(0o777)
        self.refused(f"{self.place}: others than its owner may write to it (mode 0777)", f"run `chmod o-w {self.place}`")
        os.chown(self.place, NOBODY, NOBODY)
        self.place.chmod(0o755)
        self.refused(f"{self.place}: belongs to nobody")

    def test_links(self):
        real = self.folder / "real"
        real.mkdir(mode=0o700)
        self.state_dir.symlink_to(real)
        self.assertEqual(self.run_copy().code, 0)
        self.assertTrue(list(real.glob("pipelines/*.db")))
        os.lchown(self.state_dir, NOBODY, NOBODY)
        self.assert_fails(self.run_copy(), 3, f"{self.state_dir}: belongs to nobody")

    def test_what_is_in_the_folder(self):
        self.assertEqual(self.run_copy().code, 0)
        (self.state_dir / "state.db").write_bytes(b"")  # of the version before
        for file in [self.state_dir / "state.db", *(one for name in ("pipelines", "numbers", "locks") for one in (self.state_dir / name).iterdir())]:
            kept = file.read_bytes()
            for spoil, words in ((lambda: os.chown(file, NOBODY, NOBODY), f"{file}: belongs to nobody"),
                                 (lambda: file.chmod(0o666), f"{file}: others than its owner may write to it"),
                                 (lambda: (file.unlink(), file.symlink_to(self.folder / "t.csv")), f"{file}: is a link"),
                                 (lambda: (file.unlink(), os.mkfifo(file)), f"{file}: cannot be opened: it is not a regular file")):
                spoil()
                self.assert_fails(self.run_copy(), 3, words, "--state-dir")
                file.unlink()
                file.write_bytes(kept)
                file.chmod(0o600)
            self.assertEqual(self.run_copy().code, 0)
        for name in ("pipelines", "numbers", "locks"):
            (self.state_dir / name).chmod(0o777)
            self.assert_fails(self.run_copy(), 3, f"{self.state_dir}/{name}: others than its owner may write to it", "--state-dir")
            (self.state_dir / name).chmod(0o700)

    def test_what_is_made_is_closed_whatever_the_umask(self):
        before = os.umask(0)
        try:
            self.state_dir = self.folder / "a/b/state"
            self.assertEqual(self.run_copy().code, 0)
        finally:
            os.umask(before)
        for path in [self.folder / "a", *(self.folder / "a").rglob("*")]:
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_a_file_that_others_may_read_is_closed_before_it_is_used(self):
        self.assertEqual(self.run_copy().code, 0)
        file = next(self.state_dir.glob("pipelines/*.db"))
        file.chmod(0o644)
        self.assertEqual(self.run_copy().code, 0)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_a_home_that_is_no_place(self):
        for environment, words in (({"HOME": "home"}, "HOME: must be a whole path, not home"),
                                   ({"HOME": str(self.folder), "XDG_STATE_HOME": "xdg"}, "XDG_STATE_HOME: must be a whole path, not xdg")):
            self.assert_fails(self.run_copy(**environment), 3, words, "--state-dir")
        done = subprocess.run([str(BUILD / "patchbay"), "plugins", "list"], cwd=self.folder, timeout=60, capture_output=True,
                              env={**self.environment, "HOME": "home"})
        self.assertEqual(done.returncode, 0, "what needs no state goes on")

    def test_without_a_home_that_of_the_user_database_counts(self):
        # A user of its own mount namespace, whose home is in the test's folder.
        (self.folder / "passwd").write_text(f"root:x:0:0::{self.folder}/registered:/bin/sh\n")
        script = f"mount --bind {self.folder}/passwd /etc/passwd && exec env -u HOME {BUILD}/patchbay copy t.csv o.db"
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, cwd=self.folder,
                              env={k: v for k, v in self.environment.items() if k != "HOME"}, timeout=60)
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(list((self.folder / "registered/.local/state/patchbay/pipelines").glob("*.db")))
        done = subprocess.run(["setpriv", "--reuid=65000", "--regid=65000", "--clear-groups", "env", "-u", "HOME", BUILD / "patchbay",
                               "runs", "list"], capture_output=True, text=True, cwd="/", env={"PATH": os.environ["PATH"]}, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (3, "patchbay: state: HOME is not set and user 65000 has no home folder; "
                                                             "name a folder with --state-dir\n"))


class PermissionsTest(OperationsTest):
    def setUp(self):
        super().setUp()
        self.serve()

    def assert_refused(self, *words):
        for arguments in (["run", self.reviews(), "--output", "json"], ["state", "set", self.reviews(), "--stream", "responses", "1"]):
            self.assert_fails(self.as_plain_user(*arguments), 3, "--state-dir", *words)
        self.assertFalse((self.folder / "out.db").exists())

    def test_a_state_directory_that_may_not_be_made(self):
        closed = self.folder / "closed"
        closed.mkdir(mode=0o500)
        self.state_dir = closed / "state"
        self.assert_refused("closed/state: cannot be made: Permission denied")

    def test_a_state_directory_that_may_not_be_written(self):
        (self.folder / "state").mkdir(mode=0o500)
        self.assert_refused(str(self.folder / "state"))

    def test_a_state_directory_that_is_a_file(self):
        (self.folder / "state").write_text("")
        self.assert_refused(str(self.folder / "state"))

    def test_a_state_file_that_is_a_folder(self):
        (self.folder / "state/pipelines/reviews.db").mkdir(parents=True)
        for folder in ("state", "state/pipelines"):
            (self.folder / folder).chmod(0o700)
        self.assert_refused("reviews.db: cannot be opened")

    def test_folders_that_may_not_be_looked_into_are_not_taken_for_empty(self):
        shut = self.folder / "shut"
        shut.mkdir()
        (shut / "a.csv").write_text("id\n1\n")
        shut.chmod(0)
        for path in (f"{shut}/a.csv", f"{shut}/*.csv", f"{self.folder}/**/a.csv"):
            result = self.as_plain_user("copy", path, self.folder / "copied.db")
            self.assert_fails(result, 3, "shut", "Permission denied")

    def test_a_working_folder_that_is_gone(self):
        gone = self.folder / "gone"
        gone.mkdir()
        script = f"rmdir {gone}; exec {BUILD}/patchbay --state-dir {self.state_dir} copy a.csv b.csv"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=gone, timeout=60)
        self.assertEqual(done.returncode, 3, done)
        self.assertNotIn("bug", done.stderr)

    def test_a_state_file_of_somebody_else(self):
        self.complete(self.reviews())
        for file in self.folder.glob("state/pipelines/*"):
            file.chmod(0o400)
        for folder in ("state/pipelines", "state"):
            (self.folder / folder).chmod(0o500)
        self.assert_fails(self.as_plain_user("run", self.reviews()), 3, "state", "--state-dir")

    def test_state_is_for_its_owner_alone(self):
        self.complete(self.reviews())
        self.assertEqual((self.folder / "state").stat().st_mode & 0o777, 0o700)
        for file in (self.folder / "state").rglob("*"):
            if file.is_file():
                self.assertEqual(file.stat().st_mode & 0o077, 0, file)

    def test_however_it_is_named_it_is_made(self):
        for name in ("one", "two/", "a/b/three", "./four", "one/../five/"):
            self.state_dir = name
            self.assertEqual(self.start("run", self.reviews(), "--limit", 1).finish().code, 0, name)
            self.assertEqual((self.folder / name).stat().st_mode & 0o777, 0o700, name)

    def test_a_file_system_that_is_read_only(self):
        self.small_disk("state", "4M")
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder / "state")], check=True)
        self.assert_refused(str(self.folder / "state"))
        self.assertIn("Read-only file system", self.patchbay("run", self.reviews()).err)

if __name__ == "__main__":
    main()
