/* The optional quick reader of windows; `make fast` builds it, nothing needs it.
 *
 * Window(uptime, columns, indexes) is what one reply is expected to hold: sysUpTime (its name's octets), then for each
 * of `indexes` each of `columns`. It has two methods, which put the values of the rows into a list, from the place
 * `first` on, and return sysUpTime. None, and nothing is put, means: not as expected, or rare; the reference decoder
 * (ber.py) then decides.
 *
 *     read(data, start, end, values, first)        data[start:end) are the varbinds of a reply
 *     message(data, lead, number, values, first)   data is a whole message of v1 or v2c: a SEQUENCE of `lead` (version
 *                                                  and community as they were sent) and a Response without an error
 *                                                  whose request-id has the four octets `number`
 *
 * What is taken must be what the reference takes, with the same values, which tests/monitor/test_ber.py holds over
 * millions of mutants. Every octet is read only after it was found to lie before the end of what holds it.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const unsigned char *at;
    const unsigned char *end;
} span;

enum { MOST_VALUES = 4096 };

/* Take the next element of `s` as (tag, content). Returns 0 if it is cut off or its length is not definite. */
static inline int element(span *s, int *tag, span *content) {
    if (s->end - s->at < 2) return 0;
    *tag = s->at[0];
    size_t size = s->at[1];
    s->at += 2;
    if (size & 0x80) {
        size_t octets = size & 0x7f;
        if (octets < 1 || octets > 4 || (size_t)(s->end - s->at) < octets) return 0;
        size = 0;
        while (octets--) size = size << 8 | *s->at++;
    }
    if (size > (size_t)(s->end - s->at)) return 0;
    content->at = s->at;
    content->end = s->at += size;
    return 1;
}

static unsigned long long number_of(span s) {
    unsigned long long found = 0;
    while (s.at < s.end) found = found << 8 | *s.at++;
    return found;
}

/* Return a new reference, or NULL: with an exception set when memory is out, without one when the value is not taken. */
static PyObject *value_of(int tag, span s) {
    Py_ssize_t size = s.end - s.at;
    Py_ssize_t width = 4;
    switch (tag) {
    case 0x46: /* Counter64 */
        width = 8; /* fall through */
    case 0x41: /* Counter32, Gauge32, TimeTicks */
    case 0x42:
    case 0x43:
        if (size < 1 || size > width + 1 || (size > width && s.at[0])) return NULL;
        return PyLong_FromUnsignedLongLong(number_of(s));
    case 0x02: /* INTEGER: two's complement */
        if (size < 1 || size > 8) return NULL;
        unsigned long long bits = number_of(s);
        if (s.at[0] & 0x80 && size < 8) bits |= ~0ULL << (8 * size);
        long long number;
        memcpy(&number, &bits, sizeof number);
        return PyLong_FromLongLong(number);
    case 0x40: /* IpAddress */
        if (size != 4) return NULL; /* fall through */
    case 0x04: /* OCTET STRING, Opaque */
    case 0x44:
        return PyBytes_FromStringAndSize((const char *)s.at, size);
    case 0x05: /* NULL, noSuchObject, noSuchInstance, endOfMibView */
    case 0x80:
    case 0x81:
    case 0x82:
        if (size) return NULL;
        Py_RETURN_NONE;
    default:
        return NULL;
    }
}

/* Tell whether these octets are equal: names are short, and a call for each would take longer. */
static inline int same(const unsigned char *a, const unsigned char *b, size_t size) {
    for (; size >= 8; a += 8, b += 8, size -= 8) {
        uint64_t x, y;
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y) return 0;
    }
    while (size--)
        if (*a++ != *b++) return 0;
    return 1;
}

static inline span octets_of(PyObject *bytes) {
    const unsigned char *at = (const unsigned char *)PyBytes_AS_STRING(bytes);
    return (span){at, at + PyBytes_GET_SIZE(bytes)};
}

static inline size_t size_of(span s) { return (size_t)(s.end - s.at); }

/* Take from `s` one varbind whose name is `head` followed by `tail`. As `value_of`. */
static inline PyObject *varbind(span *s, span head, span tail) {
    int tag;
    span pair, name, content;
    if (!element(s, &tag, &pair) || tag != 0x30) return NULL;
    if (!element(&pair, &tag, &name) || tag != 0x06) return NULL;
    if (size_of(name) != size_of(head) + size_of(tail)) return NULL;
    if (!same(name.at, head.at, size_of(head)) || !same(name.at + size_of(head), tail.at, size_of(tail))) return NULL;
    if (!element(&pair, &tag, &content) || pair.at != pair.end) return NULL;
    return value_of(tag, content);
}

typedef struct {
    PyObject_HEAD
    PyObject *uptime, *columns, *indexes; /* bytes, and tuples of bytes */
} Window;

/* Read the varbinds that fill `s` into `found`, of which there is room for all. Returns how many were read. */
static Py_ssize_t varbinds(const Window *self, span s, PyObject **found) {
    Py_ssize_t width = PyTuple_GET_SIZE(self->columns), height = PyTuple_GET_SIZE(self->indexes), count = 0;
    if (!(found[count] = varbind(&s, octets_of(self->uptime), (span){NULL, NULL}))) return count;
    if (!PyLong_CheckExact(found[count++])) return count;
    for (Py_ssize_t row = 0; row < height; row++) {
        span tail = octets_of(PyTuple_GET_ITEM(self->indexes, row));
        for (Py_ssize_t column = 0; column < width; column++)
            if (!(found[count] = varbind(&s, octets_of(PyTuple_GET_ITEM(self->columns, column)), tail)))
                return count;
            else
                count++;
    }
    if (s.at != s.end) Py_DECREF(found[--count]); /* something follows: not all is as expected */
    return count;
}

