"""Tries the page in headless Chromium: a person logs in, connects a tenant and looks at everything, by
keyboard, on a phone and on a desk, in the light and in the dark. Screenshots go to the given folder.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

from devtools import Browser
from scrape import judge, scraped

ORIGIN, KEY, FAKE, WORKER = (os.environ[name] for name in ("CHECK_ORIGIN", "CHECK_KEY", "CHECK_FAKE", "CHECK_WORKER"))
PAGES = [
    "/", "/jobs", "/jobs?state=ready", "/jobs?kind=report.build", "/jobs/{running}", "/queues", "/tenants", "/tenants/acme",
    "/tokens", "/workers", "/errors", "/schedules", "/syncs", "/actions",
]
# Of the jobs that are made here, by their state; other checks may have made some before.
JOBS = {}

MEASURE = """
(() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return {rgb: n.slice(0, 3), a: n[3] ?? 1}; };
  const luminance = rgb => { const [r, g, b] = rgb.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = element => { for (let e = element; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c.rgb; }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255]; };
  let worst = 21, where = '';
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || !box.width || box.right < 0) continue;
    const a = luminance(parse(getComputedStyle(element).color).rgb), b = luminance(ground(element));
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < worst) { worst = contrast; where = element.tagName + '.' + element.className + ' ' + element.textContent.trim().slice(0, 30); }
  }
  const unnamed = [...document.querySelectorAll('input:not([type=hidden]), select, button, a')]
    .filter(e => !(e.labels?.length || e.textContent.trim() || e.getAttribute('aria-label'))).length;
  return {wide, worst, where, unnamed, scripts: document.scripts.length, styled: document.querySelectorAll('[style], style').length,
    headings: document.querySelectorAll('h1').length, title: document.title};
})()
"""

FOCUSABLE = """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')]
  .filter(e => e.checkVisibility()).length"""
FOCUSED = """(() => { const e = document.activeElement; if (!e || e === document.body) return null;
  const all = [...document.querySelectorAll('*')]; const s = getComputedStyle(e);
  return {index: all.indexOf(e), outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2}; })()"""


def address(path: str) -> str:
    return ORIGIN + path.format(**JOBS)


def api(method: str, path: str, body: object = None) -> dict:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(ORIGIN + path, data=data, method=method)
    request.add_header("Authorization", "Bearer " + KEY)
    if data:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def sql(text: str) -> None:
    subprocess.run(["psql", os.environ["CHECK_DATABASE"], "-qX", "-v", "ON_ERROR_STOP=1", "-c", text], check=True, stdout=subprocess.DEVNULL)


def sql_value(text: str) -> str:
    found = subprocess.run(["psql", os.environ["CHECK_DATABASE"], "-qXAtc", text], check=True, capture_output=True)
    return found.stdout.decode().strip()


def leasehold(*words: str) -> str:
    return subprocess.run([".build/debug/leasehold", *words], check=True, capture_output=True).stdout.decode()


def wait(text: str) -> None:
    """Until a statement finds something, for a minute."""
    for _ in range(600):
        if sql_value(text):
            return
        time.sleep(0.1)
    raise AssertionError(f"expected within a minute what this finds: {text}")


def prepare() -> None:
    """Something of everything to look at. What other checks may have done to the tenant is taken back."""
    unlimited = {"max_running": None, "rate_per_second": None, "rate_burst": None}
    api("PUT", "/v1/tenants/acme", {"name": "Acme Inc.", "weight": 1, **unlimited})
    api("POST", "/v1/tenants/acme/resume")
    for number in range(12):
        api("PUT", f"/v1/tenants/tenant-{number:02}", {"name": f"Tenant number {number}", "weight": 1 + number % 3})
    jobs = [
        {"tenant": f"tenant-{number % 12:02}", "kind": ["report.build", "mail.send_a_rather_long_kind_of_job"][number % 2], "queue": "reports", "args": {"number": number, "text": "<b>&\"'</b>"}}
        for number in range(120)
    ]
    made = [job["id"] for job in api("POST", "/v1/jobs", jobs)["jobs"]]
    api("POST", "/v1/jobs", {"tenant": "acme", "kind": "report.build", "queue": "reports", "run_at": "2099-01-01T00:00:00Z"})
    api("POST", f"/v1/jobs/{made[1]}/cancel")
    # One that is given up at once: its args are none of a sync.
    api("POST", "/v1/jobs", {"tenant": "tenant-03", "kind": "pitchly.sync_table", "args": {"table": 1}, "max_attempts": 1})
    sql(
        """
        select leasehold.worker_register('11111111-1111-4111-8111-111111111111', 'worker-2', 'host-a', 1, '1',
            array['reports'], array['report.build'], 20, 3600);
        select count(*) from leasehold.job_claim('11111111-1111-4111-8111-111111111111', array['reports'], 3);
        """
    )
    ours = f"job_id between {made[0]} and {made[-1]} order by job_id limit 1"
    JOBS["running"] = sql_value(f"select job_id from leasehold.job where state = 'running' and {ours}")
    JOBS["ready"] = sql_value(f"select job_id from leasehold.job where state = 'ready' and kind = 'report.build' and {ours}")
    leasehold("schedules", "add", "sync", "pitchly.sync", "--every", "1h")
    leasehold("schedules", "add", "report", "report.build", "--tenant", "acme", "--cron", "30 8 * * mon-fri", "--time-zone", "Europe/Berlin")


def connect(browser: Browser) -> None:
    """A person opens a link, allows the access at the provider, and comes back."""
    link = leasehold("tenants", "connect", "acme", "--link").strip()
    browser.open(link)
    assert "/oauth/authorize" in browser.run("location.href"), browser.run("location.href")
    browser.run("document.querySelector('button[value=allow]').focus()")
    browser.press_and_load()
    text = browser.run("document.body.innerText")
    assert "acme is connected" in text, text
    token = api("GET", "/v1/tenants/acme/access-token")
    assert token["access_token"], token
    browser.open(link)
    assert "unknown, was used, or has expired" in browser.run("document.body.innerText")
    browser.complaints.clear()  # the browser itself notes a 404
    api("POST", "/v1/jobs", {"tenant": "acme", "kind": "pitchly.sync"})
    wait("select 1 from (select count(*) from leasehold.sync_run where state = 'merged' having count(*) > 1) as r")
    wait("select 1 from leasehold_dashboard.job_errors")


def log_in(browser: Browser) -> None:
    browser.open(ORIGIN + "/jobs?state=ready")
    assert browser.run("location.pathname") == "/login"
    browser.type("lsk_" + "A" * 43)  # the field has the focus
    browser.press_and_load()
    assert "not a key" in browser.run("document.body.innerText")
    browser.complaints.clear()  # the browser itself notes a 401
    browser.type(KEY)
    browser.press_and_load()
    assert browser.run("location.pathname + location.search") == "/jobs?state=ready", browser.run("location.href")
    assert browser.run("document.cookie") == "", "no script may read the session"


def see_the_sync(browser: Browser) -> None:
    """The sync of the tenant that was connected stands on the page, in psql and in Prometheus."""
    table, records = sql_value(
        "select name, record_count from leasehold_dashboard.sync_status where tenant_id = 'acme' and record_count > 0 limit 1"
    ).split("|")
    browser.open(ORIGIN + "/syncs")
    text = browser.run("document.querySelector('main').innerText")
    assert "acme" in text and "merged" in text and table in text, text
    browser.open(ORIGIN + "/tenants/acme")
    assert table in browser.run("document.querySelector('main').innerText")
    judge(WORKER)
    found = scraped(WORKER, 'sum(leasehold_job_settled_total{kind="pitchly.sync_table",outcome="completed"}) > 0')
    print(f"the sync of {table} ({records} records) is on the page, in psql and in Prometheus ({found[0]['value'][1]} runs)")


def connect_again(browser: Browser) -> None:
    """Somebody who may connect does it from the tenant's page."""
    before = sql_value("select generation from leasehold_dashboard.token_health where tenant_id = 'acme'")
    browser.open(ORIGIN + "/tenants/acme")
    browser.run("document.querySelector('a[href$=\"/connect\"]').focus()")
    browser.press_and_load()
    browser.run("document.querySelector('button[value=allow]').focus()")
    browser.press_and_load()
    assert "acme is connected" in browser.run("document.body.innerText")
    after = sql_value("select generation from leasehold_dashboard.token_health where tenant_id = 'acme'")
    assert int(after) > int(before), f"expected a later generation than {before}, got {after}"


