/* The responder of the benchmark: every address of 127.0.0.0/8 is a device that answers SNMPv2c and SNMPv3.

   One process, one socket, batches of datagrams. Answers can be lost, late, doubled and out of order, and devices
   silent; what befalls a datagram is drawn from the seed, the device and how often it was asked, so that it does not
   depend on the order in which devices are asked. Prints "ready", and what it counted when it is ended by a signal. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include "answer.h"

enum { BATCH = 64, DEVICES = 1 << 24, LATE_NS = 20000000 };
static const uint64_t SECOND_NS = 1000000000;

/* Shares are of 1. */
static struct {
    int port;
    uint32_t interfaces;
    double silent, loss, duplicate, reorder;
    uint64_t delay_ns, jitter_ns, seed;
} given = {.port = 16100, .interfaces = INTERFACES, .seed = 1};

static struct {
    uint64_t received, sent, unheard, lost, doubled, late;
} passed;

static volatile sig_atomic_t ended;
static Keys *keys_of[DEVICES];       /* made when a device is first asked by SNMPv3 */
static uint32_t asked_of[DEVICES];   /* how many datagrams a device got */
static uint64_t started_ns;

static void on_signal(int number) { (void)number; ended = 1; }

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* --- chance ---------------------------------------------------------------------------------------------- */

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014), the finalizer. */
static uint64_t mixed(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static double drawn(uint64_t *state) { return (double)((*state = mixed(*state)) >> 11) / (double)(1ull << 53); }

static bool is_silent(uint32_t device)
{
    uint64_t state = mixed(given.seed) ^ device;
    return given.silent > 0 && drawn(&state) < given.silent;
}

static uint64_t fate(uint32_t device)
{
    return mixed(given.seed ^ (uint64_t)device << 32 ^ ++asked_of[device]);
}

/* --- replies that leave later: a binary heap, the earliest at its root --------------------------------------- */

typedef struct {
    uint64_t due_ns;
    struct sockaddr_in to;
    struct in_addr from;
    size_t bytes;
    uint8_t *message;
} Reply;

static Reply *waiting;
static size_t waiting_count, waiting_room;

static void swap(size_t a, size_t b)
{
    Reply kept = waiting[a];
    waiting[a] = waiting[b];
    waiting[b] = kept;
}

static void keep(Reply reply)
{
    if (waiting_count == waiting_room) {
        waiting_room = waiting_room ? 2 * waiting_room : 1024;
        waiting = realloc(waiting, waiting_room * sizeof *waiting);
        if (!waiting)
            abort();
    }
    size_t at = waiting_count++;
    waiting[at] = reply;
    for (; at && waiting[at].due_ns < waiting[(at - 1) / 2].due_ns; at = (at - 1) / 2)
        swap(at, (at - 1) / 2);
}

static Reply earliest(void)
{
    Reply first = waiting[0];
    waiting[0] = waiting[--waiting_count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < waiting_count; child++)
            if (waiting[child].due_ns < waiting[least].due_ns)
                least = child;
        if (least == at)
            return first;
        swap(at, least);
        at = least;
    }
}

/* --- the socket ---------------------------------------------------------------------------------------------- */

typedef union {
    struct cmsghdr aligned;
    char octets[CMSG_SPACE(sizeof(struct in_pktinfo))];
} Control;

static int open_socket(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)given.port)};
    int on = 1, room = 64 << 20, s = socket(AF_INET, SOCK_DGRAM, 0);
    /* Any address of 127.0.0.0/8 is ours; nothing from elsewhere is answered (see the destination in `take`). */
    setsockopt(s, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
        setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room))
        setsockopt(s, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (s < 0 || bind(s, (struct sockaddr *)&where, sizeof where)) {
        perror("agent");
        exit(1);
    }
    return s;
}

/* What leaves at once, in one system call. */
static struct {
    struct mmsghdr messages[2 * BATCH];
    struct iovec parts[2 * BATCH];
    struct sockaddr_in to[2 * BATCH];
    Control controls[2 * BATCH];
    unsigned count;
} out;

