"""`prismvid serve` on a free port, as a process of its own, with one analysed video."""
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

PROGRAM = os.environ.get("PRISMVID_PROGRAM", "build/release/prismvid")
ASSETS = pathlib.Path(__file__).resolve().parents[2] / "assets"
MODEL = ASSETS / "models/demo-world-vlm"


class ServiceProcess:
    """`more` are options of serve, `analyzed` those of analyze; without a `deep_model` its name is one that is not there."""

    def __init__(self, *more, analyzed=("--features", "shots", "--range", "0-3"), deep_model="/nowhere"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="prismvid_service_test_"))
        (self.folder / "media").mkdir()
        self.clip = self.folder / "media/demo.mp4"
        shutil.copy(ASSETS / "demo.mp4", self.clip)
        self.database = self.folder / "library.db"
        told = subprocess.run([PROGRAM, "analyze", self.clip, "--db", self.database, *analyzed, "--format", "json"], check=True, capture_output=True, text=True)
        self.video = json.loads(told.stdout)["video"]["id"]
        self.process = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0", "--db", self.database, "--media", self.folder / "media", *more], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PRISMVID_DEEP_MODEL": str(deep_model)})
        self.port = int(re.search(r":(\d+)/", self.process.stdout.readline()).group(1))
        self.base = f"http://127.0.0.1:{self.port}"

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder)

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def connect(self, timeout=30):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def is_running(self):
        return self.process.poll() is None and self.call("GET", "/v1/health/live")[0] == 200

    def memory_mb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))
