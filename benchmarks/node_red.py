"""Node-RED with the webhook of ten trivial nodes, so that other servers are measured beside it.

It keeps nothing. Installed by npm under ``build/peers``, with a flow made here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

VERSION = "5.0.7"
FOLDER = Path(__file__).resolve().parent.parent / "build" / "peers" / "node-red"
_SETTINGS = """
module.exports = {
  httpAdminRoot: false, httpNodeRoot: "/hooks", uiHost: "127.0.0.1", flowFile: "flows.json",
  logging: { console: { level: "error" } }, telemetry: { enabled: false, updateNotification: false }
};
"""


def program() -> Path:
    """The program, installed now if it is not."""
    found = FOLDER / "node_modules" / "node-red" / "red.js"
    if not found.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"node-red@{VERSION}"]
        subprocess.run(command, cwd=FOLDER, check=True)
    return found


def flow() -> list[dict[str, object]]:
    """Ten nodes one after the other, each of which hands on what it was given."""
    tab: dict[str, object] = {"id": "tab", "type": "tab", "label": "h2"}
    asked: dict[str, object] = {
        "type": "http in",
        "url": "/h2",
        "method": "post",
        "wires": [["n0"]],
    }
    nodes = [tab, {**asked, "id": "asked", "z": "tab"}]
    for place in range(11):
        before = "payload.id" if place == 0 else f"n{place - 1}"
        to, given = (f"n{place}", before) if place < 10 else ("payload", '{"id": n9}')
        rule = {"t": "set", "p": to, "pt": "msg", "to": given, "tot": "msg"}
        if place == 10:
            rule["tot"] = "jsonata"
        after = f"n{place + 1}" if place < 10 else "answered"
        nodes.append(
            {"id": f"n{place}", "z": "tab", "type": "change", "rules": [rule], "wires": [[after]]}
        )
    answered: dict[str, object] = {"type": "http response", "statusCode": "200", "wires": []}
    return [*nodes, {**answered, "id": "answered", "z": "tab"}]


class NodeRed:
    """Node-RED in a process of its own, with nothing but that flow.

    Args:
        folder: Where it keeps its files; thrown away in the end.
        port: On which it listens.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.host = folder, f"127.0.0.1:{port}"
        self.address = f"http://{self.host}"
        (folder / "settings.js").write_text(_SETTINGS)
        (folder / "flows.json").write_text(json.dumps(flow()))
        command = ["node", program(), "-s", folder / "settings.js", "-u", folder, "-p", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while not self._answers():
            if time.monotonic() > until:
                raise TimeoutError("Node-RED does not answer")
            time.sleep(0.2)

    def _answers(self) -> bool:
        body = json.dumps({"id": "first"}).encode()
        headers = {"content-type": "application/json"}
        asked = urllib.request.Request(f"{self.address}/hooks/h2", data=body, headers=headers)
        try:
            with urllib.request.urlopen(asked) as answer:
                return bool(json.loads(answer.read()) == {"id": "first"})
        except (urllib.error.URLError, ConnectionError):
            return False

    def stop(self) -> None:
        """End it, and throw away what it has kept."""
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.folder)
