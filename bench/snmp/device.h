/* What one simulated device holds: the system group, ifTable and ifXTable, in the order of their names.

   Every 127.a.b.c is a device of its own, known by the low 24 bits of its address. Its ifInErrors are this number on
   every interface, so that a client that mixes up two devices is found out. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include "ber.h"

enum { MOST_ARCS = 32 };

typedef enum {
    DESCR, SYS_OBJECT_ID, UPTIME, CONTACT, NAME, LOCATION, FIXED, PORTS, PORT, PORT_NAME, PORT_ALIAS, MAC,
    OPER, OCTETS_IN, OCTETS_OUT, PACKETS_IN, PACKETS_OUT, PACKETS_RARE, MARK, FEW,
} Meaning;

typedef struct {
    uint32_t arcs[12]; /* without the index; the count ends at 0 */
    uint8_t tag;
    Meaning meaning;
    uint32_t number;
} Column;

#define SYSTEM(n) {1, 3, 6, 1, 2, 1, 1, n}
#define IF(n) {1, 3, 6, 1, 2, 1, 2, 2, 1, n}
#define IFX(n) {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, n}

static const Column SCALARS[] = {
    {SYSTEM(1), OCTETS, DESCR, 0},     {SYSTEM(2), OBJECT_ID, SYS_OBJECT_ID, 0}, {SYSTEM(3), TIMETICKS, UPTIME, 0},
    {SYSTEM(4), OCTETS, CONTACT, 0},   {SYSTEM(5), OCTETS, NAME, 0},             {SYSTEM(6), OCTETS, LOCATION, 0},
    {SYSTEM(7), INTEGER, FIXED, 6},    {{1, 3, 6, 1, 2, 1, 2, 1}, INTEGER, PORTS, 0},
    /* Something stands behind ifXTable, as in any real device: snmpSetSerialNo. */
    {{1, 3, 6, 1, 6, 3, 1, 1, 6, 1}, INTEGER, FIXED, 1},
};
static const Column COLUMNS[] = {
    {IF(1), INTEGER, PORT, 0},         {IF(2), OCTETS, PORT_NAME, 0},      {IF(3), INTEGER, FIXED, 6},
    {IF(4), INTEGER, FIXED, 1500},     {IF(5), GAUGE32, FIXED, 1000000000}, {IF(6), OCTETS, MAC, 0},
    {IF(7), INTEGER, FIXED, 1},        {IF(8), INTEGER, OPER, 0},          {IF(9), TIMETICKS, FIXED, 4100},
    {IF(10), COUNTER32, OCTETS_IN, 0}, {IF(11), COUNTER32, PACKETS_IN, 0}, {IF(13), COUNTER32, FEW, 3},
    {IF(14), COUNTER32, MARK, 0},      {IF(15), COUNTER32, FIXED, 0},      {IF(16), COUNTER32, OCTETS_OUT, 0},
    {IF(17), COUNTER32, PACKETS_OUT, 0}, {IF(19), COUNTER32, FEW, 5},      {IF(20), COUNTER32, FEW, 1},
    {IFX(1), OCTETS, PORT_NAME, 0},    {IFX(2), COUNTER32, PACKETS_RARE, 0}, {IFX(3), COUNTER32, PACKETS_RARE, 0},
    {IFX(4), COUNTER32, PACKETS_RARE, 0}, {IFX(5), COUNTER32, PACKETS_RARE, 0},
    {IFX(6), COUNTER64, OCTETS_IN, 0}, {IFX(7), COUNTER64, PACKETS_IN, 0}, {IFX(8), COUNTER64, PACKETS_RARE, 0},
    {IFX(9), COUNTER64, PACKETS_RARE, 0}, {IFX(10), COUNTER64, OCTETS_OUT, 0},
    {IFX(11), COUNTER64, PACKETS_OUT, 0}, {IFX(12), COUNTER64, PACKETS_RARE, 0},
    {IFX(13), COUNTER64, PACKETS_RARE, 0}, {IFX(15), GAUGE32, FIXED, 1000}, {IFX(16), INTEGER, FIXED, 2},
    {IFX(17), INTEGER, FIXED, 1},      {IFX(18), OCTETS, PORT_ALIAS, 0},   {IFX(19), TIMETICKS, FIXED, 0},
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct {
    uint32_t arcs[12];
    int count;
    uint8_t oid[32]; /* the same as BER, with tag and length */
    size_t oid_bytes;
    const Column *column;
    uint32_t port;
} Object;

static Object *objects;
static int object_count;
static uint32_t ports_of_a_device;

static int compare_arcs(const uint32_t *a, int a_count, const uint32_t *b, int b_count)
{
    int both = a_count < b_count ? a_count : b_count;
    for (int i = 0; i < both; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return a_count - b_count;
}

static int compare_objects(const void *a, const void *b)
{
    const Object *x = a, *y = b;
    return compare_arcs(x->arcs, x->count, y->arcs, y->count);
}

static void add_object(const Column *column, uint32_t index)
{
    Object *o = &objects[object_count++];
    *o = (Object){.column = column, .port = index};
    while (column->arcs[o->count]) {
        o->arcs[o->count] = column->arcs[o->count];
        o->count++;
    }
    o->arcs[o->count++] = index;
    o->oid_bytes = write_oid(o->oid, o->arcs, o->count);
}

static void make_objects(uint32_t ports)
{
    ports_of_a_device = ports;
    objects = calloc(COUNT(SCALARS) + COUNT(COLUMNS) * ports, sizeof *objects);
    for (size_t i = 0; i < COUNT(SCALARS); i++)
        add_object(&SCALARS[i], 0);
    for (size_t i = 0; i < COUNT(COLUMNS); i++)
        for (uint32_t port = 1; port <= ports; port++)
            add_object(&COLUMNS[i], port);
    qsort(objects, (size_t)object_count, sizeof *objects, compare_objects);
}

static int search_object(const uint32_t *arcs, int count)
{
    int low = 0, high = object_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (compare_arcs(objects[middle].arcs, objects[middle].count, arcs, count) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Return the first object that stands at this name or behind it; object_count when there is none.

   Pollers ask thousands of devices for the same names, so what was found is remembered. */
static int find_object(const uint32_t *arcs, int count)
{
    enum { SLOTS = 4096 };
    static struct {
        uint32_t arcs[MOST_ARCS];
        int count, found;
    } known[SLOTS];
    uint32_t hash = 0;
    for (int i = 0; i < count; i++)
        hash = (hash ^ arcs[i]) * 0x9e3779b1;
    int slot = (int)(hash >> 20);
    if (known[slot].count != count || memcmp(known[slot].arcs, arcs, (size_t)count * sizeof *arcs)) {
        memcpy(known[slot].arcs, arcs, (size_t)count * sizeof *arcs);
        known[slot].count = count;
        known[slot].found = search_object(arcs, count);
    }
    return known[slot].found;
}

static bool is_object(int at, const uint32_t *arcs, int count)
{
    return at < object_count && !compare_arcs(objects[at].arcs, objects[at].count, arcs, count);
}

static size_t write_text(uint8_t *to, const char *format, uint32_t number)
{
    char text[64];
    int n = snprintf(text, sizeof text, format, number);
    return write_short(to, OCTETS, text, (size_t)n);
}

static uint64_t count_of(const Object *o, uint32_t device, uint64_t ticks)
{
    uint64_t start = (uint64_t)device * 7919 + o->port * 104729;
    switch (o->column->meaning) {
    case OCTETS_IN:    return (1ull << 40) + start * 1000 + ticks * (12500 + o->port);
    case OCTETS_OUT:   return (1ull << 41) + start * 3000 + ticks * (37500 + o->port);
    case PACKETS_IN:   return (1ull << 33) + start + ticks * 25;
    case PACKETS_OUT:  return (1ull << 34) + start * 3 + ticks * 75;
    case PACKETS_RARE: return start / 16 + ticks;
    case MARK:         return device;
    case FEW:          return o->port * o->column->number;
    case OPER:         return o->port % 7 == 6 ? 2 : 1;
    case PORT:         return o->port;
    case PORTS:        return ports_of_a_device;
    case UPTIME:       return (uint32_t)(ticks + device * 100);
    default:           return o->column->number;
    }
}

static size_t write_value(uint8_t *to, const Object *o, uint32_t device, uint64_t ticks)
{
    static const uint32_t PRODUCT[] = {1, 3, 6, 1, 4, 1, 8072, 3, 2, 10};
    switch (o->column->meaning) {
    case DESCR:         return write_text(to, "Simulated switch %u of the benchmark", device);
    case SYS_OBJECT_ID: return write_oid(to, PRODUCT, COUNT(PRODUCT));
    case CONTACT:       return write_text(to, "noc@example.invalid", 0);
    case NAME:          return write_text(to, "sw-%08u", device);
    case LOCATION:      return write_text(to, "Rack 1", 0);
    case PORT_NAME:     return write_text(to, "GigabitEthernet0/%u", o->port);
    case PORT_ALIAS:    return write_text(to, "uplink %u", o->port);
    case MAC: {
        uint8_t mac[6] = {2, (uint8_t)(device >> 16), (uint8_t)(device >> 8), (uint8_t)device, 0, (uint8_t)o->port};
        return write_short(to, OCTETS, mac, sizeof mac);
    }
    default: {
        uint64_t count = count_of(o, device, ticks);
        return write_unsigned(to, o->column->tag, o->column->tag == COUNTER64 ? count : (uint32_t)count);
    }
    }
}

/* Write one varbind; none here is longer than 127 octets. */
static size_t write_varbind(uint8_t *to, const Object *o, uint32_t device, uint64_t ticks)
{
    memcpy(to + 2, o->oid, sizeof o->oid); /* a fixed size is copied quicker than the exact one */
    size_t n = o->oid_bytes + write_value(to + 2 + o->oid_bytes, o, device, ticks);
    to[0] = SEQUENCE;
    to[1] = (uint8_t)n;
    return 2 + n;
}
