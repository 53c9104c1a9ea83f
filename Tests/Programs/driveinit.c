// Drives an init from outside: driveinit COMMAND [ARGUMENT...] starts COMMAND with one more argument, the word that
// names its descriptors, gives it a plan that ends in an error, answers its sync, and checks what it says.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CPlan.h"

static void fail(const char *what) {
    fprintf(stderr, "driveinit: %s\n", what);
    exit(1);
}

/// Takes on a file mode mask, waits for gantry, then enters a directory that is not there.
static int write_plan(void) {
    struct {
        struct cplan_header header;
        struct cplan_op ops[3];
        char path[32];
    } plan = {.header = {.magic = CPLAN_MAGIC, .version = CPLAN_VERSION, .op_count = 3, .first_private = 3}};
    plan.header.total_size = sizeof plan;
    for (int i = 0; i < 3; i++)
        plan.ops[i].dst = plan.ops[i].src = plan.ops[i].aux = CPLAN_SLOT_NONE;
    plan.ops[0].code = CPLAN_UMASK;
    plan.ops[0].arg0 = 022;
    plan.ops[1].code = CPLAN_SYNC;
    plan.ops[1].arg0 = CPLAN_SYNC_READY;
    plan.ops[2].code = CPLAN_CHDIR;
    plan.ops[2].str = (uint32_t)((char *)plan.path - (char *)&plan);
    strcpy(plan.path, "/there/is/no/such/place");
    int fd = memfd_create("plan", 0);
    if (fd < 0 || write(fd, &plan, sizeof plan) != (ssize_t)sizeof plan)
        fail("cannot write the plan");
    return fd;
}

static void expect(int socket, uint32_t type, struct cplan_message *message) {
    if (read(socket, message, sizeof *message) != (ssize_t)sizeof *message)
        fail("the init said nothing");
    if (message->type != type)
        fail("the init said something else");
}

int main(int argc, char **argv) {
    int ends[2];
    if (argc < 2 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
        fail("usage: driveinit COMMAND [ARGUMENT...]");
    int plan = write_plan();
    pid_t pid = fork();
    if (pid == 0) {
        char numbers[32], *words[16] = {0};
        close(ends[0]);
        snprintf(numbers, sizeof numbers, "%d,-,-,%d", ends[1], plan);
        for (int i = 1; i < argc && i < 14; i++)
            words[i - 1] = argv[i];
        words[argc - 1] = numbers;
        execv(words[0], words);
        _exit(127);
    }
    close(ends[1]);

    struct cplan_message message;
    expect(ends[0], CPLAN_MSG_SYNC, &message);
    if (message.value != CPLAN_SYNC_READY)
        fail("it is another sync");
    message = (struct cplan_message){.type = CPLAN_MSG_REPLY, .value = CPLAN_SYNC_READY};
    if (write(ends[0], &message, sizeof message) != (ssize_t)sizeof message)
        fail("cannot answer");
    expect(ends[0], CPLAN_MSG_FAILED, &message);
    if (message.op != 2 || message.value != CPLAN_CHDIR || message.error != ENOENT)
        fail("it failed in another way");

    int status;
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
        fail("it did not exit with 1");
    puts("as planned");
    return 0;
}
