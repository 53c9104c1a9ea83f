// What x86-64 has of its own: the system-call instruction and the entry point.
#ifndef ARCH_H
#define ARCH_H

#include <linux/audit.h>

#define ARCH_AUDIT AUDIT_ARCH_X86_64

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

// The kernel starts us with argc at the stack pointer. The C part gets that address.
__asm__(".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call init_main\n"
        "    hlt\n");

#endif
