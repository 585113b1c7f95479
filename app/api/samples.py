"""Sample pictures and programs for the documentation, all of which run as they are."""

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
MASK = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAYAQAAAACzKMKZAAAAFklEQVR42mNgIA+w/2FgYGJgIETgBABCsgESoWd70g"
    "AAAABJRU5ErkJggg=="
)
PASTICHE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAYAQMAAAChnW13AAABUmlUWHRwYXN0aWNoZS1yZWNpcGUAAAAAAHsicmVjaX"
    "BlIjoxLCJtZXRob2QiOiJtYWdlbnRhIiwid2VpZ2h0cyI6Im1hZ2VudGEtc21hbGwiLCJ3aWR0aCI6MzIsImhlaWdodCI6MjQsInN0cmVuZ3RoIj"
    "owLjgsImtlZXBfY29sb3VycyI6MC41LCJzdHlsZXMiOlt7IndlaWdodCI6MSwic2hhMjU2IjoiMWQ1YmZmZThiYTlhMGNiODY5NmFmZWMzMjBhOD"
    "diOGZmMGZmMDBhY2E0NTkwMjI5NTM4YmU0Y2M1OGQ1NzI5NSIsIm5hbWUiOiJNb3NhaWMiLCJjcmVkaXQiOiJNYWRlIGJ5IGNvZGUgZm9yIHRoaX"
    "MgcHJvamVjdCAoZG9jcy9wYWludGluZ3MvbW9zYWljLnB5KSIsImxpY2VuY2UiOiJDQzAtMS4wIn1dfbHahxQAAANKaVRYdFhNTDpjb20uYWRvYm"
    "UueG1wAAAAAAA8P3hwYWNrZXQgYmVnaW49Iu+7vyIgaWQ9Ilc1TTBNcENlaGlIenJlU3pOVGN6a2M5ZCI/Pgo8eDp4bXBtZXRhIHhtbG5zOklwdG"
    "M0eG1wRXh0PSJodHRwOi8vaXB0Yy5vcmcvc3RkL0lwdGM0eG1wRXh0LzIwMDgtMDItMjkvIiB4bWxuczpkYz0iaHR0cDovL3B1cmwub3JnL2RjL2"
    "VsZW1lbnRzLzEuMS8iIHhtbG5zOnBob3Rvc2hvcD0iaHR0cDovL25zLmFkb2JlLmNvbS9waG90b3Nob3AvMS4wLyIgeG1sbnM6cmRmPSJodHRwOi"
    "8vd3d3LnczLm9yZy8xOTk5LzAyLzIyLXJkZi1zeW50YXgtbnMjIiB4bWxuczp4PSJhZG9iZTpuczptZXRhLyI+PHJkZjpSREY+PHJkZjpEZXNjcm"
    "lwdGlvbiByZGY6YWJvdXQ9IiI+PElwdGM0eG1wRXh0OkRpZ2l0YWxTb3VyY2VUeXBlPmh0dHA6Ly9jdi5pcHRjLm9yZy9uZXdzY29kZXMvZGlnaX"
    "RhbHNvdXJjZXR5cGUvY29tcG9zaXRlV2l0aFRyYWluZWRBbGdvcml0aG1pY01lZGlhPC9JcHRjNHhtcEV4dDpEaWdpdGFsU291cmNlVHlwZT48cG"
    "hvdG9zaG9wOkNyZWRpdD5TdHlsZTogTW9zYWljLCBNYWRlIGJ5IGNvZGUgZm9yIHRoaXMgcHJvamVjdCAoZG9jcy9wYWludGluZ3MvbW9zYWljLn"
    "B5KTwvcGhvdG9zaG9wOkNyZWRpdD48ZGM6cmlnaHRzPjxyZGY6QWx0PjxyZGY6bGkgeG1sOmxhbmc9IngtZGVmYXVsdCI+U3R5bGU6IE1vc2FpYy"
    "wgTWFkZSBieSBjb2RlIGZvciB0aGlzIHByb2plY3QgKGRvY3MvcGFpbnRpbmdzL21vc2FpYy5weSksIENDMC0xLjA8L3JkZjpsaT48L3JkZjpBbH"
    "Q+PC9kYzpyaWdodHM+PC9yZGY6RGVzY3JpcHRpb24+PC9yZGY6UkRGPjwveDp4bXBtZXRhPgo8P3hwYWNrZXQgZW5kPSJyIj8+9xVAVQAAAANQTF"
    "RFeDyWlwdLvAAAAAxJREFUeNpjYBgYAAAAeAABNTNupAAAAABJRU5ErkJggg=="
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
RECIPE = f"""\
import base64
from pathlib import Path

import requests

SERVER = "{SERVER}"
with open("photo.jpg", "rb") as photo:
    painted = requests.post(
        f"{{SERVER}}/api/v1/stylize",
        files={{"content": photo}},
        data={{"style": "mosaic", "strength": 0.8, "keep_colours": 1}},
    )
painted.raise_for_status()
found = requests.post(f"{{SERVER}}/api/v1/recipe", files={{"picture": painted.content}})
found.raise_for_status()
recipe = found.json()
another = base64.b64encode(Path("painting.jpg").read_bytes()).decode()
order = recipe["options"] | {{"content": another, "style": [style["id"] for style in recipe["styles"]]}}
answer = requests.post(f"{{SERVER}}/api/v1/stylize", json=order)
answer.raise_for_status()
Path("pastiche.png").write_bytes(answer.content)"""
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
