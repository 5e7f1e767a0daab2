"""The embedded server's start and stop, whatever the last one left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from scaigrid_site.postgres import Cluster, NotStarted, postmaster
from tests.scaigrid_site.postgres.conftest import leave_pid_file, server_of, suspend


def answers(cluster: Cluster) -> bool:
    with cluster.connect() as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def family_of(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children()]


def test_a_start_begins_and_a_stop_ends_the_server_and_each_is_a_line(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "scaigrid_site.postgres")
    cluster.start()
    assert answers(cluster)
    cluster.start()  # it runs already
    cluster.stop()
    assert not cluster.is_running()
    assert [line.split()[0] for line in caplog.messages] == ["postgres.started", "postgres.stopped"]


def test_a_number_that_is_another_programs_by_now_keeps_no_server_from_its_start(
    cluster: Cluster, stranger: psutil.Process, caplog: pytest.LogCaptureFixture
) -> None:
    leave_pid_file(cluster, stranger.pid)
    assert not cluster.is_running()
    cluster.start()
    assert answers(cluster)
    assert postmaster.is_alive(stranger)
    assert f"postgres.stale_pid process={stranger.pid}" in caplog.text


def test_a_stop_disturbs_no_program_that_has_the_servers_old_number(cluster: Cluster, stranger: psutil.Process) -> None:
    leave_pid_file(cluster, stranger.pid)
    cluster.stop()
    assert postmaster.is_alive(stranger)


def test_a_server_that_nobody_buried_is_replaced(cluster: Cluster) -> None:
    with subprocess.Popen(["true"]) as dead:
        while psutil.Process(dead.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        leave_pid_file(cluster, dead.pid)
        cluster.start()
    assert answers(cluster)


@pytest.mark.parametrize("text", ["", "12", "x\n"])
def test_a_torn_pid_file_keeps_no_server_from_its_start(cluster: Cluster, text: str) -> None:
    (cluster.folder / "postmaster.pid").write_text(text)
    cluster.start()
    assert answers(cluster)


def test_a_killed_server_is_started_again_over_what_its_suspended_processes_hold(cluster: Cluster) -> None:
    cluster.start()
    server = server_of(cluster)
    family = family_of(server)
    suspend(family[1:])
    server.kill()
    cluster.start()
    assert answers(cluster)
    assert not any(map(postmaster.is_alive, family))


def test_a_suspended_server_is_stopped_too(cluster: Cluster) -> None:
    cluster.start()
    family = family_of(server_of(cluster))
    suspend(family)
    cluster.stop()
    assert not any(map(postmaster.is_alive, family))


@pytest.mark.parametrize("name", ["with a space", 'o\'clock, $HOME "now"', "long" * 40])
def test_any_path_will_do_for_the_data_folder(folder: Path, made_data: Path, name: str) -> None:
    (folder / name).mkdir()
    subprocess.run(["cp", "-a", made_data / "postgres", folder / name], check=True)
    cluster = Cluster(folder / name / "postgres")
    cluster.start()
    assert answers(cluster)
    cluster.stop()


def test_a_server_that_runs_and_does_not_answer_is_a_sentence(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scaigrid_site.postgres.cluster.ANSWER_S", 2)
    cluster.start()
    suspend([server_of(cluster)])
    with pytest.raises(NotStarted, match="it runs and does not answer"):
        cluster.start()


def test_a_server_that_cannot_start_is_a_sentence_with_its_own_last_words(cluster: Cluster) -> None:
    with (cluster.folder / "postgresql.conf").open("a") as file:
        file.write("\nshared_buffers = a lot\n")
    with pytest.raises(NotStarted, match=r'configuration file ".*postgresql\.conf" contains errors'):
        cluster.start()


def test_a_folder_of_another_version_is_a_sentence(cluster: Cluster) -> None:
    (cluster.folder / "PG_VERSION").write_text("16\n")
    with pytest.raises(NotStarted, match="found version 16"):
        cluster.prepare()
