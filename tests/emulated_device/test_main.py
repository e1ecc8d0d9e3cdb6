# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import re
import signal
import subprocess
import sys

from android_bench import server

_ROOT = pathlib.Path(__file__).parents[2]


def test_phones_can_be_tried_and_end_with_ctrl_c(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "tests.emulated_device", "--phones=2"],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "TMPDIR": str(tmp_path)},
    ) as process:
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Ctrl-C" in line:
                    break
            port = int(re.search(r"SERVER_PORT=(\d+)", lines[0])[1])
            devices = server.connect(port=port).devices()
            assert [x.is_ready for x in devices] == [True, True]
            (program,) = re.findall(r"run: (\S+/benchmark_model)\n", lines[3])
            assert pathlib.Path(program).is_file()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert list(tmp_path.iterdir()) == []
