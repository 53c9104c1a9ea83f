// The other ends of sockets that a runtime uses.
//
//     sockets manager PATH      a service manager: prints "listening", then each datagram that comes to PATH,
//                               a line's end as "|"
//     sockets say WORD...       a service: sends each word, with \n for a line's end, to $NOTIFY_SOCKET
//     sockets pidfd PATH        an engine: accepts one connection, prints the bytes and of which process the
//                               descriptor that came with them is
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int unix_socket(const char *path, int type, int listens) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);
    size_t length = strlen(path);
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = 0;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    int result = listens ? bind(fd, (struct sockaddr *)&address, size)
                         : connect(fd, (struct sockaddr *)&address, size);
    if (result < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void manage(const char *path) {
    int fd = unix_socket(path, SOCK_DGRAM, 1);
    char bytes[4096];
    puts("listening");
    fflush(stdout);
    for (;;) {
        // A descriptor that comes along is closed at once, which is what a barrier waits for.
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);
        if (count < 0)
            exit(1);
        for (ssize_t i = 0; i < count; i++)
            putchar(bytes[i] == '\n' ? '|' : bytes[i]);
        putchar('\n');
        fflush(stdout);
    }
}

static void say(char **words) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL)
        exit(2);
    int fd = unix_socket(path, SOCK_DGRAM, 0);
    for (; *words != NULL; words++) {
        char *end;
        while ((end = strstr(*words, "\\n")) != NULL) {
            *end = '\n';
            memmove(end + 1, end + 2, strlen(end + 2) + 1);
        }
        if (send(fd, *words, strlen(*words), 0) < 0) {
            perror("send");
            exit(1);
        }
    }
}

static void accept_pidfd(const char *path) {
    // Tests wait for the file, so it is there when somebody listens.
    char unheard[128];
    snprintf(unheard, sizeof unheard, "%s.new", path);
    int listener = unix_socket(unheard, SOCK_STREAM, 1);
    if (listen(listener, 1) < 0 || rename(unheard, path) < 0)
        exit(1);
    int fd = accept(listener, NULL, NULL);
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    char bytes[64] = "";
    struct iovec part = {bytes, sizeof bytes - 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, 0) < 0 || CMSG_FIRSTHDR(&message) == NULL)
        exit(1);
    int received;
    memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof received);
    char name[64], line[128];
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", received);
    FILE *info = fopen(name, "r");
    int pid = 0;
    while (info != NULL && fgets(line, sizeof line, info) != NULL)
        sscanf(line, "Pid: %d", &pid);
    printf("%s %d\n", bytes, pid);
}

int main(int argc, char **argv) {
    if (argc >= 3 && strcmp(argv[1], "manager") == 0)
        manage(argv[2]);
    else if (argc >= 3 && strcmp(argv[1], "say") == 0)
        say(argv + 2);
    else if (argc >= 3 && strcmp(argv[1], "pidfd") == 0)
        accept_pidfd(argv[2]);
    else
        return 2;
    return 0;
}
