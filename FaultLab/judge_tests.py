# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""The judge judged: events that nobody wrote, each with one lie in it. `FaultLab/run` begins with these.

    python3 FaultLab/judge_tests.py
"""

import copy
import unittest

import ground  # noqa: F401  first: it says where the modules of the scenarios are
from evidence import BEARS_OUT
from expectation import SILENT, View, sees
from harness import MILLISECOND, Event
from resources import growth
from judgement import Case, Judgement, heartbeat_missing
import coverage
import table
from catalogue import Fault
from scene import EVERY_PAIR, Pair
from tally import Tally

STRUCK = 1_000_000 * MILLISECOND
TCP = {"state": "established", "unacked": 0, "lost": 0, "sentAgain": 0, "retransmits": 0, "backoff": 0, "probes": 0,
       "totalRetransmits": 0, "lastDataReceivedMs": 990, "lastAckReceivedMs": 990, "lastDataSentMs": 320,
       "sendWindow": 65536, "notSentBytes": 0, "bytesAcked": 40, "bytesHandedOver": 40, "rttUs": 100, "rtoUs": 204000}
LOST = {"unacked": 2, "retransmits": 1}


def closed(reason, after=800, silence=990, phase="active", bound=1000, errno=None, tcp=TCP, unsent=None, **figures):
    """A closed event that came so many milliseconds after the fault; `figures` are the kernel's."""
    evidence = {"errno": errno, "tcp": tcp and dict(tcp, lastDataReceivedMs=silence)}
    if figures:
        evidence["tcp"].update(figures)
    if unsent:
        evidence["unsentBytes"] = unsent
    data = {"reason": reason, "phase": phase, "silenceMs": silence, "boundMs": bound, "evidence": evidence}
    return Event(STRUCK + after * MILLISECOND, {"type": "dev.belay.connection.closed", "data": copy.deepcopy(data)})


def case(*codes, seen=None, **circumstances):
    return Case(seen or sees(*codes), 1.0, 1 / 3, STRUCK, STRUCK, **circumstances)


