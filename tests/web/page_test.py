"""The page in Chromium, end to end through `prismvid serve` on the analysed demonstration clip."""
import os
import re
import subprocess
import time
import unittest

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from served import WAIT_MS, Browser, Served

DEEP = os.environ.get("PRISMVID_MLX", "1") == "1"
AXE = Axe()
VIEWS = ["library", "people", "search", "jobs", "health"]
TABS = ["summary", "ask", "chapters", "captions", "story", "people", "text", "transcript", "objects", "info"]

JOB_MS = 300_000

# On a busy machine this event waits in the page's queue while the first frame is drawn.
LATE_METADATA = """
    const listen = HTMLMediaElement.prototype.addEventListener;
    HTMLMediaElement.prototype.addEventListener = function (name, listener, ...more) {
      const late = event => setTimeout(() => listener(event), 600);
      listen.call(this, name, name === 'loadedmetadata' ? late : listener, ...more);
    };
    addEventListener('loadedmetadata', event => setTimeout(() => { event.target.toldOfMetadata = true }, 700), true);
"""
expect.set_options(timeout=WAIT_MS)


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.served = Served(deep=DEEP)
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.served.close()

    def open(self, place, **options):
        self.page = self.browser.page(f"{self.served.base}/#{place}", **options)
        return self.page

    def open_video(self, query="", **options):
        page = self.open("/library", **options)
        page.locator(".card-link", has_text="demo.mp4").click()
        page.locator(".lane-canvas").wait_for()
        self.wait_until("document.querySelector('video').readyState > 0")
        if query:
            page.evaluate("query => { location.hash = location.hash.split('?')[0] + '?' + query }", query)
        return page

    def tearDown(self):
        self.check_console()
        self.page.context.close()

    def check_console(self):
        self.assertEqual(self.page.problems, [], "the console holds errors")

    def wait_until(self, expression, argument=None):
        """Playwright's own wait_for_function needs eval, which the page's policy forbids."""
        deadline = time.monotonic() + WAIT_MS / 1000
        while not self.page.evaluate(expression, argument):
            self.assertLess(time.monotonic(), deadline, f"still not true: {expression}")
            self.page.wait_for_timeout(30)

    def wait_for_time(self, start, end):
        self.wait_until("([a, b]) => { const t = document.querySelector('video').currentTime; return t >= a && t < b }", [start, end])

    # --- from the library into a video

    def test_library_shows_the_clip_with_its_length_line_and_picture(self):
        page = self.open("/library")
        card = page.locator(".card", has_text="demo.mp4")
        expect(card.locator(".poster-time")).to_have_text("0:24")
        expect(card.locator(".card-line")).not_to_be_empty()
        self.wait_until("document.querySelector('.poster img').naturalWidth > 0")

    def test_filter_that_fits_nothing_says_so(self):
        page = self.open("/library")
        page.locator(".card", has_text="demo.mp4").wait_for()
        page.get_by_role("searchbox").fill("no such words")
        expect(page.locator(".state-box strong")).to_have_text("No video fits")
        self.assertIn("q=no+such+words", page.url)

    def test_video_has_lanes_for_what_was_found(self):
        page = self.open_video()
        names = page.locator(".lane-names span").all_inner_texts()
        for name in ["Scenes", "Shots", "Text", "orange triangle"] + (["Chapters", "Captions"] if DEEP else []):
            self.assertIn(name, names)
        painted = "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; return new Set(new Uint32Array(d.buffer)).size }"
        self.assertGreater(page.locator(".lane-canvas").evaluate(painted), 8, "the lanes are drawn in several colours")

    def test_boxes_are_drawn_over_the_picture_and_can_be_switched_off(self):
        page = self.open_video("t=6")
        opaque = "() => { const c = document.querySelector('.boxes'); return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 0) }"
        self.wait_until(opaque)
        page.keyboard.press("b")
        self.wait_until(f"!({opaque})()")

    # --- seeking

    def test_evidence_seeks_the_player(self):
        page = self.open_video("t=1")
        tab = "captions" if DEEP else "text"
        page.get_by_role("tab", name=re.compile(tab, re.I)).click()
        if DEEP:
            entry = page.locator(".entry", has_text="chases").first
            entry.locator("summary").click()
            chip = entry.locator(".chip").first
        else:
            chip = page.locator(".entry .time").nth(1)
        minutes, seconds = re.search(r"(\d+):(\d\d)", chip.inner_text()).groups()
        expected = int(minutes) * 60 + int(seconds)
        chip.click()
        self.wait_for_time(expected, expected + 1.1)

    def test_address_holds_moment_tab_and_zoom(self):
        page = self.open_video("t=13&tab=text&z=10-15")
        self.wait_for_time(12.9, 13.1)
        expect(page.get_by_role("tab", selected=True)).to_contain_text("Text")
        page.keyboard.press("ArrowDown")
        self.wait_until("/[?&]t=18/.test(location.hash) && /[?&]z=15.5/.test(location.hash)")
        address = page.url
        page.goto("about:blank")
        page.goto(address)
        self.wait_until("document.querySelector('video')?.readyState > 0")
        self.wait_for_time(17.9, 18.2)
        expect(page.get_by_role("tab", selected=True)).to_contain_text("Text")
        self.assertIn("z=15.5", page.url)

    def test_moment_of_an_address_outlives_a_first_frame_that_comes_before_the_event_of_its_metadata(self):
        page = self.open_video("t=13")
        self.wait_for_time(12.9, 13.1)
        address = page.url
        page.goto("about:blank")
        page.add_init_script(LATE_METADATA)
        page.goto(address)
        self.wait_until("document.querySelector('video')?.toldOfMetadata")
        self.wait_for_time(12.9, 13.1)
        self.assertIn("t=13", page.url)

    def test_click_into_the_timeline_seeks(self):
        page = self.open_video()
        box = page.locator(".lane-canvas").bounding_box()
        page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 60)
        self.wait_for_time(24.48 * 0.75 - 0.5, 24.48 * 0.75 + 0.5)

    def test_wheel_zooms_at_the_cursor(self):
        page = self.open_video()
        box = page.locator(".lane-canvas").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
        page.mouse.wheel(0, -240)
        self.wait_until("/z=/.test(location.hash)")
        start, end = map(float, re.search(r"z=([\d.]+)-([\d.]+)", page.url).groups())
        self.assertLess(end - start, 24)
        self.assertAlmostEqual((start + end) / 2, 12.24, delta=0.3)

    def test_the_seek_bar_shows_what_lies_under_the_pointer(self):
        page = self.open_video()
        box = page.locator(".seek-bar").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
        tile = page.locator(".preview .tile")
        tile.wait_for()
        self.assertEqual(tile.evaluate("e => e.style.getPropertyValue('--x')"), str(18 % 10 / 9)[:18], "the tile of second 18")
        expect(page.locator(".preview")).to_contain_text("0:18")
        page.mouse.move(box["x"], box["y"] + 300)
        expect(page.locator(".preview")).to_be_hidden()

    # --- keyboard

    def test_keys_play_step_and_jump_between_shots(self):
        page = self.open_video()
        page.keyboard.press("ArrowDown")
        self.wait_for_time(12.5, 12.6)
        page.keyboard.press(".")
        self.wait_for_time(12.55, 12.65)
        page.keyboard.press("ArrowUp")
        self.wait_for_time(0, 0.1)
        page.keyboard.press(" ")
        self.wait_until("!document.querySelector('video').paused")
        page.keyboard.press("k")
        self.wait_until("document.querySelector('video').paused")

    def test_question_mark_lists_the_keys(self):
        page = self.open_video()
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Play or pause")
        expect(dialog).to_contain_text("Next shot")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    def test_tabs_turn_with_the_arrow_keys_and_say_why_they_are_empty(self):
        page = self.open_video()
        page.get_by_role("tab", name="Info").click()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", selected=True)).to_have_text("Summary")
        page.get_by_role("tab", name="Story").click()
        expect(page.get_by_role("tabpanel")).to_contain_text("not looked for")

    # --- words

    @unittest.skipUnless(DEEP, "built without the deep stage")
    def test_answer_cites_moments_that_move_the_player(self):
        page = self.open_video("tab=ask")
        page.get_by_role("textbox").fill("What colour does the red circle turn?")
        page.keyboard.press("Enter")
        answer = page.locator(".answer:not([aria-busy])")  # before that it shows what search found
        chip = answer.locator(".chip").first
        minutes, seconds = re.search(r"(\d+):(\d\d)", chip.inner_text()).groups()
        self.assertGreaterEqual(int(seconds), 18, "the red circle is in the last two shots")
        self.wait_until("document.querySelector('.answer:not([aria-busy]) .chip img')?.naturalWidth > 0")
        expect(answer.locator("p").first).to_contain_text("blue")
        chip.click()
        self.wait_for_time(int(seconds), int(seconds) + 1.1)

    def test_search_finds_a_moment_and_opens_it(self):
        page = self.open("/search")
        page.get_by_role("searchbox").fill("JUICE")
        page.keyboard.press("Enter")
        hit = page.locator(".hits .card").first
        expect(hit).to_contain_text("JUICE")
        hit.locator("a").click()
        self.wait_until("document.querySelector('video')?.readyState > 0")
        self.wait_for_time(1, 2)

    def test_correction_stays_until_it_is_undone(self):
        page = self.open_video("tab=text")
        entry = page.locator(".entry", has_text="JUICE")
        entry.hover()
        entry.get_by_role("button", name="Correct").click()
        page.get_by_role("dialog").get_by_role("textbox").fill("JUICE BAR")
        page.keyboard.press("Enter")
        expect(page.locator(".entry", has_text="JUICE BAR")).to_have_count(1)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".entry", has_text="JUICE BAR")).to_have_count(0)

    # --- a new video

    def test_an_upload_becomes_a_video(self):
        clip = self.served.folder / "uploaded.mp4"
        subprocess.run(["ffmpeg", "-loglevel", "error", "-ss", "18", "-i", self.served.clip, "-t", "2", clip], check=True)
        page = self.open("/library")
        page.get_by_role("button", name="Add video").click()
        page.get_by_role("radio", name=re.compile("^Fast Shots")).check()
        page.locator("input[type=file]").set_input_files(clip)
        card = page.locator(".card", has_text="uploaded.mp4")
        expect(card.locator(".card-line")).not_to_be_empty(timeout=JOB_MS)
        page.request.delete(f"{self.served.base}/v1/videos/{self.video_id('uploaded.mp4')}")

    def test_an_added_video_fills_its_page_while_its_job_runs(self):
        clip = self.served.clip.with_name("short.mp4")
        subprocess.run(["ffmpeg", "-loglevel", "error", "-i", self.served.clip, "-t", "6", "-c", "copy", clip], check=True)
        page = self.open("/library")
        page.evaluate("window.neverReloaded = true")
        page.get_by_role("button", name="Add video").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Path on the server").fill("nothing.mp4")
        dialog.get_by_role("button", name="Analyse").click()
        expect(dialog.get_by_role("alert")).to_contain_text("nothing.mp4")
        page.problems.clear()  # the browser reports the refused request
        dialog.get_by_label("Path on the server").fill("short.mp4")
        dialog.get_by_role("radio", name=re.compile("deep" if DEEP else "^Fast Shots")).check()
        dialog.get_by_role("button", name="Analyse").click()
        card = page.locator(".card", has_text="short.mp4")
        expect(card.locator(".card-line")).not_to_be_empty(timeout=JOB_MS)
        card.locator(".card-link").click()
        page.get_by_role("tab", name=re.compile("Captions" if DEEP else "Objects")).click()
        expect(page.locator(".entry" if DEEP else ".state-box").first).to_be_visible(timeout=JOB_MS)
        expect(page.locator(".banner.working")).to_be_hidden(timeout=JOB_MS)
        self.assertTrue(page.evaluate("window.neverReloaded"))
        page.evaluate("location.hash = '/jobs'")
        expect(page.locator(".job", has_text="short.mp4").locator(".badge")).to_have_text(re.compile("Done|Partial"))
        page.request.delete(f"{self.served.base}/v1/videos/{self.video_id('short.mp4')}")

    def video_id(self, name):
        videos = self.page.request.get(f"{self.served.base}/v1/videos").json()["videos"]
        return next(video["id"] for video in videos if video["name"] == name)

    # --- people

    def test_people_are_named_and_merged(self):
        asked = []
        people = [{"id": f"p_{i}", "name": None, "status": "unknown", "hidden": False, "face_tracks": 2, "videos": 1, "seen_seconds": 5, "thumb": None} for i in (1, 2)]

        def answer(route):
            request = route.request
            if request.method == "GET":
                return route.fulfill(json={"people": people})
            asked.append((request.method, request.url.removeprefix(self.served.base), request.post_data_json))
            if request.method == "PATCH":
                people[0].update(name=request.post_data_json["name"], status="named")
            route.fulfill(json={"edit_id": "e_1"})

        page = self.open("/library")
        page.route(re.compile("/v1/people"), answer)
        page.keyboard.press("2")
        expect(page.locator(".person-card")).to_have_count(2)
        page.locator(".person-card .name").first.click()
        page.get_by_role("dialog").get_by_role("textbox").fill("Anna")
        page.keyboard.press("Enter")
        expect(page.locator(".person-card .name").first).to_have_text("Anna")
        for box in page.get_by_role("checkbox", name="Select").all():
            box.check()
        page.get_by_role("button", name="Merge into Anna").click()
        expect(page.locator(".toast", has_text="Merged into Anna")).to_be_visible()
        self.assertEqual(asked, [("PATCH", "/v1/people/p_1", {"name": "Anna"}), ("POST", "/v1/people/p_1/merge", {"from": ["p_2"]})])

    def test_all_face_data_goes_after_a_question(self):
        people = [{"id": "p_1", "name": "Anna", "status": "named", "hidden": False, "face_tracks": 2, "videos": 1, "seen_seconds": 5, "thumb": None}]

        def answer(route):
            if route.request.method == "DELETE":
                people.clear()
                return route.fulfill(json={"removed": {"people": 1, "face_tracks": 2}, "wiped": True})
            route.fulfill(json={"people": people})

        page = self.open("/library")
        page.route(re.compile("/v1/people$"), answer)
        page.keyboard.press("2")
        page.get_by_role("button", name="Delete all face data").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("one person with 2 face tracks go")
        dialog.get_by_role("button", name="Cancel").click()
        expect(page.locator(".person-card")).to_have_count(1)
        page.get_by_role("button", name="Delete all face data").click()
        dialog.get_by_role("button", name="Delete").click()
        expect(page.locator(".toast")).to_contain_text("Forgotten: one person, 2 face tracks")
        expect(page.locator(".person-card")).to_have_count(0)
        expect(page.get_by_role("button", name="Delete all face data")).to_be_hidden()

    # --- how it looks, and to whom it speaks

    def test_nothing_scrolls_sideways_at_380_pixels(self):
        page = self.open_video("tab=objects", width=380, height=800)
        for view in ["video"] + VIEWS:
            if view != "video":
                page.evaluate("view => { location.hash = '/' + view }", view)
                page.locator(f"main.view-{view} h1").wait_for()
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 380, view)

    def test_dark_follows_the_system_and_the_switch(self):
        page = self.open("/library", scheme="dark")
        page.locator("h1").wait_for()
        brightness = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
        self.assertLess(page.evaluate(brightness), 60)
        page.get_by_role("button", name="Colours").click()
        self.wait_until(f"{brightness} > 200")

    def test_german_is_spoken_where_the_browser_does_and_can_be_switched(self):
        page = self.open("/library", locale="de-DE")
        expect(page.locator("h1")).to_have_text("Bibliothek")
        self.assertEqual(page.locator("html").get_attribute("lang"), "de")
        page.get_by_label("Sprache").select_option("en")
        expect(page.locator("h1")).to_have_text("Library")

    def test_axe_finds_nothing_serious(self):
        for scheme in ["light", "dark"]:
            page = self.open_video(scheme=scheme)
            for tab in TABS:
                page.locator(f"#tab-{tab}").click()
                self.check_accessibility(f"{scheme} {tab}", scheme)
            for view in VIEWS:
                page.evaluate("view => { location.hash = '/' + view }", view)
                page.locator(f"main.view-{view} h1").wait_for()
                self.check_accessibility(f"{scheme} {view}", scheme)
            self.check_console()
            if scheme == "light":
                page.context.close()

    def check_accessibility(self, place, scheme):
        # Only colours differ between the schemes.
        options = {"resultTypes": ["violations"], **({"runOnly": ["color-contrast"]} if scheme == "dark" else {})}
        found = [v for v in AXE.run(self.page, options=options).response["violations"] if v["impact"] in ("serious", "critical")]
        self.assertEqual([], [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found], place)

    def test_words_of_a_video_are_never_markup(self):
        page = self.open("/library")
        page.route("**/v1/videos?**", lambda route: route.fulfill(json={"videos": [
            {"id": "v_1", "name": "<img src=x onerror=alert(1)>", "line": "<b>bold</b>", "status": "complete", "duration": 1, "thumb": None}], "next_cursor": None}))
        page.reload()
        expect(page.locator(".card-name")).to_have_text("<img src=x onerror=alert(1)>")
        self.assertEqual(page.locator(".card b, .card img").count(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