static void flush(int s)
{
    for (unsigned done = 0; done < out.count;) {
        int n = sendmmsg(s, out.messages + done, out.count - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        passed.sent += n > 0 ? (unsigned)n : 0;
        done += n > 0 ? (unsigned)n : 1; /* what the kernel refuses is lost, as on any network */
    }
    out.count = 0;
}

static void put(struct sockaddr_in to, struct in_addr from, uint8_t *message, size_t bytes)
{
    unsigned i = out.count++;
    out.to[i] = to;
    out.parts[i] = (struct iovec){message, bytes};
    out.messages[i].msg_hdr = (struct msghdr){
        .msg_name = &out.to[i], .msg_namelen = sizeof out.to[i], .msg_iov = &out.parts[i], .msg_iovlen = 1,
        .msg_control = &out.controls[i], .msg_controllen = sizeof out.controls[i],
    };
    struct cmsghdr *control = CMSG_FIRSTHDR(&out.messages[i].msg_hdr);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo source = {.ipi_spec_dst = from};
    memcpy(CMSG_DATA(control), &source, sizeof source);
}

static struct in_addr destination(struct msghdr *message)
{
    struct in_pktinfo info = {0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            memcpy(&info, CMSG_DATA(c), sizeof info);
    return info.ipi_addr;
}

/* --- the way of a datagram ----------------------------------------------------------------------------------- */

static bool delays(void) { return given.delay_ns || given.jitter_ns || given.reorder > 0; }

static void send_or_keep(struct sockaddr_in to, struct in_addr from, uint8_t *front, size_t bytes, uint64_t at_ns,
                         uint64_t *state)
{
    if (!delays()) {
        put(to, from, front, bytes);
        return;
    }
    uint64_t due = at_ns + given.delay_ns + (uint64_t)(drawn(state) * (double)given.jitter_ns);
    if (drawn(state) < given.reorder) {
        due += LATE_NS;
        passed.late++;
    }
    Reply reply = {due, to, from, bytes, malloc(bytes)};
    if (!reply.message)
        abort();
    memcpy(reply.message, front, bytes);
    keep(reply);
}

/* Answer one datagram, in a buffer that stays as it is until the batch has left. */
static void take(struct msghdr *message, uint8_t *datagram, size_t n, uint8_t *buffer, uint64_t at_ns)
{
    struct in_addr ours = destination(message);
    uint32_t address = ntohl(ours.s_addr), device = address & (DEVICES - 1);
    struct sockaddr_in to = *(struct sockaddr_in *)message->msg_name;
    passed.received++;
    if (address >> 24 != 127)
        return;
    if (is_silent(device)) {
        passed.unheard++;
        return;
    }
    uint64_t state = fate(device);
    if (drawn(&state) < given.loss) { /* on its way here */
        passed.lost++;
        return;
    }
    if (!keys_of[device]) {
        keys_of[device] = malloc(sizeof(Keys));
        if (!keys_of[device])
            abort();
        make_keys(keys_of[device], device);
    }
    /* Devices started an hour before this process. */
    Self self = {device, 360000 + (at_ns - started_ns) / (SECOND_NS / 100), keys_of[device]};
    uint8_t *end, *front = answer(datagram, n, buffer, &self, &end);
    if (!front)
        return;
    if (drawn(&state) < given.loss) { /* on its way back */
        passed.lost++;
        return;
    }
    send_or_keep(to, ours, front, (size_t)(end - front), at_ns, &state);
    if (drawn(&state) < given.duplicate) {
        send_or_keep(to, ours, front, (size_t)(end - front), at_ns, &state);
        passed.doubled++;
    }
}

static void take_batch(int s)
{
    static uint8_t in[BATCH][65536], replies[BATCH][BUFFER];
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    static struct sockaddr_in from[BATCH];
    static Control controls[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){in[i], sizeof in[i]};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &parts[i], .msg_iovlen = 1,
            .msg_control = &controls[i], .msg_controllen = sizeof controls[i],
        };
    }
    int n = recvmmsg(s, messages, BATCH, MSG_DONTWAIT, NULL);
    uint64_t at_ns = now_ns();
    for (int i = 0; i < n; i++)
        take(&messages[i].msg_hdr, in[i], messages[i].msg_len, replies[i], at_ns);
    flush(s);
}

static void send_due(int s)
{
    uint8_t *sent[BATCH];
    uint64_t now = now_ns();
    while (waiting_count && waiting[0].due_ns <= now) {
        int n = 0;
        while (n < BATCH && waiting_count && waiting[0].due_ns <= now) {
            Reply reply = earliest();
            put(reply.to, reply.from, reply.message, reply.bytes);
            sent[n++] = reply.message;
        }
        flush(s);
        while (n)
            free(sent[--n]);
    }
}

