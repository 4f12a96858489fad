"""Answers that stream: over HTTP as events, and from `prismvid ask` on a terminal, with the demonstration model."""
import http.client
import json
import os
import pty
import subprocess
import time
import unittest

from service_process import MODEL, PROGRAM, ServiceProcess

QUESTION = "What colour does the red circle turn?"


def events_of(response):
    """(seconds since the first call, event, data) as they come."""
    start, event = time.monotonic(), None
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            yield time.monotonic() - start, event, json.loads(value)


class AskStreamTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = ServiceProcess(analyzed=("--features", "shots,scenes,caption", "--model", MODEL), deep_model=MODEL)

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def post(self, path, **body):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=300)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        self.addCleanup(connection.close)
        return connection.getresponse()

    def test_words_come_while_the_answer_is_made_and_its_citations_are_checked(self):
        told = list(events_of(self.post(f"/v1/videos/{self.service.video}/ask", question=QUESTION, stream=True)))
        names = [event for _, event, _ in told]
        self.assertEqual(names[:2], ["found", "look"])
        self.assertEqual(names[-1], "answer")
        self.assertGreater(names.count("token"), 1, "the words came in one piece")
        found, answer = told[0][2], told[-1][2]
        self.assertEqual(found["citations"][0]["video"], self.service.video)
        self.assertTrue(found["citations"][0]["text"])
        last_look = len(names) - 1 - names[::-1].index("look")
        self.assertEqual("".join(data["text"] for _, event, data in told[last_look:] if event == "token"), answer["answer"])
        self.assertTrue(answer["sufficient"])
        self.assertTrue(answer["citations"])
        first_token = next(at for at, event, _ in told if event == "token")
        self.assertLess(first_token, told[-1][0], "the first word waited for the last")
        # The same again is known: the answer comes at once, and is the same.
        again = list(events_of(self.post(f"/v1/videos/{self.service.video}/ask", question=QUESTION, stream=True)))
        self.assertEqual([again[-1][2][key] for key in ("answer", "citations")], [answer[key] for key in ("answer", "citations")])

    def test_a_client_that_leaves_ends_the_work(self):
        response = self.post("/v1/ask", question="Who meets whom, and what happens then?", stream=True)
        next(events_of(response))
        response.close()
        whole = json.loads(self.post("/v1/ask", question="What does the pink cross do?").read())
        self.assertEqual(whole["engine"], "vlm")

    def ask(self, question):
        return [PROGRAM, "ask", self.service.clip, question, "--db", self.service.database, "--model", MODEL]

    def pieces_on_a_terminal(self, question):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(self.ask(question), stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL)
        os.close(theirs)
        pieces = []
        try:
            while piece := os.read(ours, 4096):
                pieces.append(piece.decode())
        except OSError:  # how Linux tells that the other side is closed
            pass
        os.close(ours)
        self.assertEqual(process.wait(), 0)
        return pieces

    def test_a_terminal_shows_the_words_once_and_then_what_proves_them(self):
        # Who reads late, on a busy machine, gets several words at once: three answers are not all so unlucky.
        for shape in ("red circle", "pink cross", "orange triangle"):
            question = f"What does the {shape} do?"
            pieces = self.pieces_on_a_terminal(question)
            if len(pieces) > 2:
                break
        self.assertGreater(len(pieces), 2, "the words came in one piece")
        whole = subprocess.run([*self.ask(question), "--format", "json"], check=True, capture_output=True, text=True).stdout
        shown = "".join(pieces).replace("\r\n", "\n")
        self.assertEqual(shown.count(json.loads(whole)["answer"]), 1, shown)
        self.assertIn("  [1] ", shown)


if __name__ == "__main__":
    unittest.main()
