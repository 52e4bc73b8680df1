"""Every sample file becomes the expected records."""

from __future__ import annotations

import pytest

from tests.support.samples import Sample, find_samples, neutral_records, open_sample, read_sample
from todo_cli.formats.detect import MODULES, detect_format, find_format


@pytest.mark.parametrize("sample", find_samples(*MODULES), ids=lambda sample: sample.path.name)
def test_sample_file_becomes_the_expected_records(sample: Sample) -> None:
    records = neutral_records(read_sample(find_format(sample.expected["format"]), sample))
    for task, expected in zip(records["tasks"], sample.expected["tasks"], strict=True):
        assert task == expected
    assert records["not_tasks"] == sample.expected["not_tasks"]
    assert records["file_lost"] == sample.file_losses


@pytest.mark.parametrize("sample", find_samples(*MODULES), ids=lambda sample: sample.path.name)
def test_format_of_a_sample_is_detected(sample: Sample) -> None:
    format = detect_format(open_sample(sample.path), sample.options)
    assert format
    assert sample.expected["format"] == format.NAME
