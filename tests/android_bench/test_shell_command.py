# SPDX-License-Identifier: Apache-2.0
import subprocess

from android_bench import shell_command


def test_the_service_tells_its_pid_and_quotes_its_arguments():
    command = shell_command.Command(["ls", "a b", "$HOME"])
    echo, export, run = command.service.split(";")
    assert echo == "shell,v2,raw:echo $$"
    assert export.startswith("export TFLITE_OPT_RUN=")
    assert run == "exec ls 'a b' '$HOME'"
    assert command.process is None


def test_only_the_process_itself_is_killed_never_another_of_its_number():
    nonce = "0123456789abcdef"
    own, other = (
        subprocess.Popen(
            ["sleep", "60"],
            env={"TFLITE_OPT_RUN": value},
            start_new_session=True,
        )
        for value in (nonce, "other")
    )
    try:
        for process in (own, other):
            running = shell_command.RunningProcess(pid=process.pid, nonce=nonce)
            subprocess.run(["sh", "-c", running.kill_script()], check=True)
        assert own.wait(timeout=10) == -9
        assert other.poll() is None
    finally:
        for process in (own, other):
            process.kill()
            process.wait()
