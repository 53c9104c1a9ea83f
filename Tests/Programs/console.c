// Takes a terminal as engines do: console SOCKET [TEXT]. Listens, receives one message with one descriptor, prints the
// message and what stands on the terminal, to which it types TEXT first, until nobody has it open any more.
#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int take(int connection) {
    char name[4096];
    union {
        struct cmsghdr header;
        char space[256];
    } control;
    struct iovec part = {name, sizeof name};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    // containerd's console package takes exactly this much.
    if (count <= 0 || count >= (ssize_t)sizeof name || message.msg_controllen != CMSG_SPACE(sizeof(int)) ||
        control.header.cmsg_level != SOL_SOCKET || control.header.cmsg_type != SCM_RIGHTS)
        return -1;
    printf("%.*s\n", (int)count, name);
    int fd;
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return fd;
}

int main(int argc, char **argv) {
    char directory[4096];
    snprintf(directory, sizeof directory, "%s", argv[1]);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // A long path has a short name in its own directory. It gets it when it listens: tests wait for the file.
    snprintf(address.sun_path, sizeof address.sun_path, "%s.new", basename(argv[1]));
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setvbuf(stdout, NULL, _IONBF, 0);
    if (chdir(dirname(directory)) < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 1) < 0 || rename(address.sun_path, basename(argv[1])) < 0)
        return 2;
    int connection = accept(listener, NULL, NULL);
    if (argc > 2 && strcmp(argv[2], "refuse") == 0)
        return 0;
    int terminal = take(connection);
    if (terminal < 0)
        return 3;
    if (argc > 2 && write(terminal, argv[2], strlen(argv[2])) < 0)
        return 4;
    char buffer[4096];
    for (ssize_t count; (count = read(terminal, buffer, sizeof buffer)) > 0;)
        if (write(STDOUT_FILENO, buffer, (size_t)count) < 0)
            return 5;
    return 0;
}
