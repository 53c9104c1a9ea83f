// Renames and mounts without a pause, so that scoped lookups of others (openat2(2), RESOLVE_IN_ROOT) meet EAGAIN.
//
// usage: churn DIRECTORY
//
// Mounts in a mount namespace of its own. Ends with its parent.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 2 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || chdir(argv[1]) < 0)
        return 1;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        perror("unshare");
        return 1;
    }
    mkdir("a", 0700);
    mkdir("b", 0700);
    mkdir("m", 0700);
    for (unsigned round = 0;; round++) {
        if (renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE) < 0)
            return 1;
        if (round % 64 == 0 && (mount("churn", "m", "tmpfs", 0, NULL) < 0 || umount2("m", MNT_DETACH) < 0))
            return 1;
    }
}
