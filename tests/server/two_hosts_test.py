"""Two hosts (network namespaces) work on the jobs of one PostgreSQL on a third, also when one host's cable is pulled.

Needs the right to make network namespaces (root on Linux) and a PostgreSQL server; ends with 77, which CTest takes for
skipped, where one of them is missing. Videos and --data are a folder that both hosts see.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ["PRISMVID_PROGRAM"]
NAMES = {host: f"pv{host}{os.getpid()}" for host in ("db", "a", "b")}
ADDRESSES = {"db": "10.213.0.1", "a": "10.213.0.2", "b": "10.213.0.3"}

FETCH = """
import sys, urllib.request, urllib.error
method, url, body = sys.argv[1:4]
request = urllib.request.Request(url, body.encode() or None, {"Content-Type": "application/json"}, method=method)
try:
    print(urllib.request.urlopen(request, timeout=60).read().decode())
except urllib.error.HTTPError as error:
    print(error.read().decode())
"""


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def run(*command):
    subprocess.run(command, check=True, capture_output=True, text=True)


def on(host, *command):
    return ["ip", "netns", "exec", NAMES[host], *map(str, command)]


def make_network():
    for name in NAMES.values():
        run("ip", "netns", "add", name)
    run(*on("db", "ip", "link", "add", "bridge", "type", "bridge"))
    run(*on("db", "ip", "addr", "add", ADDRESSES["db"] + "/24", "dev", "bridge"))
    run(*on("db", "ip", "link", "set", "bridge", "up"))
    for host in NAMES:
        run(*on(host, "ip", "link", "set", "lo", "up"))
    for host in ("a", "b"):
        run(*on(host, "ip", "link", "add", "cable", "type", "veth", "peer", "name", host, "netns", NAMES["db"]))
        run(*on("db", "ip", "link", "set", "dev", host, "master", "bridge", "up"))
        run(*on(host, "ip", "addr", "add", ADDRESSES[host] + "/24", "dev", "cable"))
        run(*on(host, "ip", "link", "set", "cable", "up"))


class Service:
    """`prismvid serve` without workers on host a."""

    def __init__(self, options):
        self.process = subprocess.Popen(on("a", PROGRAM, "serve", "--workers", 0, "--listen", "127.0.0.1:0", *options), stdout=subprocess.PIPE, text=True)
        self.base = re.search(r"(http://\S+)/", self.process.stdout.readline()).group(1)

    def call(self, method, path, body=None):
        text = json.dumps(body) if body else ""
        out = subprocess.run(on("a", sys.executable, "-c", FETCH, method, self.base + path, text), capture_output=True, text=True, check=True)
        return out.stdout

    def post(self, film):
        answer = json.loads(self.call("POST", "/analyze/video", {"source": {"path": film}, "features": ["shots", "scenes"]}))
        return answer["job_id"]

    def wait(self, job, *states):
        while True:
            state = json.loads(self.call("GET", "/v1/jobs/" + job)).get("state")
            if state in states:
                return state
            time.sleep(0.1)

    def ends(self, job):
        return self.call("GET", f"/v1/jobs/{job}/events").count("event: done")


def make_films(folder):
    folder.mkdir()
    for name, rate in (("first.mp4", 24), ("second.mp4", 25), ("third.mp4", 30)):
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate={rate}:duration=40", "-c:v", "libx264", "-preset", "ultrafast",
                        "-pix_fmt", "yuv420p", folder / name], check=True)


def check(service, worker):
    first_worker = worker("b")
    job = service.post("first.mp4")
    assert service.wait(job, "done", "failed") == "done", "what host a takes, host b does"
    assert service.ends(job) == 1

    job = service.post("second.mp4")
    service.wait(job, "running")
    run(*on("b", "ip", "link", "set", "cable", "down"))
    second_worker = worker("a")
    assert service.wait(job, "done", "failed") == "done", "the job of a host that cannot be reached is taken over"
    run(*on("b", "ip", "link", "set", "cable", "up"))

    second_worker.kill()
    second_worker.wait()
    last = service.post("third.mp4")
    assert service.wait(last, "done", "failed") == "done", "the host that is back works again"
    assert first_worker.poll() is None
    assert service.ends(job) == 1, "the worker that was cut off ended nothing a second time"
    assert service.ends(last) == 1


def main():
    if os.geteuid() != 0 or not shutil.which("ip"):
        skip("network namespaces need root and iproute2")
    processes, folder = [], pathlib.Path(tempfile.mkdtemp(prefix="prismvid_hosts_"))
    try:
        try:
            make_network()
        except subprocess.CalledProcessError as error:
            skip("no network namespaces: " + error.stderr.strip())
        database = subprocess.Popen(on("db", sys.executable, ROOT / "tests/support/private_postgres.py", "--listen", ADDRESSES["db"]),
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(database)
        state, _, rest = database.stdout.readline().partition(" ")
        if state != "ready":
            skip(rest.strip())
        database.stdin.write("database\n")
        database.stdin.flush()
        name = re.search(r"@/(\w+)\?", database.stdout.readline()).group(1)
        url = f"postgres://tcp:secret@{ADDRESSES['db']}:{rest.split()[1]}/{name}"
        make_films(folder / "media")
        options = ["--db", url, "--data", folder / "data", "--media", folder / "media", "--lease-ms", 2000]

        def worker(host):
            processes.append(subprocess.Popen(on(host, PROGRAM, "worker", *options), stdout=subprocess.DEVNULL))
            return processes[-1]

        service = Service(options)
        processes.append(service.process)
        check(service, worker)
        print("two hosts: passed")
    finally:
        for process in processes[1:]:
            process.kill()
            process.wait()
        if processes:
            processes[0].stdin.close()
            processes[0].wait()
        for name in NAMES.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
