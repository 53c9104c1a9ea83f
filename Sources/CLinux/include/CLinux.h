// What the kernel has and Swift's Glibc module hides or gets wrong: variadic calls, new system calls, control
// messages, vfork. Every symbol has the prefix clinux_. Every function returns a value >= 0, or -errno: the error
// is read before anything of Swift's can run in between.
#ifndef CLINUX_H
#define CLINUX_H

#include "clinux_bpf.h"
#include "clinux_cgroup.h"
#include "clinux_events.h"
#include "clinux_files.h"
#include "clinux_log.h"
#include "clinux_process.h"
#include "clinux_program.h"
#include "clinux_ring.h"
#include "clinux_socket.h"
#include "clinux_terminal.h"

#endif