def steer_many(browser: Browser) -> None:
    """Cancels all jobs that match, by keyboard alone, and finds who did it."""
    browser.open(ORIGIN + "/jobs?kind=mail.send_a_rather_long_kind_of_job&state=ready")
    browser.run("document.querySelector('form[action=\"/bulk/cancel\"]').closest('details').querySelector('summary').focus()")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    browser.press("Tab", 9)
    browser.press_and_load()
    said = browser.run("document.querySelector('[role=status]').innerText")
    assert said.startswith("Jobs cancelled or asked to stop: "), said
    left = sql_value("select count(*) from leasehold.job where kind = 'mail.send_a_rather_long_kind_of_job' and state = 'ready'")
    assert left == "0", f"expected none to be left, got {left}"
    browser.open(ORIGIN + "/actions")
    text = browser.run("document.querySelector('main').innerText")
    assert "check (key " in text and "cancel" in text, text


def limit(browser: Browser) -> None:
    """Changes a tenant's limit on its page."""
    browser.open(ORIGIN + "/tenants/acme")
    browser.run("document.querySelector('form[action$=\"/limits\"]').closest('details').open = true")
    browser.run("document.querySelector('form[action$=\"/limits\"] input[name=max_running]').select()")
    browser.type("7")
    browser.press_and_load()
    assert "The limits are set" in browser.run("document.querySelector('[role=status]').innerText")
    assert api("GET", "/v1/tenants/acme")["max_running"] == 7


