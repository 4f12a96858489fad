"""OpenAI's own client against `prismvid serve` with the demonstration model."""
import base64
import json
import re
import subprocess
import threading
import time
import unittest
import urllib.request

import openai

from service_process import MODEL, ServiceProcess

QUESTION = "What happens in this video?"


class OpenAiClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = ServiceProcess(analyzed=("--features", "shots"), deep_model=MODEL)
        cls.picture = subprocess.run(["ffmpeg", "-v", "error", "-ss", "20", "-i", cls.service.clip, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"],
                                     check=True, capture_output=True).stdout
        cls.clip = subprocess.run(["ffmpeg", "-v", "error", "-ss", "18", "-t", "3", "-i", cls.service.clip, "-an", "-c:v", "libx264", "-f", "matroska", "-"],
                                  check=True, capture_output=True).stdout
        cls.client = openai.OpenAI(base_url=cls.service.base + "/v1", api_key="none needed", timeout=300, max_retries=0)
        cls.model = cls.client.models.list().data[0].id

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def chat(self, content, **options):
        options = {"temperature": 0, "max_tokens": 24, **options}
        return self.client.chat.completions.create(model=self.model, messages=[{"role": "user", "content": content}], **options)

    def image_part(self):
        return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(self.picture).decode()}}

    def test_a_picture_is_answered_about_with_usage(self):
        answer = self.chat([self.image_part(), {"type": "text", "text": "Describe this."}])
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.choices[0].message.role, "assistant")
        self.assertGreater(answer.usage.prompt_tokens, 20)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
        self.assertIn(answer.choices[0].finish_reason, ["stop", "length"])

    def test_streamed_words_are_the_whole_answer(self):
        content = [self.image_part(), {"type": "text", "text": "Describe this."}]
        whole = self.chat(content).choices[0].message.content
        chunks = list(self.chat(content, stream=True, stream_options={"include_usage": True}))
        self.assertEqual("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), whole)
        self.assertGreater(chunks[-1].usage.completion_tokens, 0)
        self.assertIn(chunks[-2].choices[0].finish_reason, ["stop", "length"])

    def test_a_video_of_the_library_an_id_and_a_data_url_are_watched(self):
        part = {"type": "video_url", "video_url": {"url": self.service.video}, "start": 18, "end": 21, "max_frames": 4}
        by_id = self.chat([part, {"type": "text", "text": QUESTION}])
        self.assertGreater(by_id.usage.prompt_tokens, 30)
        data = "data:video/x-matroska;base64," + base64.b64encode(self.clip).decode()
        by_data = self.chat([{"type": "video_url", "video_url": {"url": data}, "max_frames": 4}, {"type": "text", "text": QUESTION}])
        self.assertGreater(by_data.usage.prompt_tokens, 30)
        self.assertEqual(list((self.service.folder / "library.db.uploads").iterdir()), [], "nothing of it is kept")

    def test_the_answer_fulfils_a_schema(self):
        schema = {"type": "object", "properties": {"colour": {"enum": ["red", "green", "blue"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
                  "required": ["colour", "count"], "additionalProperties": False}
        answer = self.chat("Which colour, and how many?", response_format={"type": "json_schema", "json_schema": {"name": "thing", "schema": schema}}, max_tokens=60)
        value = json.loads(answer.choices[0].message.content)
        self.assertEqual(set(value), {"colour", "count"})
        self.assertIn(value["colour"], ["red", "green", "blue"])

    def test_a_required_tool_is_called_with_its_arguments(self):
        tool = {"type": "function", "function": {"name": "seek", "parameters": {"type": "object", "properties": {"seconds": {"type": "integer", "minimum": 0, "maximum": 99}},
                                                                                 "required": ["seconds"], "additionalProperties": False}}}
        answer = self.chat("Go to the beginning.", tools=[tool], tool_choice="required", max_tokens=400)
        call = answer.choices[0].message.tool_calls[0]
        self.assertEqual((call.type, call.function.name), ("function", "seek"))
        self.assertIsInstance(json.loads(call.function.arguments)["seconds"], int)
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        streamed = list(self.chat("Go to the beginning.", tools=[tool], tool_choice="required", max_tokens=400, stream=True))
        calls = [delta for chunk in streamed for delta in chunk.choices[0].delta.tool_calls or []]
        self.assertEqual(calls[0].function.name, "seek")

    def test_log_probabilities_come_for_each_token(self):
        answer = self.chat("Hello", logprobs=True, top_logprobs=2, max_tokens=5)
        tokens = answer.choices[0].logprobs.content
        self.assertEqual(len(tokens), answer.usage.completion_tokens)
        for token in tokens:
            self.assertLessEqual(token.logprob, 0)
            self.assertEqual(len(token.top_logprobs), 2)
            self.assertEqual(token.top_logprobs[0].logprob, max(other.logprob for other in token.top_logprobs))

    def test_completions_and_responses_answer_in_their_own_shapes(self):
        completion = self.client.completions.create(model=self.model, prompt="Hello", max_tokens=5, temperature=0)
        self.assertEqual(completion.object, "text_completion")
        response = self.client.responses.create(model=self.model, input="Hello", instructions="Be brief.", max_output_tokens=5, temperature=0)
        self.assertEqual(response.object, "response")
        self.assertIsInstance(response.output_text, str)
        self.assertGreater(response.usage.output_tokens, 0)
        events = list(self.client.responses.create(model=self.model, input="Hello", instructions="Be brief.", max_output_tokens=5, temperature=0, stream=True))
        self.assertEqual(events[0].type, "response.created")
        self.assertIn(events[-1].type, ["response.completed", "response.incomplete"])
        self.assertEqual("".join(event.delta for event in events if event.type == "response.output_text.delta"), response.output_text)

    def test_wrong_requests_are_refused_as_the_client_expects(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.chat.completions.create(model="nobody/none", messages=[{"role": "user", "content": "Hello"}])
        self.assertEqual(caught.exception.body["code"], "model_not_found")
        for content in ([{"type": "video_url", "video_url": {"url": "/etc/passwd"}}], [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}],
                        [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}], [{"type": "poem"}]):
            with self.assertRaises(openai.BadRequestError):
                self.chat(content)
        with self.assertRaises(openai.PermissionDeniedError):
            self.chat([{"type": "video_url", "video_url": {"url": self.service.base + "/v1/videos/" + self.service.video + "/stream"}}])
        for options in ({"n": 2}, {"temperature": 9}, {"response_format": {"type": "poem"}}, {"stop": [1]}):
            with self.assertRaises(openai.BadRequestError):
                self.chat("Hello", **options)

    def test_a_client_that_leaves_does_not_hold_up_the_next(self):
        stream = self.chat("Hello", stream=True, max_tokens=20000)
        next(iter(stream))
        stream.close()
        self.assertGreater(self.chat("Hello", max_tokens=3).usage.completion_tokens, 0)

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.service.base + path, body and json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def test_a_person_is_answered_while_a_job_works_with_the_same_model(self):
        job = self.call("POST", "/analyze/video", {"source": {"path": "demo.mp4"}, "profile": "deep", "features": ["shots", "caption"], "force": True})["status_url"]
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and self.call("GET", job)["progress"].get("stage") != "caption":
            time.sleep(0.05)
        self.assertGreater(self.chat("Hello", max_tokens=3).usage.completion_tokens, 0)
        self.assertEqual(self.call("GET", job)["state"], "running", "the answer waited for the job")
        self.call("DELETE", job)

    def metrics(self):
        """The engine's samples by name and labels, and the types that were told before them."""
        with urllib.request.urlopen(self.service.base + "/metrics", timeout=60) as response:
            self.assertTrue(response.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
            lines = response.read().decode().splitlines()
        types, samples = {}, {}
        for line in lines:
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, types, "a metric is told twice")
                types[name] = kind
            elif not line.startswith("#"):
                name, labels, value = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z]+="[^"]*",?)*)\})? ([0-9.e+-]+)', line).groups()
                family = name if name in types else re.sub("_(bucket|sum|count)$", "", name)
                self.assertIn(family, types, line)
                kept = tuple(label for label in (labels or "").split(",") if not label.startswith(("model=", "device=")))
                self.assertNotIn((name, kept), samples)
                samples[name, kept] = float(value)
        return samples, types

    def test_metrics_tell_what_the_engine_does(self):
        content = [self.image_part(), {"type": "text", "text": "Describe this."}]
        self.chat(content)
        before, types = self.metrics()
        self.assertEqual(types["prismvid_engine_first_token_seconds"], "histogram")
        self.assertEqual(types["prismvid_engine_requests_total"], "counter")
        self.assertEqual(types["prismvid_engine_memory_bytes"], "gauge")
        usage = self.chat(content).usage
        after, _ = self.metrics()
        grown = lambda name, *labels: after[f"prismvid_engine_{name}", labels] - before[f"prismvid_engine_{name}", labels]
        self.assertEqual(grown("requests_total", 'outcome="answered"'), 1)
        self.assertEqual(grown("prompt_tokens_total"), usage.prompt_tokens)
        self.assertEqual(grown("generated_tokens_total"), usage.completion_tokens)
        self.assertEqual(grown("first_token_seconds_count"), 1)
        self.assertEqual(grown("first_token_seconds_bucket", 'le="+Inf"'), 1)
        self.assertGreater(grown("first_token_seconds_sum"), 0)
        self.assertGreater(grown("step_requests_count"), 0)
        self.assertGreater(grown("seconds_total", 'phase="decode"'), 0)
        self.assertGreater(grown("cache_hit_bytes_total", 'cache="features"') + grown("cache_hit_bytes_total", 'cache="prefixes"'), 0, "the same picture was computed again")
        self.assertGreater(after["prismvid_engine_memory_bytes", ('use="weights"',)], 1e6)

    def test_several_at_once_are_all_answered(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.chat("Hello", max_tokens=8).choices[0].message.content)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 4)
        self.assertEqual(len(set(answers)), 1)


if __name__ == "__main__":
    unittest.main()
