"""What the service stands: latency at a rate, streams, a large upload, and kill -9 in the middle of many jobs.

    bench/service/measure.py latency|streams|upload|crash [--db sqlite|postgres] [--program build/release/prismvid] [--json FILE]

Prints one table, and with --json writes the same figures.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


DATABASE = None  # the PostgreSQL server of this run, or None: SQLite


class PrivatePostgres:
    """A server of this run alone (tests/support/private_postgres.py)."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, ROOT / "tests/support/private_postgres.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        state, _, why = self.process.stdout.readline().partition(" ")
        if state != "ready":
            sys.exit("no PostgreSQL: " + why)
        self.url = self.ask("database")

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def restart(self):
        self.ask("kill")
        self.ask("start")

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def library(folder):
    return ["--db", DATABASE.url if DATABASE else folder / "library.db"]


class Service:
    def __init__(self, program, folder, *more):
        self.command = [program, "serve", *library(folder), "--data", folder / "uploads", "--media", folder / "media", *more]
        self.program, self.folder = program, folder
        self.start()

    def start(self, port=0):
        self.process = subprocess.Popen([*self.command, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r":(\d+)/", self.process.stdout.readline()).group(1))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, data

    def memory_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024


def make_library(program, folder):
    (folder / "media").mkdir()
    shutil.copy(ROOT / "assets/demo.mp4", folder / "media/demo.mp4")
    out = subprocess.run([program, "analyze", folder / "media/demo.mp4", *library(folder), "--format", "json"], capture_output=True, text=True)
    return json.loads(out.stdout)["video"]["id"]


