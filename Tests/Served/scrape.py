"""Lets a real Prometheus scrape a running server, and promtool judge the text."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ORIGIN = os.environ["CHECK_ORIGIN"]


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def main() -> int:
    text = fetch(ORIGIN + "/metrics")
    judged = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    print(judged.stderr.decode().strip() or "promtool: clean")
    assert judged.returncode == 0, judged.stderr.decode()

    with tempfile.TemporaryDirectory(prefix="leasehold-prometheus.") as folder:
        target = ORIGIN.removeprefix("http://")
        port = urllib.parse.urlsplit(ORIGIN).port + 2
        config = pathlib.Path(folder, "prometheus.yml")
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: leasehold, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        server = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=error",
            ]
        )
        try:
            found: list[object] = []
            query = urllib.parse.quote("sum by (route) (leasehold_http_request_seconds_count)")
            for _ in range(300):
                try:
                    answer = json.loads(fetch(f"http://127.0.0.1:{port}/api/v1/query?query={query}"))
                    found = answer["data"]["result"]
                    if found:
                        break
                except OSError:
                    pass
                time.sleep(0.1)
            assert found, "expected Prometheus to have scraped the server within 30 s"
            print(f"Prometheus has {len(found)} routes of leasehold_http_request_seconds")
        finally:
            server.terminate()
            server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
