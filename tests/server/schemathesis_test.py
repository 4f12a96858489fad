"""schemathesis takes the service by its own description: whatever it sends, the service is never at fault. Its coverage phase sends the
same requests each time; random ones are hostile_clients_test.py's."""
import pathlib
import subprocess
import sys
import unittest

from service_process import ServiceProcess


class SchemathesisTest(unittest.TestCase):
    def test_no_operation_answers_with_a_server_error(self):
        service = ServiceProcess("--allow-private-urls", "--workers", "0")
        self.addCleanup(service.close)
        # 503 where no model is installed and 507 for a full disk are answers, not faults.
        (service.folder / "schemathesis.toml").write_text('[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", "503", "507"]\n')
        # From the service's folder, so that what it leaves behind goes with that.
        command = [pathlib.Path(sys.executable).with_name("schemathesis"), "run", f"{service.base}/openapi.json", "--checks", "not_a_server_error", "--phases", "examples,coverage",
                   "--generation-deterministic", "--request-timeout", "30", "--no-shrink", "--no-color", "--warnings", "off"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=service.folder)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        self.assertTrue(service.is_running())


if __name__ == "__main__":
    unittest.main()