/* Wait for a datagram, or until a reply is due; signals are let in here only, so that none is missed. */
static void wait_for_work(int s, const sigset_t *outside)
{
    struct timespec most = {1, 0};
    struct pollfd readable = {s, POLLIN, 0};
    if (waiting_count) {
        uint64_t now = now_ns(), due = waiting[0].due_ns;
        uint64_t rest = due > now ? due - now : 0;
        most = (struct timespec){(time_t)(rest / SECOND_NS), (long)(rest % SECOND_NS)};
    }
    ppoll(&readable, 1, &most, outside);
}

/* --- the program --------------------------------------------------------------------------------------------- */

static void report(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
        + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"received\": %lu, \"sent\": %lu, \"to_silent\": %lu, \"lost\": %lu, \"doubled\": %lu, \"late\": %lu, "
           "\"varbinds\": %lu, \"reports\": %lu, \"wrong_digest\": %lu, \"malformed\": %lu, \"too_big\": %lu, "
           "\"cpu_s\": %.3f}\n",
           passed.received, passed.sent, passed.unheard, passed.lost, passed.doubled, passed.late, told.varbinds,
           told.reports, told.wrong_digest, told.malformed, told.too_big, cpu_s);
}

static void usage(void)
{
    fputs("agent [--port N] [--interfaces N] [--max-reply OCTETS] [--silent %] [--loss %] [--delay MS] [--jitter MS]\n"
          "      [--duplicate %] [--reorder %] [--seed N] [--wrong-mac] [--count-silent DEVICES]\n", stderr);
    exit(2);
}

static int read_options(int count, char **words)
{
    enum { PORT_ = 1, IFS, REPLY, SILENT, LOSS, DELAY, JITTER, TWICE, REORDER, SEED, WRONG, HOW_MANY };
    static const struct option OPTIONS[] = {
        {"port", 1, 0, PORT_}, {"interfaces", 1, 0, IFS}, {"max-reply", 1, 0, REPLY}, {"silent", 1, 0, SILENT},
        {"loss", 1, 0, LOSS}, {"delay", 1, 0, DELAY}, {"jitter", 1, 0, JITTER}, {"duplicate", 1, 0, TWICE},
        {"reorder", 1, 0, REORDER}, {"seed", 1, 0, SEED}, {"wrong-mac", 0, 0, WRONG},
        {"count-silent", 1, 0, HOW_MANY}, {0},
    };
    int counted = 0;
    for (int o; (o = getopt_long(count, words, "", OPTIONS, NULL)) != -1;)
        switch (o) {
        case PORT_:    given.port = atoi(optarg); break;
        case IFS:      given.interfaces = (uint32_t)atoi(optarg); break;
        case REPLY:    most_reply = (size_t)atoi(optarg); break;
        case SILENT:   given.silent = atof(optarg) / 100; break;
        case LOSS:     given.loss = atof(optarg) / 100; break;
        case DELAY:    given.delay_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case JITTER:   given.jitter_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case TWICE:    given.duplicate = atof(optarg) / 100; break;
        case REORDER:  given.reorder = atof(optarg) / 100; break;
        case SEED:     given.seed = strtoull(optarg, NULL, 10); break;
        case WRONG:    signing_wrongly = true; break;
        case HOW_MANY: counted = atoi(optarg); break;
        default:       usage();
        }
    if (optind < count || given.interfaces < 1 || given.interfaces > 4096 || most_reply < 484 || most_reply > 65507)
        usage();
    return counted;
}

int main(int count, char **words)
{
    int counted = read_options(count, words), silent = 0;
    for (int i = 0; i < counted; i++)
        silent += is_silent((FIRST_ADDRESS + (uint32_t)i) & (DEVICES - 1));
    if (counted) {
        printf("%d\n", silent);
        return 0;
    }
    make_objects(given.interfaces);
    master_key(AUTH_PASSWORD, auth_master);
    master_key(PRIV_PASSWORD, priv_master);
    started_ns = now_ns();
    sigset_t both, outside;
    sigemptyset(&both);
    sigaddset(&both, SIGTERM);
    sigaddset(&both, SIGINT);
    sigprocmask(SIG_BLOCK, &both, &outside);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    int s = open_socket();
    puts("ready");
    fflush(stdout);
    while (!ended) {
        wait_for_work(s, &outside);
        take_batch(s);
        send_due(s);
    }
    report();
    return 0;
}
