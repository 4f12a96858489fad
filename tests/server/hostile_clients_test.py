"""Slow, broken and hostile clients, and random requests to every endpoint: the service goes on, and nothing is a 500."""
import hashlib
import hmac
import http.server
import json
import random
import re
import threading
import unittest
import urllib.parse

from service_process import ServiceProcess

SEED = 20
ROUNDS = 12  # for each operation
STRANGE = ["", "a", "%00", "%ff", "..%2f..%2fetc%2fpasswd", "v_1' OR 1=1", "x" * 3000, "-1", "1e999", "999999999999999999999", "\u00e9", "{}", "null"]


def strange_json(chance, depth=0):
    kind = chance.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return chance.choice(["", "fast", "a" * 5000, "\ud83d\ude00", "../..", "file:///etc/passwd", "v_1", "\u0000"])
    if kind < 4:
        return chance.choice([0, -1, 2**63, 2**64, 1e308, -0.0, 3.5, 10**30])
    if kind < 6:
        return chance.choice([None, True, False])
    if kind < 7:
        return [strange_json(chance, depth + 1) for _ in range(chance.randrange(4))]
    keys = ["source", "path", "url", "upload_id", "profile", "features", "range", "start", "end", "question", "history", "text", "filters", "name", "bytes", "from", "faces",
            "op", "target", "value", "messages", "role", "content", "type", "prompt", "input", "tools", "response_format", "metadata", "video_ids", "stream_options", "odd"]
    return {chance.choice(keys): strange_json(chance, depth + 1) for _ in range(chance.randrange(5))}


class HostileClientsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = ServiceProcess("--allow-private-urls", "--workers", "1")
        cls.call = staticmethod(cls.service.call)

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def tearDown(self):
        self.assertTrue(self.service.is_running(), "the service has died")

    def raw(self, data, answer=True):
        with self.service.connect() as connection:
            connection.sendall(data)
            return connection.recv(65536) if answer else b""

    def test_broken_requests_are_refused_or_cut_off(self):
        host = b"Host: 127.0.0.1\r\n"
        for data in [b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n" + host + b"\r\n", b"GET /v1/videos HTTP/1.1\r\n\r\n", b"GET http://evil/ HTTP/1.1\r\nHost: evil\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 100_000 + b"\r\n\r\n", b"POST /v1/jobs HTTP/1.1\r\n" + host + b"Content-Length: -5\r\n\r\n",
                     b"POST /v1/jobs HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n", b"POST /v1/jobs HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n"]:
            try:
                answer = self.raw(data)
            except ConnectionError:
                continue
            self.assertFalse(answer.startswith(b"HTTP/1.1 2"), (data[:60], answer[:60]))

    def everything(self, data):
        """All that comes until the service closes the connection."""
        with self.service.connect() as connection:
            connection.sendall(data)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def test_a_body_of_two_lengths_is_refused_and_what_follows_is_no_request(self):
        smuggled = b"GET /v1/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        for framing in [b"Content-Length: 2\r\nContent-Length: 40\r\n", b"Content-Length: 40\r\nX: y\r\ncontent-length: 2\r\n",
                        b"Content-Length: 2, 2\r\n", b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n"]:
            answer = self.everything(b"POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\n" + framing + b"\r\n{}" + smuggled)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400"), (framing, answer[:80]))
            self.assertNotIn(b"HTTP/1.1 200", answer, (framing, answer))

    def test_a_connection_goes_on_behind_a_refusal(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
        connection.connect()
        socket = connection.sock
        for method, path, body, expected in [("GET", "/v1/nothing", None, 404), ("POST", "/v1/nothing", b"x" * 100_000, 404), ("GET", "/v1/jobs?odd=1", None, 400),
                                             ("POST", "/v1/search", b"x" * 1_000_000, 413), ("DELETE", "/v1/search", None, 405), ("GET", "/v1/videos", None, 200)]:
            connection.request(method, path, body)
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, expected, (method, path))
            self.assertIs(connection.sock, socket, (method, path, "the connection was closed"))
        connection.close()

    def test_clients_that_leave_in_the_middle_cost_nothing(self):
        upload = json.loads(self.call("POST", "/v1/uploads", json.dumps({"name": "a.mp4", "bytes": 1000}))[1])["upload_id"]
        for _ in range(20):
            self.raw(b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{", answer=False)
            self.raw(b"GET /v1/vid", answer=False)
        self.raw(f"PATCH /v1/uploads/{upload} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpload-Offset: 0\r\nContent-Length: 1000\r\n\r\n0123456789".encode(), answer=False)
        for _ in range(200):  # until the server has noticed
            status, data = self.call("GET", f"/v1/uploads/{upload}")
            if json.loads(data)["received"] == 10:
                break
        self.assertEqual(json.loads(data)["received"], 10, "what came is kept, and the upload can go on")

    def test_many_idle_connections_do_not_keep_others_out(self):
        idle = [self.service.connect() for _ in range(300)]
        for connection in idle[::2]:
            connection.sendall(b"GET /v1/videos HTTP/1.1\r\nHo")
        self.assertEqual(self.call("GET", "/v1/videos")[0], 200)
        for connection in idle:
            connection.close()

    def test_random_requests_to_every_operation_are_never_the_services_fault(self):
        chance = random.Random(SEED)
        paths = json.loads(self.call("GET", "/openapi.json")[1])["paths"]
        for path, operations in paths.items():
            for method, operation in operations.items():
                for _ in range(ROUNDS):
                    url = re.sub(r"\{\w+\}", lambda _: urllib.parse.quote(chance.choice(STRANGE), safe="%"), path)
                    query = "&".join(f"{p['name']}={chance.choice(['', '1', '-1', 'a', '%ff', '1e999', 'nan', '0.5', '99999999999999999999'])}" for p in operation["parameters"]
                                     if p["in"] == "query" and chance.random() < 0.5)
                    body = None
                    if "requestBody" in operation:
                        body = chance.choice([b"", b"{", b"[" * 100_000, b"\xff\xfe", json.dumps(strange_json(chance)).encode(), json.dumps(strange_json(chance)).encode()])
                    headers = {"Content-Type": "application/json", **({"Range": chance.choice(["bytes=0-", "bytes=-5", "bytes=9-1"])} if chance.random() < 0.1 else {})}
                    status, data = self.call(method.upper(), url + ("?" + query if query else ""), body, headers)
                    self.assertNotEqual(status, 500, (method, url, body and body[:200], data))
                    if status >= 400 and data:
                        self.assertIn("message", json.loads(data)["error"], (method, url))

    def test_a_webhook_is_signed_and_sent_again_when_it_fails(self):
        seen, enough = [], threading.Event()

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                assert self.headers["X-PrismVid-Event"] == "done"
                seen.append((self.headers["X-PrismVid-Signature"], self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(500 if len(seen) == 1 else 204)
                self.end_headers()
                if len(seen) == 2:
                    enough.set()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        body = {"source": {"path": "demo.mp4"}, "features": ["shots"], "range": {"start": 0, "end": 2}, "webhook": {"url": f"http://127.0.0.1:{server.server_port}/", "secret": "s3cret"}}
        status, data = self.call("POST", "/analyze/video", json.dumps(body), {"Content-Type": "application/json"})
        self.assertEqual(status, 202, data)
        self.assertTrue(enough.wait(120), "it was not sent twice")
        server.shutdown()
        server.server_close()
        for signature, raw in seen:
            self.assertEqual(signature, "sha256=" + hmac.new(b"s3cret", raw, hashlib.sha256).hexdigest())
        self.assertEqual(json.loads(seen[1][1])["state"], "done")
        self.assertNotIn(b"s3cret", self.call("GET", json.loads(data)["status_url"])[1])


if __name__ == "__main__":
    unittest.main()
