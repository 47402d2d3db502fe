/* The poll of the benchmark by net-snmp's C library: one session a device, asynchronous, one request in flight each.

   Asks for the same windows as the other clients: GETBULK with sysUpTime and five rows of eleven columns. A first
   round is not counted; a device that was silent in a round is asked once, without retries, in the next. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>
#include <getopt.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#define IF 2, 2, 1
#define IFX 31, 1, 1, 1
#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { MOST_EVENTS = 256, FD_SETS_OF = 16384 };

static const struct {
    size_t count;
    oid arcs[12];
} COLUMNS[] = {
#define COLUMN(count, ...) {count, {1, 3, 6, 1, 2, 1, __VA_ARGS__}}
    COLUMN(11, IFX, 6), COLUMN(11, IFX, 10), COLUMN(11, IFX, 7), COLUMN(11, IFX, 11), COLUMN(11, IFX, 15),
    COLUMN(10, IF, 14), COLUMN(10, IF, 20), COLUMN(10, IF, 13), COLUMN(10, IF, 19), COLUMN(10, IF, 8),
    COLUMN(10, IF, 7),
};
static const oid UPTIME[] = {1, 3, 6, 1, 2, 1, 1, 3}, IN_ERRORS[] = {1, 3, 6, 1, 2, 1, IF, 14};
static const oid SHA_256[] = {1, 3, 6, 1, 6, 3, 10, 1, 1, 5};

typedef struct {
    void *handle; /* NULL when its engine was not found */
    uint32_t address;
    unsigned row, varbinds, foreign;
    int waiting, was_silent;
} Device;

static struct {
    int port, devices, first, rounds, window, retries;
    double timeout_s;
    const char *version;
} given = {16100, 1000, 0, 1, 256, 2, 2.0, "2c"};

static struct {
    unsigned long ok, failed, varbinds;
} counted;
static int in_flight;
static uint64_t values_sum; /* every value is read, so that none is left unparsed */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct rusage used(void)
{
    struct rusage now;
    getrusage(RUSAGE_SELF, &now);
    return now;
}

static double cpu_seconds(void)
{
    struct rusage r = used();
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void finish(Device *d, int good)
{
    d->waiting = 0;
    d->was_silent = !good;
    in_flight--;
    good = good && d->varbinds == VARBINDS && !d->foreign;
    counted.ok += good;
    counted.failed += !good;
    counted.varbinds += d->varbinds;
}

static int on_reply(int what, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *magic);

/* Ask for the window that begins behind row `d->row`; sysUpTime comes with the first. */
static void ask(Device *d)
{
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK);
    unsigned rows = INTERFACES - d->row;
    pdu->non_repeaters = d->row == 0;
    pdu->max_repetitions = rows < ROWS ? rows : ROWS;
    if (d->row == 0)
        snmp_add_null_var(pdu, UPTIME, COUNT(UPTIME));
    for (size_t i = 0; i < COUNT(COLUMNS); i++) {
        oid name[13];
        memcpy(name, COLUMNS[i].arcs, sizeof COLUMNS[i].arcs);
        name[COLUMNS[i].count] = d->row;
        snmp_add_null_var(pdu, name, COLUMNS[i].count + (d->row > 0));
    }
    d->row += ROWS;
    if (!snmp_sess_async_send(d->handle, pdu, on_reply, d)) {
        snmp_free_pdu(pdu);
        finish(d, 0);
    }
}

static void read_values(Device *d, const netsnmp_variable_list *v)
{
    for (; v; v = v->next_variable) {
        d->varbinds++;
        if (v->type == ASN_COUNTER64) {
            values_sum += (uint64_t)v->val.counter64->high << 32 | v->val.counter64->low;
        } else if (v->val.integer) {
            values_sum += (uint64_t)*v->val.integer;
            if (!snmp_oid_ncompare(v->name, v->name_length, IN_ERRORS, COUNT(IN_ERRORS), COUNT(IN_ERRORS)))
                d->foreign += (uint32_t)*v->val.integer != (d->address & 0xffffff);
        }
    }
}

static int on_reply(int what, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *magic)
{
    Device *d = magic;
    (void)session, (void)id;
    if (!d->waiting)
        return 1;
    if (what == NETSNMP_CALLBACK_OP_TIMED_OUT)
        finish(d, 0);
    if (what != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || pdu->command != SNMP_MSG_RESPONSE)
        return 1;
    read_values(d, pdu->variables);
    if (d->row < INTERFACES)
        ask(d);
    else
        finish(d, 1);
    return 1;
}

/* The master keys are derived once, not for every device. */
static void set_security(netsnmp_session *s)
{
    static u_char keys[2][USM_AUTH_KU_LEN];
    static size_t lengths[2];
    s->version = SNMP_VERSION_3;
    s->securityName = (char *)USER;
    s->securityNameLen = strlen(USER);
    s->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
    s->securityAuthProto = (oid *)SHA_256;
    s->securityAuthProtoLen = COUNT(SHA_256);
    s->securityPrivProto = usmAESPrivProtocol;
    s->securityPrivProtoLen = OID_LENGTH(usmAESPrivProtocol);
    if (!lengths[0]) {
        const char *passwords[] = {AUTH_PASSWORD, PRIV_PASSWORD};
        for (int i = 0; i < 2; i++) {
            lengths[i] = sizeof keys[i];
            generate_Ku(SHA_256, COUNT(SHA_256), (const u_char *)passwords[i], strlen(passwords[i]), keys[i],
                        &lengths[i]);
        }
    }
    memcpy(s->securityAuthKey, keys[0], s->securityAuthKeyLen = lengths[0]);
    memcpy(s->securityPrivKey, keys[1], s->securityPrivKeyLen = lengths[1]);
}

