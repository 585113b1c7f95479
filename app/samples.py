"""Pictures and programs for the documentation to show, all of which run as they are."""

from __future__ import annotations

SERVER = "http://localhost:8000"  # the document has the real one in its place
PHOTO = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAYBAMAAABpfeIHAAAAGFBMVEXDzrugvteStN6EqeV6oupWhzJdfjJNfjIQ"
    "rROkAAAAZ0lEQVR42o2O0Q2AIAxErw0D0A0IsziL25owgSvgAqA/CBQTpH/vpb0ebdDDA8PEyUY6BhEQ1EkGUvyGzgQDDJA0c1+ixW/GqjA7"
    "zp6FAd+QBIzOkC0ZxYitod7ViuULO7L67csLxR5m4A1nWHZv7gAAAABJRU5ErkJggg=="
)
PAINTING = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAYAgMAAADmPRenAAAADFBMVEXwvjwognjIPCgeKG7k5fDhAAAA0UlEQVR4"
    "2mMW2fTlxOUFZ/8yeD/Vn7Iv6Kc30xf9s/uV//Z8ZtgT9NH7qL7IHhYmFg4BBQc1Jgb/o3YiP4If+jMdN5G9WO50l53haf7UfWE/o58y7Av6"
    "6X1UX2QPg77In+CP/kftmQQYoADCF/nD8DR/6r6gn95PGcJ+Rj/Nn7IviElyTnJh13F1WSb/g9asb0Q2+DMx/GH48OBA/T8Ge5g5MheLnc6y"
    "m8gwQGzKn8rwMxpiLZPrTuE3Phv1jzJ9ZDjyXeCOQyETP5MN5weVA/0AH4VeaKn2z6sAAAAASUVORK5CYII="
)
STYLIZE = f"""\
from pathlib import Path

import requests

with open("photo.jpg", "rb") as photo:
    answer = requests.post(
        "{SERVER}/api/v1/stylize",
        files={{"content": photo}},
        data={{"style": "mosaic", "strength": 0.8, "format": "jpeg"}},
    )
answer.raise_for_status()
Path("pastiche.jpg").write_bytes(answer.content)"""
ADD_JOB = f"""\
import time
from pathlib import Path

import requests

SERVER = "{SERVER}"
with open("photo.jpg", "rb") as photo:
    answer = requests.post(f"{{SERVER}}/api/v1/jobs", files={{"content": photo}}, data={{"style": "mosaic"}})
answer.raise_for_status()
job = answer.json()
while job["state"] in ("queued", "running"):
    time.sleep(1)
    job = requests.get(f"{{SERVER}}/api/v1/jobs/{{job['id']}}").json()
    print(job["state"], job["step"], "of", job["steps"])
if job["error"]:
    raise SystemExit(job["error"]["message"])
Path("pastiche.png").write_bytes(requests.get(SERVER + job["result"]).content)"""
REFINE = f"""\
import time
from pathlib import Path

import requests

SERVER = "{SERVER}"
encoders = requests.get(f"{{SERVER}}/api/v1/encoders").json()["encoders"]
order = {{"style": "mosaic", "method": "gatys", "preset": "fast", "size": 256}}
order["encoder"] = next(encoder["name"] for encoder in encoders if encoder["ready"])
with open("photo.jpg", "rb") as photo:
    answer = requests.post(f"{{SERVER}}/api/v1/jobs", files={{"content": photo}}, data=order)
answer.raise_for_status()
job = answer.json()
while job["state"] not in ("done", "failed", "cancelled"):
    time.sleep(1)
    job = requests.get(f"{{SERVER}}/api/v1/jobs/{{job['id']}}").json()
    if job["losses"]:
        print("step", job["step"], "of", job["steps"], "style loss", job["losses"][-1]["style"])
if not job["result"]:
    raise SystemExit(job["error"]["message"] if job["error"] else "It was cancelled.")
Path("pastiche.png").write_bytes(requests.get(SERVER + job["result"]).content)"""
ADD_STYLE = f"""\
import requests

session = requests.Session()  # its cookie is who you are; an API key is better where you have one
with open("painting.jpg", "rb") as painting:
    added = session.post("{SERVER}/api/v1/styles", files={{"picture": painting}}, data={{"name": "Low tide"}})
added.raise_for_status()
with open("photo.jpg", "rb") as photo:
    job = session.post("{SERVER}/api/v1/jobs", files={{"content": photo}}, data={{"style": "Low tide"}})
print(job.json()["page"])"""