class JudgeTests(unittest.TestCase):
    def assert_right(self, event, about):
        self.assertEqual(Judgement(event, about).wrong, [])

    def assert_wrong(self, event, about, word):
        wrong = Judgement(event, about).wrong
        self.assertEqual(len(wrong), 1, wrong)
        self.assertIn(word, wrong[0])

    # What is right.

    def test_a_lost_path_found_in_time_is_right(self):
        self.assert_right(closed("path.lost", **LOST), case("path.lost"))

    def test_keepalive_probes_in_vain_show_a_lost_path(self):
        self.assert_right(closed("path.lost", probes=2), case("path.lost"))

    def test_an_answer_on_its_way_shows_what_an_asking_end_would_see(self):
        seen = View(sees("path.lost"), SILENT).of("server", "client")
        self.assert_right(closed("path.lost", **LOST), case(seen=seen))
        self.assert_right(closed("peer.silent"), case(seen=seen))

    def test_so_does_a_question_of_the_kernels_keepalive(self):
        seen = View(sees("path.lost"), SILENT).of("server", "client")
        self.assert_right(closed("path.lost", probes=1), case(seen=seen))

    def test_a_reset_is_told_to_who_only_answers_by_an_answer_or_by_keepalive(self):
        seen = View(sees("peer.reset", within="next ping"), SILENT).of("server", "client")
        event = {"reason": "peer.reset", "errno": "ECONNRESET", "tcp": None}
        self.assert_right(closed(**event, after=20, silence=20), case(seen=seen))
        self.assert_right(closed(**event, after=1010, silence=1005), case(seen=seen))
        self.assert_wrong(closed(**event, after=800, silence=900), case(seen=seen), "peer.reset for peer.silent")

    # Times of this program.

    def test_a_line_a_little_late_is_in_time(self):
        self.assert_right(closed("path.lost", after=1040, **LOST), case("path.lost"))

    def test_a_late_verdict_is_wrong(self):
        self.assert_wrong(closed("path.lost", after=1060, **LOST), case("path.lost"), "too late")

    def test_a_late_verdict_of_a_late_machine_is_right(self):
        self.assert_right(closed("path.lost", after=1110, **LOST), case("path.lost", machine=0.035, before=0.035))

    def test_a_late_verdict_after_a_stall_that_was_told_is_right(self):
        event = closed("path.lost", after=1700, silence=990, **LOST, lastDataReceivedMs=1380)
        self.assert_right(event, case("path.lost", stalls=(0.4,)))

    def test_a_stall_excuses_no_more_than_itself_and_an_answer(self):
        event = closed("path.lost", after=1900, silence=990, **LOST, lastDataReceivedMs=1380)
        self.assert_wrong(event, case("path.lost", stalls=(0.4,)), "too late")

    def test_a_verdict_sooner_than_the_silence_can_have_lasted_is_wrong(self):
        self.assert_wrong(closed("path.lost", after=600, **LOST), case("path.lost"), "not before 667 ms")
        self.assert_right(closed("path.lost", after=650, **LOST), case("path.lost"))

    def test_a_handshake_is_given_all_of_its_time(self):
        seen = sees("policy.handshake-timeout", phase="handshake", since="opened")
        event = {"reason": "policy.handshake-timeout", "phase": "handshake"}
        self.assert_right(closed(**event, after=990), case(seen=seen))
        self.assert_wrong(closed(**event, after=920), case(seen=seen), "not before 950 ms")

    def test_what_comes_at_once_may_not_take_longer(self):
        event = {"reason": "peer.reset", "errno": "ECONNRESET", "tcp": None, "silence": 100}
        about = case(seen=sees("peer.reset", within="at once"))
        self.assert_right(closed(**event, after=90), about)
        self.assert_wrong(closed(**event, after=160), about, "too late")

    def test_an_end_before_the_fault_is_wrong(self):
        about = case(seen=sees("peer.closed", within="at once"))
        self.assert_wrong(closed("peer.closed", after=-5, tcp=None, silence=5), about, "before the fault")

    # Belay's own clock.

    def test_a_clock_that_leaves_out_more_than_the_machine_was_late_is_a_lie(self):
        event = closed("path.lost", after=1000, **LOST, lastDataReceivedMs=1190)
        self.assert_wrong(event, case("path.lost"), "shorter than the kernel counts")

    def test_such_a_clock_excuses_no_lateness(self):
        event = closed("path.lost", after=1190, **LOST, lastDataReceivedMs=1190)
        wrong = " ".join(Judgement(event, case("path.lost")).wrong)
        self.assertIn("too late", wrong)
        self.assertIn("shorter than the kernel counts", wrong)

    def test_a_clock_that_counts_more_than_the_kernel_is_a_lie(self):
        event = closed("path.lost", **LOST, lastDataReceivedMs=700)
        self.assert_wrong(event, case("path.lost"), "longer than the kernel counts")

    def test_a_clock_may_leave_out_what_the_machine_was_late(self):
        event = closed("path.lost", after=1000, **LOST, lastDataReceivedMs=1090)
        self.assert_right(event, case("path.lost", machine=0.1, before=0.1))

    def test_bytes_that_moved_may_prove_life_instead(self):
        event = closed("peer.not-reading", after=1300, unsent=100, lastDataReceivedMs=2400)
        about = case(seen=sees("peer.not-reading", within=1.5, apart="bytes moved"))
        self.assert_right(event, about)

    def test_a_silence_beyond_the_bound_is_wrong(self):
        self.assert_wrong(closed("path.lost", silence=1010, **LOST), case("path.lost"), "silenceMs 1010.0 of 1000")

    def test_a_silence_well_ahead_of_the_bound_is_wrong(self):
        self.assert_wrong(closed("path.lost", silence=970, **LOST), case("path.lost"), "silenceMs 970.0 of 1000")

    def test_another_bound_than_was_asked_for_is_wrong(self):
        event = closed("path.lost", bound=1005, silence=1000, **LOST)
        self.assert_wrong(event, case("path.lost"), "boundMs 1005 for 1000")

    # Reason, phase and evidence.

    def test_another_reason_is_wrong(self):
        self.assert_wrong(closed("peer.frozen"), case("path.lost"), "peer.frozen for path.lost")

    def test_another_phase_is_wrong(self):
        self.assert_wrong(closed("path.lost", phase="draining", **LOST), case("path.lost"), "phase draining")

    def test_a_lost_path_without_evidence_is_wrong(self):
        self.assert_wrong(closed("path.lost", tcp=None), case("path.lost"), "does not bear it out")

    def test_a_lost_path_on_which_all_is_acknowledged_is_wrong(self):
        self.assert_wrong(closed("path.lost"), case("path.lost"), "does not bear it out")

    def test_a_frozen_peer_that_acknowledged_nothing_is_wrong(self):
        self.assert_wrong(closed("peer.frozen", unacked=1), case("peer.frozen"), "everything acknowledged")

    def test_the_acknowledgement_of_a_ping_of_just_now_may_be_missing(self):
        event = closed("peer.frozen", unacked=1, lastDataSentMs=30, lastAckReceivedMs=320)
        self.assert_right(event, case("peer.frozen"))
        event = closed("peer.frozen", unacked=1, lastDataSentMs=30, lastAckReceivedMs=990)
        self.assert_wrong(event, case("peer.frozen"), "everything acknowledged")

    def test_who_only_answers_cannot_tell_that_a_peer_is_frozen(self):
        seen = View(sees("peer.frozen"), SILENT).of("server", "client")
        wrong = " ".join(Judgement(closed("peer.frozen", unacked=1), case(seen=seen)).wrong)
        self.assertIn("peer.frozen for peer.silent", wrong)

    def test_a_reset_without_its_errno_is_wrong(self):
        about = case(seen=sees("peer.reset", within="at once"))
        self.assert_wrong(closed("peer.reset", after=5, tcp=None, silence=5), about, "errno of a reset")

    def test_an_end_of_the_stream_with_an_errno_is_wrong(self):
        about = case(seen=sees("peer.closed", within="at once"))
        event = closed("peer.closed", after=5, tcp=None, silence=5, errno="ECONNRESET")
        self.assert_wrong(event, about, "no errno")

    def test_a_silent_peer_whose_path_is_seen_to_be_lost_is_wrong(self):
        self.assert_wrong(closed("peer.silent", **LOST), case("peer.silent"), "sent again")

    def test_an_unreachable_peer_needs_the_word_of_a_router(self):
        self.assert_right(closed("path.unreachable", errno="EHOSTUNREACH", **LOST), case("path.unreachable"))
        self.assert_wrong(closed("path.unreachable", **LOST), case("path.unreachable"), "router")

    def test_a_peer_that_does_not_read_leaves_bytes_or_a_closed_window(self):
        about = case(seen=sees("peer.not-reading", within=1.5))
        self.assert_right(closed("peer.not-reading", sendWindow=0), about)
        self.assert_wrong(closed("peer.not-reading"), about, "closed window")

    def test_a_reason_of_which_nothing_is_known_is_wrong(self):
        self.assert_wrong(closed("node.lost"), case("node.lost"), "does not bear it out")

    def test_every_reason_that_is_expected_anywhere_has_its_evidence(self):
        codes = {code for fault in table.FAULTS for end in ("server", "client") for pair in fault.pairs
                 for seen in [fault.seen(end, pair)] if seen for code in seen.codes}
        self.assertEqual(codes - set(BEARS_OUT), set())

    # Those who live.

    def test_heartbeats_that_go_on_are_heard_within_an_interval(self):
        self.assertIsNone(heartbeat_missing(0.34, 1 / 3, 0))
        self.assertIsNone(heartbeat_missing(0.45, 1 / 3, 0.1))

    def test_heartbeats_that_stopped_are_missing(self):
        self.assertIn("no heartbeat", heartbeat_missing(0.5, 1 / 3, 0.05))

    def test_a_connection_that_is_gone_has_no_heartbeats(self):
        self.assertIn("no such connection", heartbeat_missing(None, 1 / 3, 0))


