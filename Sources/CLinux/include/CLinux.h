// What the kernel has and Swift's Glibc module hides: variadic calls, new system calls, macros.
// Every symbol has the prefix clinux_. Functions return a value >= 0, or -errno.
#ifndef CLINUX_H
#define CLINUX_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#endif