/* Put the values of the varbinds that fill `s` into `list` and return sysUpTime, or None where they are others. */
static PyObject *rows(const Window *self, span s, PyObject *list, PyObject *first) {
    PyObject *found[MOST_VALUES];
    Py_ssize_t all = 1 + PyTuple_GET_SIZE(self->columns) * PyTuple_GET_SIZE(self->indexes);
    Py_ssize_t at = PyLong_AsSsize_t(first);
    if (at == -1 && PyErr_Occurred()) return NULL;
    if (at < 0 || at > PyList_GET_SIZE(list) - (all - 1)) {
        PyErr_SetString(PyExc_ValueError, "there are no such places for the values");
        return NULL;
    }
    Py_ssize_t count = varbinds(self, s, found);
    if (count < all) {
        while (count) Py_DECREF(found[--count]);
        if (PyErr_Occurred()) return NULL;
        Py_RETURN_NONE;
    }
    for (Py_ssize_t i = 1; i < all; i++) {
        PyObject *before = PyList_GET_ITEM(list, at + i - 1);
        PyList_SET_ITEM(list, at + i - 1, found[i]);
        Py_XDECREF(before);
    }
    return found[0];
}

static PyObject *Window_read(Window *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 5 || !PyBytes_Check(args[0]) || !PyList_CheckExact(args[3])) {
        PyErr_SetString(PyExc_TypeError, "read(data, start, end, values, first)");
        return NULL;
    }
    Py_ssize_t start = PyLong_AsSsize_t(args[1]);
    Py_ssize_t end = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred()) return NULL;
    if (start < 0 || start > end || end > PyBytes_GET_SIZE(args[0])) {
        PyErr_SetString(PyExc_ValueError, "the varbinds lie outside the data");
        return NULL;
    }
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(args[0]);
    return rows(self, (span){data + start, data + end}, args[3], args[4]);
}

/* Take these very octets from `s`. */
static int octets(span *s, span expected) {
    if (size_of(*s) < size_of(expected) || !same(s->at, expected.at, size_of(expected))) return 0;
    s->at += size_of(expected);
    return 1;
}

/* Take the one element of this tag that fills `s`, and go into it. */
static int inside(span *s, int expected) {
    int tag;
    span content;
    if (!element(s, &tag, &content) || tag != expected || s->at != s->end) return 0;
    *s = content;
    return 1;
}

static const unsigned char ID[] = {0x02, 4}, NO_ERROR[] = {0x02, 1, 0, 0x02, 1, 0}; /* error-status, error-index */

static PyObject *Window_message(Window *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 5 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[1]) || !PyBytes_Check(args[2]) ||
        !PyList_CheckExact(args[3])) {
        PyErr_SetString(PyExc_TypeError, "message(data, lead, number, values, first)");
        return NULL;
    }
    span s = octets_of(args[0]);
    int response = inside(&s, 0x30) && octets(&s, octets_of(args[1])) && inside(&s, 0xa2) &&
                   octets(&s, (span){ID, ID + sizeof ID}) && PyBytes_GET_SIZE(args[2]) == 4 &&
                   octets(&s, octets_of(args[2])) && octets(&s, (span){NO_ERROR, NO_ERROR + sizeof NO_ERROR}) &&
                   inside(&s, 0x30);
    if (!response) Py_RETURN_NONE;
    return rows(self, s, args[3], args[4]);
}

static int are_bytes(PyObject *tuple) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (!PyBytes_Check(PyTuple_GET_ITEM(tuple, i))) return 0;
    return 1;
}

static PyObject *Window_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    PyObject *uptime, *columns, *indexes;
    if (named || !PyArg_ParseTuple(args, "SO!O!:Window", &uptime, &PyTuple_Type, &columns, &PyTuple_Type, &indexes))
        return NULL;
    if (!are_bytes(columns) || !are_bytes(indexes)) {
        PyErr_SetString(PyExc_TypeError, "Window(uptime, columns, indexes): octets of names are bytes");
        return NULL;
    }
    Py_ssize_t width = PyTuple_GET_SIZE(columns), height = PyTuple_GET_SIZE(indexes);
    if (width && height > (MOST_VALUES - 1) / width) {
        PyErr_SetString(PyExc_ValueError, "a window of so many values fits into no datagram");
        return NULL;
    }
    Window *self = (Window *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->uptime = Py_NewRef(uptime);
    self->columns = Py_NewRef(columns);
    self->indexes = Py_NewRef(indexes);
    return (PyObject *)self;
}

static void Window_dealloc(Window *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(self->uptime);
    Py_XDECREF(self->columns);
    Py_XDECREF(self->indexes);
    type->tp_free(self);
    Py_DECREF(type);
}

#define METHOD(function) (PyCFunction)(void (*)(void))function, METH_FASTCALL

static PyMethodDef methods[] = {
    {"read", METHOD(Window_read), "Put the values of these varbinds in their places and return sysUpTime, or None."},
    {"message", METHOD(Window_message), "Put the values of this message in their places and return sysUpTime, or None."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, Window_new}, {Py_tp_dealloc, Window_dealloc}, {Py_tp_methods, methods}, {0, NULL},
};

static PyType_Spec spec = {"monitor._fastber.Window", sizeof(Window), 0, Py_TPFLAGS_DEFAULT, slots};

static int fill(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int failed = !type || PyModule_AddObjectRef(module, "Window", type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot parts[] = {{Py_mod_exec, fill}, {0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fastber", NULL, 0, NULL, parts, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__fastber(void) { return PyModuleDef_Init(&module); }
