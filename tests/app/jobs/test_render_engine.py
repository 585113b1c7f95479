"""The engine: when it loads, who has the next turn, and what those are told who get none."""

from __future__ import annotations

import importlib.util
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from werkzeug.exceptions import ClientDisconnected

from app.failures import Busy
from app.jobs.render_engine import RenderEngine, TurnQueue
from app.settings import Settings
from tests.support.fake_painter import FakePainter
from tests.support.gunicorn import ROOT
from tests.support.requests import NEGATIVE, URL, error_of

SOON = 10  # seconds, at most, for what happens at once


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += seconds


class Load:
    """A thread that ends after so many seconds of that clock."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._end = clock, clock.now + seconds

    def join(self, patience: float) -> None:
        self._clock.go_on(max(0.0, min(patience, self._end - self._clock.now)))

    def is_alive(self) -> bool:
        return self._clock.now < self._end


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.jobs.render_engine.time", clock)
    return clock


@contextmanager
def held(turns: TurnQueue) -> Iterator[None]:
    """Hold a turn in another thread."""
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with turns.turn():
            inside.set()
            assert done.wait(SOON)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(SOON)
    try:
        yield
    finally:
        done.set()
        thread.join()


def refused(turns: TurnQueue) -> int:
    """Return the seconds after which a refused request should come back."""
    with pytest.raises(Busy) as error, turns.turn():
        pass
    return error.value.retry_after


def in_line(turns: TurnQueue, work: Callable[[int], None], count: int) -> list[threading.Thread]:
    """Start `count` threads that wait for a turn, in this order."""

    def take(number: int) -> None:
        with turns.turn():
            work(number)

    threads = [threading.Thread(target=take, args=[number]) for number in range(count)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(turns._waiting) <= number:
            assert thread.is_alive()
    return threads


def test_first_come_first_painted():
    turns, order = TurnQueue(1, 9, SOON), []
    with held(turns):
        threads = in_line(turns, order.append, 9)
    for thread in threads:
        thread.join()
    assert order == list(range(9))


def test_nobody_steps_in_between():
    """A turn that ends is handed over: it is not free while the next one still wakes up."""
    turns, go_on = TurnQueue(1, 1, SOON), threading.Event()
    with held(turns):
        (waiting,) = in_line(turns, lambda _: go_on.wait(SOON), 1)
    turns._patience = 0
    refused(turns)
    go_on.set()
    waiting.join()


def test_as_many_at_once_as_there_are_turns():
    turns = TurnQueue(2, 0, SOON)
    with held(turns), held(turns):
        refused(turns)
    with turns.turn():
        pass


def test_who_gives_up_leaves_no_gap():
    turns, served = TurnQueue(1, 2, 0.01), []
    with held(turns):
        refused(turns)
        assert not turns._waiting
        turns._patience = SOON
        (waiting,) = in_line(turns, served.append, 1)
    waiting.join()
    assert served == [0]


def test_a_turn_that_comes_in_the_last_moment_is_taken():
    turns = TurnQueue(1, 1, SOON)
    with turns.turn():
        event = threading.Event()
        turns._waiting.append(event)
    assert event.is_set()
    turns._give_up(event)  # its patience had ended just then
    turns._release()
    with turns.turn():
        pass


def test_a_failure_ends_its_turn():
    turns = TurnQueue(1, 0, SOON)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns.turn():
            raise ZeroDivisionError


def finish_turns(turns: TurnQueue, clock: Clock, seconds: float, times: int = 20) -> None:
    for _ in range(times):
        with turns.turn(), turns.measure():
            clock.go_on(seconds)


def test_those_who_are_sent_away_come_back_one_after_the_other(clock):
    turns = TurnQueue(1, 0, SOON)
    finish_turns(turns, clock, 3.0)
    with held(turns):
        assert [refused(turns) for _ in range(4)] == [3, 6, 9, 12]
        clock.go_on(9.0)
        assert refused(turns) == 6  # the line goes on


def test_two_at_a_time_are_twice_as_fast(clock):
    turns = TurnQueue(2, 0, SOON)
    finish_turns(turns, clock, 3.0)
    with held(turns), held(turns):
        assert [refused(turns) for _ in range(3)] == [3, 5, 6]


@pytest.mark.parametrize(("seconds", "told"), [(0.001, 1), (1000.0, 60)])
def test_nobody_is_told_to_wait_for_no_time_or_for_ever(clock, seconds, told):
    turns = TurnQueue(1, 0, SOON)
    finish_turns(turns, clock, seconds)
    with held(turns):
        assert refused(turns) == told
        assert max(refused(turns) for _ in range(100)) <= 60


def disconnected() -> None:
    raise ClientDisconnected


def nothing() -> None:
    pass


@pytest.mark.parametrize(
    ("error", "work", "raise_if_disconnected", "loading"),
    [
        (ZeroDivisionError, lambda: 1 / 0, nothing, 0),
        (ClientDisconnected, nothing, disconnected, 0),
        (Busy, nothing, nothing, 1e6),
    ],
)
def test_only_finished_work_tells_how_long_a_turn_takes(clock, error, work, raise_if_disconnected, loading):
    engine = RenderEngine(Settings(renders=1, queue=0), FakePainter())
    for _ in range(20):
        engine.run(lambda: clock.go_on(3.0))
    engine.raise_if_disconnected, engine._loader = raise_if_disconnected, Load(clock, loading)
    for _ in range(20):
        with pytest.raises(error):
            engine.run(work)
    with held(engine._turns):
        assert refused(engine._turns) == 3


def test_the_wait_for_the_model_is_no_part_of_the_work(clock):
    engine = RenderEngine(Settings(renders=1, queue=0), FakePainter())
    engine._loader = Load(clock, 50)
    engine.run(lambda: clock.go_on(1.0))
    assert clock.now == 1051
    with held(engine._turns):
        assert refused(engine._turns) == 1


def test_the_answer_says_when_to_come_back(new_app, form):
    app = new_app(renders=1, queue=0)
    with held(app.extensions["engine"]._turns):
        answer = app.test_client().post(URL, data=form())
    assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_nothing_is_painted_for_those_who_have_gone(app, painter, form):
    here, there = socket.socketpair()
    with here:
        there.close()
        answer = app.test_client().post(URL, data=form(), environ_overrides={"gunicorn.socket": here})
    assert (answer.status_code, painter.calls_of("stylize")) == (ClientDisconnected.code, [])


@pytest.mark.parametrize("next_request", [b"", b"GET / HTTP/1.1\r\n\r\n"])
def test_those_who_are_there_have_their_picture(app, form, next_request):
    here, there = socket.socketpair()
    with here, there:
        there.sendall(next_request)
        answer = app.test_client().post(URL, data=form(), environ_overrides={"gunicorn.socket": here})
        assert answer.status_code == 200
        assert here.recv(100, socket.MSG_DONTWAIT) == next_request if next_request else True


def test_it_has_weights_once_all_is_ready(painter):
    engine, hold = RenderEngine(Settings(), painter), painter.hold("warm_up")
    engine.load()
    assert hold.reached.wait(SOON)
    assert engine.weights is None
    hold.released.set()
    engine.run(lambda: None)
    assert engine.weights == NEGATIVE


@contextmanager
def run_behind_another(engine: RenderEngine) -> Iterator[Future]:
    """Run work that waits for its turn until the block ends."""
    with ThreadPoolExecutor(1) as pool, held(engine._turns):
        running = pool.submit(engine.run, lambda: "painted")
        while not engine._turns._waiting:
            assert not running.done()
        yield running


@pytest.mark.parametrize(("loading", "waited"), [(55, 55), (100, 60)])
def test_one_patience_is_for_the_turn_and_the_model_together(clock, loading, waited):
    engine = RenderEngine(Settings(renders=1, queue=1, patience=60), FakePainter())
    engine._loader = Load(clock, loading)
    with run_behind_another(engine) as running:
        clock.go_on(50)
    if loading == waited:
        assert running.result() == "painted"
    else:
        with pytest.raises(Busy, match="loading"):
            running.result()
    assert clock.now == 1000 + waited


def test_a_turn_that_comes_late_is_used_if_the_model_is_there(clock):
    engine = RenderEngine(Settings(renders=1, queue=1, patience=60), FakePainter())
    engine._loader = Load(clock, 1)
    with run_behind_another(engine) as running:
        clock.go_on(61)
    assert running.result() == "painted"


def test_a_load_that_is_just_beginning_is_waited_for(painter, monkeypatch):
    """Between the moment in which its thread is made and that in which it runs, others come, too."""
    engine, begun, go_on = RenderEngine(Settings(), painter), threading.Event(), threading.Event()

    class Slow(threading.Thread):
        def start(self):
            begun.set()
            assert go_on.wait(10)
            super().start()

    monkeypatch.setattr("app.jobs.render_engine.threading", SimpleNamespace(**vars(threading) | {"Thread": Slow}))
    with ThreadPoolExecutor(2) as pool:
        loading = pool.submit(engine.load)
        assert begun.wait(10)
        painted = pool.submit(engine.run, lambda: engine.weights)
        timer = threading.Timer(0.1, go_on.set)
        timer.start()
        assert painted.result(10) == NEGATIVE
        loading.result(10)
        timer.join()


def test_while_the_model_loads_few_wait_and_in_their_order(painter):
    hold, order = painter.hold("warm_up"), []
    engine = RenderEngine(Settings(renders=1, queue=4), painter)
    engine.load()
    with ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(engine.run, lambda number=number: order.append(number))
            while engine._turns._taken + len(engine._turns._waiting) <= number:
                pass
        refused(engine._turns)
        assert not order
        hold.released.set()
    assert order == list(range(5))


def configuration() -> SimpleNamespace:
    spec = importlib.util.spec_from_file_location("gunicorn_conf", ROOT / "gunicorn.conf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Restore the interpreter's switch interval, which the server sets."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def test_who_answers_others_does_not_hold_up_the_picture(new_app):
    conf = configuration()
    conf.post_worker_init(SimpleNamespace(wsgi=new_app(), alive=True))
    assert sys.getswitchinterval() == pytest.approx(conf.SWITCH_INTERVAL)


def test_the_server_loads_when_its_port_is_open_and_nobody_has_come(new_app, painter):
    hold = painter.hold("warm_up")
    app = new_app(warm_up=True)
    assert not hold.reached.is_set()
    configuration().post_worker_init(SimpleNamespace(wsgi=app, alive=True))
    assert hold.reached.wait(SOON)
    hold.released.set()


def test_without_warm_up_the_first_picture_loads(new_app, painter, form):
    app = new_app(warm_up=False)
    configuration().post_worker_init(SimpleNamespace(wsgi=app, alive=True))
    assert app.test_client().post(URL, data=form()).status_code == 200
    assert not painter.calls_of("warm_up")


def test_pages_are_there_while_it_loads(new_app, painter):
    hold = painter.hold("warm_up")
    app = new_app(warm_up=True)
    configuration().post_worker_init(SimpleNamespace(wsgi=app, alive=True))
    client = app.test_client()
    try:
        assert [client.get(page).status_code for page in ("/healthz", "/", "/readyz")] == [200, 200, 503]
    finally:
        hold.released.set()
    app.extensions["engine"].run(lambda: None)
    assert client.get("/readyz").status_code == 200
