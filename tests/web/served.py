"""`prismvid serve` on a free port, as a process of its own, and a browser to look at it."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from playwright.sync_api import sync_playwright

PROGRAM = os.environ.get("PRISMVID_PROGRAM", "build/release/prismvid")
CHROMIUM = os.environ.get("PRISMVID_CHROMIUM") or shutil.which("chromium")
ASSETS = pathlib.Path(__file__).resolve().parents[2] / "assets"
WAIT_MS = 60_000  # generous: the machine may be busy


class Served:
    """A library with the analysed demonstration clip, and the program that serves it."""

    def __init__(self, *, deep=True, features="shots,scenes,objects,ocr"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="prismvid_page_"))
        media = self.folder / "media"
        media.mkdir()
        self.clip = media / "demo.mp4"
        shutil.copy(ASSETS / "demo.mp4", self.clip)
        command = [PROGRAM, "analyze", self.clip, "--db", self.database, "--detector", "demo-world-detector", "--features"]
        command += [features + ",caption,chapters,summary", "--model", ASSETS / "models/demo-world-vlm"] if deep else [features]
        subprocess.run(command, check=True, capture_output=True)
        environment = {**os.environ, "PRISMVID_DEEP_MODEL": str(ASSETS / "models/demo-world-vlm") if deep else ""}
        self.process = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0", "--db", self.database, "--media", media],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        self.base = re.search(r"http://[0-9.:]+", self.process.stdout.readline()).group()

    @property
    def database(self):
        return self.folder / "library.db"

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder)


class Browser:
    """Chromium; `page()` gives a page that keeps what its console said."""

    def __init__(self):
        self.playwright = sync_playwright().start()
        # Chromium's own sandbox does not start for root in a container; the page is our own.
        self.browser = self.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

    def page(self, address, *, width=1280, height=900, scheme="light", locale="en-US"):
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.problems = []
        page.on("console", lambda message: message.type == "error" and page.problems.append(f"{message.text} {message.location['url']}"))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(address)
        return page

    def close(self):
        self.browser.close()
        self.playwright.stop()
