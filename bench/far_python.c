/* A host's Python for bench/far.py: hands its own input, output, arguments and environment to the warm Python that
   listens at SOCKET (set when this is compiled), and ends with the exit code that it is told.

   What is no module of Ansible's (-c, as mitogen begins) goes to the real Python. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;
static char room[1 << 17];
static size_t used;

static void add(const char *text)
{
    size_t n = strlen(text) + 1;
    if (used + n > sizeof room)
        exit(121);
    memcpy(room + used, text, n);
    used += n;
}

int main(int argc, char **argv)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    union { char bytes[CMSG_SPACE(3 * sizeof(int))]; struct cmsghdr align; } control;
    struct iovec part;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    int line, fds[3] = {0, 1, 2};
    unsigned char code = 122;

    if (argc > 1 && argv[1][0] == '-') {
        argv[0] = PYTHON; /* what it takes for its own name it starts again */
        execv(PYTHON, argv);
        return 126;
    }
    add(argc > 1 ? argv[1] : "");
    for (char **one = environ; *one; one++)
        add(*one);
    strcpy(at.sun_path, SOCKET);
    line = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (line < 0 || connect(line, (struct sockaddr *)&at, sizeof at))
        return 123;
    memset(&control, 0, sizeof control);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(head), fds, sizeof fds);
    part = (struct iovec){room, used};
    if (sendmsg(line, &message, 0) < 0)
        return 124;
    /* Nobody else may hold the output open, or its end would be seen too late. */
    close(0), close(1), close(2);
    if (read(line, &code, 1) != 1)
        return 125;
    return code;
}
