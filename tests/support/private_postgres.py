"""A PostgreSQL server of a test's own, in a temporary folder, gone with the test.

    private_postgres.py [--listen ADDRESS]

First line out: "ready URL-OF-A-SUPERUSER PORT", or "missing WHY" where none can be had. Then one answer a line for each line in:
  database   an empty database (the former one, emptied): its URL, through the socket's folder, without a password
  kill       SIGKILL to the server and all its processes
  stop, start
At the end of its input it stops the server and removes the folder. Databases ask for passwords on TCP (user "tcp", password "secret").
"""
import argparse
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ADMIN = "prismvid"


class Missing(Exception):
    pass


def find_binaries():
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]), reverse=True)
    folders += ["/opt/homebrew/opt/postgresql@15/bin", "/usr/local/opt/postgresql@15/bin"] + os.environ["PATH"].split(":")
    for folder in folders:
        if all(os.access(os.path.join(folder, name), os.X_OK) for name in ("initdb", "postgres", "psql")):
            return folder
    raise Missing("no PostgreSQL server is installed (Debian: postgresql-15)")


def unprivileged_user():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise Missing("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'")


class Server:
    def __init__(self, listen):
        self.binaries, self.user, self.listen = find_binaries(), unprivileged_user(), listen
        # A socket's path is short; in memory nothing of a server that goes again reaches a disk.
        memory = "/dev/shm"
        roomy = os.path.isdir(memory) and shutil.disk_usage(memory).free > 512 << 20
        self.folder = tempfile.mkdtemp(prefix="prismvid_pg_", dir=memory if roomy else "/tmp")
        self.process, self.made = None, False
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        made = self.run("initdb", "-D", self.data(), "-U", ADMIN, "-E", "UTF8", "--locale=C", "--no-sync",
                        "--auth-local=trust", "--auth-host=scram-sha-256")
        if made.returncode:
            raise Missing("initdb failed: " + made.stderr.strip().replace("\n", " "))
        if listen != "127.0.0.1":
            with open(os.path.join(self.data(), "pg_hba.conf"), "a") as rules:
                rules.write("host all all samenet scram-sha-256\n")
        self.start()
        self.sql("postgres", "CREATE ROLE tcp LOGIN PASSWORD 'secret'")

    def data(self):
        return os.path.join(self.folder, "data")

    def command(self, program, *arguments):
        as_user = ["setpriv", "--reuid", self.user.pw_name, "--regid", str(self.user.pw_gid), "--clear-groups"] if self.user else []
        return as_user + [os.path.join(self.binaries, program), *arguments]

    def run(self, program, *arguments):
        return subprocess.run(self.command(program, *arguments), capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL)

    def sql(self, database, text):
        done = self.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", ADMIN, "-d", database, "-c", text)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def start(self):
        log = open(os.path.join(self.folder, "log"), "ab")
        for _ in range(100):  # after a SIGKILL its old processes may take a moment to go
            self.process = subprocess.Popen(
                self.command("postgres", "-D", self.data(), "-k", self.folder, "-p", str(self.port), "-c", f"listen_addresses={self.listen}",
                             "-c", "fsync=off", "-c", "shared_buffers=32MB", "-c", "max_connections=200", "-c", "lc_messages=C"),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/")
            while self.process.poll() is None:
                if self.run("psql", "-X", "-q", "-h", self.folder, "-p", str(self.port), "-U", ADMIN, "-d", "postgres", "-c", "").returncode == 0:
                    return
                time.sleep(0.05)
            time.sleep(0.2)
        raise Missing("the server does not start: " + open(os.path.join(self.folder, "log")).read()[-500:].replace("\n", " "))

    def stop(self, number=signal.SIGINT):
        if self.process and self.process.poll() is None:
            children = []
            if number == signal.SIGKILL and os.path.exists("/proc/self"):  # elsewhere they go when they notice
                children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
            self.process.send_signal(number)
            for child in children:
                try:
                    os.kill(int(child), number)
                except ProcessLookupError:
                    pass
            self.process.wait()

    def url(self, database):
        return f"postgres://{ADMIN}@/{database}?host={self.folder}&port={self.port}"

    def fresh_database(self):
        if not self.made:
            self.sql("postgres", "CREATE DATABASE library")
            self.sql("postgres", "GRANT CREATE ON DATABASE library TO tcp")
            self.made = True
        self.sql("library", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'library' AND pid <> pg_backend_pid()")
        self.sql("library", "DROP SCHEMA IF EXISTS prismvid CASCADE")
        return self.url("library")

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1")
    arguments = parser.parse_args()
    try:
        server = Server(arguments.listen)
    except Missing as missing:
        print("missing", missing, flush=True)
        return
    try:
        print("ready", server.url("postgres"), server.port, flush=True)
        for line in sys.stdin:
            answer = {"database": server.fresh_database, "kill": lambda: server.stop(signal.SIGKILL), "stop": server.stop,
                      "start": server.start}[line.strip()]()
            print(answer or "done", flush=True)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