class TallyTests(unittest.TestCase):
    """What is printed and written must be what was seen."""

    FAULT = Fault("a fault", "a group", "loss", server=View(sees("path.lost")))
    PAIR = Pair("raw", "server")

    def tally(self, *lines, runs=1):
        tally = Tally()
        tally.add(self.FAULT, list(lines), {}, [self.PAIR], runs)
        tally.complete(self.FAULT)
        return tally

    @staticmethod
    def line(expected=("path.lost",), reason="path.lost", wrong=()):
        return {"fault": "a fault", "phase": "active", "observer": "server", "protocol": "raw", "pinger": "server",
                "run": 1, "expected": list(expected), "why": "", "reason": reason, "latency": 800, "limit": 1000,
                "excess": -200, "silence": 990, "beyond": -10, "stalled": False, "wrong": list(wrong), "facts": []}

    def test_what_was_seen_as_often_as_it_was_made_is_right(self):
        self.assertEqual(self.tally(self.line()).wrong, [])

    def test_a_fault_of_which_nothing_was_seen_is_wrong(self):
        self.assertEqual(len(self.tally().wrong), 1)

    def test_a_cell_that_was_seen_too_seldom_is_wrong(self):
        wrong = self.tally(self.line(), runs=2).wrong
        self.assertEqual([line["wrong"] for line in wrong], [["seen 1 of 2 times"]])

    def test_a_false_verdict_is_shown_beside_those_who_lived(self):
        tally = self.tally(self.line((), None), self.line((), "peer.frozen", ["false verdict"]), runs=2)
        row, = tally.of(self.FAULT)
        self.assertEqual(row.verdicts, "lives 1, peer.frozen 1")
        self.assertEqual(row.wrong, 1)


