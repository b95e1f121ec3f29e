"""Records on disk between an importer and the index."""

import pytest

from wsss_stages.data.importers.spool import Spool
from wsss_stages.data.record import Record


def test_records_come_back_in_order_and_anew_each_time():
    records = [Record(name, f"{name}.jpg", "0", 8, 9, 8, 9, tags=[1], kinds=["tag"]) for name in ("b", "ä", "a")]
    records[1].boxes, records[1].box_classes = [[0, 0, 3, 4]], [1]
    spool = Spool()
    for record in records:
        spool.add(record)
    assert list(spool) == ["b", "ä", "a"] and list(spool.values()) == records and len(spool) == 3
    spool["ä"].boxes.clear()
    assert spool["ä"] == records[1] and "c" not in spool
    with pytest.raises(KeyError):
        spool["c"]
