"""Clients that are slow, leave, send wrong lengths or many requests at once: others are served, and nothing of them stays."""
import hashlib
import json
import socket
import time
import unittest

from service_process import ServiceProcess

HOST = b"Host: 127.0.0.1\r\n"
PATIENCE_S = 120  # the machine may be busy


class SlowClientsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = ServiceProcess("--allow-private-urls", "--workers", "0")
        cls.service.call("GET", "/v1/jobs")
        cls.few_threads = cls.service.threads() + 8  # without a client

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def tearDown(self):
        self.assertTrue(self.service.is_running(), "the service has died")

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def raw(self, data):
        """Everything that comes back until the service closes the connection."""
        with self.service.connect() as connection:
            connection.sendall(data)
            answer = b""
            while piece := connection.recv(1 << 16):
                answer += piece
            return answer

    def queued_job(self):
        headers = {"Content-Type": "application/json"}
        return json.loads(self.service.call("POST", "/analyze/video", json.dumps({"source": {"path": "demo.mp4"}, "force": True}), headers)[1])

    def test_one_address_that_takes_every_connection_leaves_some_to_others(self):
        hostile = []
        try:
            for _ in range(1300):
                connection = socket.socket()
                connection.bind(("127.0.0.2", 0))
                connection.settimeout(5)
                connection.connect(("127.0.0.1", self.service.port))
                hostile.append(connection)
        except OSError:
            pass  # refused: that many are enough
        for _ in range(3):  # a header that never ends
            for connection in hostile:
                try:
                    connection.sendall(b"GET /v1/videos HTTP/1.1\r\nX-Slow: a" if _ == 0 else b"a")
                except OSError:
                    pass
            self.assertEqual(self.service.call("GET", "/v1/videos")[0], 200)
        for connection in hostile:
            connection.close()
        self.wait_until(lambda: self.service.threads() < 100, "threads of connections that are closed stay")

    def test_requests_sent_at_once_are_answered_in_their_order(self):
        last = 30
        paths = ["/v1/people" if n % 2 else "/v1/jobs" for n in range(1, last + 1)]
        data = b"".join(f"GET {path} HTTP/1.1\r\n".encode() + HOST + (b"Connection: close\r\n" if n == last else b"") + b"\r\n" for n, path in enumerate(paths, 1))
        answers = self.raw(data).split(b"HTTP/1.1 ")[1:]
        self.assertEqual(len(answers), last)
        for path, answer in zip(paths, answers):
            self.assertTrue(answer.startswith(b"200"), answer[:200])
            self.assertEqual(b'"people":' in answer, path == "/v1/people")

    def test_watchers_that_leave_are_let_go(self):
        job = self.queued_job()
        self.wait_until(lambda: self.service.threads() <= self.few_threads, "threads of the tests before stay")
        watchers = [self.service.connect() for _ in range(100)]
        for watcher in watchers:
            watcher.sendall(f"GET {job['events_url']} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
        for watcher in watchers:
            self.assertTrue(watcher.recv(1000).startswith(b"HTTP/1.1 200"))
        self.assertGreaterEqual(self.service.threads(), 100)
        for watcher in watchers:
            watcher.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # resets the connection
            watcher.close()
        self.wait_until(lambda: self.service.threads() <= self.few_threads, "threads of watchers who left stay")
        self.service.call("DELETE", job["status_url"])

    def test_readers_that_never_read_do_not_stop_others(self):
        readers = [self.service.connect() for _ in range(50)]
        for reader in readers:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.sendall(f"GET /v1/videos/{self.service.video}/stream HTTP/1.1\r\n".encode() + HOST + b"\r\n")
        for _ in range(5):
            self.assertEqual(self.service.call("GET", f"/v1/videos/{self.service.video}")[0], 200)
        for reader in readers:
            reader.close()

    def test_an_upload_that_breaks_off_goes_on_where_it_was(self):
        file = bytes(range(256)) * 4000
        upload = json.loads(self.service.call("POST", "/v1/uploads", json.dumps({"name": "a.mp4", "bytes": len(file)}))[1])["upload_id"]
        url = f"/v1/uploads/{upload}"
        received = lambda: json.loads(self.service.call("GET", url)[1])["received"]
        offset = 0
        for cut in (1, 70_000, 300_000):
            with self.service.connect() as connection:
                connection.sendall(f"PATCH {url} HTTP/1.1\r\nUpload-Offset: {offset}\r\nContent-Length: {len(file) - offset}\r\n".encode() + HOST + b"\r\n" + file[offset:offset + cut])
            self.wait_until(lambda: received() == offset + cut, "what came is not kept")
            offset += cut
        # Until the service has let go of the piece that broke off, a second writer is refused.
        self.wait_until(lambda: self.service.call("PATCH", url, file[offset:], {"Upload-Offset": str(offset)})[0] in (204, 409) and received() == len(file), "the rest is not taken")
        stored = next(self.service.folder.glob(f"*.uploads/{upload}/*"))
        self.assertEqual(hashlib.sha256(stored.read_bytes()).digest(), hashlib.sha256(file).digest())
        self.service.call("DELETE", url)

    def test_wrong_lengths_do_nothing(self):
        before = json.loads(self.service.call("GET", "/v1/jobs")[1])["counts"]
        body = b'{"source":{"path":"demo.mp4"},"force":true}'
        for lengths in [b"Content-Length: 5\r\n", b"Content-Length: +43\r\n", b"Content-Length: 0x2b\r\n", b"Content-Length: 43, 43\r\n"]:
            answer = self.raw(b"POST /v1/jobs HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Type: application/json\r\n" + lengths + b"\r\n" + body)
            self.assertNotIn(b"HTTP/1.1 5", answer, lengths)
            self.assertNotIn(b"HTTP/1.1 202", answer, lengths)
        self.assertEqual(json.loads(self.service.call("GET", "/v1/jobs")[1])["counts"], before)

    def test_a_request_hidden_in_a_body_is_not_answered(self):
        hidden = b"GET /v1/videos HTTP/1.1\r\n" + HOST + b"\r\n"
        answer = self.raw(b"POST /v1/search HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Type: application/json\r\n" + f"Content-Length: {len(hidden)}\r\n\r\n".encode() + hidden)
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)

    def test_line_ends_in_a_query_reach_no_header(self):
        answer = self.raw(b"GET /v1/videos?q=%0d%0aX-Injected:%20yes HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        self.assertNotIn(b"X-Injected", answer.split(b"\r\n\r\n")[0])

    def test_more_headers_than_fit_are_refused(self):
        many = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(2000))
        self.assertRegex(self.raw(b"GET /v1/videos HTTP/1.1\r\n" + HOST + many + b"Connection: close\r\n\r\n")[:12], rb"HTTP/1\.1 4\d\d")


if __name__ == "__main__":
    unittest.main()
