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


def judge(origin: str) -> None:
    """What promtool says of a server's metrics."""
    judged = subprocess.run(["promtool", "check", "metrics"], input=fetch(origin + "/metrics"), capture_output=True, check=False)
    print(judged.stderr.decode().strip() or "promtool: clean")
    assert judged.returncode == 0, judged.stderr.decode()


def scraped(origin: str, query: str) -> list:
    """What a Prometheus of its own finds for a query, once it has scraped the server."""
    port = os.environ["CHECK_PROMETHEUS_PORT"]
    with tempfile.TemporaryDirectory(prefix="leasehold-prometheus.") as folder:
        config = pathlib.Path(folder, "prometheus.yml")
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: leasehold, static_configs: [{{targets: ['{origin.removeprefix('http://')}']}}]}}]\n"
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
            for _ in range(300):
                try:
                    answer = json.loads(fetch(f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}"))
                    if answer["data"]["result"]:
                        return answer["data"]["result"]
                except OSError:
                    pass
                time.sleep(0.1)
        finally:
            server.terminate()
            server.wait()
    raise AssertionError(f"expected Prometheus to find something for {query} within 30 s")


def main() -> int:
    judge(ORIGIN)
    found = scraped(ORIGIN, "sum by (route) (leasehold_http_request_seconds_count)")
    print(f"Prometheus has {len(found)} routes of leasehold_http_request_seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
