"""`prismvid models pull` against a hub on this machine, and huggingface_hub against the same: pull_test.py PROGRAM"""

import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import fake_hub

PROGRAM = sys.argv.pop(1)
LARGE_HASH = hashlib.sha256(fake_hub.LARGE).hexdigest()


def tree(folder):
    """Every file and link of a cache, and what it holds or points to; without what huggingface_hub keeps for itself."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file() and not re.search(r"\.locks|CACHEDIR\.TAG|\.no_exist|/trees/", name):
            found[name] = path.read_bytes()
    return found


class PullTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        self.cache = self.home / "hub"

    def hub(self, **options):
        hub = fake_hub.Hub(**options)
        self.addCleanup(hub.close)
        return hub

    def environment(self, hub, **more):
        base = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING", "TRANSFORMERS"))}
        base.update({"HF_ENDPOINT": hub.endpoint + "/", "HF_HOME": str(self.home), "no_proxy": "127.0.0.1"}, **more)
        return base

    def pull(self, hub, *arguments, **more):
        return subprocess.run([PROGRAM, "models", "pull", *(arguments or ("org/model",))], text=True,
                              capture_output=True, env=self.environment(hub, **more))

    def test_the_cache_is_what_huggingface_hub_writes_and_reads(self):
        hub = self.hub()
        result = self.pull(hub)
        self.assertEqual(result.returncode, 0, result.stderr)
        theirs = self.home / "theirs"
        script = ("import huggingface_hub as h, sys; d = h.snapshot_download('org/model', cache_dir=sys.argv[1]); "
                  "print(h.snapshot_download('org/model', local_files_only=True)); "
                  "i = h.scan_cache_dir(); print(len(i.repos), len(i.warnings), i.size_on_disk)")
        peer = subprocess.run([sys.executable, "-c", script, str(theirs)], text=True, capture_output=True,
                              env=self.environment(hub, HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_PROGRESS_BARS="1"))
        self.assertEqual(peer.returncode, 0, peer.stderr)
        self.assertEqual(list(tree(self.cache)), list(tree(theirs)))
        self.assertTrue(tree(self.cache) == tree(theirs), "the same names, but other bytes or links")
        found, scanned = peer.stdout.splitlines()
        self.assertEqual(found, result.stdout.strip())
        self.assertEqual(scanned, "1 0 %d" % sum(map(len, fake_hub.FILES.values())))

    def test_the_token_goes_to_the_hub_and_not_to_the_store(self):
        hub = self.hub(token="secret")
        self.assertEqual(self.pull(hub, HF_TOKEN="secret").returncode, 0)
        shown = {server: {r[3] for r in hub.requests if r[0] == server} for server in ("hub", "store")}
        self.assertEqual(shown, {"hub": {"Bearer secret"}, "store": {None}})

    def test_the_token_may_stand_in_its_file(self):
        hub = self.hub(token="secret")
        (self.home / "token").write_text("secret\n")
        self.assertEqual(self.pull(hub).returncode, 0)

    def test_says_what_a_hidden_model_needs(self):
        hub = self.hub(token="secret")
        result = self.pull(hub)
        self.assertEqual(result.returncode, 3)
        self.assertIn("HF_TOKEN", result.stderr)
        self.assertIn("for the account", self.pull(hub, HF_TOKEN="wrong").stderr)
        self.assertIn("no token has", self.pull(hub, HF_TOKEN="a\nX: y").stderr)
        self.assertEqual([path for path in self.home.rglob("*") if path.is_file()], [])

    def test_goes_on_where_the_connection_broke_off(self):
        hub = self.hub(breaks=2)
        result = self.pull(hub)
        self.assertEqual(result.returncode, 0, result.stderr)
        ranges = [r[4] for r in hub.requests if r[0] == "store"]
        size = len(fake_hub.LARGE)
        self.assertEqual(ranges, [None, "bytes=%d-" % (size // 2), "bytes=%d-" % (size * 3 // 4)])

    def test_goes_on_with_what_an_earlier_run_left(self):
        hub = self.hub()
        blobs = self.cache / "models--org--model" / "blobs"
        blobs.mkdir(parents=True)
        (blobs / (LARGE_HASH + ".incomplete")).write_bytes(fake_hub.LARGE[:1000])
        self.assertEqual(self.pull(hub).returncode, 0)
        self.assertEqual([r[4] for r in hub.requests if r[0] == "store"], ["bytes=1000-"])
        self.assertEqual((blobs / LARGE_HASH).read_bytes(), fake_hub.LARGE)
        before = len(hub.requests)
        self.assertEqual(self.pull(hub).returncode, 0)  # only the listing is asked for again
        self.assertEqual(len(hub.requests), before + 1)

    def test_a_file_of_another_checksum_is_refused_and_removed(self):
        hub = self.hub(announced="f" * 64)
        result = self.pull(hub)
        self.assertEqual(result.returncode, 6)
        self.assertIn("other bytes than were announced", result.stderr)
        self.assertFalse(list(self.cache.rglob("f" * 64 + "*.incomplete")))
        self.assertFalse((self.cache / "models--org--model" / "refs").exists())

    def test_offline_only_the_cache_answers(self):
        hub = self.hub()
        result = self.pull(hub, HF_HUB_OFFLINE="1")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("HF_HUB_OFFLINE", result.stderr)
        self.assertEqual(hub.requests, [])
        there = self.pull(hub).stdout
        self.assertEqual(self.pull(hub, HF_HUB_OFFLINE="TRUE").stdout, there)

    def test_honours_the_cache_folder_and_revisions(self):
        hub = self.hub()
        elsewhere = self.home / "elsewhere"
        result = self.pull(hub, "org/model", "--revision", fake_hub.COMMIT, HF_HUB_CACHE=str(elsewhere))
        self.assertEqual(result.stdout.strip(), str(elsewhere / "models--org--model/snapshots" / fake_hub.COMMIT))
        self.assertFalse((elsewhere / "models--org--model" / "refs").exists())

    def test_says_that_a_name_is_not_there(self):
        result = self.pull(self.hub(), "org/other")
        self.assertEqual(result.returncode, 3)
        self.assertIn("org/other", result.stderr)
        self.assertEqual(self.pull(self.hub(), "other").returncode, 2)


if __name__ == "__main__":
    unittest.main()
