#pragma once

/// Places at which a test may kill the process or make an operation fail, in builds with
/// CPM_FAULT_POINTS (a CMake option, on in the presets that build tests) and nowhere else: without
/// it both macros vanish.
///
/// The environment variable CPM_FAULT=NAME:N names one point; its N-th passage (from 1) in the life
/// of the process is the one that counts. The points, in the order in which a request passes them:
///
///   append        the batch is built, nothing is written
///   append-fails  (fails) the batch was written, but its sync is reported as failed: at the next
///                 start the record is in the log although it was never promised
///   sync          the batch is durable, its caller does not know yet
///   compact       the records of a compacted range are to be deleted; nothing is
///   compacted     they are deleted
///   answer        the answer is ready, not sent
///   effect        the answer is out, the effect (a wake, an order) is not

#ifdef CPM_FAULT_POINTS

namespace cpm::eventstore {
/// Whether this passage of the point is the one CPM_FAULT names. Any thread.
bool fault_is_due(char const* name);
/// Ends the process as a power cut does: SIGKILL, no handler, nothing flushed.
void die_if_due(char const* name);
/// As if the process had been started with CPM_FAULT=fault (nullptr: without). For tests in one
/// process, while no other thread passes a point.
void arm_fault(char const* fault);
} // namespace cpm::eventstore

/// Here the process may die.
#define CPM_FAULT_POINT(name) ::cpm::eventstore::die_if_due(name)
/// True where an operation is to be reported as failed.
#define CPM_FAULT(name) ::cpm::eventstore::fault_is_due(name)

#else

#define CPM_FAULT_POINT(name) static_cast<void>(0)
#define CPM_FAULT(name) false

#endif
