"""The index of labels in a prepared case's file."""

import numpy as np

from train.data.preparing.prepared_file import index_labels, pack_label_index, unpack_label_index


def test_label_index_of_nothing() -> None:
    assert index_labels(np.zeros((3, 4, 5), np.uint8)) == {}
    assert unpack_label_index(pack_label_index({})) == {}
