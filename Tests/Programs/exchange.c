// Swaps two files for ever: the other side of every race about a path that is looked up twice.
//
// usage: exchange FIRST SECOND
//
// Ends with its parent.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

int main(int argc, char **argv) {
    if (argc != 3 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return 1;
    for (;;) {
        if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) < 0) {
            perror("renameat2");
            return 1;
        }
    }
}