def latency(program, folder, rate=200, seconds=20, threads=16):
    """Open loop: requests start when they are due, so that a slow answer does not thin out the next ones."""
    video = make_library(program, folder)
    service = Service(program, folder)
    took, lock, start = [], threading.Lock(), time.perf_counter() + 0.5

    def run(index):
        connection = http.client.HTTPConnection("127.0.0.1", service.port)
        for number in range(index, rate * seconds, threads):
            due = start + number / rate
            time.sleep(max(0, due - time.perf_counter()))
            connection.request("GET", f"/v1/videos/{video}")
            response = connection.getresponse()
            response.read()
            with lock:
                took.append((time.perf_counter() - due) * 1000)
            assert response.status == 200
    workers = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    service.stop()
    took.sort()
    return {"requests": len(took), "rate": rate, "p50_ms": took[len(took) // 2], "p99_ms": took[int(len(took) * 0.99)], "max_ms": took[-1]}


def streams(program, folder, count=500, hold_seconds=360, rounds=3):
    """All streams open for minutes, then left and opened again: memory may neither creep while they wait nor with each round."""
    make_library(program, folder)
    service = Service(program, folder, "--workers", "0")
    headers = {"Content-Type": "application/json", "Idempotency-Key": "one"}
    job = json.loads(service.call("POST", "/analyze/video", json.dumps({"source": {"path": "demo.mp4"}, "force": True}), headers)[1])

    def opened():
        held = [http.client.HTTPConnection("127.0.0.1", service.port, timeout=60) for _ in range(count)]
        for connection in held:
            connection.request("GET", job["events_url"])
        time.sleep(3)
        return held
    before, at_rounds = service.memory_mb(), []
    for _ in range(rounds):
        held = opened()
        at_rounds.append(service.memory_mb())
        [connection.close() for connection in held]
        time.sleep(15)  # a stream that was left is noticed at its next sign of life, after ten seconds at most
    held = opened()
    held_mb = [service.memory_mb()]
    for _ in range(hold_seconds // 30):
        time.sleep(30)
        held_mb.append(service.memory_mb())
    status, _ = service.call("GET", "/v1/videos")
    service.call("DELETE", job["status_url"])
    ended = sum(b"event: done" in connection.getresponse().read() for connection in held)
    service.stop()
    return {"streams": count, "ended_well": ended, "answers_meanwhile": status, "memory_before_mb": before, "memory_at_rounds_mb": at_rounds,
            "held_seconds": hold_seconds, "memory_while_held_mb": held_mb}


def upload(program, folder, gigabytes=10):
    (folder / "media").mkdir()
    service = Service(program, folder)
    size, piece = gigabytes << 30, 64 << 20
    _, data = service.call("POST", "/v1/uploads", json.dumps({"name": "big.mp4", "bytes": size}), {"Content-Type": "application/json"})
    url, before, largest, start = "/v1/uploads/" + json.loads(data)["upload_id"], service.memory_mb(), 0, time.perf_counter()
    block = bytes(piece)
    for offset in range(0, size, piece):
        status, data = service.call("PATCH", url, block, {"Upload-Offset": str(offset)})
        assert status == 204, data
        largest = max(largest, service.memory_mb())
    seconds = time.perf_counter() - start
    service.call("DELETE", url)
    service.stop()
    return {"gigabytes": gigabytes, "seconds": seconds, "memory_before_mb": before, "memory_largest_mb": largest}


def crash(program, folder, jobs=1000, clips=20, seed=1):
    """Server, worker and (PostgreSQL) database are killed at random moments; every accepted job must end once."""
    (folder / "media").mkdir()
    for number in range(clips):
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"color=c=0x{100000 + number * 7919}:size=64x64:rate=25:duration=1", "-pix_fmt", "yuv420p",
                        folder / f"media/{number}.mp4"], check=True)
    random.seed(seed)
    service = Service(program, folder, "--lease-ms", "1000")
    worker = lambda: subprocess.Popen([program, "worker", *library(folder), "--media", folder / "media", "--lease-ms", "1000"], stdout=subprocess.DEVNULL)
    other, accepted, kills, start = worker(), [], 0, time.perf_counter()
    while len(accepted) < jobs:
        number = len(accepted)
        body = json.dumps({"source": {"path": f"{number % clips}.mp4"}, "features": ["shots", "scenes"]})
        try:
            status, data = service.call("POST", "/analyze/video", body, {"Content-Type": "application/json", "Idempotency-Key": str(number)})
            if DATABASE and status >= 500:
                continue  # the database was killed: sent again under the same key
            assert status == 202, data
            accepted.append(json.loads(data)["job_id"])
        except (ConnectionError, http.client.HTTPException):
            pass  # killed: sent again under the same key
        if random.random() < 0.02:
            kills += 1
            victim = random.random()
            if DATABASE and victim < 1 / 3:
                DATABASE.restart()
            elif victim < 2 / 3 if DATABASE else victim < 0.5:
                service.kill()
                service.start()
            else:
                other.kill()
                other.wait()
                other = worker()
    counts = {}
    while time.perf_counter() - start < 900:
        counts = json.loads(service.call("GET", "/v1/jobs?limit=1")[1]).get("counts", {})
        if counts.get("done", 0) + counts.get("failed", 0) >= jobs:
            break
        if random.random() < 0.3:
            kills += 1
            if DATABASE and random.random() < 0.5:
                DATABASE.restart()
            else:
                service.kill()
                service.start()
        time.sleep(0.5)
    ends = [service.call("GET", f"/v1/jobs/{job}/events")[1].count(b"event: done") for job in set(accepted)]
    other.kill()
    service.stop()
    return {"jobs": jobs, "different_ids": len(set(accepted)), "kills": kills, "done": counts.get("done", 0), "failed": counts.get("failed", 0),
            "ended_once": ends.count(1), "seconds": time.perf_counter() - start}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["latency", "streams", "upload", "crash"])
    parser.add_argument("--program", default=ROOT / "build/release/prismvid")
    parser.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--gigabytes", type=int, default=10)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    os.environ.setdefault("PRISMVID_MODELS", str(ROOT / "build/models"))
    global DATABASE
    DATABASE = PrivatePostgres() if arguments.db == "postgres" else None
    with tempfile.TemporaryDirectory(prefix="prismvid_service_") as folder:
        work = {"latency": latency, "streams": streams, "crash": crash, "upload": lambda *a: upload(*a, gigabytes=arguments.gigabytes)}[arguments.what]
        result = work(pathlib.Path(arguments.program).resolve(), pathlib.Path(folder))
    if DATABASE:
        DATABASE.end()
    for name, value in result.items():
        print(f"{name:26} {value:.1f}" if isinstance(value, float) else f"{name:26} {value}")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
