"""Write one of the miniatures: python -m tests.miniatures NAME FOLDER"""

import argparse
from pathlib import Path

from tests.miniatures import MINIATURES, write

parser = argparse.ArgumentParser(prog="python -m tests.miniatures", description=__doc__)
parser.add_argument("name", choices=MINIATURES)
parser.add_argument("folder", type=Path)
asked = parser.parse_args()
write(asked.name, asked.folder)