def act(browser: Browser) -> None:
    """Cancels a job by keyboard alone, and pauses and resumes a tenant."""
    browser.open(address("/jobs/{ready}"))
    browser.run("document.querySelector('details summary').focus()")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    browser.press("Tab", 9)
    browser.press_and_load()
    assert "The job is cancelled" in browser.run("document.querySelector('[role=status]').innerText")
    assert api("GET", f"/v1/jobs/{JOBS['ready']}")["state"] == "cancelled"
    browser.run("document.querySelector('form[action$=\"/retry\"] button').focus()")
    browser.press_and_load()
    assert api("GET", f"/v1/jobs/{JOBS['ready']}")["state"] == "ready"
    browser.open(ORIGIN + "/tenants/acme")
    browser.run("document.querySelector('details').open = true; document.querySelector('details button').focus()")
    browser.press_and_load()
    assert api("GET", "/v1/tenants/acme")["state"] == "paused"
    browser.run("document.querySelector('form[action$=\"/resume\"] button').focus()")
    browser.press_and_load()
    assert api("GET", "/v1/tenants/acme")["state"] == "active"


def hold_up(browser: Browser) -> None:
    """A page whose statement takes too long ends with a word about it, and holds up nobody."""
    locking = subprocess.Popen(
        ["psql", os.environ["CHECK_DATABASE"], "-qXc", "begin; lock table leasehold.worker; select pg_sleep(20)"],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait("select 1 from pg_locks where relation = 'leasehold.worker'::regclass and mode = 'AccessExclusiveLock' and granted")
        began = time.monotonic()
        browser.open(ORIGIN + "/workers")
        took = time.monotonic() - began
        assert "expected the database to find this within a few seconds" in browser.run("document.body.innerText")
        assert took < 15, f"expected the page to give up after some seconds, got {took:.1f}"
        print(f"a page that the database holds up gives up after {took:.1f} s")
        browser.complaints.clear()  # the browser itself notes a 503
    finally:
        locking.kill()
        locking.wait()
        sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(20)%' and pid <> pg_backend_pid()")


def look(browser: Browser, folder: pathlib.Path) -> list[str]:
    wrong = []
    for width in (360, 1280):
        for scheme in ("light", "dark"):
            browser.look(width, scheme)
            for path in PAGES:
                began = time.monotonic()
                browser.open(address(path))
                took = time.monotonic() - began
                found = browser.run(MEASURE)
                name = f"{path.strip('/').replace('/', '-').replace('?', '-').replace('=', '-').replace('{', '').replace('}', '') or 'overview'}-{width}-{scheme}"
                browser.screenshot(folder / f"{name}.png")
                for is_wrong, text in (
                    (found["wide"] > 0, f"{found['wide']} px wider than the screen"),
                    (found["worst"] < 4.5, f"contrast {found['worst']:.2f} at {found['where']}"),
                    (found["unnamed"], f"{found['unnamed']} controls without a name"),
                    (found["scripts"] or found["styled"], "scripts or styles inline"),
                    (found["headings"] != 1, f"{found['headings']} headings of the first level"),
                    (browser.complaints, f"the console says {browser.complaints}"),
                    (took > 5, f"took {took:.1f} s"),
                ):
                    if is_wrong:
                        wrong.append(f"{name}: {text}")
                browser.complaints.clear()
    return wrong


def walk(browser: Browser) -> list[str]:
    """Every control is reached with Tab, in the order of the page, and shows that it is."""
    wrong = []
    browser.look(1280, "light")
    for path in PAGES:
        browser.open(address(path))
        count = browser.run(FOCUSABLE)
        order = []
        for _ in range(count):
            browser.press("Tab", 9)
            focused = browser.run(FOCUSED)
            if focused is None:
                break
            order.append(focused["index"])
            if not focused["outline"]:
                wrong.append(f"{path}: no outline at control {len(order)}")
        if len(set(order)) != count or order != sorted(order):
            wrong.append(f"{path}: {len(set(order))} of {count} controls are reached by Tab in order")
    return wrong


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    prepare()
    browser = Browser()
    try:
        connect(browser)
        log_in(browser)
        see_the_sync(browser)
        act(browser)
        connect_again(browser)
        steer_many(browser)
        limit(browser)
        wrong = look(browser, folder) + walk(browser)
        hold_up(browser)
    finally:
        browser.close()
    for line in wrong:
        print(line)
    print(f"{len(PAGES)} pages, screenshots in {folder}, {len(wrong)} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