static void open_device(Device *d, int number, int epoll)
{
    netsnmp_session s;
    char peer[64];
    struct epoll_event readable = {.events = EPOLLIN, .data.ptr = d};
    d->address = FIRST_ADDRESS + (uint32_t)number;
    snprintf(peer, sizeof peer, "udp:%u.%u.%u.%u:%d", d->address >> 24, d->address >> 16 & 255, d->address >> 8 & 255,
             d->address & 255, given.port);
    snmp_sess_init(&s);
    s.peername = peer;
    s.timeout = (long)(given.timeout_s * 1e6);
    s.retries = given.retries;
    if (!strcmp(given.version, "3")) {
        set_security(&s);
    } else {
        s.version = SNMP_VERSION_2c;
        s.community = (u_char *)COMMUNITY;
        s.community_len = strlen(COMMUNITY);
    }
    d->handle = snmp_sess_open(&s); /* by SNMPv3 it waits here for the device's engine ID */
    if (d->handle)
        epoll_ctl(epoll, EPOLL_CTL_ADD, snmp_sess_transport(d->handle)->sock, &readable);
}

static void begin(Device *d)
{
    d->row = d->varbinds = d->foreign = 0;
    d->waiting = 1;
    in_flight++;
    if (!d->handle) {
        finish(d, 0);
        return;
    }
    snmp_sess_session(d->handle)->retries = d->was_silent ? 0 : given.retries;
    ask(d);
}

static void run_round(Device *devices, int epoll, netsnmp_large_fd_set *set)
{
    struct epoll_event events[MOST_EVENTS];
    double looked = seconds();
    for (int next = 0; next < given.devices || in_flight;) {
        while (in_flight < given.window && next < given.devices)
            begin(&devices[next++]);
        int n = epoll_wait(epoll, events, MOST_EVENTS, 20);
        for (int i = 0; i < n; i++) {
            Device *d = events[i].data.ptr;
            int fd = snmp_sess_transport(d->handle)->sock;
            NETSNMP_LARGE_FD_SET(fd, set);
            snmp_sess_read2(d->handle, set);
            NETSNMP_LARGE_FD_CLR(fd, set);
        }
        if (seconds() - looked < 0.1)
            continue;
        looked = seconds();
        for (int i = 0; i < given.devices; i++)
            if (devices[i].waiting)
                snmp_sess_timeout(devices[i].handle);
    }
}

static void read_options(int count, char **words)
{
    static const struct option OPTIONS[] = {
        {"port", 1, 0, 'p'}, {"version", 1, 0, 'v'}, {"devices", 1, 0, 'n'}, {"first", 1, 0, 'f'},
        {"rounds", 1, 0, 'r'}, {"window", 1, 0, 'w'}, {"timeout", 1, 0, 't'}, {"retries", 1, 0, 'R'}, {0},
    };
    for (int o; (o = getopt_long(count, words, "", OPTIONS, NULL)) != -1;)
        switch (o) {
        case 'p': given.port = atoi(optarg); break;
        case 'v': given.version = optarg; break;
        case 'n': given.devices = atoi(optarg); break;
        case 'f': given.first = atoi(optarg); break;
        case 'r': given.rounds = atoi(optarg); break;
        case 'w': given.window = atoi(optarg); break;
        case 't': given.timeout_s = atof(optarg); break;
        case 'R': given.retries = atoi(optarg); break;
        default: exit(2);
        }
}

int main(int count, char **words)
{
    read_options(count, words);
    struct rlimit most;
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    setenv("MIBS", "", 1);
    setenv("SNMPCONFPATH", "/nonexistent", 1);
    init_snmp("siaga-bench");
    int epoll = epoll_create1(0);
    Device *devices = calloc((size_t)given.devices, sizeof *devices);
    for (int i = 0; i < given.devices; i++)
        open_device(&devices[i], given.first + i, epoll);
    netsnmp_large_fd_set set;
    netsnmp_large_fd_set_init(&set, FD_SETS_OF);
    NETSNMP_LARGE_FD_ZERO(&set);
    run_round(devices, epoll, &set);
    memset(&counted, 0, sizeof counted);
    double wall = seconds(), cpu = cpu_seconds();
    for (int i = 0; i < given.rounds; i++)
        run_round(devices, epoll, &set);
    wall = seconds() - wall;
    cpu = cpu_seconds() - cpu;
    printf("{\"client\": \"netsnmp\", \"version\": \"%s\", \"parser\": \"c\", \"ok\": %lu, \"failed\": %lu, "
           "\"varbinds\": %lu, \"wall_s\": %.4f, \"cpu_s\": %.4f, \"rss_kb\": %ld}\n",
           given.version, counted.ok, counted.failed, counted.varbinds, wall, cpu, used().ru_maxrss);
    return values_sum == 0 && counted.ok;
}
