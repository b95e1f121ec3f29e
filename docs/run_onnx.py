"""Write the mask of a photograph by an exported model: python run_onnx.py model.onnx photo.jpg mask.png

It needs numpy, Pillow and onnxruntime only.
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

model, source, target = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=onnxruntime.get_available_providers())
about = session.get_modelmeta().custom_metadata_map
photo = ImageOps.exif_transpose(Image.open(source)).convert("RGB")
seen = photo.copy()
seen.thumbnail((int(about["max_side"]),) * 2, Image.Resampling.BOX)
(labels,) = session.run(["labels"], {"image": np.asarray(seen)})
mask = Image.fromarray(labels).resize(photo.size, Image.Resampling.NEAREST)
mask.putpalette([value for colour in json.loads(about["colours"]) for value in bytes.fromhex(colour[1:])])
mask.save(target)
for number, name in enumerate(json.loads(about["classes"])):
    print(f"{name}: {np.mean(labels == number):.1%}")
