// What cpm-replay --help says. packaging/man/cpm-replay.1 tells the same at more length.
#include "tools/cpm-replay/help.hpp"

namespace cpm::replay {
namespace {

constexpr auto kAbout =
    "Shows what happened, from the event log of CPM, the cluster power manager.\n"
    "Only reads, also while the manager runs.";

constexpr auto kNotes = R"(
The options above may also stand after the command.

A server is named by its name or its id (srv_...). A moment is a sequence number or a time like
2026-11-21T09:00:00Z. All times are shown in UTC. The order of events is their sequence: times are
what the manager's clock said. Where old routine heartbeats were compacted away their numbers are
missing; statuses and transitions are those of the whole log.

Output is a table, also in a pipe, unless --output says json (one document) or ndjson (one JSON
object a line). On a terminal what does not fit into a line goes on in the next one (state: is cut
at the edge); a pipe gets each row as one line.

Exit status: 0 fine, 1 a finding (verify: a fault; diff: a difference), 2 wrong usage, 3 the log
cannot be read, or is not whole: what is left is shown, and standard error says what is missing (or
the output cannot be written).
)";

constexpr auto kLog = R"(
Examples:
  cpm-replay log --server web-1 --family power
  cpm-replay log --actor user:alice --from 2026-11-21T00:00:00Z
  cpm-replay log --type PowerRequested,PowerRefused --output ndjson
  cpm-replay log --from 4700 --follow
)";

constexpr auto kState = R"(
A decision is shown whole: --at a sequence in its middle shows the state at its end. --at a time is
the state before the first event that is later.

Examples:
  cpm-replay state
  cpm-replay state --at 4711
  cpm-replay state --at 2026-11-21T23:00:00+09:00 --output json
)";

constexpr auto kTransitions = R"(
Each change of an actual status, decision by decision: what led there is the event that decided it,
with who caused it; the rule is the row of the status table, or the rule before it, that says so.
The transitions of one server are found by index; the rest of the log is not read.

Examples:
  cpm-replay transitions
  cpm-replay transitions web-1 --output ndjson
)";

constexpr auto kExplain = R"(
One status in words: the row or rule that says so and its evidence, what went into it, which
deadlines are pending, and the last ten events of the server.

Examples:
  cpm-replay explain web-1
  cpm-replay explain web-1 --at 2026-11-21T23:00:00Z
)";

constexpr auto kStep = R"(
Each event of the server, and each of the manager that changed it, with the fields it changed. In a
terminal one at a time: n (or Space, arrow down) next, p (arrow up) back, ] and [ to the next and
the previous change of status, g first, G last, q quit. Piped, all of them.

Examples:
  cpm-replay step web-1
  cpm-replay step web-1 | less
  cpm-replay step web-1 --output ndjson
)";

constexpr auto kDiff = R"(
Two moments: each field of a server, and each setting, that is not the same at both (but the number
and the time of the last heartbeat). One --at: that moment and the end of the log. Two logs, each a
data directory: up to where they are the same, what comes then in each, and how their ends differ.
Exit status 1 when something differs.

Examples:
  cpm-replay diff --at 2026-11-21T22:00:00Z --at 2026-11-22T06:00:00Z
  cpm-replay diff --at 4711
  cpm-replay diff /var/lib/cpm /mnt/backup/cpm
)";

constexpr auto kWhatIf = R"(
Decides the log's power requests and reports anew, with the manager's own rules, as if other
settings had held all the time for every server; lists where a server would have had another status,
from when until when. Reports come when they came: what agents would have done otherwise is not
known, and a request that changed nothing left no trace. A report up to 250 ms after its deadline
counts as in time, because the log tells when it was decided and not when it was answered.

Examples:
  cpm-replay what-if --missed 5
  cpm-replay what-if --standby 2m --missed 1 --output ndjson
  cpm-replay what-if --release-standby true
)";

