"""Stored samples as series of remote write: scaled, labelled, in batches of a bounded size. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitor.out import message
from monitor.out.book import Book
from monitor.out.families import Labels, Point, family_of
from monitor.out.message import Series
from monitor.samples import MISSING, Layout
from monitor.tsdb.merge import Part

_BATCH_BYTES = 4 * 2**20
Template = tuple[list[Series | None], NDArray[np.float64], NDArray[np.bool_]]


class Packer:
    """Makes series of the devices in a book; the labels of a layout are made once."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._known: dict[tuple[int, int], Template] = {}

    def series(self, parts: Iterable[tuple[int, Part]]) -> Iterator[Series]:
        """Yield every value of these devices; a value that is missing is left out, and so is an unknown device."""
        for device, part in parts:
            if device in self._book.devices:
                yield from self._device(part, self._template(device, part.plan.layout))

    def _device(self, part: Part, template: Template) -> Iterator[Series]:
        empty, scale, wide = template
        values = part.values.astype(np.float64)
        values[wide] = part.values[wide].view(np.uint64)
        scaled = scale != 1
        values[scaled] = np.round(values[scaled] * scale[scaled, None], 9)
        octets = message.samples(part.valued_ms, values)
        known = part.values != MISSING
        count = known.sum(axis=1).tolist()
        for i, one in enumerate(empty):
            if one is None or not count[i]:
                continue
            some = octets[i]
            if count[i] < len(known[i]):
                some = some.reshape(len(known[i]), -1)[known[i]]
            yield Series(one.name, one.rest, some.tobytes(), count[i], one.what)

    def _template(self, device: int, layout: Layout) -> Template:
        key = (device, layout.id)
        if key not in self._known:
            self._known[key] = self._made(device, layout)
        return self._known[key]

    def _made(self, device: int, layout: Layout) -> Template:
        empty: list[Series | None] = []
        scale = np.ones(len(layout.columns))
        rests: dict[tuple[str, str, Labels], tuple[Labels, bytes]] = {}  # shared by what an interface has
        taken: set[tuple[str, Labels]] = set()
        for i, (metric, instance) in enumerate(layout.columns):
            family = family_of(metric)
            key = (family.of, instance if family.of else "", family.more)
            if key not in rests:
                labels = self._book.of(family, device, instance)
                rests[key] = (labels, message.labels(labels))
            what = (family.name, rests[key][0])
            if what in taken:  # two names that differ only in what cannot be shown
                empty.append(None)
                continue
            taken.add(what)
            scale[i] = family.scale
            empty.append(Series(message.name(family.name), rests[key][1], b"", 0, what))
        wide = np.array([metric.endswith("_64") for metric, _ in layout.columns], bool)
        return empty, scale, wide


def of_points(points: Iterable[Point], now_ms: int) -> Iterator[Series]:
    """Yield points as series of one sample each, as of now; each series once."""
    known: set[tuple[str, Labels]] = set()
    at = np.array([now_ms])
    for point in points:
        what = (point.family.name, point.labels)
        if what not in known:
            known.add(what)
            octets = message.samples(at, np.array([[float(point.value)]])).tobytes()
            yield replace(message.series(*what), samples=octets, count=1)


def batches(series: Iterable[Series], most: int) -> Iterator[list[Series]]:
    """Yield lists of about `most` samples, and of a few MiB at most; a single series is never cut."""
    batch: list[Series] = []
    count = size = 0
    for one in series:
        if batch and (count + one.count > most or size > _BATCH_BYTES):
            yield batch
            batch, count, size = [], 0, 0
        batch.append(one)
        count += one.count
        size += len(one.rest) + len(one.samples)
    if batch:
        yield batch
