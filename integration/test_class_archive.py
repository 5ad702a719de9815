"""Starts take their classes from an archive; the list that it is made from is not out of date."""

from __future__ import annotations

from pathlib import Path

from integration.class_list import java_with
from integration.replica import Replica
from kcl_processor.launcher.class_archive import make
from kcl_processor.launcher.jars import daemon_class_path
from kcl_processor.launcher.java import Java, find_java

# Of what a start loads; the rest (proxies, some lambda forms) is made anew in each process.
SHARE = 0.95


def test_a_first_start_takes_its_classes_from_an_archive(local: str, tmp_path: Path) -> None:
    """If this fails for the share: `python -m integration.class_list` writes the list again."""
    loaded = tmp_path / "loaded.log"
    java = java_with(f"-Xlog:class+load:file={loaded}", tmp_path)
    replica = Replica(local, tmp_path)
    archive = make(tmp_path / "state", Java(java, find_java().version), daemon_class_path())
    replica.put("a", v={"N": "1"})
    with replica.worker("run.log", "--java", str(java)) as daemon:
        replica.until_equal()
        assert f"-XX:SharedArchiveFile={archive}" in daemon.host()[-1].cmdline()
        assert daemon.stop() == 0
    classes = loaded.read_text().splitlines()
    shared = sum("source: shared objects file" in line for line in classes)
    assert shared / len(classes) > SHARE, f"{shared} of {len(classes)}"
    assert len(classes) > 5_000