constexpr auto kVerify = R"(
Checks that each number is a record or lies in a range of heartbeats that an event says were
compacted away (HeartbeatsCompacted), that each such range is what its event says, that each record
carries its predecessor's hash, over those ranges too, that the log reaches its head witness, that
the database's list of files is the one that was noted, that each record can be read, that the index
lists each event, that what is kept beside the events (accounts) can be read, that each recorded
status is the one that follows from the events, and that each snapshot is what follows from them.
Prints a line a fault, and goes on where it can; then how many events were read, and how many
heartbeats are compacted away.

The word of a fault says what is wrong: record (missing, or cannot be read), chain (changed, dropped
or put in another's place), range (what was compacted away), witness (the end, or the list of
files), index, table (accounts), snapshot, status.

Examples:
  cpm-replay verify
  cpm-replay --data-dir /mnt/backup/cpm verify --output json
)";

constexpr auto kStats = R"(
Events by family and type; of each server its events, its heartbeats and the gaps between them
(those without a loss in between), and its time in each status; the ten slowest starts (ON asked
until ON) and stops (OFF asked until OFF).

Examples:
  cpm-replay stats
  cpm-replay stats --output json
)";

constexpr auto kBackup = R"(
Copies the log, its head witness, its notes and the manager's keys into a new directory, also while
the manager runs; reads the copy before it says that it is one. TARGET appears when all is on disk.
It holds the keys that switch servers off: keep it where nobody else reads it.

Examples:
  cpm-replay backup /mnt/backup/cpm-2026-11-21
)";

constexpr auto kRestore = R"(
Copies a backup into the data directory (--data-dir), which must be empty, and leaves the backup as
it is. Stop the manager first. Agents know how far the log had come: when the backup is older, the
manager says so (rolled back), gives no orders, and an administrator accepts it.

Examples:
  cpm-replay --data-dir /var/lib/cpm restore /mnt/backup/cpm-2026-11-21
)";

constexpr auto kExport = R"(
Writes each event as a line of JSON with its record's raw bytes (base64), after a line about the log
itself. Accounts and keys are no part of it: a backup has them.

Examples:
  cpm-replay export > cpm.ndjson
  cpm-replay export | zstd > cpm.ndjson.zst
)";

constexpr auto kImport = R"(
Makes a log of an export, byte for byte, in the data directory (--data-dir), which must be empty.
Reads the standard input, or FILE. Nothing is added; a log that is not whole is refused.

Examples:
  cpm-replay --data-dir /tmp/copy import < cpm.ndjson
  zstdcat cpm.ndjson.zst | cpm-replay --data-dir /tmp/copy import
)";

constexpr CommandHelp kCommands[] = {
    {Command::Log, "log", "The events, oldest first", kLog},
    {Command::State, "state", "The servers, as they were at one moment", kState},
    {Command::Transitions, "transitions", "Each change of status, and why", kTransitions},
    {Command::Explain, "explain", "Why a server has, or had, its status", kExplain},
    {Command::Step, "step", "Event by event, and what each changed", kStep},
    {Command::Diff, "diff", "What differs between two moments, or two logs", kDiff},
    {Command::WhatIf, "what-if", "What other settings would have led to", kWhatIf},
    {Command::Verify, "verify", "Whether the log is whole and unchanged", kVerify},
    {Command::Stats, "stats", "Figures: events, gaps, times", kStats},
    {Command::Backup, "backup", "Copies the log and the keys, online", kBackup},
    {Command::Restore, "restore", "Puts a backup into an empty directory", kRestore},
    {Command::Export, "export", "The log as lines of JSON, with its raw bytes", kExport},
    {Command::Import, "import", "Makes a log of an export, byte for byte", kImport},
};

} // namespace

std::span<CommandHelp const> all_commands() {
    return kCommands;
}

char const* about() {
    return kAbout;
}

char const* notes() {
    return kNotes;
}

} // namespace cpm::replay
