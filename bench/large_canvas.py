"""`make bench-canvas`: how long a flow of 200 nodes takes to be drawn, and how smoothly it is dragged."""

from __future__ import annotations

import statistics
import sys
from typing import Any, Final

from django.utils import timezone
from playwright.sync_api import Page, sync_playwright

from bench import servers
from bench.screenshots import CHROMIUM, SIZE

NODES: Final = 200
STEPS: Final = 120
MOST_LOAD_MS: Final = 2_000.0
# A frame that takes longer is seen as a stall.
MOST_FRAME_MS: Final = 200.0
RECORD = """() => {
  window.frames = [];
  let last = performance.now();
  const tick = (now) => { window.frames.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


def main() -> None:
    """Draw it, drag it, print; fails when it takes too long."""
    servers.install()
    # The models can be imported once the installation is there.
    from identity.actors import operator  # noqa: PLC0415
    from identity.models import Tenant  # noqa: PLC0415
    from publishing import actions, demo  # noqa: PLC0415

    at = timezone.now()
    demo.prepare(at=at)
    made: dict[str, Any] = {"tenant": Tenant.objects.get(pk="acme"), "actor": operator("demo"), "at": at}
    flow = actions.create_flow(name="Large", content=document(NODES), **made)
    with servers.running(servers.start_site()) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(viewport=SIZE).new_page()  # type: ignore[arg-type]
        page.goto(f"{url}/login/")
        page.fill("input[name=username]", demo.EMAIL)
        page.fill("input[name=password]", demo.PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/flows/")
        load_ms = _load_ms(page, f"{url}/flows/{flow.pk}/")
        frames = _drag(page)
        browser.close()
    print(f"{NODES} nodes drawn in {load_ms:.0f} ms (at most {MOST_LOAD_MS:.0f})")
    print(f"dragged: median frame {statistics.median(frames):.0f} ms, longest {max(frames):.0f} ms")
    sys.exit(load_ms > MOST_LOAD_MS or max(frames) > MOST_FRAME_MS)


def document(count: int) -> dict[str, Any]:
    """A flow of so many nodes, none of them placed: three branches that meet again, time after time."""
    nodes: list[dict[str, Any]] = [{"id": "entry", "type": "entry_api"}]
    edges: list[dict[str, Any]] = []

    def add(*sources: str) -> str:
        name = f"step_{len(nodes)}"
        nodes.append({"id": name, "type": "llm_rigid", "config": {"template": f"Step {len(nodes)}: {{{{message}}}}"}})
        edges.extend({"id": f"{each}-{name}", "source": {"node": each}, "target": {"node": name}} for each in sources)
        return name

    last = "entry"
    while len(nodes) < count:
        branches = [add(last) for _ in range(3)]
        last = add(*branches)
    return {"nodes": nodes[:count], "edges": [each for each in edges if _is_within(each, nodes[:count])], "config": {}}


def _is_within(edge: dict[str, Any], nodes: list[dict[str, Any]]) -> bool:
    return {edge["source"]["node"], edge["target"]["node"]} <= {node["id"] for node in nodes}


def _load_ms(page: Page, url: str) -> float:
    """From the navigation to every node on the canvas."""
    page.goto(url, wait_until="commit")
    page.locator(".react-flow__node").nth(NODES - 1).wait_for(state="attached")
    return float(page.evaluate("performance.now()"))


def _drag(page: Page) -> list[float]:
    """How long each frame took, in milliseconds, while a node in the middle of the view was dragged about."""
    page.wait_for_timeout(1000)
    box = page.locator(".react-flow__node").first.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 12
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 10, y + 10)
    page.evaluate(RECORD)
    for step in range(STEPS):
        page.mouse.move(x + 10 + step * 2, y + 10 + step)
    page.mouse.up()
    return list(page.evaluate("window.frames.slice(2)"))


if __name__ == "__main__":
    main()
