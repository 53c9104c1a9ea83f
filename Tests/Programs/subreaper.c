// Runs a command and tells whether it left processes behind.
//
// usage: subreaper PROGRAM ARGUMENT...
//
// Exits as the command did, 128 + signal for a killed one. Whatever the command started and did not wait for becomes
// our child when it ends: then a line "left behind: PID NAME" each goes to standard error, it is killed, and we exit
// with 99.
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/// Our children, without those that have ended.
static int end_children(void) {
    int found = 0, pid;
    FILE *list = fopen("/proc/thread-self/children", "re");
    while (list != NULL && fscanf(list, "%d", &pid) == 1) {
        char path[64], name[64] = "?";
        snprintf(path, sizeof path, "/proc/%d/comm", pid);
        FILE *comm = fopen(path, "re");
        if (comm != NULL) {
            if (fgets(name, sizeof name, comm) != NULL)
                name[strcspn(name, "\n")] = 0;
            fclose(comm);
        }
        fprintf(stderr, "left behind: %d %s\n", pid, name);
        kill(pid, SIGKILL);
        found++;
    }
    if (list != NULL)
        fclose(list);
    return found;
}

int main(int argc, char **argv) {
    if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return 98;
    pid_t command = fork();
    if (command == 0) {
        execv(argv[1], argv + 1);
        _exit(127);
    }
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(command, &status, 0)) != command && ended >= 0)
        ;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    int left = end_children();
    while (left > 0 && wait(NULL) > 0)
        ;
    if (left > 0)
        return 99;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
