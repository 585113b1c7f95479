"""A server as hobby projects write it: it imports everything first, and loads the model at each request.

python -m bench._seed_server SAVED_MODEL PORT
"""

from __future__ import annotations

import io
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from flask import Flask, request, send_file
from PIL import Image

tf.config.set_visible_devices([], "GPU")  # as ours, which it is compared with
app = Flask(__name__)


@app.get("/")
def page() -> str:
    return "<form action=/api/v1/stylize method=post enctype=multipart/form-data>…</form>"


@app.post("/api/v1/stylize")
def stylize():  # type: ignore[no-untyped-def]
    network = hub.load(sys.argv[1])
    content, style = (np.asarray(Image.open(request.files[name]), "float32") / 255 for name in ("content", "style"))
    pastiche = network(tf.constant(content[None]), tf.constant(style[None]))[0][0].numpy()
    file = io.BytesIO()
    Image.fromarray(np.uint8(pastiche * 255)).save(file, "PNG")
    file.seek(0)
    return send_file(file, "image/png")


if __name__ == "__main__":
    app.run(port=int(sys.argv[2]), threaded=True)
