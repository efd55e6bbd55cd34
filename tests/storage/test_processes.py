"""Every process knows the tables that its own tables refer to: the gateway imports less than the tests do."""

import subprocess
import sys

import pytest

KNOWS = """
import importlib, sys
importlib.import_module(sys.argv[1])
from mdm.storage.base import Base
assert Base.metadata.tables
for table in Base.metadata.sorted_tables:
    for key in table.foreign_keys:
        key.column
"""


@pytest.mark.parametrize(
    "module", ["web.gateway.app", "web.gateway.hot", "mdm.worker.table", "web.console.app", "web.api.app"]
)
def test_a_process_finds_every_table_that_its_tables_refer_to(module: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KNOWS, module], capture_output=True, text=True, timeout=120, check=False
    )

    assert ended.returncode == 0, ended.stderr[-1000:]