class MemoryTests(unittest.TestCase):
    """Of sizes in pages, as the kernel counts them."""

    PAGE = 4096

    def grows(self, *pages, connections=3):
        sizes = [page * self.PAGE for page in pages]
        bytes_a_run, allowed = growth(sizes, connections)
        return bytes_a_run > allowed

    def test_memory_that_stays_as_it_is_does_not_grow(self):
        self.assertFalse(self.grows(*[100] * 17))

    def test_a_buffer_that_grows_once_or_twice_is_no_leak(self):
        self.assertFalse(self.grows(*[100] * 6, *[160] * 6, *[163] * 5))

    def test_one_forgotten_connection_in_each_run_is_a_leak(self):
        self.assertTrue(self.grows(*(100 + run * 2600 // self.PAGE for run in range(17))))

    def test_what_is_given_back_and_taken_again_is_no_leak(self):
        self.assertFalse(self.grows(*[100, 132, 130, 101] * 4, 133))

    def test_what_goes_on_growing_beside_that_is_a_leak(self):
        self.assertTrue(self.grows(*(size + 20 * run for run, size in enumerate([100, 132, 130, 101] * 4))))


class CoverageTests(unittest.TestCase):
    """No kind of fault in any phase is left out without a word."""

    def test_every_fault_is_of_a_known_kind(self):
        known = {*coverage.KINDS, coverage.NONE}
        self.assertEqual([fault.name for fault in table.FAULTS if fault.kind not in known], [])

    def test_no_two_faults_have_the_same_name(self):
        names = [fault.name for fault in table.FAULTS]
        self.assertEqual(len(names), len(set(names)))

    def test_every_kind_of_fault_is_made_in_every_phase_or_there_is_a_reason(self):
        self.assertEqual(coverage.unexplained(table.FAULTS), [])

    def test_no_reason_is_given_for_what_is_made(self):
        self.assertEqual(coverage.stale(table.FAULTS), [])

    def test_whoever_is_left_out_of_a_fault_is_so_for_a_reason(self):
        self.assertEqual([fault.name for fault in table.FAULTS
                          if set(fault.pairs) != set(EVERY_PAIR) and not fault.fewer], [])


def hold():
    """Runs all of them; whether they hold."""
    tests = unittest.defaultTestLoader.loadTestsFromModule(__import__(__name__))
    return unittest.TextTestRunner(verbosity=0).run(tests).wasSuccessful()


if __name__ == "__main__":
    unittest.main()
