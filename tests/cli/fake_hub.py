"""A Hugging Face hub of one repository on this machine, with its file store on another port, as the real one has."""

import hashlib
import http.server
import json
import threading
import urllib.parse

COMMIT = "a1" * 20
LARGE = bytes(range(256)) * 4096  # a megabyte
FILES = {"config.json": b"{}", "sub folder/notes.txt": b"hello\n", "model.safetensors": LARGE}


def git_hash(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub:
    """`token`: what readers must show; None for a public repository. `breaks`: how often the store breaks off half-way."""

    def __init__(self, token=None, breaks=0, announced=None):
        self.token, self.breaks = token, breaks
        self.sha256 = announced or hashlib.sha256(LARGE).hexdigest()
        self.requests = []  # (server, method, path, Authorization, Range)
        self.store = self.start("store")
        self.front = self.start("hub")

    def start(self, name):
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                hub.requests.append((name, self.command, self.path, self.headers.get("Authorization"),
                                     self.headers.get("Range")))
                (hub.answer_hub if name == "hub" else hub.answer_store)(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in (self.front, self.store):
            server.shutdown()
            server.server_close()

    @property
    def endpoint(self):
        return "http://127.0.0.1:%d" % self.front.server_port

    def listing(self):
        siblings = []
        for name, data in FILES.items():
            entry = {"rfilename": name, "size": len(data), "blobId": git_hash(data)}
            if data is LARGE:
                entry["lfs"] = {"sha256": self.sha256, "size": len(data), "pointerSize": 135}
            siblings.append(entry)
        return {"id": "org/model", "modelId": "org/model", "sha": COMMIT, "private": False, "siblings": siblings,
                "tags": [], "downloads": 0, "likes": 0}

    def answer_hub(self, request):
        path = urllib.parse.unquote(urllib.parse.urlparse(request.path).path)
        if self.token and request.headers.get("Authorization") != "Bearer " + self.token:
            return send(request, 401, b"", {"X-Error-Code": "GatedRepo"})
        if path.startswith("/api/models/org/model/tree/"):
            tree = [{"type": "file", "path": e["rfilename"], "size": e["size"], "oid": e["blobId"],
                     **({"lfs": {"oid": self.sha256, "size": e["size"], "pointerSize": 135}} if "lfs" in e else {})}
                    for e in self.listing()["siblings"]]
            return send(request, 200, json.dumps(tree).encode(), {"Content-Type": "application/json"})
        if path.startswith("/api/models/org/model"):
            return send(request, 200, json.dumps(self.listing()).encode(), {"Content-Type": "application/json"})
        for revision in (COMMIT, "main"):
            start = "/org/model/resolve/%s/" % revision
            data = FILES.get(path[len(start):]) if path.startswith(start) else None
            if data is LARGE:
                return send(request, 302, b"", {
                    "Location": "http://127.0.0.1:%d/%s" % (self.store.server_port, self.sha256),
                    "X-Repo-Commit": COMMIT, "X-Linked-Etag": '"%s"' % self.sha256, "X-Linked-Size": str(len(data))})
            if data is not None:
                return send(request, 200, data, {"X-Repo-Commit": COMMIT, "ETag": '"%s"' % git_hash(data)})
        return send(request, 404, b"", {"X-Error-Code": "RepoNotFound"})

    def answer_store(self, request):
        start = int((request.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        data = LARGE[start:]
        headers = {"ETag": '"%s"' % self.sha256, "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = "bytes %d-%d/%d" % (start, len(LARGE) - 1, len(LARGE))
        if self.breaks and request.command == "GET":
            self.breaks -= 1
            return send(request, 206 if start else 200, data, headers, only=len(data) // 2)
        send(request, 206 if start else 200, data, headers)


def send(request, status, data, headers, only=None):
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(data[:only])
    if only is not None:
        request.close_connection = True
