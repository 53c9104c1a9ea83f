# Runs a program in gdb and writes the names of the functions that it calls, in the order of their first calls:
#   OUT=FILE gdb -batch -x first-calls.py --args PROGRAM ARGUMENT...
# valgrind does not know the system calls of a start.
import os
import subprocess

import gdb

program = gdb.current_progspace().filename
names = {}
for line in subprocess.check_output(["nm", "--defined-only", program], text=True).splitlines():
    address, kind, name = line.split(" ", 2)
    if kind in "tTwW":
        names.setdefault(int(address, 16), name)

called = []


class FirstCall(gdb.Breakpoint):
    def stop(self):
        called.append(self.function)
        self.enabled = False
        return False


for setting in "pagination off", "confirm off", "breakpoint always-inserted on":
    gdb.execute("set " + setting)
gdb.execute("handle all nostop noprint pass", to_string=True)
for address, name in names.items():
    FirstCall(f"*{address:#x}", internal=True).function = name
gdb.execute("run")
with open(os.environ["OUT"], "w") as file:
    file.writelines(name + "\n" for name in called)
